/* SPDX-License-Identifier: Apache-2.0 */
#include "store/batch.h"

#include <stdlib.h>

#include "base/mem.h"

enum { BATCH_FIRST_CAPACITY = 16 };

void batch_init(struct batch *batch)
{
    *batch = (struct batch){.rows = BUF_INIT(STORE_BATCH_BYTES_MAX)};
}

void batch_release(struct batch *batch)
{
    free(batch->events);
    buf_release(&batch->rows);
    batch_init(batch);
}

void batch_clear(struct batch *batch)
{
    struct batch kept = *batch;
    buf_clear(&kept.rows);
    *batch = (struct batch){
        .events = kept.events,
        .capacity = kept.capacity,
        .rows = kept.rows,
        .skip_conflicts = kept.skip_conflicts,
        .done = kept.done,
        .owner = kept.owner,
    };
}

static void make_room(struct batch *batch)
{
    if (batch->count < batch->capacity) {
        return;
    }
    batch->capacity = batch->capacity > 0 ? batch->capacity * 2 : BATCH_FIRST_CAPACITY;
    batch->events = mem_resize(batch->events, batch->capacity * sizeof(*batch->events));
}

enum err batch_add(struct batch *batch, const struct event *event, uint64_t sent, struct buf *line)
{
    if (batch->count == STORE_BATCH_EVENTS_MAX) {
        return ERR_LIMIT;
    }
    struct leaf_hash leaf = {0};
    size_t row_at = batch->rows.len;
    event_write_row(event, &batch->rows);
    batch->leaf_due = batch->leaf_due && batch->rows.len - row_at <= BATCH_LEAF_DUE_BYTES;
    enum err e = buf_check(&batch->rows);
    if (e == OK && !batch->leaf_due) {
        e = event_leaf(event, line, &leaf);
    }
    if (e != OK) { /* take back what went in of this event; the others stay */
        batch->rows.len = row_at;
        batch->rows.failed = false;
        return e;
    }
    make_room(batch);
    batch->events[batch->count++] = (struct batch_event){
        .leaf = leaf,
        .row_at = (uint32_t)row_at,
        .row_len = (uint32_t)(batch->rows.len - row_at),
        .sent = sent,
        .time_us = event->value[FIELD_EVENT_TIMESTAMP].number,
        .id = event->value[FIELD_EVENT_ID].uuid,
        .id_hash = event_id_hash(event->value[FIELD_ORG].text, &event->value[FIELD_EVENT_ID].uuid),
    };
    return OK;
}
