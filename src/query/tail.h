/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tail - live events for those who watch: one thread follows the log and gives each watcher, in
 * order of seq, the events that match its filter.
 *
 * A watcher has at most one message on its way: whoever takes it says when it may get the next. A
 * slow one therefore waits by itself, at its own place in the log, and holds up nobody.
 *
 * Threads: any may add and remove, none of it blocks; `deliver` is called on the tail's own thread.
 */

#include "store/store.h"

struct tail;
struct tail_watcher;

/* NULL-free. BUSY: no thread. */
enum err tail_start(struct store *store, struct tail **out, struct diag *diag);
/* Ends the thread; watchers must have been removed. */
void tail_stop(struct tail *tail);

struct tail_options {
    const struct filter *filter; /* lives as long as the watcher */
    slice org;                   /* empty: all; likewise */
    uint64_t from_seq;           /* the first seq of interest */
    /* A message as server-sent events: "id: <seq>\ndata: <event>\n\n" one or more times, or a
     * comment when there was nothing for a while (`bytes` lives during the call). The next one
     * comes after tail_ready(). Must not call back into the tail. */
    void (*deliver)(void *context, slice bytes);
    /* The last call: the watcher is gone, and what it borrowed may go. */
    void (*ended)(void *context);
    void *context;
};

#define TAIL_MESSAGE_BYTES (64 * 1024) /* about; one event may be larger */
#define TAIL_WATCHERS_MAX  1000
#define TAIL_QUIET_MS      15000 /* then a comment keeps the connection alive */

/* BUSY past TAIL_WATCHERS_MAX. */
enum err tail_watch(struct tail *tail, const struct tail_options *options,
                    struct tail_watcher **out, struct diag *diag);
void tail_ready(struct tail_watcher *watcher);
/* No more deliveries are begun. Returns at once; `ended` follows, on any thread, perhaps this
 * one. */
void tail_unwatch(struct tail_watcher *watcher);
