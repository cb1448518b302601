/* SPDX-License-Identifier: Apache-2.0 */
#include "os/random.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"

enum { POOL_BYTES = 512, POOLED_MAX = 64 };

/* The bytes that are left stand at the front. */
static _Thread_local uint8_t pool[POOL_BYTES];
static _Thread_local size_t pool_left;

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* Runs in the child, in its only thread. Its copy of the pool is also its parent's. */
static void forget_pool(void)
{
    explicit_bzero(pool, sizeof(pool));
    pool_left = 0;
}

static void watch_forks(void)
{
    ASSERT(pthread_atfork(NULL, NULL, forget_pool) == 0);
}

static void ask_kernel(uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        if (got < 0) {
            ASSERT(errno == EINTR); /* it has no other way to fail */
            continue;
        }
        out += got;
        len -= (size_t)got;
    }
}

void random_bytes(void *out, size_t len)
{
    if (len > POOLED_MAX) {
        ask_kernel(out, len);
        return;
    }
    if (len > pool_left) {
        ASSERT(pthread_once(&fork_once, watch_forks) == 0);
        ask_kernel(pool, sizeof(pool));
        pool_left = sizeof(pool);
    }
    pool_left -= len;
    memcpy(out, pool + pool_left, len);
    explicit_bzero(pool + pool_left, len);
}

uint64_t random_u64(void)
{
    uint64_t number = 0;
    random_bytes(&number, sizeof(number));
    return number;
}
