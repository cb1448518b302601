/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "crypto/totp.h"

static const slice secret = SLICE_INIT("12345678901234567890");

#define SECOND INT64_C(1000000)

/* RFC 6238, appendix B, SHA-1: eight digits there, of which a code of six is the last six. */
static const struct {
    int64_t time_s;
    const char *code;
} by_time[] = {
    {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
    {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"},
};

/* RFC 4226, appendix D. */
static const char *const by_count[] = {"755224", "287082", "359152", "969429", "338314",
                                       "254676", "287922", "162583", "399871", "520489"};

static void test_vectors(void **state)
{
    UNUSED(state);
    char code[TOTP_DIGITS + 1];
    for (size_t i = 0; i < COUNT_OF(by_time); i++) {
        totp_code(secret, totp_step(by_time[i].time_s * SECOND), code);
        assert_string_equal(code, by_time[i].code);
    }
    for (size_t i = 0; i < COUNT_OF(by_count); i++) {
        totp_code(secret, i, code);
        assert_string_equal(code, by_count[i]);
    }
    assert_int_equal(totp_step(30 * SECOND - 1), 0);
    assert_int_equal(totp_step(30 * SECOND), 1);
}

static bool take(const char *code, int64_t now_us, uint64_t last_step, uint64_t *step)
{
    return totp_verify(secret, slice_from_cstr(code), now_us, last_step, step);
}

static void test_one_step_on_each_side(void **state)
{
    UNUSED(state);
    int64_t now_us = 5 * TOTP_STEP_S * SECOND + 7;
    for (uint64_t i = 0; i < COUNT_OF(by_count); i++) {
        uint64_t step = 77;
        bool in_window = i >= 4 && i <= 6;
        assert_int_equal(take(by_count[i], now_us, 0, &step), in_window);
        assert_int_equal(step, in_window ? i : 77);
    }
    uint64_t step = 0;
    assert_true(take(by_count[1], 0, 0, &step)); /* the clock's very first steps */
    assert_false(take(by_count[2], 0, 0, &step));
}

static void test_a_step_is_taken_once(void **state)
{
    UNUSED(state);
    int64_t now_us = 5 * TOTP_STEP_S * SECOND;
    uint64_t step = 0;
    assert_true(take(by_count[5], now_us, 0, &step));
    assert_false(take(by_count[5], now_us, step, &step));
    assert_false(take(by_count[4], now_us, step, &step)); /* nor one before it */
    assert_true(take(by_count[6], now_us, step, &step));
    assert_false(take(by_count[6], now_us + 30 * SECOND, step, &step));
    assert_true(take(by_count[7], now_us + 30 * SECOND, step, &step));
}

static void test_texts_that_are_no_codes(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {"",        "25467",  "2546760", " 254676", "254676\n",
                                      "254 676", "25467a", "-25467",  "000000"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint64_t step = 0;
        assert_false(take(bad[i], 5 * TOTP_STEP_S * SECOND, 0, &step));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_one_step_on_each_side),
        cmocka_unit_test(test_a_step_is_taken_once),
        cmocka_unit_test(test_texts_that_are_no_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
