/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pool - a bounded number of threads that run what may block, behind a bounded queue.
 *
 * Threads: any may submit.
 */

#include "base/err.h"
#include "base/slice.h"

struct pool;

/* The caller's; free again when `run` is entered. */
struct pool_job {
    struct pool_job *next;
    void (*run)(struct pool_job *job);
};

struct pool_options {
    const char *name;     /* of the threads */
    uint32_t threads;     /* that are started at once, at least 1 */
    uint32_t threads_max; /* the others when a job finds none idle; they stay */
    uint32_t waiting_max; /* jobs that wait */
};

/* BUSY when the system has no thread to give. */
enum err pool_new(const struct pool_options *options, struct pool **out, struct diag *diag);

/* Returns when everything submitted has run. From here on nothing is submitted, but any thread may
 * still count. NULL is fine. */
void pool_end(struct pool *pool);
void pool_free(struct pool *pool); /* ends it first; NULL is fine */

/* False when the queue is full. */
bool pool_submit(struct pool *pool, struct pool_job *job);

struct pool_counts {
    uint32_t threads, busy; /* busy: those that run a job */
    uint32_t waiting;
};
struct pool_counts pool_counts(struct pool *pool);
