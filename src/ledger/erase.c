/* SPDX-License-Identifier: Apache-2.0 */
/*
 * erase - taking rows away and leaving their hashes.
 *
 * Sealed segments are written anew without the rows, under the same name; a segment with nothing
 * left goes once its tile roots are safe in `roots`. Rows that are only in the WAL go by writing
 * one new WAL file that supersedes the others, between two frames of the sequencer, and by
 * building the columns in memory from it. Old WAL files are overwritten with zeros as soon as no
 * reader needs them.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "columns/row_set.h"
#include "ledger/core.h"
#include "os/clock.h"

enum {
    REWRITE_BODY_BYTES = 4 * 1024 * 1024,
    READERS_POLL_US = 2000,
};

struct erasure {
    struct ledger *ledger;
    ledger_choose_fn choose;
    void *context;
    uint64_t erased;
};

/* Asks for the rows to erase: only ones that are there and not erased yet. */
static enum err choose_rows(struct erasure *erasure, const struct rows *rows, struct row_set *set,
                            uint32_t *count)
{
    *set = (struct row_set){0};
    TRY(erasure->choose(erasure->context, rows, set));
    for (uint32_t row = 0; row < ROWS_MAX; row += 64) {
        uint64_t there = rows->count >= row + 64 ? UINT64_MAX
                         : rows->count > row     ? (UINT64_C(1) << (rows->count - row)) - 1
                                                 : 0;
        uint64_t gone = rows->erased != NULL ? rows->erased->words[row / 64] : 0;
        set->words[row / 64] &= there & ~gone;
    }
    *count = row_set_count(set);
    return OK;
}

/* ---- Sealed segments ---- */

static enum err unlink_segment(struct ledger *ledger, const struct segment *segment, size_t index,
                               const char *name, struct diag *diag)
{
    CLEANUP(roots_release) struct roots roots = {0};
    struct roots_entry entry = {.index = index};
    for (uint32_t tile = 0; tile < ROWS_TILES_MAX; tile++) {
        TRY(segment_tile_root(segment, tile, &entry.tile_roots[tile]));
    }
    TRY(roots_read(ledger->dir, &roots, diag));
    TRY(roots_add(&roots, ledger->dir, &entry, diag));
    TRY(dir_remove(ledger->dir, name, diag));
    TRY(dir_sync(ledger->dir, diag));
    const struct sealed gone = {.root = segment_summary(segment)->root,
                                .tile_roots = entry.tile_roots};
    snapshot_set_segments(ledger->snapshot, index, &gone, 1);
    return OK;
}

static enum err rewrite_segment(struct ledger *ledger, const struct segment *segment, size_t index,
                                const char *name, const struct row_set *set, struct diag *diag)
{
    struct segment_summary summary;
    const struct segment_write_options options = {.erase = set};
    TRY(segment_write(segment_rows(segment), &options, ledger->dir, name, &summary, diag));
    if (!merkle_hash_equal(&summary.root, &segment_summary(segment)->root)) {
        return diag_fail(diag, ERR_CORRUPT, name, "its rows have another root than it says");
    }
    OWNED(segment) fresh = NULL;
    TRY(segment_open(ledger->dir, name, &fresh, diag));
    const struct sealed sealed = {.segment = MOVE(fresh), .root = summary.root};
    snapshot_set_segments(ledger->snapshot, index, &sealed, 1);
    return OK;
}

/* The index over a segment that is about to change goes first: after a crash in between, the next
 * start makes it anew, and nobody would if it were there. */
static enum err drop_group_file(struct ledger *ledger, size_t index, struct diag *diag)
{
    char name[SEGMENT_NAME_BYTES];
    group_name(name, index / GROUP_SEGMENTS);
    if (!dir_has(ledger->dir, name)) {
        return OK;
    }
    TRY(dir_remove(ledger->dir, name, diag));
    return dir_sync(ledger->dir, diag);
}

/* Under group_lock, so that the sealer makes no index of the segment as it was meanwhile. */
static enum err change_segment(struct ledger *ledger, const struct segment *segment, size_t index,
                               const struct row_set *set, uint32_t count, struct diag *diag)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, index);
    TRY(drop_group_file(ledger, index, diag));
    return count + segment_summary(segment)->erased == ROWS_MAX
               ? unlink_segment(ledger, segment, index, name, diag)
               : rewrite_segment(ledger, segment, index, name, set, diag);
}

static enum err erase_in_segment(struct erasure *erasure, const struct segment *segment,
                                 size_t index, bool *changed, struct diag *diag)
{
    struct row_set set;
    uint32_t count = 0;
    TRY(choose_rows(erasure, segment_rows(segment), &set, &count));
    *changed = count > 0;
    if (count == 0) {
        return OK;
    }
    mutex_lock(&erasure->ledger->group_lock);
    enum err e = change_segment(erasure->ledger, segment, index, &set, count, diag);
    mutex_unlock(&erasure->ledger->group_lock);
    TRY(e);
    erasure->erased += count;
    return OK;
}

/* The indexes over changed segments are made anew, also one that was written meanwhile. */
static enum err rewrite_group(struct ledger *ledger, size_t group, struct diag *diag)
{
    size_t end = (group + 1) * GROUP_SEGMENTS;
    bool is_full = snapshot_sealed_count(ledger->snapshot) >= end;
    return is_full ? sealer_write_group(ledger, group, diag) : OK;
}

static enum err erase_sealed(struct erasure *erasure, struct diag *diag)
{
    OWNED(snapshot_view) view = snapshot_view_open(erasure->ledger->snapshot);
    bool group_changed = false;
    for (size_t i = 0; i < view->sealed_count; i++) {
        bool changed = false;
        if (view->sealed[i].segment != NULL) {
            TRY(erase_in_segment(erasure, view->sealed[i].segment, i, &changed, diag));
        }
        group_changed = group_changed || changed;
        bool group_ends = (i + 1) % GROUP_SEGMENTS == 0 || i + 1 == view->sealed_count;
        if (group_ends && group_changed) {
            TRY(rewrite_group(erasure->ledger, i / GROUP_SEGMENTS, diag));
            group_changed = false;
        }
    }
    return OK;
}

/* ---- Unsealed rows, on the sequencer's thread ---- */

/* The new file in the making, and the columns that go with it. */
struct rebuild {
    struct wal_rewrite *rewrite;
    uint8_t *frame;
    size_t body_len;
    uint64_t frame_first_seq;
    uint32_t frame_count;
    struct active *fresh;
    uint32_t *row_at; /* of the rows in the frame: offset of the row in the body */
    uint64_t *places; /* of all rows of the segment: offset in the file */
    uint32_t done;    /* rows of the segment whose place is known */
};

static enum err flush_frame(struct rebuild *rebuild, struct diag *diag)
{
    uint64_t body_at = 0;
    if (rebuild->frame_count == 0) {
        return OK;
    }
    const struct wal_frame_info info = {
        .body_len = rebuild->body_len,
        .first_seq = rebuild->frame_first_seq,
        .count = rebuild->frame_count,
        .commit_us = clock_now_us(),
    };
    TRY(wal_rewrite_frame(rebuild->rewrite, rebuild->frame, &info, &body_at, diag));
    for (uint32_t i = 0; i < rebuild->frame_count; i++) {
        rebuild->places[rebuild->done++] = body_at + rebuild->row_at[i];
    }
    rebuild->frame_first_seq += rebuild->frame_count;
    rebuild->frame_count = 0;
    rebuild->body_len = 0;
    return OK;
}

static enum err keep_row(struct rebuild *rebuild, const struct active *old, uint32_t row,
                         bool erase, struct wal_window *window, struct diag *diag)
{
    slice bytes = {0};
    struct event event = {0};
    const struct leaf_hash *leaf = &active_leaves(old)[row];
    enum err e = erase ? ERR_GONE : active_read_row(old, row, window, &bytes);
    if (e != OK && e != ERR_GONE) {
        return diag_fail(diag, e, "wal", "a row cannot be read back");
    }
    TRY(bytes.len > 0 ? event_from_row(bytes, &event, diag) : OK);
    size_t needed = wal_frame_bytes(rebuild->body_len + WAL_ENTRY_HEAD_BYTES + bytes.len);
    if (needed > REWRITE_BODY_BYTES) {
        TRY(flush_frame(rebuild, diag)); /* one large row may still be more than that */
    }
    uint8_t *entry = rebuild->frame + WAL_FRAME_HEAD_BYTES + rebuild->body_len;
    wire_put_u32le(entry, (uint32_t)bytes.len);
    memcpy(entry + 4, leaf->bytes, LEAF_HASH_BYTES);
    if (bytes.len > 0) {
        memcpy(entry + WAL_ENTRY_HEAD_BYTES, bytes.ptr, bytes.len);
    }
    rebuild->row_at[rebuild->frame_count++] = (uint32_t)(rebuild->body_len + WAL_ENTRY_HEAD_BYTES);
    rebuild->body_len += WAL_ENTRY_HEAD_BYTES + bytes.len;
    active_add(rebuild->fresh, bytes, false, &event, leaf);
    return OK;
}

/* What the rows that stay take in the new file, padding of every frame included. */
static uint64_t rewritten_bytes(const struct active *old, const struct row_set *set)
{
    uint64_t bytes = 2 * (uint64_t)WAL_FRAME_ALIGN;
    for (uint32_t row = 0; row < active_count(old); row++) {
        uint32_t len = row_set_has(set, row) ? 0 : active_row_len(old, row);
        bytes += WAL_ENTRY_HEAD_BYTES + (uint64_t)len;
    }
    uint64_t frames = bytes / (REWRITE_BODY_BYTES / 2) + 2;
    bytes += frames * 2 * WAL_FRAME_ALIGN;
    return (bytes + WAL_FRAME_ALIGN - 1) / WAL_FRAME_ALIGN * WAL_FRAME_ALIGN;
}

static enum err rewrite_rows(struct rebuild *rebuild, const struct active *old,
                             const struct row_set *set, struct diag *diag)
{
    CLEANUP(wal_window_release) struct wal_window window;
    wal_window_init(&window);
    rebuild->done = 0;
    rebuild->frame_first_seq = active_first_seq(old);
    for (uint32_t row = 0; row < active_count(old); row++) {
        TRY(keep_row(rebuild, old, row, row_set_has(set, row), &window, diag));
    }
    TRY(flush_frame(rebuild, diag));
    for (uint32_t tile = 0; tile < active_count(old) / ROWS_TILE; tile++) {
        active_set_tile_root(rebuild->fresh, tile, &active_tile_roots(old)[tile]);
    }
    return OK;
}

/* The unsealed segments of one erasure: full ones that wait for the sealer, then the last one. */
struct unsealed {
    struct active *old[SNAPSHOT_ACTIVES_MAX];
    struct active *fresh[SNAPSHOT_ACTIVES_MAX];
    struct row_set *sets;
    uint64_t *places; /* ROWS_MAX for each */
    size_t count;
    uint64_t wal_number; /* of the file that now holds them; 0: nothing was erased */
};

static void unsealed_release(struct unsealed *unsealed)
{
    for (size_t i = 0; i < unsealed->count; i++) {
        active_unref(unsealed->fresh[i]);
    }
    free(unsealed->sets);
    free(unsealed->places);
}

static enum err rebuild_all(struct ledger *ledger, struct unsealed *unsealed, struct diag *diag)
{
    CLEANUP(mem_freep) uint8_t *frame = mem_pages(WAL_FRAME_BYTES_MAX);
    CLEANUP(mem_freep) uint32_t *row_at = mem_array(ROWS_MAX, sizeof(*row_at));
    OWNED(wal_rewrite) rewrite = NULL;
    uint64_t bytes = WAL_FRAME_ALIGN;
    for (size_t i = 0; i < unsealed->count; i++) {
        bytes += rewritten_bytes(unsealed->old[i], &unsealed->sets[i]);
    }
    TRY(wal_rewrite_begin(ledger->wal, wal_lowest(ledger->wal), bytes, &rewrite, diag));
    for (size_t i = 0; i < unsealed->count; i++) {
        unsealed->fresh[i] = active_new(active_first_seq(unsealed->old[i]), ledger->hash_seed);
        struct rebuild rebuild = {
            .rewrite = rewrite,
            .frame = frame,
            .fresh = unsealed->fresh[i],
            .row_at = row_at,
            .places = unsealed->places + i * ROWS_MAX,
        };
        TRY(rewrite_rows(&rebuild, unsealed->old[i], &unsealed->sets[i], diag));
    }
    struct wal_file *file = NULL;
    enum err e = wal_rewrite_commit(rewrite, &file, diag);
    if (e != OK && e != ERR_FULL) {
        /* The new file may count from the next start on, and what would be
         * written into the old ones from now on would not. */
        ledger_fatal(ledger, diag);
    }
    TRY(e);
    unsealed->wal_number = file->number;
    for (size_t i = 0; i < unsealed->count; i++) {
        for (uint32_t row = 0; row < active_count(unsealed->fresh[i]); row++) {
            active_locate_row(unsealed->fresh[i], row, file, unsealed->places[i * ROWS_MAX + row],
                              active_row_len(unsealed->fresh[i], row));
        }
    }
    wal_file_unuse(file);
    return OK;
}

/* Everyone who knows the old columns gets the new ones; the sealer is paused. */
static void exchange(struct ledger *ledger, struct sequencer *sequencer,
                     const struct unsealed *unsealed)
{
    mutex_lock(&ledger->seal_lock);
    for (size_t i = 0; i < ledger->seal_count; i++) {
        active_unref(ledger->seal_queue[i]);
        ledger->seal_queue[i] = active_ref(unsealed->fresh[i]);
    }
    size_t queued = ledger->seal_count;
    mutex_unlock(&ledger->seal_lock);
    sequencer_replace_actives(sequencer, unsealed->fresh + queued, unsealed->count - queued);
    snapshot_replace_actives(ledger->snapshot, unsealed->fresh, unsealed->count);
}

struct unsealed_order {
    struct erasure *erasure;
    uint64_t wal_number;
};

static void list_unsealed(struct ledger *ledger, struct sequencer *sequencer,
                          struct unsealed *unsealed)
{
    mutex_lock(&ledger->seal_lock);
    memcpy(unsealed->old, ledger->seal_queue, ledger->seal_count * sizeof(struct active *));
    unsealed->count = ledger->seal_count;
    mutex_unlock(&ledger->seal_lock);
    unsealed->count += sequencer_actives(sequencer, unsealed->old + unsealed->count);
    unsealed->sets = mem_array(unsealed->count, sizeof(*unsealed->sets));
    unsealed->places = mem_array(unsealed->count * ROWS_MAX, sizeof(*unsealed->places));
}

/* On the sequencer's thread, between two frames. */
static enum err erase_unsealed(struct sequencer *sequencer, void *context, struct diag *diag)
{
    struct unsealed_order *order = context;
    struct erasure *erasure = order->erasure;
    CLEANUP(unsealed_release) struct unsealed unsealed = {0};
    uint64_t chosen = 0;
    list_unsealed(erasure->ledger, sequencer, &unsealed);
    for (size_t i = 0; i < unsealed.count; i++) {
        struct active_rows rows;
        uint32_t count = 0;
        active_rows_init(unsealed.old[i], active_count(unsealed.old[i]), &rows);
        TRY(choose_rows(erasure, &rows.rows, &unsealed.sets[i], &count));
        chosen += count;
    }
    if (chosen == 0) {
        return OK;
    }
    TRY(rebuild_all(erasure->ledger, &unsealed, diag));
    exchange(erasure->ledger, sequencer, &unsealed);
    order->wal_number = unsealed.wal_number;
    erasure->erased += chosen;
    return OK;
}

/* ---- Around both ---- */

/* Holds the sealer, so that no row moves from one half to the other meanwhile. */
static void pause_sealer(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    ledger->seal_paused = true;
    condition_broadcast(&ledger->seal_done); /* the sequencer need not wait for it now */
    while (ledger->seal_busy) {
        condition_wait(&ledger->seal_done, &ledger->seal_lock);
    }
    mutex_unlock(&ledger->seal_lock);
}

static void resume_sealer(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    ledger->seal_paused = false;
    condition_broadcast(&ledger->seal_wanted);
    mutex_unlock(&ledger->seal_lock);
}

/* Overwrites the WAL files that were superseded, as soon as their last reader is done. */
static enum err zero_retired(struct ledger *ledger, uint64_t below, struct diag *diag)
{
    for (;;) {
        TRY(wal_retire(ledger->wal, true, diag));
        uint64_t lowest = wal_lowest(ledger->wal);
        if (lowest == 0 || lowest >= below) {
            return OK;
        }
        (void)usleep(READERS_POLL_US);
    }
}

/*
 * Unsealed rows first, while nothing is sealed: what is sealed afterwards has lost them already,
 * so that the sealer may go on while the segments that were there are gone through.
 */
static enum err erase_all(struct erasure *erasure, struct diag *diag)
{
    struct ledger *ledger = erasure->ledger;
    struct unsealed_order order = {.erasure = erasure};
    pause_sealer(ledger);
    enum err e = sequencer_do(ledger, erase_unsealed, &order, diag);
    resume_sealer(ledger);
    TRY(e);
    TRY(erase_sealed(erasure, diag));
    return order.wal_number > 0 ? zero_retired(ledger, order.wal_number, diag) : OK;
}

enum err ledger_erase(struct ledger *ledger, ledger_choose_fn choose, void *context,
                      uint64_t *erased_out, struct diag *diag)
{
    struct erasure erasure = {.ledger = ledger, .choose = choose, .context = context};
    if (atomic_exchange(&ledger->erasing, true)) {
        return diag_fail(diag, ERR_BUSY, "", "another erasure is running");
    }
    enum err e = erase_all(&erasure, diag);
    atomic_store(&ledger->erasing, false);
    TRY(e);
    *erased_out = erasure.erased;
    return OK;
}
