/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/test.h"

/* The stored hash is part of the format: these numbers stand in docs/format/tokens.md too. */
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

/* As the definition says it, one byte after the other. */
static uint64_t hash_by_definition(slice bytes, uint64_t seed)
{
    uint64_t h = seed ^ ((uint64_t)bytes.len * UINT64_C(0x9e3779b97f4a7c15));
    for (size_t from = 0; from < bytes.len; from += 8) {
        uint64_t word = 0;
        size_t n = bytes.len - from < 8 ? bytes.len - from : 8;
        for (size_t i = 0; i < n; i++) {
            word |= (uint64_t)bytes.ptr[from + i] << (8 * i);
        }
        h = hash_mix(h ^ word,
                     n == 8 ? UINT64_C(0xa0761d6478bd642f) : UINT64_C(0xe7037ed1a0b428db));
    }
    return hash_mix(h ^ UINT64_C(0x8ebc6af09c88c6e3), UINT64_C(0x589965cc75374cc3));
}

static void test_every_length_is_as_defined(void **state)
{
    UNUSED(state);
    for (size_t len = 0; len <= 64; len++) {
        uint8_t *exact = malloc(len > 0 ? len : 1); /* exactly: a sanitizer sees a look beyond */
        assert_non_null(exact);
        for (size_t i = 0; i < len; i++) {
            exact[i] = (uint8_t)(0x81 + 37 * i);
        }
        slice bytes = {exact, len};
        assert_int_equal(hash_bytes(bytes, len), hash_by_definition(bytes, len));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_hash_never_changes),
        cmocka_unit_test(test_every_length_is_as_defined),
        cmocka_unit_test(test_length_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
