/* SPDX-License-Identifier: Apache-2.0 */
#include "os/clock.h"

#include <stdatomic.h>
#include <time.h>

#include "base/check.h"

static _Atomic int64_t stopped_us; /* 0: it runs */
static _Atomic int64_t wall_ahead_us;
static _Atomic int64_t monotonic_ahead_us;

static int64_t read_clock(clockid_t which)
{
    struct timespec now = {0};
    ASSERT(clock_gettime(which, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    int64_t stopped = atomic_load_explicit(&stopped_us, memory_order_relaxed);
    int64_t now = stopped != 0 ? stopped : read_clock(CLOCK_REALTIME);
    return now + atomic_load_explicit(&wall_ahead_us, memory_order_relaxed);
}

int64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC) +
           atomic_load_explicit(&monotonic_ahead_us, memory_order_relaxed);
}

void clock_set_for_tests(int64_t us)
{
    atomic_store(&wall_ahead_us, 0);
    atomic_store(&stopped_us, us);
}

void clock_advance_for_tests(int64_t us)
{
    ASSERT(us >= 0);
    atomic_fetch_add(&wall_ahead_us, us);
    atomic_fetch_add(&monotonic_ahead_us, us);
}
