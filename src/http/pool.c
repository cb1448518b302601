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
    uint32_t busy; /* threads that run a job */
    bool is_ending;
    uint32_t thread_count;
    struct thread *threads;
};

/* The next job; the one before it, if any, has ended. */
static struct pool_job *wait_for_job(struct pool *pool, bool was_busy)
{
    mutex_lock(&pool->lock);
    pool->busy -= was_busy ? 1 : 0;
    while (pool->first == NULL && !pool->is_ending) {
        condition_wait(&pool->has_work, &pool->lock);
    }
    struct pool_job *job = pool->first;
    if (job != NULL) {
        pool->first = job->next;
        pool->waiting--;
        pool->busy++;
        if (pool->first == NULL) {
            pool->last = &pool->first;
        }
    }
    mutex_unlock(&pool->lock);
    return job;
}

static void work(void *arg)
{
    bool was_busy = false;
    struct pool_job *job = NULL;
    while ((job = wait_for_job(arg, was_busy)) != NULL) {
        job->run(job);
        was_busy = true;
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

struct pool_counts pool_counts(struct pool *pool)
{
    mutex_lock(&pool->lock);
    struct pool_counts counts = {pool->thread_count, pool->busy, pool->waiting};
    mutex_unlock(&pool->lock);
    return counts;
}
