/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * signal - keeping signals away. The event loop is the one that receives them.
 *
 * Threads: the mask belongs to the calling thread, SIGPIPE to the process.
 */

#include <signal.h>

/* Blocks every signal of this thread (and of threads it starts from now on) but those that tell
 * of a bug: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP. *before (may be NULL) is the mask
 * for signals_restore(). */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);

/* Writing to a peer that has gone is an error of the write, not the end of the process. */
void signals_ignore_pipe(void);
