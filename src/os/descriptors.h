/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * descriptors - how many files and sockets the process may have open at a time.
 *
 * Threads: one, at the start.
 */

#include <stdint.h>

/* Raises the soft limit to the hard one, and returns what counts then; UINT64_MAX is no limit. A
 * raise that is refused leaves the limit as it was. */
uint64_t descriptors_raise(void);
