/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/receipts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/thread.h"

enum { TURN_MS = 200 };

struct waiter {
    uint64_t size;
    int64_t until_us;
    api_receipt_fn done;
    void *context;
    struct waiter *next;
};

struct api_receipts {
    struct store *store;
    struct mutex lock;
    struct condition wanted;
    struct waiter *waiters;
    bool stopping;
    struct thread thread;
};

/* The least size that is waited for; false at the end of all work. */
static bool next_size(struct api_receipts *receipts, uint64_t *size)
{
    mutex_lock(&receipts->lock);
    while (receipts->waiters == NULL && !receipts->stopping) {
        condition_wait(&receipts->wanted, &receipts->lock);
    }
    *size = UINT64_MAX;
    for (const struct waiter *at = receipts->waiters; at != NULL; at = at->next) {
        *size = at->size < *size ? at->size : *size;
    }
    bool go_on = !receipts->stopping;
    mutex_unlock(&receipts->lock);
    return go_on;
}

static uint64_t covered_size(struct api_receipts *receipts)
{
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    uint64_t size = 0;
    return store_checkpoint(receipts->store, &note, &size, NULL) == OK ? size : 0;
}

/* Unlinks those who are covered, whose time is up, or all of them. */
static struct waiter *take_due(struct api_receipts *receipts, uint64_t covered, bool all)
{
    struct waiter *due = NULL;
    int64_t now_us = clock_monotonic_us();
    mutex_lock(&receipts->lock);
    for (struct waiter **at = &receipts->waiters; *at != NULL;) {
        struct waiter *waiter = *at;
        if (all || waiter->size <= covered || waiter->until_us <= now_us) {
            *at = waiter->next;
            waiter->next = due;
            due = waiter;
        } else {
            at = &waiter->next;
        }
    }
    mutex_unlock(&receipts->lock);
    return due;
}

static void tell_due(struct api_receipts *receipts, uint64_t covered, bool all)
{
    struct waiter *due = take_due(receipts, covered, all);
    while (due != NULL) {
        struct waiter *next = due->next;
        due->done(due->context, due->size <= covered ? OK : ERR_BUSY);
        free(due);
        due = next;
    }
}

static void receipts_run(void *arg)
{
    struct api_receipts *receipts = arg;
    uint64_t size = 0;
    while (next_size(receipts, &size)) {
        enum err e = store_wait_checkpoint(receipts->store, size, TURN_MS);
        UNUSED(e); /* what is covered now decides */
        tell_due(receipts, covered_size(receipts), false);
    }
    tell_due(receipts, 0, true);
}

enum err api_receipts_start(struct store *store, struct api_receipts **out, struct diag *diag)
{
    struct api_receipts *receipts = mem_zeroed(sizeof(*receipts));
    receipts->store = store;
    mutex_init(&receipts->lock);
    condition_init(&receipts->wanted);
    enum err e = thread_start(&receipts->thread, "receipts", receipts_run, receipts, diag);
    if (e != OK) {
        api_receipts_stop(receipts);
        return e;
    }
    *out = receipts;
    return OK;
}

void api_receipts_stop(struct api_receipts *receipts)
{
    if (receipts == NULL) {
        return;
    }
    mutex_lock(&receipts->lock);
    receipts->stopping = true;
    condition_broadcast(&receipts->wanted);
    mutex_unlock(&receipts->lock);
    thread_join(&receipts->thread);
    condition_release(&receipts->wanted);
    mutex_release(&receipts->lock);
    free(receipts);
}

void api_receipts_wait(struct api_receipts *receipts, uint64_t size, api_receipt_fn done,
                       void *context)
{
    struct waiter *waiter = mem_zeroed(sizeof(*waiter));
    *waiter = (struct waiter){
        .size = size,
        .until_us = clock_monotonic_us() + (int64_t)RECEIPT_WAIT_MS * 1000,
        .done = done,
        .context = context,
    };
    mutex_lock(&receipts->lock);
    waiter->next = receipts->waiters;
    receipts->waiters = waiter;
    condition_signal(&receipts->wanted);
    mutex_unlock(&receipts->lock);
}
