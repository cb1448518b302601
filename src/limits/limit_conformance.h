/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_conformance - what every back end of limits.h must do, by numbers of the acceptance list.
 *
 * Included by the test of each back end, which gives *state a new, empty `struct limits *` for each
 * test. Its time is that of the caller.
 */

#include "base/test.h"
#include "limits/limit_text.h"
#include "limits/limit_tiers.h"

#define SECOND_US INT64_C(1000000)
#define WALL_US   INT64_C(1770000000000000)

static struct limit_time at(int64_t us)
{
    return (struct limit_time){.steady_us = 1000 * 86400 * SECOND_US + us, .wall_us = WALL_US + us};
}

static struct limit_subject organization(const char *tier, const char *id)
{
    static const struct limit_custom none = {0};
    struct limit_subject subject;
    limit_organization(limit_tier_find(slice_from_cstr(tier)), &none, slice_from_cstr(id),
                       &subject);
    return subject;
}

static struct limit_subject single(const char *id, uint32_t seconds, uint32_t limit, uint32_t burst)
{
    return (struct limit_subject){.kind = LIMIT_ORGANIZATION,
                                  .id = slice_from_cstr(id),
                                  .windows = {{seconds, limit, burst}},
                                  .window_count = 1};
}

/* How many of `tries` requests at `us` pass. */
static uint32_t passing(struct limits *limits, const struct limit_subject *subject, uint32_t tries,
                        int64_t us)
{
    uint32_t passed = 0;
    for (uint32_t i = 0; i < tries; i++) {
        struct limit_answer answer;
        enum err e = limits_take(limits, subject, 1, at(us), &answer);
        assert_true(e == OK || e == ERR_LIMIT);
        passed += e == OK ? 1 : 0;
    }
    return passed;
}

static void test_lim_02_limits_follow_the_tier_and_an_unknown_tier_is_free(void **state)
{
    static const struct {
        const char *tier;
        uint32_t minute;
    } rows[] = {{"FREE", 10},        {"STARTUP", 30},  {"BUSINESS", 100},
                {"ENTERPRISE", 500}, {"platinum", 10}, {"", 10}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct limit_subject subject =
            organization(rows[i].tier, rows[i].tier[0] ? rows[i].tier : "-");
        assert_int_equal(passing(*state, &subject, rows[i].minute + 5, 0), rows[i].minute);
    }
    struct limit_subject unlimited = organization("unlimited", "default");
    assert_int_equal(passing(*state, &unlimited, 2000, 0), 2000);
}

static void test_lim_03_of_12_immediate_requests_of_free_10_pass_and_2_do_not(void **state)
{
    struct limit_subject subject = organization("FREE", "acme");
    for (int i = 0; i < 12; i++) {
        struct limit_answer answer;
        enum err e = limits_take(*state, &subject, 1, at(i * 1000), &answer);
        assert_int_equal(e, i < 10 ? OK : ERR_LIMIT);
    }
}

static void test_lim_04_remaining_falls_by_one_and_headers_are_right(void **state)
{
    struct limit_subject subject = organization("FREE", "acme");
    for (uint32_t i = 0; i < 10; i++) {
        struct limit_answer answer;
        struct limit_headers headers;
        struct limit_time now = at(i * SECOND_US);
        assert_int_equal(limits_take(*state, &subject, 1, now, &answer), OK);
        assert_true(limit_headers(&answer, now, &headers));
        char expected[LIMIT_NUMBER_BYTES];
        (void)snprintf(expected, sizeof(expected), "%u", 9 - i);
        assert_string_equal(headers.remaining, expected);
        assert_string_equal(headers.limit, "10");
        assert_string_equal(headers.reset, "1770000060");
        assert_string_equal(headers.retry_after, "");
    }
}

static void test_lim_05_retry_after_is_true_to_the_second(void **state)
{
    struct limit_subject subject = organization("FREE", "acme");
    assert_int_equal(passing(*state, &subject, 10, 0), 10);
    struct limit_answer answer;
    struct limit_headers headers;
    char message[LIMIT_MESSAGE_BYTES];
    struct limit_time now = at(17300000);
    assert_int_equal(limits_take(*state, &subject, 1, now, &answer), ERR_LIMIT);
    assert_true(limit_headers(&answer, now, &headers));
    limit_message(&answer, message);
    assert_string_equal(message, "Rate limit exceeded: 10 requests per minute");
    assert_int_equal(limit_retry_after_s(&answer), 43);
    assert_string_equal(headers.retry_after, "43");
    assert_string_equal(headers.reset, "1770000060");
    assert_string_equal(headers.remaining, "0");
    assert_int_equal(passing(*state, &subject, 1, 17300000 + 42 * SECOND_US), 0);
    assert_int_equal(passing(*state, &subject, 1, 17300000 + 43 * SECOND_US), 1);
}

static void test_lim_06_there_is_no_burst_at_the_border_of_a_minute(void **state)
{
    struct limit_subject subject = organization("FREE", "acme");
    assert_int_equal(passing(*state, &subject, 10, 59 * SECOND_US), 10);
    assert_int_equal(passing(*state, &subject, 10, 61 * SECOND_US), 0);
    assert_int_equal(passing(*state, &subject, 10, 119 * SECOND_US - 1), 0);
    assert_int_equal(passing(*state, &subject, 12, 119 * SECOND_US), 10);
}

static void test_lim_07_what_is_refused_consumes_nothing(void **state)
{
    struct limit_subject both[2] = {single("small", 60, 2, 0), single("large", 60, 10, 0)};
    for (int i = 0; i < 8; i++) {
        struct limit_answer answer;
        enum err e = limits_take(*state, both, 2, at(i), &answer);
        assert_int_equal(e, i < 2 ? OK : ERR_LIMIT);
        assert_int_equal(answer.state_count, 2);
        assert_int_equal(answer.states[1].remaining, i < 2 ? 9 - i : 8);
    }
    assert_int_equal(passing(*state, &both[1], 20, 10), 8);
    assert_int_equal(passing(*state, &both[0], 20, 60 * SECOND_US), 1);
}

static void test_lim_07_hour_and_day_name_themselves(void **state)
{
    struct limit_subject subject = organization("FREE", "acme");
    struct limit_answer answer;
    char message[LIMIT_MESSAGE_BYTES];
    for (int i = 0; i < 10; i++) {
        assert_int_equal(passing(*state, &subject, 10, i * 60 * SECOND_US), 10);
    }
    assert_int_equal(limits_take(*state, &subject, 1, at(600 * SECOND_US), &answer), ERR_LIMIT);
    limit_message(&answer, message);
    assert_string_equal(message, "Rate limit exceeded: 100 requests per hour");
    assert_int_equal(limit_retry_after_s(&answer), 3000);
    subject.windows[0].limit = 0;
    subject.windows[1].limit = 0;
    assert_int_equal(passing(*state, &subject, 1000, 600 * SECOND_US), 900);
    assert_int_equal(limits_take(*state, &subject, 1, at(600 * SECOND_US), &answer), ERR_LIMIT);
    limit_message(&answer, message);
    assert_string_equal(message, "Rate limit exceeded: 1000 requests per day");
}

struct seen {
    size_t count;
    uint32_t used;
    uint64_t allowed, refused;
};

static bool see(void *context, const struct limit_usage *usage)
{
    struct seen *seen = context;
    seen->count++;
    seen->used += usage->used[0];
    seen->allowed += usage->allowed;
    seen->refused += usage->refused[0];
    return true;
}

static void test_lim_08_an_administrator_lists_and_resets(void **state)
{
    struct limit_subject acme = organization("FREE", "acme"), other = organization("FREE", "other");
    assert_int_equal(passing(*state, &acme, 12, 0), 10);
    assert_int_equal(passing(*state, &other, 3, 0), 3);
    struct seen seen = {0};
    assert_int_equal(limits_list(*state, LIMIT_ORGANIZATION, at(1), see, &seen), OK);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.used, 13);
    assert_int_equal(limits_reset(*state, LIMIT_ORGANIZATION, SLICE("acme")), OK);
    assert_int_equal(limits_reset(*state, LIMIT_ORGANIZATION, SLICE("nobody")), OK);
    assert_int_equal(passing(*state, &acme, 12, 1), 10);
    assert_int_equal(passing(*state, &other, 12, 1), 7);
}

static void test_lim_14_limits_of_its_own_override_single_windows(void **state)
{
    struct limit_custom custom = {.has_minute = true, .minute = 25};
    struct limit_subject subject;
    limit_organization(limit_tier_find(SLICE("FREE")), &custom, SLICE("acme"), &subject);
    assert_int_equal(passing(*state, &subject, 40, 0), 25);
    assert_int_equal(subject.windows[1].limit, 100);
    subject.windows[0].limit = 30; /* raised while it runs: what was counted stays */
    assert_int_equal(passing(*state, &subject, 40, 1), 5);
    subject.windows[0].limit = 20; /* and lowered: eleven must leave first */
    struct limit_answer answer;
    assert_int_equal(limits_take(*state, &subject, 1, at(2), &answer), ERR_LIMIT);
    assert_int_equal(passing(*state, &subject, 40, 60 * SECOND_US), 15);
}

static void test_lim_15_a_burst_comes_at_once_and_is_missing_later(void **state)
{
    struct limit_subject subject = single("acme", 60, 10, 4);
    assert_int_equal(passing(*state, &subject, 30, 0), 14);
    assert_int_equal(passing(*state, &subject, 30, 60 * SECOND_US - 1), 0);
    assert_int_equal(passing(*state, &subject, 30, 60 * SECOND_US), 6);
    struct limit_answer answer;
    assert_int_equal(limits_take(*state, &subject, 1, at(60 * SECOND_US), &answer), ERR_LIMIT);
    assert_int_equal(limit_retry_after_s(&answer), 60);
    assert_int_equal(answer.states[0].most, 14);
    assert_int_equal(passing(*state, &subject, 30, 120 * SECOND_US - 1), 0);
    assert_int_equal(passing(*state, &subject, 30, 120 * SECOND_US), 14);
}

static void test_lim_15_more_burst_than_the_limit_is_cut(void **state)
{
    struct limit_subject subject = single("acme", 60, 10, 1000);
    assert_int_equal(passing(*state, &subject, 50, 0), 20);
    assert_int_equal(passing(*state, &subject, 50, 119 * SECOND_US), 0);
    assert_int_equal(passing(*state, &subject, 50, 120 * SECOND_US), 20);
}

static void test_lim_16_it_counts_what_passed_and_which_window_refused(void **state)
{
    struct limit_subject subject = organization("FREE", "acme");
    assert_int_equal(passing(*state, &subject, 17, 0), 10);
    struct limit_usage usage;
    assert_int_equal(limits_find(*state, LIMIT_ORGANIZATION, SLICE("acme"), at(1), &usage), OK);
    assert_string_equal(usage.id, "acme");
    assert_int_equal(usage.allowed, 10);
    assert_int_equal(usage.refused[0], 7);
    assert_int_equal(usage.refused[1], 0);
    assert_int_equal(usage.window_count, 3);
    assert_int_equal(usage.windows[2].limit, 1000);
    assert_int_equal(usage.used[0], 10);
    assert_int_equal(usage.used[2], 10);
    assert_int_equal(limits_find(*state, LIMIT_KEY, SLICE("acme"), at(1), &usage), ERR_NOT_FOUND);
    struct limits_health health;
    limits_health(*state, &health);
    assert_int_equal(health.allowed[LIMIT_ORGANIZATION], 10);
    assert_int_equal(health.refused[LIMIT_ORGANIZATION], 7);
}

static void test_a_look_counts_nothing_and_leaves_nothing(void **state)
{
    struct limit_subject address;
    limit_failures(SLICE("192.0.2.7"), 2, 60, &address);
    struct limit_answer answer;
    struct limit_usage usage;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(limits_look(*state, &address, 1, at(0), &answer), OK);
        assert_int_equal(answer.states[0].remaining, 2);
    }
    assert_int_equal(limits_find(*state, LIMIT_ADDRESS, SLICE("192.0.2.7"), at(0), &usage),
                     ERR_NOT_FOUND);
    assert_int_equal(passing(*state, &address, 2, 0), 2);
    assert_int_equal(limits_look(*state, &address, 1, at(0), &answer), ERR_LIMIT);
    assert_int_equal(limits_look(*state, &address, 1, at(60 * SECOND_US), &answer), OK);
}

static void test_a_large_window_never_lets_more_through_and_lasts_one_bucket_longer(void **state)
{
    struct limit_subject subject = single("acme", 120, 1000, 0);
    assert_int_equal(passing(*state, &subject, 600, 500000), 600);
    assert_int_equal(passing(*state, &subject, 600, 30 * SECOND_US), 400);
    struct limit_answer answer;
    assert_int_equal(limits_take(*state, &subject, 1, at(30 * SECOND_US), &answer), ERR_LIMIT);
    int64_t free_us = 30 * SECOND_US + answer.states[0].wait_us;
    assert_true(free_us >= 120 * SECOND_US + 500000);
    assert_true(free_us <= 123 * SECOND_US);
    assert_int_equal(passing(*state, &subject, 1, free_us - 1), 0);
    assert_int_equal(passing(*state, &subject, 700, free_us), 600);
}

#define LIMIT_CONFORMANCE(setup, teardown)                                                         \
    {                                                                                              \
        LIMIT_TEST(test_lim_02_limits_follow_the_tier_and_an_unknown_tier_is_free, setup,          \
                   teardown),                                                                      \
            LIMIT_TEST(test_lim_03_of_12_immediate_requests_of_free_10_pass_and_2_do_not, setup,   \
                       teardown),                                                                  \
            LIMIT_TEST(test_lim_04_remaining_falls_by_one_and_headers_are_right, setup, teardown), \
            LIMIT_TEST(test_lim_05_retry_after_is_true_to_the_second, setup, teardown),            \
            LIMIT_TEST(test_lim_06_there_is_no_burst_at_the_border_of_a_minute, setup, teardown),  \
            LIMIT_TEST(test_lim_07_what_is_refused_consumes_nothing, setup, teardown),             \
            LIMIT_TEST(test_lim_07_hour_and_day_name_themselves, setup, teardown),                 \
            LIMIT_TEST(test_lim_08_an_administrator_lists_and_resets, setup, teardown),            \
            LIMIT_TEST(test_lim_14_limits_of_its_own_override_single_windows, setup, teardown),    \
            LIMIT_TEST(test_lim_15_a_burst_comes_at_once_and_is_missing_later, setup, teardown),   \
            LIMIT_TEST(test_lim_15_more_burst_than_the_limit_is_cut, setup, teardown),             \
            LIMIT_TEST(test_lim_16_it_counts_what_passed_and_which_window_refused, setup,          \
                       teardown),                                                                  \
            LIMIT_TEST(test_a_look_counts_nothing_and_leaves_nothing, setup, teardown),            \
            LIMIT_TEST(test_a_large_window_never_lets_more_through_and_lasts_one_bucket_longer,    \
                       setup, teardown),                                                           \
    }
#define LIMIT_TEST(function, setup, teardown)                                                      \
    cmocka_unit_test_setup_teardown(function, setup, teardown)
