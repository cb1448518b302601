/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/test.h"

/* The stored hash is part of the format: these numbers stand in docs/format.md too. */
static void test_stored_hash_never_changes(void **state)
{
    UNUSED(state);
    assert_int_equal(hash_bytes(SLICE(""), HASH_STORED), UINT64_C(14102579957301360412));
    assert_int_equal(hash_bytes(SLICE("cairn"), HASH_STORED), UINT64_C(4914933528396319725));
    assert_int_equal(hash_bytes(SLICE("auth.login.failed"), HASH_STORED),
                     UINT64_C(7258126944568986038));
}

static void test_length_counts(void **state)
{
    UNUSED(state);
    assert_int_not_equal(hash_bytes(SLICE("a"), 1), hash_bytes(SLICE("a\0"), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_hash_never_changes),
        cmocka_unit_test(test_length_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
