/* SPDX-License-Identifier: Apache-2.0 */
#include "os/thread.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "os/signal.h"

/* As good as for ever, and no sum of it overflows. */
#define TIMEOUT_US_MAX ((int64_t)100 * 365 * 86400 * 1000000)

enum { BACKGROUND_NICE = 19 };

static void *thread_main(void *arg)
{
    struct thread *thread = arg;
    (void)pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->arg);
    return NULL;
}

enum err thread_start(struct thread *thread, const char *name, void (*fn)(void *arg), void *arg,
                      struct diag *diag)
{
    ASSERT(!thread->is_started);
    ASSERT(fn != NULL);
    thread->run = fn;
    thread->arg = arg;
    (void)snprintf(thread->name, sizeof(thread->name), "%s", name);

    /* A new thread starts with its maker's mask: there is no moment at which it is open. */
    sigset_t before;
    signals_block(&before);
    int error = pthread_create(&thread->handle, NULL, thread_main, thread);
    signals_restore(&before);
    if (error != 0) {
        ASSERT(error == EAGAIN);
        return diag_fail(diag, ERR_BUSY, name, "cannot start a thread: too many are running");
    }
    thread->is_started = true;
    return OK;
}

void thread_join(struct thread *thread)
{
    if (thread->is_started) {
        ASSERT(pthread_join(thread->handle, NULL) == 0);
        thread->is_started = false;
    }
}

void thread_set_background(void)
{
    /* In Linux it is the thread's alone. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), BACKGROUND_NICE);
}

void mutex_init(struct mutex *mutex)
{
    ASSERT(pthread_mutex_init(&mutex->handle, NULL) == 0);
}

void mutex_release(struct mutex *mutex)
{
    ASSERT(pthread_mutex_destroy(&mutex->handle) == 0);
}

void mutex_lock(struct mutex *mutex)
{
    ASSERT(pthread_mutex_lock(&mutex->handle) == 0);
}

void mutex_unlock(struct mutex *mutex)
{
    ASSERT(pthread_mutex_unlock(&mutex->handle) == 0);
}

void condition_init(struct condition *condition)
{
    pthread_condattr_t attributes;
    ASSERT(pthread_condattr_init(&attributes) == 0);
    ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    ASSERT(pthread_cond_init(&condition->handle, &attributes) == 0);
    ASSERT(pthread_condattr_destroy(&attributes) == 0);
}

void condition_release(struct condition *condition)
{
    ASSERT(pthread_cond_destroy(&condition->handle) == 0);
}

void condition_wait(struct condition *condition, struct mutex *mutex)
{
    ASSERT(pthread_cond_wait(&condition->handle, &mutex->handle) == 0);
}

bool condition_wait_us(struct condition *condition, struct mutex *mutex, int64_t timeout_us)
{
    timeout_us = timeout_us < 0 ? 0 : timeout_us;
    timeout_us = timeout_us > TIMEOUT_US_MAX ? TIMEOUT_US_MAX : timeout_us;
    struct timespec until = {0};
    ASSERT(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    int64_t ns = until.tv_nsec + timeout_us % 1000000 * 1000;
    until.tv_sec += timeout_us / 1000000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    int error = pthread_cond_timedwait(&condition->handle, &mutex->handle, &until);
    ASSERT(error == 0 || error == ETIMEDOUT);
    return error == 0;
}

void condition_signal(struct condition *condition)
{
    ASSERT(pthread_cond_signal(&condition->handle) == 0);
}

void condition_broadcast(struct condition *condition)
{
    ASSERT(pthread_cond_broadcast(&condition->handle) == 0);
}
