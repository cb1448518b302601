/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * clock - what time it is, in microseconds, and how a test says what time it is.
 *
 * Threads: any.
 */

#include <stdint.h>

/* Since 1970 UTC. It may jump when somebody sets the clock. */
int64_t clock_now_us(void);

/* Since some moment in the past; never goes back. For measuring and for timeouts. */
int64_t clock_monotonic_us(void);

/* Stops the wall clock at `us`; 0 starts it again, at the real time. */
void clock_set_for_tests(int64_t us);

/* Moves both clocks forward (us >= 0), also a stopped one. Threads that sleep do not notice. */
void clock_advance_for_tests(int64_t us);
