/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/own.h"

#include <stdlib.h>

#include "base/mem.h"
#include "event/read.h"
#include "os/clock.h"
#include "os/thread.h"

enum { ARENA_BYTES_MAX = 4 * 1024 * 1024 };

struct own_events {
    struct batch batch;
    struct arena arena; /* of one event */
    struct buf line;    /* scratch */
    struct mutex lock;  /* of the rest */
    struct condition ended;
    bool is_ended;
    enum err result;
    struct diag diag;
};

static void on_done(struct batch *batch, enum err result, const struct diag *diag)
{
    struct own_events *own = batch->owner;
    mutex_lock(&own->lock);
    own->result = result;
    own->diag = diag != NULL ? *diag : (struct diag){0};
    own->is_ended = true;
    condition_signal(&own->ended);
    mutex_unlock(&own->lock);
}

struct own_events *own_events_new(void)
{
    struct own_events *own = mem_zeroed(sizeof(*own));
    batch_init(&own->batch);
    own->batch.owner = own;
    own->batch.done = on_done;
    own->batch.skip_conflicts = true;
    arena_init(&own->arena, ARENA_BYTES_MAX);
    buf_init(&own->line, EVENT_LINE_BYTES_MAX);
    mutex_init(&own->lock);
    condition_init(&own->ended);
    return own;
}

void own_events_free(struct own_events *own)
{
    if (own != NULL) {
        batch_release(&own->batch);
        arena_release(&own->arena);
        buf_release(&own->line);
        condition_release(&own->ended);
        mutex_release(&own->lock);
        free(own);
    }
}

enum err own_events_add(struct own_events *own, slice org, slice json, struct diag *diag)
{
    const struct read_options options = {
        .org = org,
        .source_format = SLICE("cairn"),
        .now_us = clock_now_us(),
    };
    struct event event;
    uint64_t sent = 0;
    arena_clear(&own->arena);
    TRY(event_read(json, &options, &own->arena, &event, &sent, diag));
    return batch_add(&own->batch, &event, sent, &own->line);
}

size_t own_events_count(const struct own_events *own)
{
    return own->batch.count;
}

void own_events_clear(struct own_events *own)
{
    batch_clear(&own->batch);
}

enum err own_events_commit(struct own_events *own, struct store *store, struct diag *diag)
{
    if (own->batch.count == 0) {
        return OK;
    }
    own->is_ended = false;
    TRY(store_append(store, &own->batch, diag));
    mutex_lock(&own->lock);
    while (!own->is_ended) {
        condition_wait(&own->ended, &own->lock);
    }
    mutex_unlock(&own->lock);
    if (own->result != OK) {
        return diag_fail(diag, own->result, own->diag.where, "%s", own->diag.text);
    }
    batch_clear(&own->batch);
    return OK;
}
