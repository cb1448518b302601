/* SPDX-License-Identifier: Apache-2.0 */
#include "query/tail.h"

#include <stdlib.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/thread.h"
#include "query/render.h"

enum {
    WAIT_MS = 200,         /* for commits; also how soon a second watcher is seen at the latest */
    TAKE_MS = 20,          /* for a client that is behind to take its message */
    TURN_EVENTS = 500,     /* of one watcher before the next has its turn */
    TURN_SEQS = 4 * 65536, /* looked through, if few of them match */
};

struct tail_watcher {
    struct tail *tail;
    struct tail_options options;
    uint64_t next_seq;
    int64_t last_us;
    bool is_ready;   /* may get a message */
    bool in_use;     /* the thread is working on it */
    bool is_removed; /* by its owner, while in use */
    struct tail_watcher *next;
};

/* `lock` covers the list and the flags of its members. */
struct tail {
    struct store *store;
    struct mutex lock;
    struct condition changed; /* a watcher came or is ready again, or the end */
    struct tail_watcher *watchers;
    size_t count;
    bool stopping;
    struct thread thread;
    struct buf line, message; /* the thread's own */
};

/* Events for one watcher from its place on, up to a message's worth. */
static enum err collect(struct tail *tail, struct tail_watcher *watcher, uint64_t size,
                        struct diag *diag)
{
    uint64_t turn_end = watcher->next_seq + TURN_SEQS;
    size = size < turn_end ? size : turn_end;
    struct store_scan_options options = {
        .org = watcher->options.org,
        .filter = watcher->options.filter,
        .order = STORE_SEQ_ASC,
        .size = size,
        .has_after = watcher->next_seq > 0,
        .after = {.seq = watcher->next_seq - 1},
    };
    const struct render_fields all = {0};
    OWNED(store_scan) scan = NULL;
    TRY(store_scan_open(tail->store, &options, &scan, diag));
    for (size_t i = 0; i < TURN_EVENTS && tail->message.len < TAIL_MESSAGE_BYTES; i++) {
        const struct store_event *event = NULL;
        TRY(store_scan_next(scan, &event, diag));
        if (event == NULL) {
            watcher->next_seq = size;
            return OK;
        }
        buf_append_cstr(&tail->message, "id: ");
        buf_append_u64(&tail->message, event->seq);
        buf_append_cstr(&tail->message, "\ndata: ");
        render_event(event, &all, (slice){0}, &tail->line, &tail->message);
        buf_append_cstr(&tail->message, "\n\n");
        watcher->next_seq = event->seq + 1;
    }
    return OK;
}

static void serve(struct tail *tail, struct tail_watcher *watcher, uint64_t size)
{
    int64_t now_us = clock_monotonic_us();
    buf_clear(&tail->message);
    if (watcher->next_seq < size) {
        /* A scan that fails is tried again at the next turn; the watcher keeps its place. */
        enum err e = collect(tail, watcher, size, NULL);
        UNUSED(e);
    }
    if (tail->message.len == 0 && now_us - watcher->last_us > (int64_t)TAIL_QUIET_MS * 1000) {
        buf_append_cstr(&tail->message, ": still here\n\n");
    }
    if (tail->message.len > 0 && !tail->message.failed) {
        mutex_lock(&tail->lock);
        watcher->is_ready = false;
        mutex_unlock(&tail->lock);
        watcher->last_us = now_us;
        watcher->options.deliver(watcher->options.context, buf_slice(&tail->message));
    }
}

/* With the lock held. */
static void unlink_watcher(struct tail *tail, const struct tail_watcher *watcher)
{
    for (struct tail_watcher **at = &tail->watchers; *at != NULL; at = &(*at)->next) {
        if (*at == watcher) {
            *at = watcher->next;
            tail->count--;
            return;
        }
    }
}

static void end_watcher(struct tail_watcher *watcher)
{
    watcher->options.ended(watcher->options.context);
    free(watcher);
}

/* The next watcher behind `after` that may get something; NULL at the end of the round. */
static struct tail_watcher *take_next(struct tail *tail, struct tail_watcher *after,
                                      bool *is_behind, uint64_t size)
{
    mutex_lock(&tail->lock);
    struct tail_watcher *next = after != NULL ? after->next : tail->watchers;
    bool after_ends = after != NULL && after->is_removed;
    if (after_ends) {
        unlink_watcher(tail, after);
    } else if (after != NULL) {
        *is_behind = *is_behind || (after->is_ready && after->next_seq < size);
        after->in_use = false;
    }
    while (next != NULL && !next->is_ready) {
        next = next->next;
    }
    if (next != NULL) {
        next->in_use = true;
    }
    mutex_unlock(&tail->lock);
    if (after_ends) {
        end_watcher(after);
    }
    return next;
}

static bool is_stopping(struct tail *tail)
{
    mutex_lock(&tail->lock);
    bool stopping = tail->stopping;
    mutex_unlock(&tail->lock);
    return stopping;
}

/* Whether somebody who has a message on the way will want the next one at once. With the lock
 * held. */
static bool awaits_client(const struct tail *tail, uint64_t size)
{
    const struct tail_watcher *at = tail->watchers;
    while (at != NULL && (at->is_ready || at->next_seq >= size)) {
        at = at->next;
    }
    return at != NULL;
}

/* Until there is something to do: a first watcher, a commit, or a client that is behind and took
 * its message. */
static void wait_for_work(struct tail *tail, uint64_t size)
{
    mutex_lock(&tail->lock);
    bool is_watched = tail->watchers != NULL;
    bool awaits = awaits_client(tail, size);
    while (tail->watchers == NULL && !tail->stopping) { /* commits are nobody's news */
        condition_wait(&tail->changed, &tail->lock);
    }
    if (awaits) {
        (void)condition_wait_us(&tail->changed, &tail->lock, (int64_t)TAKE_MS * 1000);
    }
    mutex_unlock(&tail->lock);
    if (is_watched && !awaits) {
        (void)store_wait(tail->store, size, WAIT_MS);
    }
}

static void tail_run(void *arg)
{
    struct tail *tail = arg;
    while (!is_stopping(tail)) {
        uint64_t size = store_size(tail->store);
        bool is_behind = false;
        struct tail_watcher *watcher = take_next(tail, NULL, &is_behind, size);
        while (watcher != NULL) {
            serve(tail, watcher, size);
            watcher = take_next(tail, watcher, &is_behind, size);
        }
        if (!is_behind) {
            wait_for_work(tail, size);
        }
    }
}

enum err tail_start(struct store *store, struct tail **out, struct diag *diag)
{
    struct tail *tail = mem_zeroed(sizeof(*tail));
    tail->store = store;
    mutex_init(&tail->lock);
    condition_init(&tail->changed);
    buf_init(&tail->line, EVENT_LINE_BYTES_MAX);
    buf_init(&tail->message, 2 * EVENT_LINE_BYTES_MAX + TAIL_MESSAGE_BYTES);
    enum err e = thread_start(&tail->thread, "tail", tail_run, tail, diag);
    if (e != OK) {
        tail_stop(tail);
        return e;
    }
    *out = tail;
    return OK;
}

void tail_stop(struct tail *tail)
{
    if (tail == NULL) {
        return;
    }
    mutex_lock(&tail->lock);
    tail->stopping = true;
    condition_signal(&tail->changed);
    mutex_unlock(&tail->lock);
    thread_join(&tail->thread);
    ASSERT(tail->watchers == NULL);
    buf_release(&tail->line);
    buf_release(&tail->message);
    condition_release(&tail->changed);
    mutex_release(&tail->lock);
    free(tail);
}

enum err tail_watch(struct tail *tail, const struct tail_options *options,
                    struct tail_watcher **out, struct diag *diag)
{
    struct tail_watcher *watcher = mem_zeroed(sizeof(*watcher));
    *watcher = (struct tail_watcher){
        .tail = tail,
        .options = *options,
        .next_seq = options->from_seq,
        .last_us = clock_monotonic_us(),
        .is_ready = true,
    };
    mutex_lock(&tail->lock);
    bool full = tail->count == TAIL_WATCHERS_MAX;
    if (!full) {
        watcher->next = tail->watchers;
        tail->watchers = watcher;
        tail->count++;
        condition_signal(&tail->changed);
    }
    mutex_unlock(&tail->lock);
    if (full) {
        free(watcher);
        return diag_fail(diag, ERR_BUSY, "", "%d clients watch already", TAIL_WATCHERS_MAX);
    }
    *out = watcher;
    return OK;
}

void tail_ready(struct tail_watcher *watcher)
{
    mutex_lock(&watcher->tail->lock);
    watcher->is_ready = true;
    condition_signal(&watcher->tail->changed);
    mutex_unlock(&watcher->tail->lock);
}

void tail_unwatch(struct tail_watcher *watcher)
{
    struct tail *tail = watcher->tail;
    mutex_lock(&tail->lock);
    bool ends_now = !watcher->in_use;
    watcher->is_removed = true;
    if (ends_now) {
        unlink_watcher(tail, watcher);
    }
    mutex_unlock(&tail->lock);
    if (ends_now) {
        end_watcher(watcher);
    }
}
