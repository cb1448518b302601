/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/time.h>
#include <unistd.h>

#include "base/test.h"
#include "os/clock.h"
#include "os/signal.h"

enum { WAIT_US = 200 * 1000, INTERRUPT_US = 5 * 1000 };

static volatile sig_atomic_t interrupts;

static void on_alarm(int number)
{
    UNUSED(number);
    interrupts++;
}

static sigset_t one(int number)
{
    sigset_t set;
    assert_int_equal(sigemptyset(&set), 0);
    assert_int_equal(sigaddset(&set, number), 0);
    return set;
}

/* A wait is interrupted when a handler runs, or the process is stopped and goes on. */
static void test_an_interrupted_wait_goes_on(void **state)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval often = {{0, INTERRUPT_US}, {0, INTERRUPT_US}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    sigset_t signals = one(SIGUSR1);
    UNUSED(state);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &signals, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    int64_t began_us = clock_monotonic_us();
    assert_int_equal(signals_wait_us(&signals, WAIT_US), 0);
    assert_true(clock_monotonic_us() - began_us >= WAIT_US);
    assert_true(interrupts > 1);

    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(signals_wait_us(&signals, (int64_t)3600 * 1000000), SIGUSR1);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
}

static void test_no_time_is_no_wait(void **state)
{
    sigset_t signals = one(SIGUSR1);
    UNUSED(state);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &signals, NULL), 0);
    assert_int_equal(signals_wait_us(&signals, 0), 0);
    assert_int_equal(signals_wait_us(&signals, -1), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(signals_wait_us(&signals, 0), SIGUSR1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_interrupted_wait_goes_on),
        cmocka_unit_test(test_no_time_is_no_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
