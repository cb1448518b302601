/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/pool.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ingest/ingest.h"
#include "os/thread.h"

struct spare {
    struct intake *intake;
    size_t bytes;
};

struct intake_pool {
    struct mutex lock; /* of all */
    struct spare spares[INTAKE_POOL_MAX];
    size_t count;
    size_t bytes;
};

struct intake_pool *intake_pool_new(void)
{
    struct intake_pool *pool = mem_zeroed(sizeof(*pool));
    mutex_init(&pool->lock);
    return pool;
}

void intake_pool_free(struct intake_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (size_t i = 0; i < pool->count; i++) {
        intake_end_life(pool->spares[i].intake);
    }
    mutex_release(&pool->lock);
    free(pool);
}

struct intake *intake_pool_take(struct intake_pool *pool)
{
    struct intake *taken = NULL;
    mutex_lock(&pool->lock);
    if (pool->count > 0) { /* the one that came last is the warmest */
        struct spare *spare = &pool->spares[--pool->count];
        taken = spare->intake;
        pool->bytes -= spare->bytes;
    }
    mutex_unlock(&pool->lock);
    return taken;
}

bool intake_pool_give(struct intake_pool *pool, struct intake *intake, size_t bytes)
{
    mutex_lock(&pool->lock);
    bool fits = pool->count < INTAKE_POOL_MAX && bytes <= INTAKE_POOL_BYTES_MAX - pool->bytes;
    if (fits) {
        pool->spares[pool->count++] = (struct spare){intake, bytes};
        pool->bytes += bytes;
    }
    mutex_unlock(&pool->lock);
    return fits;
}
