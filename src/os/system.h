/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * system - what the machine and this process are using, as /proc says, and how much they may.
 *
 * Threads: any; descriptors are raised by one, at the start.
 */

#include <stdint.h>

struct system_figures { /* 0: not known */
    uint64_t processors;
    double load_1m, load_5m, load_15m;
    uint64_t memory_total_bytes, memory_available_bytes;
    uint64_t resident_bytes; /* of this process, as are the rest */
    uint64_t cpu_user_us, cpu_system_us;
    uint64_t threads;
    uint64_t descriptors, descriptors_max;
};
void system_figures(struct system_figures *out);

/* Raises the soft limit of descriptors to the hard one, and returns what counts then; UINT64_MAX is
 * no limit. A raise that is refused leaves the limit as it was. */
uint64_t system_raise_descriptors(void);
