/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * batch - a unit of commit: all of its events or none.
 *
 * Made by its caller, lent to the store between store_append() and `done`. One batch is used again
 * and again: what it allocated stays with it.
 * Threads: whoever has it at the moment.
 */

#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"

#define STORE_BATCH_EVENTS_MAX 10000
#define STORE_BATCH_BYTES_MAX  (16 * 1024 * 1024) /* rows of one batch, but for a single event */
#define BATCH_LEAF_DUE_BYTES   (16 * 1024)        /* of the row of an event with `leaf_due` */

enum batch_event_state {
    BATCH_STORED,    /* new: `seq` is its place */
    BATCH_DUPLICATE, /* there already, and the same: `seq` is the first one's */
    BATCH_CONFLICT,  /* there already, with other content: nothing of the batch is stored */
};

/* One event on its way. The batch owns its bytes. */
struct batch_event {
    struct leaf_hash leaf; /* with `leaf_due` made by the store */
    uint32_t row_at;       /* in batch.rows */
    uint32_t row_len;
    uint64_t sent;  /* fields that the request itself gave */
    struct uuid id; /* of the event, and its hash with the organisation */
    uint64_t id_hash;
    int64_t time_us; /* event_timestamp */
    /* Set by the store; of a duplicate, `leaf` and `time_us` become those of what is stored. */
    enum batch_event_state state;
    uint64_t seq;
};

/*
 * With `skip_conflicts` a conflict refuses its event alone. With `leaf_due` the batch is one event
 * whose leaf hash the store makes: less to do for a thread that serves many connections, more for
 * the one that serves all threads, so batch_add() takes it back for what is large.
 */
struct batch {
    struct batch_event *events;
    size_t count;
    size_t capacity;
    struct buf rows;
    bool skip_conflicts;
    bool leaf_due; /* set before batch_add() */
    void (*done)(struct batch *batch, enum err result, const struct diag *diag);
    void *owner; /* for `done` */
    /* Set by the store before `done`: */
    uint64_t stored; /* how many are new */
    uint64_t duplicates;
    uint64_t conflicts;
    uint64_t first_seq; /* of the new ones, if any */
    uint64_t last_seq;
    size_t conflict_at; /* index of the first conflict when `result` is CONFLICT */
    struct batch *next; /* the store's queue */
};

void batch_init(struct batch *batch); /* no allocation yet */
void batch_release(struct batch *batch);
void batch_clear(struct batch *batch); /* keeps memory, `done`, `owner` and `skip_conflicts` */
/* Copies one event in: its row is made here, and its leaf hash unless that is due. LIMIT past the
 * maxima. `line` is scratch of the caller, overwritten. */
enum err batch_add(struct batch *batch, const struct event *event, uint64_t sent, struct buf *line);
