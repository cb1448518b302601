/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* quota_conformance - what every back end of quota.h must do; *state is a new one for each test,
 * with the caller's time. */

#include "base/test.h"
#include "codec/time.h"
#include "limits/quota.h"

static int64_t wall(const char *text)
{
    int64_t us = 0;
    assert_true(time_parse_rfc3339(slice_from_cstr(text), &us));
    return us;
}

/* How many of `tries` are accepted. */
static uint64_t accepted(struct quota *quota, const char *org, uint64_t limit, uint64_t tries,
                         const char *when)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < tries; i++) {
        struct quota_answer answer;
        enum err e = quota_take(quota, slice_from_cstr(org), limit, wall(when), &answer);
        assert_true(e == OK || e == ERR_LIMIT);
        count += e == OK ? 1 : 0;
    }
    return count;
}

static uint64_t used(struct quota *quota, const char *org, const char *when)
{
    struct quota_answer answer;
    assert_int_equal(quota_look(quota, slice_from_cstr(org), 5, wall(when), &answer), OK);
    return answer.used;
}

static void test_lim_13_it_ends_and_begins_again_with_the_month(void **state)
{
    static const struct {
        const char *last, *first;
    } rows[] = {{"2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"},
                {"2028-02-29T23:59:59Z", "2028-03-01T00:00:00Z"},
                {"2028-04-30T23:59:59Z", "2028-05-01T00:00:00Z"},
                {"2028-12-31T23:59:59Z", "2029-01-01T00:00:00Z"},
                {"2100-02-28T23:59:59Z", "2100-03-01T00:00:00Z"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(accepted(*state, "acme", 5, 8, rows[i].last), 5);
        struct quota_answer answer;
        assert_int_equal(quota_take(*state, SLICE("acme"), 5, wall(rows[i].last), &answer),
                         ERR_LIMIT);
        assert_int_equal(answer.used, 5);
        assert_int_equal(answer.remaining, 0);
        assert_true(answer.reset_us == wall(rows[i].first));
        assert_int_equal(used(*state, "acme", rows[i].first), 0);
        assert_int_equal(accepted(*state, "acme", 5, 2, rows[i].first), 2);
    }
}

static void test_lim_13_only_what_is_accepted_counts(void **state)
{
    const char *when = "2026-05-10T00:00:00Z";
    struct quota_answer answer;
    assert_int_equal(quota_take(*state, SLICE("acme"), 5, wall(when), &answer), OK);
    assert_int_equal(answer.remaining, 4);
    assert_int_equal(quota_give_back(*state, SLICE("acme"), &answer, wall(when)), OK);
    assert_int_equal(used(*state, "acme", when), 0);
    assert_int_equal(quota_give_back(*state, SLICE("acme"), &answer, wall(when)), OK);
    assert_int_equal(used(*state, "acme", when), 0);
}

static void test_what_a_month_that_is_over_took_is_not_given_back(void **state)
{
    struct quota_answer answer;
    int64_t june = wall("2026-06-01T00:00:00Z");
    assert_int_equal(quota_take(*state, SLICE("acme"), 5, wall("2026-05-31T23:59:59Z"), &answer),
                     OK);
    assert_int_equal(accepted(*state, "acme", 5, 1, "2026-06-01T00:00:00Z"), 1);
    assert_int_equal(quota_give_back(*state, SLICE("acme"), &answer, june), OK);
    assert_int_equal(used(*state, "acme", "2026-06-01T00:00:00Z"), 1);
}

static void test_organisations_and_limits(void **state)
{
    const char *when = "2026-05-10T00:00:00Z";
    assert_int_equal(accepted(*state, "none", 0, 3, when), 0);
    assert_int_equal(accepted(*state, "free", QUOTA_UNLIMITED, 50, when), 50);
    assert_int_equal(accepted(*state, "acme", 3, 5, when), 3);
    assert_int_equal(accepted(*state, "acme", 4, 5, when), 1); /* raised */
    assert_int_equal(accepted(*state, "other", 3, 5, when), 3);
    assert_int_equal(used(*state, "free", when), 50);
}

static void test_a_clock_that_is_set_back_brings_no_second_quota(void **state)
{
    assert_int_equal(accepted(*state, "acme", 5, 3, "2026-06-01T00:00:01Z"), 3);
    assert_int_equal(accepted(*state, "acme", 5, 9, "2026-05-31T23:59:59Z"), 2);
    assert_int_equal(accepted(*state, "acme", 5, 9, "2026-06-01T00:00:02Z"), 0);
    assert_int_equal(accepted(*state, "acme", 5, 9, "2024-01-01T00:00:00Z"), 0);
    assert_int_equal(accepted(*state, "acme", 5, 9, "2024-02-01T00:00:00Z"), 5);
}

#define QUOTA_CONFORMANCE(setup, teardown)                                                         \
    cmocka_unit_test_setup_teardown(test_lim_13_it_ends_and_begins_again_with_the_month, setup,    \
                                    teardown),                                                     \
        cmocka_unit_test_setup_teardown(test_lim_13_only_what_is_accepted_counts, setup,           \
                                        teardown),                                                 \
        cmocka_unit_test_setup_teardown(test_what_a_month_that_is_over_took_is_not_given_back,     \
                                        setup, teardown),                                          \
        cmocka_unit_test_setup_teardown(test_organisations_and_limits, setup, teardown),           \
        cmocka_unit_test_setup_teardown(test_a_clock_that_is_set_back_brings_no_second_quota,      \
                                        setup, teardown)
