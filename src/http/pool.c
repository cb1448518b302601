/* SPDX-License-Identifier: Apache-2.0 */
#include "http/pool.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "os/thread.h"

struct pool {
    struct mutex lock;
    struct condition has_work;
    struct pool_job *first;
    struct pool_job **last;
    uint32_t waiting;
    uint32_t waiting_max;
    bool is_ending;
    uint32_t thread_count;
    struct thread *threads;
};

static struct pool_job *wait_for_job(struct pool *pool)
{
    mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->is_ending) {
        condition_wait(&pool->has_work, &pool->lock);
    }
    struct pool_job *job = pool->first;
    if (job != NULL) {
        pool->first = job->next;
        pool->waiting--;
        if (pool->first == NULL) {
            pool->last = &pool->first;
        }
    }
    mutex_unlock(&pool->lock);
    return job;
}

static void work(void *arg)
{
    struct pool_job *job = NULL;
    while ((job = wait_for_job(arg)) != NULL) {
        job->run(job);
    }
}

enum err pool_new(uint32_t threads, uint32_t waiting_max, struct pool **out, struct diag *diag)
{
    struct pool *pool = mem_zeroed(sizeof(*pool));
    mutex_init(&pool->lock);
    condition_init(&pool->has_work);
    pool->last = &pool->first;
    pool->waiting_max = waiting_max;
    pool->threads = mem_array(threads, sizeof(struct thread));
    while (pool->thread_count < threads) {
        enum err started =
            thread_start(&pool->threads[pool->thread_count], "request", work, pool, diag);
        if (started != OK) {
            pool_free(pool);
            return started;
        }
        pool->thread_count++;
    }
    *out = pool;
    return OK;
}

void pool_free(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    mutex_lock(&pool->lock);
    pool->is_ending = true;
    condition_broadcast(&pool->has_work);
    mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->thread_count; i++) {
        thread_join(&pool->threads[i]);
    }
    condition_release(&pool->has_work);
    mutex_release(&pool->lock);
    free(pool->threads);
    free(pool);
}

bool pool_submit(struct pool *pool, struct pool_job *job)
{
    mutex_lock(&pool->lock);
    bool fits = pool->waiting < pool->waiting_max;
    if (fits) {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->waiting++;
        condition_signal(&pool->has_work);
    }
    mutex_unlock(&pool->lock);
    return fits;
}

uint64_t pool_waiting(struct pool *pool)
{
    mutex_lock(&pool->lock);
    uint64_t waiting = pool->waiting;
    mutex_unlock(&pool->lock);
    return waiting;
}
