/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ticker - a thread that does the same work again and again: whenever a period is over, at once
 * when it is woken, and once more, the last time, when it is stopped.
 *
 *     ticker_init(&it->ticker);
 *     TRY(ticker_start(&it->ticker, "counting", PERIOD_US, turn, it, diag));
 *     ...
 *     ticker_release(&it->ticker);     the last turn is over
 *
 * A period is counted from the end of a turn, so slow turns never pile up. What a turn works on is
 * its owner's, locks included: the ticker's own lock is held by no turn. Not for a thread that
 * waits for work in a queue (queue.h), or for as long as its own data say.
 *
 * Threads: any may wake; the others belong to the owner.
 */

#include "os/thread.h"

/* In the thread of the ticker. `is_last`: it was stopped, no other turn comes. */
typedef void ticker_fn(void *context, bool is_last);

struct ticker {
    struct thread thread;
    int64_t period_us;
    ticker_fn *turn;
    void *context;
    struct mutex lock; /* of the rest */
    struct condition woken;
    bool is_woken, is_stopping;
};

/* It may be woken from here on: the first turn then comes as soon as it starts. *ticker must stay
 * where it is. */
void ticker_init(struct ticker *ticker);
/* Stops it first, if need be; nobody wakes it any more. */
void ticker_release(struct ticker *ticker);

/* Once. `period_us` is more than 0. BUSY: the system has no thread to give. */
enum err ticker_start(struct ticker *ticker, const char *name, int64_t period_us, ticker_fn *turn,
                      void *context, struct diag *diag);

/* Does not wait; a turn begins after this. Wakes before it has begun are one. */
void ticker_wake(struct ticker *ticker);

/* Waits for the turn that runs and for the last one. Nothing if it was not started, or is stopped
 * already. */
void ticker_stop(struct ticker *ticker);
