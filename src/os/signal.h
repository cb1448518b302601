/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * signal - keeping signals away, and waiting for them in the one thread that receives them.
 *
 * Threads: the mask belongs to the calling thread, SIGPIPE to the process.
 */

#include <signal.h>
#include <stdint.h>

/* Blocks every signal of this thread (and of threads it starts from now on) but those that tell
 * of a bug: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP. *before (may be NULL) is the mask
 * for signals_restore(). */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);

/* Waits for one of `signals`, all of which are blocked, for `timeout_us` at most, also when the
 * process is stopped and goes on meanwhile: the signal, or 0 when the time is up. */
int signals_wait_us(const sigset_t *signals, int64_t timeout_us);

/* Writing to a peer that has gone is an error of the write, not the end of the process. */
void signals_ignore_pipe(void);
