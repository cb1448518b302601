/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/test.h"
#include "people/second_factor.h"

static void test_the_address(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf uri = BUF_INIT(TOTP_URI_BYTES_MAX);
    slice secret = SLICE("12345678901234567890");
    assert_int_equal(totp_uri(secret, SLICE("Cairn & Co"), SLICE("zo\xc3\xab@example.org"), &uri),
                     OK);
    assert_slice_equal(buf_slice(&uri),
                       "otpauth://totp/Cairn%20%26%20Co:zo%C3%AB%40example.org"
                       "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Cairn%20%26%20Co"
                       "&algorithm=SHA1&digits=6&period=30");
    assert_int_equal(totp_uri(secret, SLICE("a:b"), SLICE("c"), &uri), ERR_INVALID);
    assert_int_equal(totp_uri(secret, SLICE("a"), SLICE("c:d"), &uri), ERR_INVALID);
    assert_int_equal(totp_uri(secret, SLICE(""), SLICE("c"), &uri), ERR_INVALID);
    assert_int_equal(totp_uri(secret, SLICE("a"), SLICE(""), &uri), ERR_INVALID);
    CLEANUP(buf_release) struct buf small = BUF_INIT(32);
    assert_int_equal(totp_uri(secret, SLICE("a"), SLICE("c"), &small), ERR_LIMIT);
}

static void test_new_secrets_differ(void **state)
{
    UNUSED(state);
    uint8_t one[TOTP_SECRET_BYTES];
    uint8_t two[TOTP_SECRET_BYTES];
    totp_secret_make(one);
    totp_secret_make(two);
    assert_memory_not_equal(one, two, sizeof(one));
}

static bool is_found(const struct recovery_codes *codes, const char *typed, size_t *index)
{
    return recovery_code_find(slice_from_cstr(typed), codes->hashes, RECOVERY_CODES, index);
}

static void test_recovery_codes(void **state)
{
    UNUSED(state);
    struct recovery_codes codes;
    recovery_codes_make(&codes);
    for (size_t i = 0; i < RECOVERY_CODES; i++) {
        size_t index = 99;
        char lower[RECOVERY_CODE_BYTES];
        assert_int_equal(strlen(codes.texts[i]), RECOVERY_CODE_BYTES - 1);
        assert_true(is_found(&codes, codes.texts[i], &index));
        assert_int_equal(index, i);
        for (size_t k = 0; k < RECOVERY_CODE_BYTES; k++) {
            char c = codes.texts[i][k];
            lower[k] = (char)(c == '-' ? ' ' : (c >= 'A' && c <= 'Z' ? c + 32 : c));
        }
        assert_true(is_found(&codes, lower, &index));
        assert_int_equal(index, i);
        codes.texts[i][7] = codes.texts[i][7] == 'A' ? 'B' : 'A';
        assert_false(is_found(&codes, codes.texts[i], &index));
    }
    /* One that was used is not among those that are left. */
    recovery_codes_make(&codes);
    size_t index = 0;
    assert_false(recovery_code_find(slice_from_cstr(codes.texts[0]), codes.hashes + 1,
                                    RECOVERY_CODES - 1, &index));
    assert_false(recovery_code_find(slice_from_cstr(codes.texts[0]), codes.hashes, 0, &index));
}

static void test_texts_that_are_no_recovery_codes(void **state)
{
    UNUSED(state);
    struct recovery_codes codes;
    recovery_codes_make(&codes);
    static const char *const bad[] = {"",
                                      "-",
                                      "ABCD",
                                      "ABCD-EFGH-IJKL-MNO",
                                      "ABCD-EFGH-IJKL-MNOPQ",
                                      "----------------",
                                      "0000-0000-0000-0000"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        size_t index = 0;
        assert_false(is_found(&codes, bad[i], &index));
    }
    char longer[RECOVERY_CODE_BYTES + 1];
    size_t index = 0;
    (void)snprintf(longer, sizeof(longer), "%sA", codes.texts[0]);
    assert_false(is_found(&codes, longer, &index));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_address),
        cmocka_unit_test(test_new_secrets_differ),
        cmocka_unit_test(test_recovery_codes),
        cmocka_unit_test(test_texts_that_are_no_recovery_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
