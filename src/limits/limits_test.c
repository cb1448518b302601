/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdio.h>

#include "limits/limit_conformance.h"
#include "limits/limit_sliding.h"
#include "limits/limits_local.h"
#include "os/clock.h"
#include "os/thread.h"

static int open_local(void **state)
{
    *state = limits_local_new(0);
    return 0;
}

static int close_local(void **state)
{
    limits_free(*state);
    return 0;
}

/* ---- Text ---- */

static void test_names_and_messages_of_all_windows(void **state)
{
    UNUSED(state);
    static const struct {
        enum limit_kind kind;
        struct limit_window window;
        const char *name, *message;
    } rows[] = {
        {LIMIT_ORGANIZATION, {60, 10, 5}, "minute", "Rate limit exceeded: 10 requests per minute"},
        {LIMIT_ORGANIZATION, {3600, 1, 0}, "hour", "Rate limit exceeded: 1 request per hour"},
        {LIMIT_ORGANIZATION, {86400, 7, 0}, "day", "Rate limit exceeded: 7 requests per day"},
        {LIMIT_KEY, {1, 500, 0}, "key-second", "Rate limit exceeded: 500 requests per second"},
        {LIMIT_ADDRESS,
         {60, 60, 0},
         "address-minute",
         "Rate limit exceeded: 60 requests per minute"},
        {LIMIT_ADDRESS,
         {300, 5, 0},
         "address-300s",
         "Rate limit exceeded: 5 requests per 5 minutes"},
        {LIMIT_ADDRESS,
         {61, 5, 0},
         "address-61s",
         "Rate limit exceeded: 5 requests per 61 seconds"},
        {LIMIT_ADDRESS,
         {172800, 5, 0},
         "address-172800s",
         "Rate limit exceeded: 5 requests per 2 days"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct limit_answer answer = {.is_refused = true, .state_count = 1};
        answer.states[0].window = rows[i].window;
        char name[LIMIT_NUMBER_BYTES + 16];
        char message[LIMIT_MESSAGE_BYTES];
        limit_window_name(rows[i].kind, rows[i].window.seconds, name);
        limit_message(&answer, message);
        assert_string_equal(name, rows[i].name);
        assert_string_equal(message, rows[i].message);
    }
}

static void test_lim_04_the_fields_of_the_draft_list_every_window(void **state)
{
    struct limit_subject both[2] = {organization("FREE", "acme")};
    limit_key(limit_tier_find(SLICE("FREE")), SLICE("k"), &both[1]);
    struct limit_answer answer;
    struct limit_headers headers;
    assert_int_equal(limits_take(*state, both, 2, at(0), &answer), OK);
    assert_true(limit_headers(&answer, at(0), &headers));
    assert_string_equal(headers.policy, "\"minute\";q=10;w=60, \"hour\";q=100;w=3600, "
                                        "\"day\";q=1000;w=86400, \"key-second\";q=500;w=1");
    assert_string_equal(headers.rate_limit, "\"minute\";r=9;t=60, \"hour\";r=99;t=3600, "
                                            "\"day\";r=999;t=86400, \"key-second\";r=499;t=1");
}

static void test_the_longest_fields_fit(void **state)
{
    UNUSED(state);
    struct limit_answer answer = {.state_count = COUNT_OF(answer.states)};
    for (size_t i = 0; i < answer.state_count; i++) {
        answer.states[i] = (struct limit_state){.kind = LIMIT_ADDRESS,
                                                .window = {LIMIT_SECONDS_MAX - 1, LIMIT_MOST, 0},
                                                .most = 2000000000,
                                                .remaining = 2000000000,
                                                .reset_us = INT64_MAX};
    }
    struct limit_headers headers;
    assert_true(limit_headers(&answer, at(0), &headers));
}

static void test_without_a_window_there_are_no_fields(void **state)
{
    struct limit_subject subject = organization("unlimited", "default");
    struct limit_answer answer;
    struct limit_headers headers;
    assert_int_equal(limits_take(*state, &subject, 1, at(0), &answer), OK);
    assert_true(answer.is_unmetered);
    assert_false(limit_headers(&answer, at(0), &headers));
    assert_string_equal(headers.limit, "");
}

static void test_tiers_with_limits_of_their_own_for_a_month(void **state)
{
    UNUSED(state);
    static const struct limit_custom none = {0}, zero = {.has_month = true};
    const struct limit_tier *free_tier = limit_tier_find(SLICE("free"));
    assert_string_equal(free_tier->name, "FREE");
    assert_int_equal(free_tier->day, 1000);
    assert_int_equal(limit_tier_find(SLICE("STARTUP"))->day, 5000);
    assert_int_equal(limit_tier_find(SLICE("BUSINESS"))->day, 20000);
    assert_int_equal(limit_tier_find(SLICE("ENTERPRISE"))->day, 100000);
    assert_int_equal(limit_month(free_tier, &none), 1000);
    assert_int_equal(limit_month(free_tier, &zero), 0);
    assert_true(limit_month(limit_tier_find(SLICE("unlimited")), &none) == UINT64_MAX);
}

/* ---- Memory ---- */

static void test_lim_10_a_window_takes_about_a_kilobyte(void **state)
{
    enum { SUBJECTS = 200 };
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < SUBJECTS; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "org-%d", i);
        struct limit_subject subject = organization("ENTERPRISE", id);
        assert_int_equal(passing(*state, &subject, 400, i), 400);
    }
    struct mallinfo2 after = mallinfo2();
    size_t bytes = (after.uordblks - before.uordblks) / SUBJECTS / 3;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their heap is not counted */
    assert_in_range(bytes, 500, 1300);
#else
    (void)bytes;
#endif
    assert_in_range(sizeof(struct sliding_ring), 900, 1024);
    assert_int_equal(LIMIT_LOG_ENTRIES * sizeof(int64_t), 1024);
}

static void test_a_million_addresses_take_bounded_memory(void **state)
{
    struct limit_subject address;
    for (uint32_t i = 0; i < 1000000; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        limit_failures(slice_from_cstr(id), 60, 60, &address);
        struct limit_answer answer;
        assert_int_equal(limits_take(*state, &address, 1, at(i), &answer), OK);
    }
    struct limits_health health;
    limits_health(*state, &health);
    assert_in_range(health.subjects, 60000, 65536);
    assert_true(health.evicted >= 934464);
}

static void test_an_address_at_its_limit_is_not_let_off_by_a_flood(void **state)
{
    struct limit_subject attacker;
    struct limit_answer answer;
    limit_failures(SLICE("192.0.2.7"), 60, 3600, &attacker);
    assert_int_equal(passing(*state, &attacker, 59, 0), 59);
    struct limit_subject organization_before = organization("FREE", "acme");
    assert_int_equal(passing(*state, &organization_before, 10, 0), 10);
    for (uint32_t i = 0; i < 300000; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "flood-%u", i);
        struct limit_subject flood;
        limit_failures(slice_from_cstr(id), 60, 3600, &flood);
        assert_int_equal(limits_take(*state, &flood, 1, at(i), &answer), OK);
    }
    assert_int_equal(limits_look(*state, &attacker, 1, at(300000), &answer), OK);
    assert_int_equal(answer.states[0].remaining, 1);
    assert_int_equal(passing(*state, &attacker, 5, 300000), 1);
    assert_int_equal(passing(*state, &organization_before, 1, 300000), 0);
}

/* ---- Clocks ---- */

static void test_a_wall_clock_that_is_set_changes_nothing(void **state)
{
    struct limit_subject subject = organization("FREE", "acme");
    struct limit_answer answer;
    assert_int_equal(passing(*state, &subject, 10, 0), 10);
    struct limit_time later = at(SECOND_US);
    later.wall_us += 400 * 86400 * SECOND_US;
    assert_int_equal(limits_take(*state, &subject, 1, later, &answer), ERR_LIMIT);
    assert_int_equal(limit_retry_after_s(&answer), 59);
    later = at(60 * SECOND_US);
    later.wall_us -= 400 * 86400 * SECOND_US;
    assert_int_equal(limits_take(*state, &subject, 1, later, &answer), OK);
}

static void test_a_moment_from_before_counts_as_the_last_one(void **state)
{
    struct limit_subject subject = organization("FREE", "acme");
    assert_int_equal(passing(*state, &subject, 5, 100), 5);
    assert_int_equal(passing(*state, &subject, 6, 0), 5); /* another thread read the clock first */
    assert_int_equal(passing(*state, &subject, 6, 100 + 60 * SECOND_US), 6);
}

/* ---- Threads ---- */

enum { THREADS = 4, TRIES = 4000 };

struct crowd {
    struct limits *limits;
    struct limit_subject subjects[2];
    _Atomic uint32_t passed;
};

static void press(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < TRIES; i++) {
        struct limit_answer answer;
        enum err e = limits_take(crowd->limits, crowd->subjects, 2, at(i), &answer);
        crowd->passed += e == OK ? 1 : 0;
    }
}

static void test_lim_11_counters_are_exact_under_concurrency(void **state)
{
    static const uint32_t limits[] = {100, 3333};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct crowd crowd = {.limits = *state};
        crowd.subjects[0] = single(i == 0 ? "small" : "large", 3600, limits[i], 0);
        crowd.subjects[1] = single(i == 0 ? "small too" : "large too", 3600, limits[i] + 7, 0);
        struct thread threads[THREADS] = {0};
        for (size_t t = 0; t < THREADS; t++) {
            assert_int_equal(thread_start(&threads[t], "press", press, &crowd, NULL), OK);
        }
        for (size_t t = 0; t < THREADS; t++) {
            thread_join(&threads[t]);
        }
        assert_int_equal(crowd.passed, limits[i]);
        assert_int_equal(passing(*state, &crowd.subjects[1], 20, TRIES), 7);
    }
}

static const struct CMUnitTest conformance[] = LIMIT_CONFORMANCE(open_local, close_local);

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LIMIT_TEST(test_names_and_messages_of_all_windows, NULL, NULL),
        LIMIT_TEST(test_lim_04_the_fields_of_the_draft_list_every_window, open_local, close_local),
        LIMIT_TEST(test_the_longest_fields_fit, NULL, NULL),
        LIMIT_TEST(test_without_a_window_there_are_no_fields, open_local, close_local),
        LIMIT_TEST(test_tiers_with_limits_of_their_own_for_a_month, NULL, NULL),
        LIMIT_TEST(test_lim_10_a_window_takes_about_a_kilobyte, open_local, close_local),
        LIMIT_TEST(test_a_million_addresses_take_bounded_memory, open_local, close_local),
        LIMIT_TEST(test_an_address_at_its_limit_is_not_let_off_by_a_flood, open_local, close_local),
        LIMIT_TEST(test_a_wall_clock_that_is_set_changes_nothing, open_local, close_local),
        LIMIT_TEST(test_a_moment_from_before_counts_as_the_last_one, open_local, close_local),
        LIMIT_TEST(test_lim_11_counters_are_exact_under_concurrency, open_local, close_local),
    };
    struct CMUnitTest all[COUNT_OF(tests) + COUNT_OF(conformance)];
    memcpy(all, conformance, sizeof(conformance));
    memcpy(all + COUNT_OF(conformance), tests, sizeof(tests));
    return cmocka_run_group_tests(all, NULL, NULL);
}
