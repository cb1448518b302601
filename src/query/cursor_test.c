/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "query/cursor.h"

static const uint8_t key[CURSOR_KEY_BYTES] = {7, 7, 7};
static const struct cursor there = {
    .time_us = -5, .seq = UINT64_MAX, .size = 70000, .now_us = 1767225600000000, .fingerprint = 9};

static void test_a_cursor_comes_back_as_it_went(void **state)
{
    UNUSED(state);
    char text[CURSOR_TEXT_BYTES];
    struct cursor back = {0};
    cursor_format(&there, key, text);
    assert_int_equal(cursor_parse(slice_from_cstr(text), key, &back), OK);
    assert_memory_equal(&back, &there, sizeof(back));
}

static void test_no_character_of_it_can_be_changed(void **state)
{
    UNUSED(state);
    char text[CURSOR_TEXT_BYTES];
    struct cursor back = {0};
    cursor_format(&there, key, text);
    for (size_t i = 0; i < strlen(text); i++) {
        char kept = text[i];
        text[i] = kept == 'A' ? 'B' : 'A';
        assert_int_equal(cursor_parse(slice_from_cstr(text), key, &back), ERR_INVALID);
        text[i] = kept;
    }
    text[strlen(text) - 1] = '\0';
    assert_int_equal(cursor_parse(slice_from_cstr(text), key, &back), ERR_INVALID);
    assert_int_equal(cursor_parse(SLICE(""), key, &back), ERR_INVALID);
}

static void test_another_key_is_another_server(void **state)
{
    UNUSED(state);
    static const uint8_t other[CURSOR_KEY_BYTES] = {8};
    char text[CURSOR_TEXT_BYTES];
    struct cursor back = {0};
    cursor_format(&there, other, text);
    assert_int_equal(cursor_parse(slice_from_cstr(text), key, &back), ERR_INVALID);
}

static void test_what_is_sealed_as_one_thing_is_no_other(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf text = BUF_INIT(200);
    CLEANUP(buf_release) struct buf back = BUF_INIT(200);
    struct cursor cursor = {0};
    const uint8_t bytes[40] = {1, 2, 3};
    cursor_seal(CURSOR_OF_OBJECTS, (slice){bytes, sizeof(bytes)}, key, &text);
    assert_int_equal(cursor_unseal(CURSOR_OF_OBJECTS, buf_slice(&text), key, &back), OK);
    assert_int_equal(back.len, sizeof(bytes));
    assert_memory_equal(back.ptr, bytes, sizeof(bytes));
    assert_int_equal(cursor_unseal(CURSOR_OF_EVENTS, buf_slice(&text), key, &back), ERR_INVALID);
    assert_int_equal(cursor_parse(buf_slice(&text), key, &cursor), ERR_INVALID);
    assert_int_equal(cursor_unseal(CURSOR_OF_OBJECTS, SLICE("AgME"), key, &back), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cursor_comes_back_as_it_went),
        cmocka_unit_test(test_no_character_of_it_can_be_changed),
        cmocka_unit_test(test_another_key_is_another_server),
        cmocka_unit_test(test_what_is_sealed_as_one_thing_is_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
