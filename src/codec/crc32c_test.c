/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "codec/crc32c.h"

/* RFC 3720, appendix B.4, and the check value that everyone gives. */
static void check_vectors(uint32_t (*crc)(uint32_t crc, slice bytes))
{
    uint8_t bytes[32] = {0};
    assert_int_equal(crc(0, (slice){0}), 0);
    assert_int_equal(crc(0, SLICE("123456789")), 0xe3069283u);
    assert_int_equal(crc(0, (slice){bytes, sizeof(bytes)}), 0x8a9136aau);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(crc(0, (slice){bytes, sizeof(bytes)}), 0x62a8ab43u);
    for (uint8_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = i;
    }
    assert_int_equal(crc(0, (slice){bytes, sizeof(bytes)}), 0x46dd794eu);
    for (uint8_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(crc(0, (slice){bytes, sizeof(bytes)}), 0x113fdb5cu);
}

static void test_vectors(void **state)
{
    UNUSED(state);
    check_vectors(crc32c);
    check_vectors(crc32c_portable);
    if (crc32c_is_fast()) {
        check_vectors(crc32c_fast);
    }
}

static void test_both_ways_agree_at_every_length_and_address(void **state)
{
    UNUSED(state);
    static uint8_t bytes[4096];
    uint32_t number = 1;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        number = number * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(number >> 24);
    }
    for (size_t len = 0; len <= sizeof(bytes) - 8; len += len < 1600 ? 1 : 97) {
        slice piece = {bytes + len % 8, len};
        uint32_t before = (uint32_t)len * 0x9e3779b9u;
        assert_int_equal(crc32c(before, piece), crc32c_portable(before, piece));
    }
}

static void test_continues_over_any_cut(void **state)
{
    UNUSED(state);
    slice text = SLICE("The quick brown fox jumps over the lazy dog");
    for (size_t cut = 0; cut <= text.len; cut++) {
        uint32_t head = crc32c(0, (slice){text.ptr, cut});
        uint32_t whole = crc32c(head, (slice){text.ptr + cut, text.len - cut});
        assert_int_equal(whole, 0x22620404u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_both_ways_agree_at_every_length_and_address),
        cmocka_unit_test(test_continues_over_any_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
