/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "json/json.h"

struct number_case {
    const char *name; /* the number */
    const char *normal;
    const char *less_than; /* NULL: none to compare with */
};

static struct number_case cases[] = {
    {"0", "0", "0.1"},
    {"-0", "0", "1e-999999999999"},
    {"0.000e5", "0", "1"},
    {"-0.0", "0", NULL},
    {"1", "1e0", "1.0000000000000000000000000000000000000001"},
    {"10", "1e1", "11"},
    {"1000", "1e3", "1001"},
    {"1e3", "1e3", "1000.5"},
    {"1000.0", "1e3", "1e4"},
    {"1E+3", "1e3", NULL},
    {"0.001e6", "1e3", NULL},
    {"-0.25", "-25e-2", "-0.2499"},
    {"-1", "-1e0", "0"},
    {"-2", "-2e0", "-1"},
    {"12.50", "125e-1", "12.51"},
    {"9", "9e0", "10"},
    {"0.1", "1e-1", "0.11"},
    {"0.09", "9e-2", "0.1"},
    {"123456789012345678901234567890", "12345678901234567890123456789e1",
     "123456789012345678901234567891"},
    {"9007199254740993", "9007199254740993e0", "9007199254740994"},
    {"1e999999999", "1e999999999", "1e1000000000"},
    {"1e-1000000000", "1e-1000000000", "1e-999999999"},
    {"-1e99999999999999999999999", "-1e1000000000000000", "1"},
    {"1e99999999999999999999999", "1e1000000000000000", NULL},
};

static void test_number(void **state)
{
    const struct number_case *c = *state;
    slice number = slice_from_cstr(c->name);
    char out[80];
    assert_true(json_is_number(number));
    size_t len = json_decimal_normalise(number, out, sizeof(out));
    assert_slice_equal(((slice){(uint8_t *)out, len}), c->normal);
    assert_int_equal(json_decimal_normalise(number, out, len - 1), 0);
    assert_true(len <= number.len + 20);
    assert_int_equal(json_decimal_compare(number, number), 0);
    assert_int_equal(json_decimal_compare(number, slice_from_cstr(c->normal)), 0);
    if (c->less_than != NULL) {
        slice greater = slice_from_cstr(c->less_than);
        assert_true(json_decimal_compare(number, greater) < 0);
        assert_true(json_decimal_compare(greater, number) > 0);
    }
}

TEST_TABLE(test_number, cases)
