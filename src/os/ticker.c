/* SPDX-License-Identifier: Apache-2.0 */
#include "os/ticker.h"

#include "os/clock.h"

void ticker_init(struct ticker *ticker)
{
    *ticker = (struct ticker){0};
    mutex_init(&ticker->lock);
    condition_init(&ticker->woken);
}

void ticker_release(struct ticker *ticker)
{
    ticker_stop(ticker);
    condition_release(&ticker->woken);
    mutex_release(&ticker->lock);
}

/* Until the next turn; false: it is the last. */
static bool rest(struct ticker *ticker)
{
    int64_t until_us = clock_monotonic_us() + ticker->period_us;
    int64_t left_us = ticker->period_us;
    mutex_lock(&ticker->lock);
    while (!ticker->is_woken && !ticker->is_stopping && left_us > 0) {
        (void)condition_wait_us(&ticker->woken, &ticker->lock, left_us);
        left_us = until_us - clock_monotonic_us();
    }
    ticker->is_woken = false;
    bool goes_on = !ticker->is_stopping;
    mutex_unlock(&ticker->lock);
    return goes_on;
}

static void run(void *arg)
{
    struct ticker *ticker = arg;
    while (rest(ticker)) {
        ticker->turn(ticker->context, false);
    }
    ticker->turn(ticker->context, true);
}

enum err ticker_start(struct ticker *ticker, const char *name, int64_t period_us, ticker_fn *turn,
                      void *context, struct diag *diag)
{
    ASSERT(period_us > 0 && ticker->turn == NULL);
    ticker->period_us = period_us;
    ticker->turn = turn;
    ticker->context = context;
    return thread_start(&ticker->thread, name, run, ticker, diag);
}

void ticker_wake(struct ticker *ticker)
{
    mutex_lock(&ticker->lock);
    ticker->is_woken = true;
    condition_signal(&ticker->woken);
    mutex_unlock(&ticker->lock);
}

void ticker_stop(struct ticker *ticker)
{
    mutex_lock(&ticker->lock);
    ticker->is_stopping = true;
    condition_signal(&ticker->woken);
    mutex_unlock(&ticker->lock);
    thread_join(&ticker->thread);
}
