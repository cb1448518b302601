/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/test.h"
#include "os/clock.h"
#include "os/signal.h"
#include "os/thread.h"

struct room {
    struct mutex lock;
    struct condition changed;
    int number;
};

static void room_init(struct room *room)
{
    *room = (struct room){0};
    mutex_init(&room->lock);
    condition_init(&room->changed);
}

static void room_release(struct room *room)
{
    condition_release(&room->changed);
    mutex_release(&room->lock);
}

struct look {
    char name[32];
    sigset_t mask;
};

static void look_around(void *arg)
{
    struct look *look = arg;
    ASSERT(pthread_getname_np(pthread_self(), look->name, sizeof(look->name)) == 0);
    ASSERT(pthread_sigmask(SIG_BLOCK, NULL, &look->mask) == 0);
}

static void test_a_thread_has_a_name_and_no_signals(void **state)
{
    UNUSED(state);
    struct thread thread = {0};
    struct look look = {0};
    sigset_t before, after;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
    assert_int_equal(thread_start(&thread, "a-name-that-is-too-long", look_around, &look, NULL),
                     OK);
    thread_join(&thread);
    assert_string_equal(look.name, "a-name-that-is-");
    static const int blocked[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGCHLD, SIGWINCH};
    for (size_t i = 0; i < COUNT_OF(blocked); i++) {
        assert_int_equal(sigismember(&look.mask, blocked[i]), 1);
    }
    assert_int_equal(sigismember(&look.mask, SIGSEGV), 0);
    assert_int_equal(sigismember(&look.mask, SIGABRT), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

/* ---- The background ---- */

struct nices {
    struct thread child;
    int own, of_child;
};

static void note_nice(void *arg)
{
    *(int *)arg = getpriority(PRIO_PROCESS, (id_t)gettid());
}

static void step_back(void *arg)
{
    struct nices *nices = arg;
    thread_set_background();
    note_nice(&nices->own);
    ASSERT(thread_start(&nices->child, "child", note_nice, &nices->of_child, NULL) == OK);
    thread_join(&nices->child);
}

static void test_the_background_is_for_a_thread_and_its_children(void **state)
{
    UNUSED(state);
    struct nices nices = {0};
    struct thread thread = {0};
    int before = getpriority(PRIO_PROCESS, (id_t)gettid());
    assert_int_equal(thread_start(&thread, "behind", step_back, &nices, NULL), OK);
    thread_join(&thread);
    assert_int_equal(nices.own, 19);
    assert_int_equal(nices.of_child, 19);
    note_nice(&nices.own);
    assert_int_equal(nices.own, before);
}

static void test_joining_twice_or_never_started_is_fine(void **state)
{
    UNUSED(state);
    struct thread thread = {0};
    struct look look = {0};
    thread_join(&thread);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(thread_start(&thread, "look", look_around, &look, NULL), OK);
        thread_join(&thread);
        thread_join(&thread);
        assert_string_equal(look.name, "look");
    }
}

static void answer(void *arg)
{
    struct room *room = arg;
    mutex_lock(&room->lock);
    while (room->number != 1) {
        condition_wait(&room->changed, &room->lock);
    }
    room->number = 2;
    condition_broadcast(&room->changed);
    mutex_unlock(&room->lock);
}

static void test_conditions_wake_who_waits(void **state)
{
    UNUSED(state);
    struct thread thread = {0};
    struct room room;
    room_init(&room);
    assert_int_equal(thread_start(&thread, "answer", answer, &room, NULL), OK);
    mutex_lock(&room.lock);
    room.number = 1;
    condition_signal(&room.changed);
    bool has_time = true;
    while (room.number != 2 && has_time) {
        has_time = condition_wait_us(&room.changed, &room.lock, 60000000);
    }
    assert_int_equal(room.number, 2);
    mutex_unlock(&room.lock);
    thread_join(&thread);
    room_release(&room);
}

static void test_a_wait_is_over_in_time(void **state)
{
    UNUSED(state);
    struct room room;
    room_init(&room);
    mutex_lock(&room.lock);
    assert_false(condition_wait_us(&room.changed, &room.lock, 0));
    assert_false(condition_wait_us(&room.changed, &room.lock, -5));
    assert_false(condition_wait_us(&room.changed, &room.lock, INT64_MIN));
    int64_t began_us = clock_monotonic_us();
    while (condition_wait_us(&room.changed, &room.lock, 1500)) {
        began_us = clock_monotonic_us(); /* woken for no reason: once more */
    }
    assert_true(clock_monotonic_us() - began_us >= 1500);
    mutex_unlock(&room.lock);
    room_release(&room);
}

static void wait_for_ever(void *arg)
{
    struct room *room = arg;
    mutex_lock(&room->lock);
    while (room->number != 1) {
        ASSERT(condition_wait_us(&room->changed, &room->lock, INT64_MAX));
    }
    mutex_unlock(&room->lock);
}

static void test_the_longest_wait_does_not_overflow(void **state)
{
    UNUSED(state);
    struct thread thread = {0};
    struct room room;
    room_init(&room);
    assert_int_equal(thread_start(&thread, "wait", wait_for_ever, &room, NULL), OK);
    mutex_lock(&room.lock);
    (void)condition_wait_us(&room.changed, &room.lock, 1000); /* so that it waits, most likely */
    room.number = 1;
    condition_signal(&room.changed);
    mutex_unlock(&room.lock);
    thread_join(&thread);
    room_release(&room);
}

static void test_sigpipe_is_ignored(void **state)
{
    UNUSED(state);
    signals_ignore_pipe();
    assert_int_equal(raise(SIGPIPE), 0);
    signals_ignore_pipe();
}

static void test_blocking_is_undone(void **state)
{
    UNUSED(state);
    sigset_t before, now;
    signals_block(&before);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    assert_int_equal(sigismember(&now, SIGTERM), 1);
    signals_restore(&before);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    assert_int_equal(sigismember(&now, SIGTERM), sigismember(&before, SIGTERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thread_has_a_name_and_no_signals),
        cmocka_unit_test(test_the_background_is_for_a_thread_and_its_children),
        cmocka_unit_test(test_joining_twice_or_never_started_is_fine),
        cmocka_unit_test(test_conditions_wake_who_waits),
        cmocka_unit_test(test_a_wait_is_over_in_time),
        cmocka_unit_test(test_the_longest_wait_does_not_overflow),
        cmocka_unit_test(test_sigpipe_is_ignored),
        cmocka_unit_test(test_blocking_is_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
