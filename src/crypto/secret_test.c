/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "crypto/secret.h"

static bool is_zero(const void *memory, size_t len)
{
    const uint8_t *bytes = memory;
    size_t set = 0;
    for (size_t i = 0; i < len; i++) {
        set += bytes[i] != 0;
    }
    return set == 0;
}

static void test_holds_up_to_its_maximum(void **state)
{
    UNUSED(state);
    static const uint8_t most[SECRET_BYTES_MAX + 1] = {1, 2, 3};
    CLEANUP(secret_release) struct secret secret = {0};
    assert_true(secret_set(&secret, (slice){most, SECRET_BYTES_MAX}));
    assert_true(slice_equal(secret_slice(&secret), (slice){most, SECRET_BYTES_MAX}));
    assert_true(secret_set(&secret, SLICE("short")));
    assert_false(secret_set(&secret, (slice){most, SECRET_BYTES_MAX + 1}));
    assert_slice_equal(secret_slice(&secret), "short");
    assert_true(secret_set(&secret, (slice){0}));
    assert_int_equal(secret_slice(&secret).len, 0);
}

static void test_nothing_stays_of_a_longer_one(void **state)
{
    UNUSED(state);
    CLEANUP(secret_release) struct secret secret = {0};
    assert_true(secret_set(&secret, SLICE("a long secret")));
    assert_true(secret_set(&secret, SLICE("b")));
    assert_true(is_zero(secret.bytes + 1, sizeof(secret.bytes) - 1));
}

static void test_release_wipes(void **state)
{
    UNUSED(state);
    struct secret secret = {0};
    assert_true(secret_set(&secret, SLICE("a long secret")));
    secret_release(&secret);
    assert_true(is_zero(&secret, sizeof(secret)));
}

static void test_wipe_leaves_its_neighbours(void **state)
{
    UNUSED(state);
    uint8_t bytes[4] = {1, 2, 3, 4};
    secret_wipe(bytes + 1, 2);
    const uint8_t expected[4] = {1, 0, 0, 4};
    assert_memory_equal(bytes, expected, sizeof(bytes));
    secret_wipe(NULL, 0);
}

static void test_a_released_file_is_empty(void **state)
{
    UNUSED(state);
    struct secret_file file = {(uint8_t *)strdup("key"), 3};
    assert_slice_equal(secret_file_slice(&file), "key");
    secret_file_release(&file);
    assert_null(file.bytes);
    assert_int_equal(file.len, 0);
    secret_file_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_up_to_its_maximum),
        cmocka_unit_test(test_nothing_stays_of_a_longer_one),
        cmocka_unit_test(test_release_wipes),
        cmocka_unit_test(test_a_released_file_is_empty),
        cmocka_unit_test(test_wipe_leaves_its_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
