/* SPDX-License-Identifier: Apache-2.0 */
/* Who goes when a table is full, and with what it comes back. */
#include <stdio.h>

#include "base/hash.h"
#include "base/test.h"
#include "limits/limit_table.h"
#include "limits/limit_tiers.h"

enum { PLACES = 16, SECOND = 1000000 };

struct name {
    char text[24];
};

static struct limit_subject address(struct name *name, int number)
{
    (void)snprintf(name->text, sizeof(name->text), "192.0.2.%d", number);
    struct limit_subject subject;
    limit_failures(slice_from_cstr(name->text), 60, 60, &subject);
    return subject;
}

/* Counts `requests` of an address, which is known afterwards. */
static void count(struct limit_table *table, int number, uint32_t requests, int64_t now_us)
{
    struct name name;
    struct limit_subject subject = address(&name, number);
    struct metered *metered = limit_table_get(table, &subject, hash_bytes(subject.id, 0), now_us);
    for (uint32_t i = 0; i < requests; i++) {
        struct sliding_view view;
        sliding_judge(&metered->windows[0].sliding, &subject.windows[0], now_us, &view);
        sliding_count(&metered->windows[0].sliding, &subject.windows[0]);
    }
}

static bool is_known(const struct limit_table *table, int number)
{
    struct name name;
    struct limit_subject subject = address(&name, number);
    return limit_table_find(table, LIMIT_ADDRESS, subject.id, hash_bytes(subject.id, 0)) != NULL;
}

/* What it has, or would come back with. */
static uint32_t used(const struct limit_table *table, int number, int64_t now_us)
{
    struct name name;
    struct limit_subject subject = address(&name, number);
    uint64_t hash = hash_bytes(subject.id, 0);
    struct metered *known = limit_table_find(table, LIMIT_ADDRESS, subject.id, hash);
    struct metered stranger = {0};
    if (known == NULL) {
        limit_table_recall(table, &subject, hash, now_us, &stranger);
        known = &stranger;
    }
    struct sliding_view view;
    sliding_judge(&known->windows[0].sliding, &subject.windows[0], now_us, &view);
    metered_release(&stranger);
    return view.used;
}

static int open_table(void **state)
{
    static struct limit_table table;
    limit_table_init(&table, PLACES);
    *state = &table;
    return 0;
}

static int close_table(void **state)
{
    limit_table_release(*state);
    return 0;
}

static void test_the_one_furthest_from_its_limit_goes(void **state)
{
    struct limit_table *table = *state;
    count(table, 0, 59, 0);
    for (int i = 1; i < PLACES; i++) {
        count(table, i, i == 3 ? 1 : 2, i);
    }
    count(table, 100, 1, 100);
    assert_true(is_known(table, 0));
    assert_false(is_known(table, 3));
    assert_int_equal(table->evicted, 1);
    assert_int_equal(table->kinds[LIMIT_ADDRESS].count, PLACES);
}

static void test_one_whose_windows_are_empty_goes_first(void **state)
{
    struct limit_table *table = *state;
    for (int i = 0; i < PLACES; i++) {
        count(table, i, i == 2 ? 50 : 1, i == 2 ? 0 : 30 * SECOND);
    }
    count(table, 100, 1, 70 * SECOND); /* number 2 is empty since 60 s, the others are not */
    assert_false(is_known(table, 2));
    assert_int_equal(used(table, 2, 70 * SECOND), 0);
}

static void test_who_comes_back_has_all_it_had(void **state)
{
    struct limit_table *table = *state;
    count(table, 0, 3, 5 * SECOND);
    for (int i = 1; i <= PLACES; i++) {
        count(table, i, 10, 6 * SECOND);
    }
    assert_false(is_known(table, 0));
    assert_int_equal(used(table, 0, 7 * SECOND), 3);
    count(table, 0, 1, 7 * SECOND); /* and another goes */
    assert_int_equal(used(table, 0, 7 * SECOND), 4);
    assert_int_equal(used(table, 0, 65 * SECOND), 1);
    assert_int_equal(used(table, 0, 67 * SECOND), 0);
}

static void test_a_reset_empties_the_trace_too(void **state)
{
    struct limit_table *table = *state;
    for (int i = 0; i <= PLACES; i++) {
        count(table, i, i == 0 ? 3 : 10, SECOND);
    }
    assert_int_equal(used(table, 0, SECOND), 3);
    struct name name;
    struct limit_subject subject = address(&name, 0);
    limit_table_reset(table, LIMIT_ADDRESS, subject.id, hash_bytes(subject.id, 0));
    assert_int_equal(used(table, 0, SECOND), 0);
}

static void test_one_kind_does_not_push_out_another(void **state)
{
    struct limit_table *table = *state;
    static const struct limit_custom none = {0};
    struct limit_subject acme;
    limit_organization(limit_tier_find(SLICE("FREE")), &none, SLICE("acme"), &acme);
    (void)limit_table_get(table, &acme, 17, 0);
    for (int i = 0; i < 10 * PLACES; i++) {
        count(table, i, 1, i);
    }
    assert_non_null(limit_table_find(table, LIMIT_ORGANIZATION, acme.id, 17));
    assert_int_equal(table->known.count, PLACES + 1);
}

#define TABLE_TEST(function) cmocka_unit_test_setup_teardown(function, open_table, close_table)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TABLE_TEST(test_the_one_furthest_from_its_limit_goes),
        TABLE_TEST(test_one_whose_windows_are_empty_goes_first),
        TABLE_TEST(test_who_comes_back_has_all_it_had),
        TABLE_TEST(test_a_reset_empties_the_trace_too),
        TABLE_TEST(test_one_kind_does_not_push_out_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
