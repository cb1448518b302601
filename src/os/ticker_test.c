/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "os/clock.h"
#include "os/ticker.h"

/* No test waits for it. */
#define NEVER_US ((int64_t)24 * 3600 * 1000000)

struct turns {
    struct ticker ticker;
    struct mutex lock; /* of the rest */
    struct condition changed;
    int count, last_count;
    bool is_slow, may_end; /* a slow turn lasts until it may end */
};

static void turn(void *context, bool is_last)
{
    struct turns *turns = context;
    mutex_lock(&turns->lock);
    turns->count++;
    turns->last_count += is_last ? 1 : 0;
    condition_broadcast(&turns->changed);
    while (turns->is_slow && !turns->may_end) {
        condition_wait(&turns->changed, &turns->lock);
    }
    mutex_unlock(&turns->lock);
}

static void turns_init(struct turns *turns)
{
    *turns = (struct turns){0};
    mutex_init(&turns->lock);
    condition_init(&turns->changed);
    ticker_init(&turns->ticker);
}

static void turns_release(struct turns *turns)
{
    ticker_release(&turns->ticker);
    condition_release(&turns->changed);
    mutex_release(&turns->lock);
}

static void start(struct turns *turns, int64_t period_us)
{
    assert_int_equal(ticker_start(&turns->ticker, "turns", period_us, turn, turns, NULL), OK);
}

static void await_count(struct turns *turns, int count)
{
    mutex_lock(&turns->lock);
    while (turns->count < count) {
        condition_wait(&turns->changed, &turns->lock);
    }
    mutex_unlock(&turns->lock);
}

static void test_turns_come_by_themselves(void **state)
{
    UNUSED(state);
    struct turns turns;
    turns_init(&turns);
    int64_t began_us = clock_monotonic_us();
    start(&turns, 1000);
    await_count(&turns, 3);
    assert_true(clock_monotonic_us() - began_us >= 3 * 1000);
    turns_release(&turns);
    assert_int_equal(turns.last_count, 1);
}

static void test_a_wake_is_a_turn_before_its_time(void **state)
{
    UNUSED(state);
    struct turns turns;
    turns_init(&turns);
    start(&turns, NEVER_US);
    ticker_wake(&turns.ticker);
    await_count(&turns, 1);
    ticker_wake(&turns.ticker);
    await_count(&turns, 2);
    turns_release(&turns);
    assert_int_equal(turns.count, 3);
}

static void test_a_wake_before_the_start_is_kept(void **state)
{
    UNUSED(state);
    struct turns turns;
    turns_init(&turns);
    ticker_wake(&turns.ticker);
    start(&turns, NEVER_US);
    await_count(&turns, 1);
    turns_release(&turns);
}

static void test_wakes_during_a_turn_are_one_turn_more(void **state)
{
    UNUSED(state);
    struct turns turns;
    turns_init(&turns);
    turns.is_slow = true;
    start(&turns, NEVER_US);
    ticker_wake(&turns.ticker);
    await_count(&turns, 1);
    ticker_wake(&turns.ticker);
    ticker_wake(&turns.ticker);
    mutex_lock(&turns.lock);
    turns.may_end = true;
    condition_broadcast(&turns.changed);
    mutex_unlock(&turns.lock);
    await_count(&turns, 2);
    ticker_stop(&turns.ticker);
    assert_int_equal(turns.count, 3);
    assert_int_equal(turns.last_count, 1);
    turns_release(&turns);
}

static void test_stopping_has_one_last_turn_and_no_other(void **state)
{
    UNUSED(state);
    struct turns turns;
    turns_init(&turns);
    start(&turns, NEVER_US);
    ticker_stop(&turns.ticker);
    assert_int_equal(turns.count, 1);
    assert_int_equal(turns.last_count, 1);
    ticker_wake(&turns.ticker); /* nobody hears it */
    ticker_stop(&turns.ticker);
    turns_release(&turns);
    assert_int_equal(turns.count, 1);
}

static void test_one_that_never_started_has_no_turn(void **state)
{
    UNUSED(state);
    struct turns turns;
    turns_init(&turns);
    ticker_wake(&turns.ticker);
    ticker_stop(&turns.ticker);
    turns_release(&turns);
    assert_int_equal(turns.count, 0);
}

/* Whether that start ends the program; in a child, so that this one goes on. */
static bool is_our_mistake(struct turns *turns)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(ticker_start(&turns->ticker, "again", NEVER_US, turn, turns, NULL) == OK ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_it_starts_once(void **state)
{
    UNUSED(state);
    struct turns turns;
    turns_init(&turns);
    start(&turns, NEVER_US);
    assert_true(is_our_mistake(&turns));
    ticker_stop(&turns.ticker);
    assert_true(is_our_mistake(&turns));
    turns_release(&turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns_come_by_themselves),
        cmocka_unit_test(test_a_wake_is_a_turn_before_its_time),
        cmocka_unit_test(test_a_wake_before_the_start_is_kept),
        cmocka_unit_test(test_wakes_during_a_turn_are_one_turn_more),
        cmocka_unit_test(test_stopping_has_one_last_turn_and_no_other),
        cmocka_unit_test(test_one_that_never_started_has_no_turn),
        cmocka_unit_test(test_it_starts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
