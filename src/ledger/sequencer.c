/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequencer - the one thread that gives events their place.
 *
 * Whatever waits in the queue is taken, in order, as far as a frame holds it. Each batch is judged
 * (identity.h), its new rows get the next seqs and go into the frame and the columns of the active
 * segment; then the frame is written and synced, the tree extended, the size published, and every
 * batch told. Rows above the published size are in memory that nobody looks at yet.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "ledger/core.h"
#include "ledger/frames.h"
#include "ledger/judge.h"
#include "os/clock.h"

enum {
    FRAME_BODY_TARGET = 4 * 1024 * 1024,
    BULK_BATCH = 16, /* events of a batch, in the mean of a segment, from which on it is bulk */
};

struct sequencer {
    struct ledger *ledger;
    struct frames *frames;
    struct judge *judge;
    struct active *actives[SNAPSHOT_ACTIVES_MAX]; /* unsealed, the last one takes the next row */
    size_t active_count;
    uint64_t next_seq;
    uint64_t batches; /* since a segment was full */
    struct merkle_frontier frontier;
    struct buf line; /* scratch */
};

/* The rows of one frame that fell into one active segment. */
struct frame_run {
    struct active *active;
    uint32_t first, n;
    size_t body_from;
};

enum { FRAME_RUNS_MAX = 16 };

/* A frame in the making. */
struct making {
    uint8_t *frame;
    size_t body_len;
    uint64_t first_seq;
    bool stable; /* its memory stays: rows may point into it */
    struct frame_run runs[FRAME_RUNS_MAX];
    size_t run_count;
};

struct sequencer *sequencer_new(struct ledger *ledger, const struct merkle_frontier *frontier)
{
    struct sequencer *sequencer = mem_zeroed(sizeof(*sequencer));
    sequencer->ledger = ledger;
    sequencer->frontier = *frontier;
    sequencer->next_seq = frontier->size;
    sequencer->frames = frames_new(ledger->options.cache_bytes_max);
    sequencer->judge = judge_new(ledger->identity, ledger->snapshot);
    buf_init(&sequencer->line, EVENT_LINE_BYTES_MAX);
    return sequencer;
}

void sequencer_free(struct sequencer *sequencer)
{
    if (sequencer == NULL) {
        return;
    }
    for (size_t i = 0; i < sequencer->active_count; i++) {
        active_unref(sequencer->actives[i]);
    }
    buf_release(&sequencer->line);
    judge_free(sequencer->judge);
    frames_free(sequencer->frames);
    free(sequencer);
}

void sequencer_frontier(const struct sequencer *sequencer, struct merkle_frontier *out)
{
    *out = sequencer->frontier;
}

/* ---- The queue ---- */

/* An upper bound of what a batch adds to a frame's body. */
static size_t frame_share(const struct batch *batch)
{
    return batch->rows.len + batch->count * WAL_ENTRY_HEAD_BYTES;
}

static uint64_t batch_bytes(const struct batch *batch)
{
    return batch->rows.len + batch->count * sizeof(*batch->events) + sizeof(*batch);
}

enum err sequencer_append(struct store *store, struct batch *batch, struct diag *diag)
{
    struct ledger *ledger = (struct ledger *)store;
    ASSERT(!batch->leaf_due || batch->count == 1);
    if (atomic_load_explicit(&ledger->failed, memory_order_relaxed)) {
        return diag_fail(diag, ERR_IO, "", "a write failed earlier, nothing is accepted any more");
    }
    if (atomic_load_explicit(&ledger->disk_low, memory_order_relaxed)) {
        return diag_fail(diag, ERR_FULL, "", "free disk space is below the reserve");
    }
    if (wal_frame_bytes(frame_share(batch)) + WAL_FRAME_ALIGN > ledger->options.wal_file_bytes) {
        return diag_fail(diag, ERR_LIMIT, "", "the batch is larger than a write-ahead log file");
    }
    uint64_t bytes = batch_bytes(batch);
    batch->next = NULL;
    mutex_lock(&ledger->queue_lock);
    bool closed = ledger->stopping;
    bool full =
        ledger->queue_bytes > 0 && ledger->queue_bytes + bytes > ledger->options.queue_bytes_max;
    if (!closed && !full) {
        bool was_empty = ledger->queue_head == NULL;
        *ledger->queue_tail = batch;
        ledger->queue_tail = &batch->next;
        ledger->queue_bytes += bytes;
        if (was_empty) {
            condition_signal(&ledger->queue_filled);
        }
    }
    mutex_unlock(&ledger->queue_lock);
    if (closed || full) {
        return diag_fail(diag, ERR_BUSY, "",
                         closed ? "the ledger is closing" : "the queue of events is full");
    }
    return OK;
}

/* Everything that waits, in *batches, perhaps nothing; false at the end of all work. */
static bool take_all(struct ledger *ledger, struct batch **batches)
{
    mutex_lock(&ledger->queue_lock);
    while (ledger->queue_head == NULL && ledger->order == NULL && !ledger->stopping) {
        condition_wait(&ledger->queue_filled, &ledger->queue_lock);
    }
    bool go_on = ledger->queue_head != NULL || ledger->order != NULL;
    *batches = ledger->queue_head;
    ledger->queue_head = NULL;
    ledger->queue_tail = &ledger->queue_head;
    mutex_unlock(&ledger->queue_lock);
    return go_on;
}

/* ---- Rows into a frame and into columns ---- */

struct active *sequencer_active(struct sequencer *sequencer)
{
    struct ledger *ledger = sequencer->ledger;
    struct active *last =
        sequencer->active_count > 0 ? sequencer->actives[sequencer->active_count - 1] : NULL;
    if (last == NULL || active_count(last) == ROWS_MAX) {
        ASSERT(sequencer->next_seq % ROWS_MAX == 0);
        ASSERT(sequencer->active_count < SNAPSHOT_ACTIVES_MAX);
        last = active_new(sequencer->next_seq, ledger->hash_seed);
        sequencer->actives[sequencer->active_count++] = last;
        snapshot_add_active(ledger->snapshot, last);
    }
    return last;
}

static void extend_tree(struct sequencer *sequencer, struct active *active,
                        const struct leaf_hash *leaf)
{
    struct merkle_hash hash;
    struct merkle_hash tile;
    memcpy(hash.bytes, leaf->bytes, sizeof(hash.bytes));
    if (merkle_append_completing(&sequencer->frontier, &hash, ROWS_TILE_LEVEL, &tile)) {
        struct leaf_hash root;
        memcpy(root.bytes, tile.bytes, sizeof(root.bytes));
        active_set_tile_root(active, active_count(active) / ROWS_TILE - 1, &root);
    }
}

static void add_row(struct sequencer *sequencer, slice row, bool stable, const struct event *event,
                    const struct leaf_hash *leaf)
{
    struct active *active = sequencer_active(sequencer);
    active_add(active, row, stable, event, leaf);
    extend_tree(sequencer, active, leaf);
    sequencer->next_seq++;
}

void sequencer_replay(struct sequencer *sequencer, slice row, const struct event *event,
                      const struct leaf_hash *leaf)
{
    uint64_t seq = sequencer->next_seq;
    add_row(sequencer, row, false, event, leaf);
    if (row.len > 0) {
        const struct uuid *id = &event->value[FIELD_EVENT_ID].uuid;
        uint64_t hash = event_id_hash(event->value[FIELD_ORG].text, id);
        identity_add(sequencer->ledger->identity, hash, id, seq);
    }
}

enum err sequencer_seal_replayed(struct sequencer *sequencer, struct diag *diag)
{
    struct ledger *ledger = sequencer->ledger;
    struct active *full = sequencer->actives[0];
    ASSERT(sequencer->active_count == 1 && active_count(full) == ROWS_MAX);
    enum err e = OK;
    if (ledger->seal_count < SEAL_BACKLOG_MAX) {
        sealer_queue(ledger, full, true);
    } else { /* behind the others, which are therefore sealed first */
        for (size_t i = 0; i < ledger->seal_count; i++) {
            e = e == OK ? sealer_seal_now(ledger, ledger->seal_queue[i], diag) : e;
            active_unref(ledger->seal_queue[i]);
        }
        ledger->seal_count = 0;
        e = e == OK ? sealer_seal_now(ledger, full, diag) : e;
    }
    active_unref(full);
    sequencer->active_count = 0;
    return e;
}

static void note_run(struct making *making, struct active *active, size_t from)
{
    struct frame_run *last = making->run_count > 0 ? &making->runs[making->run_count - 1] : NULL;
    if (last != NULL && last->active == active) {
        last->n++;
        return;
    }
    ASSERT(making->run_count < FRAME_RUNS_MAX);
    making->runs[making->run_count++] =
        (struct frame_run){active, active_count(active) - 1, 1, from};
}

/* One row entry at the end of the frame, and the row in the columns. */
static enum err place(struct sequencer *sequencer, struct making *making, const struct batch *batch,
                      struct batch_event *item)
{
    uint8_t *entry = making->frame + WAL_FRAME_HEAD_BYTES + making->body_len;
    slice row = {entry + WAL_ENTRY_HEAD_BYTES, item->row_len};
    memcpy(entry + WAL_ENTRY_HEAD_BYTES, batch->rows.ptr + item->row_at, item->row_len);
    struct event event;
    TRY(event_from_row(row, &event, NULL));
    if (batch->leaf_due) {
        TRY(event_leaf(&event, &sequencer->line, &item->leaf));
    }
    wire_put_u32le(entry, item->row_len);
    memcpy(entry + 4, item->leaf.bytes, LEAF_HASH_BYTES);
    add_row(sequencer, row, making->stable, &event, &item->leaf);
    size_t from = making->body_len;
    making->body_len += WAL_ENTRY_HEAD_BYTES + item->row_len;
    note_run(making, sequencer->actives[sequencer->active_count - 1], from);
    return OK;
}

/* Judges one batch and places what is new of it. CONFLICT leaves no trace. */
static enum err place_batch(struct sequencer *sequencer, struct making *making, struct batch *batch,
                            struct diag *diag)
{
    TRY(judge_batch(sequencer->judge, batch, sequencer->next_seq, sequencer->actives,
                    sequencer->active_count, diag));
    bool first = true;
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_event *item = &batch->events[i];
        if (item->state != BATCH_STORED) {
            continue;
        }
        ASSERT(item->seq == sequencer->next_seq);
        enum err e = place(sequencer, making, batch, item);
        ASSERT(e == OK); /* event_write_row() made the row; the line of a small one is not long */
        batch->first_seq = first ? item->seq : batch->first_seq;
        batch->last_seq = item->seq;
        first = false;
    }
    return OK;
}

/* ---- Commit ---- */

/* Full segments that this frame made durable go to the sealer; one that is nearly full wants the
 * one before it to be done. */
static void hand_to_sealer(struct sequencer *sequencer)
{
    size_t full = 0;
    while (full < sequencer->active_count && active_count(sequencer->actives[full]) == ROWS_MAX) {
        full++;
    }
    bool in_bulk = sequencer->batches < full * ROWS_MAX / BULK_BATCH;
    sequencer->batches = full > 0 ? 0 : sequencer->batches;
    for (size_t i = 0; i < full; i++) {
        sealer_queue(sequencer->ledger, sequencer->actives[i], in_bulk);
        active_unref(sequencer->actives[i]);
    }
    sequencer->active_count -= full;
    memmove(sequencer->actives, sequencer->actives + full,
            sequencer->active_count * sizeof(struct active *));
    if (sequencer->active_count > 0 && active_count(sequencer->actives[0]) >= SEAL_HURRY_ROWS) {
        seal_write_hurry(sequencer->ledger);
    }
}

static void publish(struct sequencer *sequencer)
{
    struct ledger *ledger = sequencer->ledger;
    mutex_lock(&ledger->tree_lock);
    ledger->published = sequencer->frontier;
    mutex_unlock(&ledger->tree_lock);
    snapshot_commit(ledger->snapshot, sequencer->next_seq);
    notary_wake(ledger->notary, sequencer->next_seq);
    mutex_lock(&ledger->commit_lock);
    condition_broadcast(&ledger->committed);
    store_commit_fn fn = ledger->commit_fn;
    void *context = ledger->commit_context;
    mutex_unlock(&ledger->commit_lock);
    if (fn != NULL) {
        fn(context, sequencer->next_seq);
    }
}

static enum err write_frame(struct sequencer *sequencer, struct making *making, int64_t now_us,
                            struct diag *diag)
{
    struct ledger *ledger = sequencer->ledger;
    const struct wal_frame_info info = {
        .body_len = making->body_len,
        .first_seq = making->first_seq,
        .count = (uint32_t)(sequencer->next_seq - making->first_seq),
        .commit_us = now_us,
    };
    struct wal_place place = {0};
    int64_t began_us = clock_monotonic_us();
    TRY(wal_append(ledger->wal, making->frame, &info, &place, diag));
    uint64_t took_us = (uint64_t)(clock_monotonic_us() - began_us);
    atomic_fetch_add(&ledger->commits, 1);
    atomic_fetch_add(&ledger->commit_us_total, took_us);
    if (took_us > atomic_load(&ledger->sync_us_max)) {
        atomic_store(&ledger->sync_us_max, took_us);
    }
    for (size_t i = 0; i < making->run_count; i++) {
        const struct frame_run *run = &making->runs[i];
        active_locate(run->active, run->first, run->n, making->stable, place.file,
                      place.body_at + run->body_from);
        if (making->stable) {
            frames_keep_for(sequencer->frames, run->active);
        }
    }
    return OK;
}

static void tell_all(struct ledger *ledger, struct batch *batches, const struct batch *end,
                     enum err result, const struct diag *diag)
{
    uint64_t bytes = 0;
    while (batches != end) {
        struct batch *next = batches->next;
        enum err own = result == OK && batches->conflict_at != SIZE_MAX ? ERR_CONFLICT : result;
        atomic_fetch_add(&ledger->duplicates, batches->duplicates);
        atomic_fetch_add(&ledger->conflicts, result == OK ? batches->conflicts : 0);
        bytes += batch_bytes(batches);
        batches->done(batches, own, diag); /* it is not ours from here on */
        batches = next;
    }
    mutex_lock(&ledger->queue_lock);
    ledger->queue_bytes -= bytes;
    mutex_unlock(&ledger->queue_lock);
}

/* As many batches from the front as one frame takes: at least one. */
static struct batch *frame_end(struct batch *batches, size_t *body_max)
{
    *body_max = frame_share(batches);
    struct batch *at = batches->next;
    while (at != NULL && *body_max + frame_share(at) <= FRAME_BODY_TARGET) {
        *body_max += frame_share(at);
        at = at->next;
    }
    return at;
}

/* Judges, places and writes the batches before `end`. Conflicts are marked in their batch. */
static enum err commit_frame(struct sequencer *sequencer, struct batch *batches,
                             const struct batch *end, size_t body_max, struct diag *diag)
{
    struct ledger *ledger = sequencer->ledger;
    TRY(wal_reserve(ledger->wal, body_max, diag)); /* FULL here, before anything changed */
    if (wal_wants_spare(ledger->wal)) {
        sealer_want_spare(ledger);
    }
    struct making making = {.first_seq = sequencer->next_seq};
    making.frame = frames_take(sequencer->frames, wal_frame_bytes(body_max), &making.stable);
    for (struct batch *batch = batches; batch != end; batch = batch->next) {
        enum err e = place_batch(sequencer, &making, batch, diag);
        if (e != OK && e != ERR_CONFLICT) {
            return e;
        }
        sequencer->batches++;
    }
    if (sequencer->next_seq > making.first_seq) {
        TRY(write_frame(sequencer, &making, clock_now_us(), diag));
        frames_give_back(sequencer->frames, wal_frame_bytes(making.body_len));
        publish(sequencer);
        hand_to_sealer(sequencer);
    }
    return OK;
}

/* Work for an eraser, if one waits: between two frames, never inside one. */
static void serve_order(struct sequencer *sequencer)
{
    struct ledger *ledger = sequencer->ledger;
    struct diag diag = {0};
    mutex_lock(&ledger->queue_lock);
    struct sequencer_order *order = ledger->order;
    mutex_unlock(&ledger->queue_lock);
    if (order == NULL) {
        return;
    }
    /* Rows of a frame that failed are in memory still, and may not get into a new WAL. */
    enum err result = atomic_load(&ledger->failed)
                          ? diag_fail(&diag, ERR_IO, "", "a write failed earlier")
                          : order->fn(sequencer, order->context, &diag);
    mutex_lock(&ledger->queue_lock);
    order->result = result;
    order->diag = diag;
    order->finished = true;
    ledger->order = NULL;
    condition_broadcast(&ledger->queue_filled);
    mutex_unlock(&ledger->queue_lock);
}

static void commit(struct sequencer *sequencer, struct batch *batches)
{
    struct ledger *ledger = sequencer->ledger;
    while (batches != NULL) {
        struct diag diag = {0};
        size_t body_max = 0;
        struct batch *end = frame_end(batches, &body_max);
        enum err e = sealer_throttle(ledger, &diag);
        serve_order(sequencer);
        if (e == OK) {
            e = atomic_load(&ledger->failed)
                    ? ERR_IO
                    : commit_frame(sequencer, batches, end, body_max, &diag);
        }
        if (e != OK &&
            e != ERR_FULL) { /* what the disk holds is unknown: nobody is told "stored" */
            ledger_fatal(ledger, &diag);
        }
        tell_all(ledger, batches, end, e, e != OK ? &diag : NULL);
        batches = end;
    }
}

void sequencer_run(void *arg)
{
    struct ledger *ledger = arg;
    struct batch *batches = NULL;
    while (take_all(ledger, &batches)) {
        commit(ledger->sequencer, batches);
        serve_order(ledger->sequencer);
    }
}

enum err sequencer_do(struct ledger *ledger,
                      enum err (*fn)(struct sequencer *sequencer, void *context, struct diag *diag),
                      void *context, struct diag *diag)
{
    struct sequencer_order order = {.fn = fn, .context = context};
    mutex_lock(&ledger->queue_lock);
    ASSERT(ledger->order == NULL); /* erasures are serialised */
    ledger->order = &order;
    condition_broadcast(&ledger->queue_filled);
    while (!order.finished) {
        condition_wait(&ledger->queue_filled, &ledger->queue_lock);
    }
    mutex_unlock(&ledger->queue_lock);
    if (order.result != OK && diag != NULL) {
        *diag = order.diag;
    }
    return order.result;
}

size_t sequencer_actives(struct sequencer *sequencer, struct active *out[SNAPSHOT_ACTIVES_MAX])
{
    memcpy(out, sequencer->actives, sequencer->active_count * sizeof(struct active *));
    return sequencer->active_count;
}

void sequencer_replace_actives(struct sequencer *sequencer, struct active *const *actives,
                               size_t count)
{
    ASSERT(count == sequencer->active_count);
    for (size_t i = 0; i < count; i++) {
        active_unref(sequencer->actives[i]);
        sequencer->actives[i] = active_ref(actives[i]);
    }
}
