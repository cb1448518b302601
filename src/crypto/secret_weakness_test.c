/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macros.h"
#include "base/test.h"
#include "crypto/secret_weakness.h"

static const struct {
    const char *secret, *weakness;
} rows[] = {
    {"", "is missing"},
    {"changeme", "looks like a placeholder"},
    {"CHANGE_ME_IN_PRODUCTION_1x7", "looks like a placeholder"},
    {"put-your-key-in-here", "looks like a placeholder"},
    {"MyPassword2026!", "looks like a placeholder"},
    {"kT9#vQ2!xL", "is shorter than 12 characters"},
    {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "repeats itself"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "repeats itself"},
    {"abababababababab", "repeats itself"},
    {"kT9#vQ2!xLw8", NULL},
    {"7d1f3ab2c94e", NULL},
};

static void test_what_is_none_is_told_why(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *weakness = secret_weakness(slice_from_cstr(rows[i].secret));
        if (rows[i].weakness == NULL) {
            assert_null(weakness);
        } else {
            assert_non_null(weakness);
            assert_string_equal(weakness, rows[i].weakness);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_none_is_told_why)};
    return cmocka_run_group_tests_name("secret_weakness", tests, NULL, NULL);
}
