/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/test.h"

static void test_grows_to_its_maximum_and_no_further(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf buf = BUF_INIT(8);
    buf_append_cstr(&buf, "12345678");
    assert_int_equal(buf_check(&buf), OK);
    buf_append_byte(&buf, '9');
    assert_int_equal(buf_check(&buf), ERR_LIMIT);
    assert_slice_equal(buf_slice(&buf), "12345678");
}

static void test_numbers_are_written_in_full(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf buf = BUF_INIT(256);
    buf_append_u64(&buf, UINT64_MAX);
    buf_append_byte(&buf, ' ');
    buf_append_i64(&buf, INT64_MIN);
    buf_append_byte(&buf, ' ');
    buf_append_i64(&buf, 0);
    assert_slice_equal(buf_slice(&buf), "18446744073709551615 -9223372036854775808 0");
}

static void test_drop_front_keeps_the_rest(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf buf = BUF_INIT(64);
    buf_append_format(&buf, "%s-%d", "ab", 7);
    buf_drop_front(&buf, 1);
    assert_string_equal(buf_cstr(&buf), "b-7");
}

static void test_a_text_in_c_makes_no_room_beyond_the_maximum(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf buf = BUF_INIT(8);
    buf_append_cstr(&buf, "12345678");
    assert_string_equal(buf_cstr(&buf), "12345678");
    buf_append_byte(&buf, '9');
    assert_int_equal(buf_check(&buf), ERR_LIMIT);
    buf_append_cstr(&buf, "and more than there is room for");
    assert_string_equal(buf_cstr(&buf), "12345678");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_its_maximum_and_no_further),
        cmocka_unit_test(test_numbers_are_written_in_full),
        cmocka_unit_test(test_drop_front_keeps_the_rest),
        cmocka_unit_test(test_a_text_in_c_makes_no_room_beyond_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
