/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/test.h"
#include "identity/idtable.h"

static void test_finds_what_was_added_through_growth(void **state)
{
    UNUSED(state);
    struct idtable *table = idtable_new(1000);
    for (uint64_t i = 0; i < 300000; i++) {
        idtable_add(table, hash_u64(i, 1), 1000 + i);
    }
    for (uint64_t i = 0; i < 300000; i += 7) {
        uint64_t seqs[4] = {0};
        assert_int_equal(idtable_find(table, hash_u64(i, 1), seqs, 4), 1);
        assert_int_equal(seqs[0], 1000 + i);
    }
    uint64_t none[4];
    assert_int_equal(idtable_find(table, hash_u64(300001, 1), none, 4), 0);
    idtable_free(table);
}

static void test_undo_takes_back_the_newest(void **state)
{
    UNUSED(state);
    uint64_t seqs[4] = {0};
    struct idtable *table = idtable_new(0);
    idtable_add(table, 42, 0);
    idtable_add(table, 42, 1); /* the same hash: one run of slots */
    idtable_add(table, 42, 2);
    idtable_undo(table, 42, 2);
    assert_int_equal(idtable_find(table, 42, seqs, 4), 2);
    idtable_undo(table, 42, 1);
    idtable_undo(table, 42, 0);
    assert_int_equal(idtable_find(table, 42, seqs, 4), 0);
    idtable_free(table);
}

static void test_a_hash_of_zero_is_a_hash(void **state)
{
    UNUSED(state);
    uint64_t seqs[4] = {0};
    struct idtable *table = idtable_new(0);
    assert_int_equal(idtable_find(table, 0, seqs, 4), 0);
    idtable_add(table, 0, 0);
    assert_int_equal(idtable_find(table, 0, seqs, 4), 1);
    assert_int_equal(seqs[0], 0);
    idtable_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_was_added_through_growth),
        cmocka_unit_test(test_undo_takes_back_the_newest),
        cmocka_unit_test(test_a_hash_of_zero_is_a_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
