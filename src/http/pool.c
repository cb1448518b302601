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
    struct pool_options options;
    uint32_t waiting;
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

static enum err start_thread(struct pool *pool, struct diag *diag)
{
    TRY(thread_start(&pool->threads[pool->thread_count], pool->options.name, work, pool, diag));
    pool->thread_count++;
    return OK;
}

enum err pool_new(const struct pool_options *options, struct pool **out, struct diag *diag)
{
    ASSERT(options->threads > 0 && options->threads <= options->threads_max);
    struct pool *pool = mem_zeroed(sizeof(*pool));
    mutex_init(&pool->lock);
    condition_init(&pool->has_work);
    pool->last = &pool->first;
    pool->options = *options;
    pool->threads = mem_array(options->threads_max, sizeof(struct thread));
    while (pool->thread_count < options->threads) {
        enum err started = start_thread(pool, diag);
        if (started != OK) {
            pool_free(pool);
            return started;
        }
    }
    *out = pool;
    return OK;
}

void pool_end(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    mutex_lock(&pool->lock);
    uint32_t count = pool->thread_count;
    pool->is_ending = true;
    condition_broadcast(&pool->has_work);
    mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < count; i++) {
        thread_join(&pool->threads[i]);
    }
    mutex_lock(&pool->lock);
    pool->thread_count = 0;
    mutex_unlock(&pool->lock);
}

void pool_free(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    pool_end(pool);
    condition_release(&pool->has_work);
    mutex_release(&pool->lock);
    free(pool->threads);
    free(pool);
}

bool pool_submit(struct pool *pool, struct pool_job *job)
{
    mutex_lock(&pool->lock);
    bool fits = pool->waiting < pool->options.waiting_max;
    if (fits) {
        if (pool->busy + pool->waiting >= pool->thread_count &&
            pool->thread_count < pool->options.threads_max) {
            (void)start_thread(pool, NULL); /* without it the job waits for those that there are */
        }
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
