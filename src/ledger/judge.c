/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/judge.h"

#include <stdlib.h>

#include "base/mem.h"
#include "event/read.h"
#include "os/clock.h"

struct judge {
    struct identity *identity;
    struct snapshot *snapshot;
    uint64_t *hashes; /* of the batch at hand */
    size_t hash_capacity;
    char *scratch; /* for rows_event() */
};

/* One batch being judged. */
struct hearing {
    struct judge *judge;
    struct batch *batch;
    uint64_t first_seq; /* of what this batch adds */
    uint64_t next_seq;
    struct active *const *actives;
    size_t active_count;
    int64_t now_us;
};

struct judge *judge_new(struct identity *identity, struct snapshot *snapshot)
{
    struct judge *judge = mem_zeroed(sizeof(*judge));
    judge->identity = identity;
    judge->snapshot = snapshot;
    judge->scratch = mem_zeroed(ROWS_EVENT_SCRATCH_BYTES);
    return judge;
}

void judge_free(struct judge *judge)
{
    if (judge != NULL) {
        free(judge->hashes);
        free(judge->scratch);
        free(judge);
    }
}

static slice row_of(const struct batch *batch, size_t index)
{
    return (slice){batch->rows.ptr + batch->events[index].row_at, batch->events[index].row_len};
}

static void hash_ids(struct judge *judge, const struct batch *batch, int64_t now_us)
{
    if (batch->count > judge->hash_capacity) {
        judge->hash_capacity = batch->count;
        judge->hashes = mem_resize(judge->hashes, batch->count * sizeof(*judge->hashes));
    }
    for (size_t i = 0; i < batch->count; i++) {
        judge->hashes[i] = batch->events[i].id_hash;
        identity_prefetch(judge->identity, judge->hashes[i], &batch->events[i].id, now_us);
    }
}

/* Whether `stored` has the id of `event`, and if so what that makes of the one at hand. */
static bool weigh(const struct event *stored, const struct event *event, struct batch_event *item)
{
    if (!uuid_equal(&stored->value[FIELD_EVENT_ID].uuid, &event->value[FIELD_EVENT_ID].uuid) ||
        !slice_equal(stored->value[FIELD_ORG].text, event->value[FIELD_ORG].text)) {
        return false;
    }
    bool same = event_repeats(stored, event, item->sent);
    item->state = same ? BATCH_DUPLICATE : BATCH_CONFLICT;
    item->time_us = stored->value[FIELD_EVENT_TIMESTAMP].number;
    return true;
}

static enum err weigh_row(struct judge *judge, const struct rows *rows, uint32_t row,
                          const struct event *event, struct batch_event *item, bool *same)
{
    struct uuid id;
    struct event stored;
    rows->ops->id(rows, row, &id);
    if (!uuid_equal(&id, &event->value[FIELD_EVENT_ID].uuid)) {
        return OK; /* a hash that two ids share; most often it ends here */
    }
    struct rows_reader *reader = rows->ops->reader_new(rows);
    enum err e = rows_event(reader, row, judge->scratch, &stored);
    if (e == OK && weigh(&stored, event, item)) {
        *same = true;
        e = rows->ops->leaf(reader, row, &item->leaf);
    }
    rows->ops->reader_free(reader);
    return e == ERR_GONE ? OK : e;
}

/* An event of the same batch, on its way to the same place. */
static enum err weigh_companion(const struct batch *batch, uint64_t seq, const struct event *event,
                                struct batch_event *item, bool *same)
{
    for (size_t i = 0; i < batch->count && &batch->events[i] != item; i++) {
        struct event stored;
        const struct batch_event *other = &batch->events[i];
        if (other->state == BATCH_STORED && other->seq == seq) {
            TRY(event_from_row(row_of(batch, i), &stored, NULL));
            *same = weigh(&stored, event, item);
            item->leaf = *same ? other->leaf : item->leaf;
            return OK;
        }
    }
    return OK;
}

/* Where this batch itself, an unsealed or a sealed segment has row `seq`. */
static enum err weigh_seq(struct hearing *hearing, uint64_t seq, const struct event *event,
                          struct batch_event *item, bool *same)
{
    if (seq >= hearing->first_seq) {
        return weigh_companion(hearing->batch, seq, event, item, same);
    }
    for (size_t i = 0; i < hearing->active_count; i++) {
        uint64_t first = active_first_seq(hearing->actives[i]);
        if (seq >= first && seq - first < ROWS_MAX) {
            struct active_rows rows;
            active_rows_init(hearing->actives[i], active_count(hearing->actives[i]), &rows);
            return weigh_row(hearing->judge, &rows.rows, (uint32_t)(seq - first), event, item,
                             same);
        }
    }
    OWNED(snapshot_view) view = snapshot_view_open(hearing->judge->snapshot);
    size_t index = (size_t)(seq / ROWS_MAX);
    if (index < view->view.entry_count && view->view.entries[index].rows != NULL) {
        return weigh_row(hearing->judge, view->view.entries[index].rows, (uint32_t)(seq % ROWS_MAX),
                         event, item, same);
    }
    return OK;
}

static enum err judge_event(struct hearing *hearing, size_t index)
{
    struct batch_event *item = &hearing->batch->events[index];
    struct identity *identity = hearing->judge->identity;
    uint64_t hash = hearing->judge->hashes[index];
    uint64_t candidates[IDENTITY_FIND_MAX];
    size_t count = identity_find(identity, hash, &item->id, hearing->now_us, candidates);
    for (size_t i = 0; i < count; i++) {
        struct event event;
        bool same = false;
        TRY(event_from_row(row_of(hearing->batch, index), &event, NULL));
        TRY(weigh_seq(hearing, candidates[i], &event, item, &same));
        if (same) {
            item->seq = candidates[i];
            return OK;
        }
    }
    item->state = BATCH_STORED;
    item->seq = hearing->next_seq++;
    identity_add(identity, hash, &item->id, item->seq);
    return OK;
}

static void take_back(struct hearing *hearing, size_t judged)
{
    for (size_t i = judged; i > 0; i--) {
        const struct batch_event *item = &hearing->batch->events[i - 1];
        if (item->state == BATCH_STORED) {
            identity_undo(hearing->judge->identity, hearing->judge->hashes[i - 1], &item->id,
                          item->seq);
        }
    }
}

enum err judge_batch(struct judge *judge, struct batch *batch, uint64_t next_seq,
                     struct active *const *actives, size_t active_count, struct diag *diag)
{
    struct hearing hearing = {
        .judge = judge,
        .batch = batch,
        .first_seq = next_seq,
        .next_seq = next_seq,
        .actives = actives,
        .active_count = active_count,
        .now_us = clock_now_us(),
    };
    batch->stored = batch->duplicates = batch->conflicts = 0;
    batch->conflict_at = SIZE_MAX;
    hash_ids(judge, batch, hearing.now_us);
    for (size_t i = 0; i < batch->count; i++) {
        enum err e = judge_event(&hearing, i);
        bool refused = e == OK && batch->events[i].state == BATCH_CONFLICT;
        if (e != OK || (refused && !batch->skip_conflicts)) {
            take_back(&hearing, i);
            batch->conflict_at = refused ? i : SIZE_MAX;
            batch->stored = batch->duplicates = 0;
            batch->conflicts = refused ? 1 : 0;
            return refused ? diag_fail(diag, ERR_CONFLICT, "/event_id",
                                       "is stored already with other content")
                           : e;
        }
        batch->stored += batch->events[i].state == BATCH_STORED ? 1 : 0;
        batch->duplicates += batch->events[i].state == BATCH_DUPLICATE ? 1 : 0;
        batch->conflicts += refused ? 1 : 0;
    }
    return OK;
}
