/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "os/clock.h"

static void test_the_real_time_is_this_century(void **state)
{
    UNUSED(state);
    assert_true(clock_now_us() > INT64_C(1700000000000000));
    assert_true(clock_now_us() < INT64_C(4102444800000000));
}

static void test_the_monotonic_clock_does_not_go_back(void **state)
{
    UNUSED(state);
    int64_t last_us = clock_monotonic_us();
    for (int i = 0; i < 1000; i++) {
        int64_t now_us = clock_monotonic_us();
        assert_true(now_us >= last_us);
        last_us = now_us;
    }
}

static void test_a_stopped_clock_moves_by_hand_only(void **state)
{
    UNUSED(state);
    clock_set_for_tests(1000);
    assert_int_equal(clock_now_us(), 1000);
    clock_advance_for_tests(234);
    assert_int_equal(clock_now_us(), 1234);
    clock_advance_for_tests(0);
    assert_int_equal(clock_now_us(), 1234);
    clock_set_for_tests(5); /* back, too */
    assert_int_equal(clock_now_us(), 5);
    clock_set_for_tests(-7);
    assert_int_equal(clock_now_us(), -7);
    clock_set_for_tests(0);
    assert_true(clock_now_us() > INT64_C(1700000000000000));
}

static void test_a_running_clock_can_be_put_forward(void **state)
{
    UNUSED(state);
    int64_t day_us = INT64_C(86400000000);
    int64_t wall_us = clock_now_us(), monotonic_us = clock_monotonic_us();
    clock_advance_for_tests(day_us);
    assert_true(clock_now_us() >= wall_us + day_us / 2);
    assert_true(clock_monotonic_us() >= monotonic_us + day_us);
    clock_set_for_tests(0);
    assert_true(clock_now_us() < wall_us + day_us / 2);
    assert_true(clock_monotonic_us() >= monotonic_us + day_us); /* never back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_real_time_is_this_century),
        cmocka_unit_test(test_the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(test_a_stopped_clock_moves_by_hand_only),
        cmocka_unit_test(test_a_running_clock_can_be_put_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
