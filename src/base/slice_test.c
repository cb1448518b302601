/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/slice.h"
#include "base/test.h"

struct take_case {
    const char *name, *text, *literal;
    bool taken;
    const char *rest;
};

static struct take_case cases[] = {
    {"takes what it finds", "actor_id", "actor", true, "_id"},
    {"leaves what differs", "actor_id", "action", false, "actor_id"},
    {"leaves what is too short", "act", "actor", false, "act"},
    {"takes nothing from nothing", "", "", true, ""},
};

static void test_take_literal(void **state)
{
    const struct take_case *c = *state;
    slice text = slice_from_cstr(c->text);
    assert_int_equal(slice_take_literal(&text, slice_from_cstr(c->literal)), c->taken);
    assert_slice_equal(text, c->rest);
}

struct number_case {
    const char *text;
    bool is_number;
    uint64_t number;
};

static void test_numbers_are_whole_and_of_18_digits_at_most(void **state)
{
    static const struct number_case numbers[] = {
        {"0", true, 0},
        {"42", true, 42},
        {"007", true, 7},
        {"999999999999999999", true, UINT64_C(999999999999999999)},
        {"1000000000000000000", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1x", false, 0},
    };
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        uint64_t number = 5;
        assert_int_equal(slice_parse_u64(slice_from_cstr(numbers[i].text), &number),
                         numbers[i].is_number);
        assert_int_equal(number, numbers[i].is_number ? numbers[i].number : 5);
    }
}

static void test_bytes_are_zero_when_all_of_them_are(void **state)
{
    UNUSED(state);
    assert_true(slice_is_zero((slice){0}));
    assert_true(slice_is_zero(SLICE("\0\0\0")));
    assert_false(slice_is_zero(SLICE("\x80\0\0")));
    assert_false(slice_is_zero(SLICE("\0\0\x01")));
}

static void test_text_is_cut_between_characters_and_only_if_it_is_too_long(void **state)
{
    static const struct {
        const char *text;
        size_t bytes_max, len;
    } cuts[] = {
        {"", 0, 0},
        {"abc", 3, 3},
        {"abc", 2, 2},
        {"abc", 0, 0},
        {"\xc3\xa4\xc3\xb6", 4, 4}, /* whole, with its last character */
        {"\xc3\xa4\xc3\xb6", 3, 2},
        {"\xc3\xa4\xc3\xb6", 2, 2},
        {"\xc3\xa4\xc3\xb6", 1, 0},
        {"a\xf0\x9f\x98\x80", 5, 5},
        {"a\xf0\x9f\x98\x80", 4, 1},
        {"a\xf0\x9f\x98\x80", 2, 1},
    };
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        slice text = slice_from_cstr(cuts[i].text);
        slice begin = slice_cut(text, cuts[i].bytes_max);
        assert_ptr_equal(begin.ptr, text.ptr);
        assert_int_equal(begin.len, cuts[i].len);
    }
}

static void test_a_half_character_at_the_end_is_trimmed_and_nothing_else(void **state)
{
    static const char whole[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
    static const size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
    char text[sizeof(whole)];
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        (void)snprintf(text, i + 1, "%s", whole);
        cstr_trim(text);
        assert_int_equal(strlen(text), ends[i]);
        assert_memory_equal(text, whole, ends[i]);
    }
}

static void test_letters_in_any_case(void **state)
{
    UNUSED(state);
    assert_true(slice_equal_any_case(SLICE("Bearer"), SLICE("bEARER")));
    assert_true(slice_equal_any_case(SLICE(""), SLICE("")));
    assert_false(slice_equal_any_case(SLICE("bearer"), SLICE("bearer ")));
    assert_false(slice_equal_any_case(SLICE("[{@`"), SLICE("{[`@"))); /* beside the letters */
    assert_true(slice_holds_any_case(SLICE("a PassWord of"), SLICE("password")));
    assert_true(slice_holds_any_case(SLICE("TOKEN"), SLICE("token")));
    assert_false(slice_holds_any_case(SLICE("toke"), SLICE("token")));
    assert_false(slice_holds_any_case(SLICE("token"), SLICE("")));
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_numbers_are_whole_and_of_18_digits_at_most),
        cmocka_unit_test(test_bytes_are_zero_when_all_of_them_are),
        cmocka_unit_test(test_text_is_cut_between_characters_and_only_if_it_is_too_long),
        cmocka_unit_test(test_a_half_character_at_the_end_is_trimmed_and_nothing_else),
        cmocka_unit_test(test_letters_in_any_case),
    };
    struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(others)];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tests[i] = (struct CMUnitTest){.name = cases[i].name,
                                       .test_func = test_take_literal,
                                       .initial_state = &cases[i]};
    }
    memcpy(tests + COUNT_OF(cases), others, sizeof(others));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
