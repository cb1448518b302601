/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "codec/hex.h"

static void test_writes_lower_case(void **state)
{
    UNUSED(state);
    char out[9] = "........";
    hex_encode(SLICE("\x00\x7f\xa0\xff"), out);
    assert_string_equal(out, "007fa0ff");
    hex_encode((slice){0}, out);
    assert_string_equal(out, "007fa0ff"); /* no bytes, no letters, and no NUL */
}

struct hex_case {
    const char *name;
    const char *text;
    const char *bytes; /* NULL: refused */
};

static void test_decode(const struct hex_case *c)
{
    uint8_t out[8] = {0};
    assert_int_equal(hex_decode(slice_from_cstr(c->text), out), c->bytes != NULL);
    if (c->bytes != NULL) {
        assert_memory_equal(out, c->bytes, strlen(c->text) / 2);
    }
}

static void test_a_digit_of_every_byte(void **state)
{
    UNUSED(state);
    static const char lower[] = "0123456789abcdef";
    static const char upper[] = "0123456789ABCDEF";
    for (int byte = 0; byte < 256; byte++) {
        int value = -1;
        for (int i = 0; i < 16; i++) {
            value = byte == lower[i] || byte == upper[i] ? i : value;
        }
        assert_int_equal(hex_digit((uint8_t)byte), value);
    }
}

static void test_two_digits_are_a_byte(void **state)
{
    UNUSED(state);
    assert_int_equal(hex_byte(SLICE("0000")), 0);
    assert_int_equal(hex_byte(SLICE("fF")), 255);
    assert_int_equal(hex_byte(SLICE("1ax")), 26);
    assert_true(hex_byte(SLICE("x1")) < 0);
    assert_true(hex_byte(SLICE("1x")) < 0);
    assert_true(hex_byte(SLICE("1")) < 0);
    assert_true(hex_byte((slice){0}) < 0);
}

static void test_reads_either_case_and_nothing_else(void **state)
{
    UNUSED(state);
    static const struct hex_case cases[] = {
        {"lower", "00ff7f", "\x00\xff\x7f"},
        {"upper", "ABCDEF", "\xab\xcd\xef"},
        {"mixed", "aBcD", "\xab\xcd"},
        {"nothing", "", ""},
        {"odd", "abc", NULL},
        {"one", "a", NULL},
        {"behind f", "ag", NULL},
        {"behind F", "GA", NULL},
        {"before 0", "/0", NULL},
        {"behind 9", ":0", NULL},
        {"before a", "`0", NULL},
        {"before A", "@0", NULL},
        {"space", "a ", NULL},
        {"prefix", "0x00", NULL},
        {"high bit", "\xb0\xb1", NULL},
        {"a digit less 0x20", "\x10\x11", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("# %s\n", cases[i].name);
        test_decode(&cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_lower_case),
        cmocka_unit_test(test_a_digit_of_every_byte),
        cmocka_unit_test(test_two_digits_are_a_byte),
        cmocka_unit_test(test_reads_either_case_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
