/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "limits/quota_conformance.h"
#include "os/thread.h"

static int open_local(void **state)
{
    *state = quota_local_new();
    return 0;
}

static int close_local(void **state)
{
    quota_free(*state);
    return 0;
}

#define NOON "2026-05-10T12:00:00Z"

struct stored {
    size_t calls, count;
    uint64_t sum;
    size_t failing_call; /* 0: none */
};

static enum err store(void *context, const struct quota_count *counts, size_t count,
                      struct diag *diag)
{
    struct stored *stored = context;
    assert_true(count > 0 && count <= QUOTA_STORED_AT_ONCE);
    if (++stored->calls == stored->failing_call) {
        return diag_fail(diag, ERR_FULL, "store", "no room");
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(counts[i].org_len > 0);
        assert_int_equal(counts[i].month, 2026 * 12 + 4);
        stored->sum += counts[i].used;
    }
    stored->count += count;
    return OK;
}

static void test_what_changed_is_stored_once_and_again_after_a_failure(void **state)
{
    for (int i = 0; i < 300; i++) {
        char org[16];
        (void)snprintf(org, sizeof(org), "org-%d", i);
        assert_int_equal(accepted(*state, org, 5, 2, NOON), 2);
    }
    struct stored stored = {.failing_call = 3};
    struct diag diag;
    assert_int_equal(quota_flush(*state, store, &stored, &diag), ERR_FULL);
    assert_true(stored.count > 0 && stored.count <= 2 * QUOTA_STORED_AT_ONCE);
    assert_int_equal(quota_flush(*state, store, &stored, &diag), OK);
    assert_int_equal(stored.count, 300);
    assert_int_equal(stored.sum, 300 * 2);
    struct stored again = {0};
    assert_int_equal(quota_flush(*state, store, &again, &diag), OK);
    assert_int_equal(again.count, 0);
    assert_int_equal(accepted(*state, "org-7", 5, 1, NOON), 1);
    assert_int_equal(quota_flush(*state, store, &again, &diag), OK);
    assert_int_equal(again.count, 1);
    assert_int_equal(again.sum, 3);
}

static void test_what_was_stored_counts_after_a_start(void **state)
{
    assert_int_equal(quota_put(*state, SLICE("acme"), 2026 * 12 + 4, 4), OK);
    assert_int_equal(quota_put(*state, SLICE("old"), 2026 * 12 + 3, 4), OK);
    assert_int_equal(accepted(*state, "acme", 5, 3, NOON), 1);
    assert_int_equal(accepted(*state, "old", 5, 9, NOON), 5);
}

static void test_months_have_numbers(void **state)
{
    UNUSED(state);
    assert_int_equal(quota_month(0), 1970 * 12);
    assert_int_equal(quota_month(-1), 1970 * 12);
    assert_int_equal(quota_month(INT64_MAX), 9999 * 12 + 11);
    assert_int_equal(quota_month(wall("2026-12-31T23:59:59.999999Z")), 2026 * 12 + 11);
    assert_true(quota_month_start_us(2026 * 12 + 11) == wall("2026-12-01T00:00:00Z"));
}

struct crowd {
    struct quota *quota;
    _Atomic uint64_t accepted;
};

static void press(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 1000; i++) {
        crowd->accepted += accepted(crowd->quota, "acme", 1500, 1, NOON);
    }
}

static void test_lim_11_it_is_exact_under_concurrency(void **state)
{
    struct crowd crowd = {.quota = *state};
    struct thread threads[4] = {0};
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(thread_start(&threads[i], "press", press, &crowd, NULL), OK);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        thread_join(&threads[i]);
    }
    assert_int_equal(crowd.accepted, 1500);
}

#define LOCAL_TEST(function) cmocka_unit_test_setup_teardown(function, open_local, close_local)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        QUOTA_CONFORMANCE(open_local, close_local),
        LOCAL_TEST(test_what_changed_is_stored_once_and_again_after_a_failure),
        LOCAL_TEST(test_what_was_stored_counts_after_a_start),
        cmocka_unit_test(test_months_have_numbers),
        LOCAL_TEST(test_lim_11_it_is_exact_under_concurrency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
