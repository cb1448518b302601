/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * thread - threads with names, locks, and waiting with a limit.
 *
 * Every thread started here has all signals blocked, so that only the one that waits for signals
 * gets them. A lock that fails is our own mistake and ends the program.
 *
 * Threads: as the words say.
 */

#include <pthread.h>

#include "base/err.h"
#include "base/slice.h"

/* ---- Threads ---- */

#define THREAD_NAME_BYTES 16 /* with its NUL; a longer name is cut */

/* {0} is a thread that was never started. */
struct thread {
    pthread_t handle;
    void (*run)(void *arg);
    void *arg;
    bool is_started;
    char name[THREAD_NAME_BYTES];
};

/* Runs fn(arg) in a new thread. *thread must stay where it is until thread_join(). BUSY when the
 * system has no thread to give. */
enum err thread_start(struct thread *thread, const char *name, void (*fn)(void *arg), void *arg,
                      struct diag *diag);

/* Waits for its end, after which the thread may be started again. Nothing if it was not started. */
void thread_join(struct thread *thread);

/* From here on the calling thread, and those it starts, have the lowest priority (nice 19): full
 * speed on a processor that idles, little of a busy one. There is no way back without privileges,
 * so it is for threads that end with their work. */
void thread_set_background(void);

/* ---- Locks ---- */

struct mutex {
    pthread_mutex_t handle;
};
#define MUTEX_INIT                                                                                 \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER                                                                  \
    }

void mutex_init(struct mutex *mutex);
void mutex_release(struct mutex *mutex); /* nobody holds it */

void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/* ---- Waiting ---- */

struct condition {
    pthread_cond_t handle;
};

void condition_init(struct condition *condition);
void condition_release(struct condition *condition); /* nobody waits */

/* Gives up `mutex`, sleeps, and has it again. It may return for no reason: wait in a loop. */
void condition_wait(struct condition *condition, struct mutex *mutex);

/* The same for at most `timeout_us` (0 or less: no time at all), by a clock that nobody sets.
 * False when the time is up. */
bool condition_wait_us(struct condition *condition, struct mutex *mutex, int64_t timeout_us);

void condition_signal(struct condition *condition); /* wakes one */
void condition_broadcast(struct condition *condition);
