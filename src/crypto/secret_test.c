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

static void test_a_mark_is_of_its_secret_and_its_marker(void **state)
{
    UNUSED(state);
    struct secret_marker markers[2];
    uint8_t marks[4][SECRET_MARK_BYTES];
    secret_marker_init(&markers[0]);
    secret_marker_init(&markers[1]);
    secret_mark(&markers[0], SLICE("a secret"), marks[0]);
    secret_mark(&markers[0], SLICE("a secret"), marks[1]);
    secret_mark(&markers[0], SLICE("a sekret"), marks[2]);
    secret_mark(&markers[1], SLICE("a secret"), marks[3]);
    assert_memory_equal(marks[0], marks[1], SECRET_MARK_BYTES);
    assert_memory_not_equal(marks[0], marks[2], SECRET_MARK_BYTES);
    assert_memory_not_equal(marks[0], marks[3], SECRET_MARK_BYTES);
}

/* SipHash-2-4 of 128 bits: its authors' vector of no bytes (vectors.h, vectors_sip128). */
static void test_a_mark_is_siphash(void **state)
{
    UNUSED(state);
    struct secret_marker marker;
    uint8_t mark[SECRET_MARK_BYTES];
    for (size_t i = 0; i < sizeof(marker.key); i++) {
        marker.key[i] = (uint8_t)i;
    }
    secret_mark(&marker, (slice){0}, mark);
    static const uint8_t expected[] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                       0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
    assert_memory_equal(mark, expected, sizeof(mark));
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
        cmocka_unit_test(test_a_mark_is_of_its_secret_and_its_marker),
        cmocka_unit_test(test_a_mark_is_siphash),
        cmocka_unit_test(test_a_released_file_is_empty),
        cmocka_unit_test(test_wipe_leaves_its_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
