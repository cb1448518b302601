/* SPDX-License-Identifier: Apache-2.0 */
#include "os/signal.h"

#include <pthread.h>

#include "base/check.h"
#include "base/macros.h"

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

void signals_ignore_pipe(void)
{
    ASSERT(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}
