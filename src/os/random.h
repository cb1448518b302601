/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * random - bytes that nobody can guess, from the kernel, good for keys.
 *
 * Small requests are served from a buffer of the thread, so that an identifier costs no system
 * call. What was given out is wiped from it, and a forked child starts with an empty one.
 *
 * Threads: any.
 */

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len);

uint64_t random_u64(void);
