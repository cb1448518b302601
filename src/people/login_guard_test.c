/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/test.h"
#include "os/clock.h"
#include "os/thread.h"
#include "people/login_guard.h"

#define SECOND INT64_C(1000000)

static const struct login_guard_options defaults = LOGIN_GUARD_DEFAULTS;

static enum err enter(struct login_guard *guard, const char *account, const char *address,
                      struct login_attempt *attempt, int64_t *retry_us)
{
    return login_guard_enter(guard, slice_from_cstr(account), slice_from_cstr(address), attempt,
                             retry_us);
}

static enum err try_wrongly(struct login_guard *guard, const char *account, const char *address)
{
    struct login_attempt attempt;
    int64_t retry_us = 0;
    enum err e = enter(guard, account, address, &attempt, &retry_us);
    assert_true(e == OK ? retry_us == 0 : retry_us > 0 && retry_us <= 300 * SECOND);
    return e;
}

static void test_an_account_is_refused_after_five(void **state)
{
    UNUSED(state);
    OWNED(login_guard) guard = login_guard_new(&defaults);
    char address[32];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(address, sizeof(address), "10.0.0.%d", i);
        assert_int_equal(try_wrongly(guard, i % 2 == 0 ? "Ann@example.org" : "ann@EXAMPLE.org",
                                     address),
                         OK);
    }
    assert_int_equal(try_wrongly(guard, "ann@example.org", "10.0.0.9"), ERR_LIMIT);
    assert_int_equal(try_wrongly(guard, "bob@example.org", "10.0.0.9"), OK);
}

/* Five that are one address, and one that is another. */
static const struct {
    const char *same[5], *other;
} address_rows[] = {
    {{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1"}, "192.0.2.2"},
    {{"2001:db8::1", "2001:db8::2", "2001:DB8::3", "2001:db8:0::4", "2001:db8::ffff:5"},
     "2001:db8:0:1::1"},
    {{"::ffff:192.0.2.7", "192.0.2.7", "::FFFF:192.0.2.7", "::ffff:c000:207", "192.0.2.7"},
     "::ffff:192.0.2.8"},
    {{"none", "none", "none", "none", "none"}, "none at all"},
    {{"", "", "", "", ""}, "0.0.0.0"},
};

static void test_an_address_is_refused_after_five(void **state)
{
    UNUSED(state);
    for (size_t row = 0; row < COUNT_OF(address_rows); row++) {
        OWNED(login_guard) guard = login_guard_new(&defaults);
        char account[32];
        print_message("# row %zu\n", row);
        for (size_t i = 0; i < 5; i++) {
            (void)snprintf(account, sizeof(account), "user%zu", i);
            assert_int_equal(try_wrongly(guard, account, address_rows[row].same[i]), OK);
        }
        assert_int_equal(try_wrongly(guard, "new", address_rows[row].same[0]), ERR_LIMIT);
        assert_int_equal(try_wrongly(guard, "new", address_rows[row].other), OK);
    }
}

static void test_the_window_slides(void **state)
{
    UNUSED(state);
    OWNED(login_guard) guard = login_guard_new(&defaults);
    struct login_attempt attempt;
    int64_t retry_us = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
        clock_advance_for_tests(10 * SECOND);
    }
    for (int i = 0; i < 100; i++) { /* what is refused does not count */
        assert_int_equal(enter(guard, "a", "192.0.2.1", &attempt, &retry_us), ERR_LIMIT);
    }
    assert_true(retry_us > 249 * SECOND && retry_us <= 250 * SECOND);
    clock_advance_for_tests(retry_us - SECOND);
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), ERR_LIMIT);
    clock_advance_for_tests(SECOND);
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK); /* the first has left the window */
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), ERR_LIMIT);
    clock_advance_for_tests(300 * SECOND);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
    }
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), ERR_LIMIT);
}

static void test_a_success_is_no_failure(void **state)
{
    UNUSED(state);
    OWNED(login_guard) guard = login_guard_new(&defaults);
    struct login_attempt attempt;
    int64_t retry_us = 0;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(enter(guard, "a", "192.0.2.1", &attempt, &retry_us), OK);
        login_guard_succeeded(guard, &attempt);
    }
    /* Four failures, then the password: the account starts anew, its address does not. */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
    }
    assert_int_equal(enter(guard, "a", "192.0.2.1", &attempt, &retry_us), OK);
    login_guard_succeeded(guard, &attempt);
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), ERR_LIMIT);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(try_wrongly(guard, "a", "192.0.2.2"), OK);
    }
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.3"), ERR_LIMIT);
}

static void test_what_was_not_looked_at_does_not_count(void **state)
{
    UNUSED(state);
    OWNED(login_guard) guard = login_guard_new(&defaults);
    struct login_attempt attempt;
    int64_t retry_us = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(enter(guard, "a", "192.0.2.1", &attempt, &retry_us), OK);
        login_guard_undone(guard, &attempt);
    }
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), ERR_LIMIT);
}

static void test_off(void **state)
{
    UNUSED(state);
    struct login_guard_options options = LOGIN_GUARD_DEFAULTS;
    options.failures_max = 0;
    OWNED(login_guard) guard = login_guard_new(&options);
    struct login_attempt attempt;
    int64_t retry_us = 0;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(enter(guard, "a", "192.0.2.1", &attempt, &retry_us), OK);
        login_guard_succeeded(guard, &attempt);
        login_guard_undone(guard, &attempt);
    }
}

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* A million names from a million addresses: no more memory than before, and who is refused stays
 * so as long as others in his set may still fail. */
static void test_other_limits_keep_what_was_counted(void **state)
{
    UNUSED(state);
    OWNED(login_guard) guard = login_guard_new(&defaults);
    struct login_attempt attempt;
    int64_t retry_us = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
        clock_advance_for_tests(60 * SECOND);
    }
    login_guard_set(guard, 2, 300); /* the newest two of them, the first 120 s ago */
    assert_int_equal(enter(guard, "a", "192.0.2.1", &attempt, &retry_us), ERR_LIMIT);
    assert_true(retry_us > 100 * SECOND && retry_us <= 180 * SECOND);
    login_guard_set(guard, 3, 300);
    assert_int_equal(enter(guard, "a", "192.0.2.1", &attempt, &retry_us), OK);
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), ERR_LIMIT);
    login_guard_set(guard, 100, 300);
    login_guard_undone(guard, &attempt); /* that began under another limit */
    for (int i = 2; i < 100; i++) {
        assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
    }
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), ERR_LIMIT);
    clock_advance_for_tests(2 * SECOND);
    login_guard_set(guard, 100, 1); /* all are older than that */
    assert_int_equal(enter(guard, "a", "192.0.2.1", &attempt, &retry_us), OK);
    login_guard_set(guard, 0, 1);
    login_guard_succeeded(guard, &attempt);
    login_guard_undone(guard, &attempt);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
    }
    login_guard_set(guard, 1, 300);
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), OK);
    assert_int_equal(try_wrongly(guard, "a", "192.0.2.1"), ERR_LIMIT);
}

static void test_a_million_names(void **state)
{
    UNUSED(state);
    struct login_guard_options options = LOGIN_GUARD_DEFAULTS;
    OWNED(login_guard) guard = login_guard_new(&options);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(try_wrongly(guard, "victim", "192.0.2.1"), OK);
    }
    size_t before = heap_bytes();
    int64_t began_us = clock_monotonic_us();
    for (uint32_t i = 0; i < 1000000; i++) {
        char account[32];
        char address[32];
        (void)snprintf(account, sizeof(account), "user%u", i);
        (void)snprintf(address, sizeof(address), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
        assert_int_equal(try_wrongly(guard, account, address), OK);
    }
    print_message("# an attempt takes %.2f us\n",
                  (double)(clock_monotonic_us() - began_us) / 1000000);
    assert_true(heap_bytes() < before + KIB(64));
    assert_int_equal(try_wrongly(guard, "victim", "192.0.2.2"), ERR_LIMIT);
    assert_int_equal(try_wrongly(guard, "another", "192.0.2.1"), ERR_LIMIT);
}

/* ---- A thousand at once are no more than five ---- */

enum { THREADS = 8, TRIES = 200 };
static struct login_guard *shared;
static atomic_uint let_in;

static void try_many(void *arg)
{
    UNUSED(arg);
    for (int i = 0; i < TRIES; i++) {
        struct login_attempt attempt;
        int64_t retry_us = 0;
        if (enter(shared, "a", "192.0.2.1", &attempt, &retry_us) == OK) {
            atomic_fetch_add(&let_in, 1);
        }
        if (enter(shared, "b", "192.0.2.2", &attempt, &retry_us) == OK) {
            login_guard_succeeded(shared, &attempt);
        }
    }
}

static void test_many_at_once(void **state)
{
    UNUSED(state);
    struct thread threads[THREADS] = {0};
    OWNED(login_guard) guard = login_guard_new(&defaults);
    shared = guard;
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(thread_start(&threads[i], "login", try_many, NULL, NULL), OK);
    }
    for (size_t i = 0; i < THREADS; i++) {
        thread_join(&threads[i]);
    }
    assert_int_equal(let_in, 5);
    assert_int_equal(try_wrongly(guard, "b", "192.0.2.2"), OK); /* nothing is left of successes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_account_is_refused_after_five),
        cmocka_unit_test(test_an_address_is_refused_after_five),
        cmocka_unit_test(test_the_window_slides),
        cmocka_unit_test(test_a_success_is_no_failure),
        cmocka_unit_test(test_what_was_not_looked_at_does_not_count),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_other_limits_keep_what_was_counted),
        cmocka_unit_test(test_a_million_names),
        cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
