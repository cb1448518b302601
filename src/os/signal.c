/* SPDX-License-Identifier: Apache-2.0 */
#include "os/signal.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/check.h"
#include "base/macros.h"
#include "os/clock.h"

void signals_block(sigset_t *before)
{
    /* Blocking these would turn a crash with a core into a silent one. */
    static const int bugs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    sigset_t all;
    ASSERT(sigfillset(&all) == 0);
    for (size_t i = 0; i < COUNT_OF(bugs); i++) {
        ASSERT(sigdelset(&all, bugs[i]) == 0);
    }
    ASSERT(pthread_sigmask(SIG_BLOCK, &all, before) == 0);
}

void signals_restore(const sigset_t *before)
{
    ASSERT(pthread_sigmask(SIG_SETMASK, before, NULL) == 0);
}

int signals_wait_us(const sigset_t *signals, int64_t timeout_us)
{
    int64_t until_us = clock_monotonic_us() + timeout_us;
    int got = -1;
    do {
        int64_t left_us = until_us - clock_monotonic_us();
        left_us = left_us > 0 ? left_us : 0;
        const struct timespec time = {.tv_sec = (time_t)(left_us / 1000000),
                                      .tv_nsec = (long)(left_us % 1000000) * 1000};
        got = sigtimedwait(signals, NULL, &time);
    } while (got < 0 && errno == EINTR);
    return got > 0 ? got : 0;
}

void signals_ignore_pipe(void)
{
    ASSERT(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}
