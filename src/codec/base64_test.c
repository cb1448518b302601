/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "codec/base64.h"

struct base64_row {
    slice bytes;
    const char *text, *url_text;
};

/* The first seven are those of RFC 4648, section 10. */
static const struct base64_row rows[] = {
    {SLICE_INIT(""), "", ""},
    {SLICE_INIT("f"), "Zg==", "Zg"},
    {SLICE_INIT("fo"), "Zm8=", "Zm8"},
    {SLICE_INIT("foo"), "Zm9v", "Zm9v"},
    {SLICE_INIT("foob"), "Zm9vYg==", "Zm9vYg"},
    {SLICE_INIT("fooba"), "Zm9vYmE=", "Zm9vYmE"},
    {SLICE_INIT("foobar"), "Zm9vYmFy", "Zm9vYmFy"},
    {SLICE_INIT("\xff\xff\xfe"), "///+", "___-"},
    {SLICE_INIT("\xfb\xf0"), "+/A=", "-_A"},
    {SLICE_INIT("\0\0\0\0"), "AAAAAA==", "AAAAAA"},
};

static void test_there_and_back(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_release) struct buf text = BUF_INIT(64), bytes = BUF_INIT(64);
        base64_append(&text, rows[i].bytes);
        assert_string_equal(buf_cstr(&text), rows[i].text);
        assert_true(base64_decode(buf_slice(&text), &bytes));
        assert_true(slice_equal(buf_slice(&bytes), rows[i].bytes));

        buf_clear(&text);
        buf_clear(&bytes);
        base64url_append(&text, rows[i].bytes);
        assert_string_equal(buf_cstr(&text), rows[i].url_text);
        assert_true(base64url_decode(buf_slice(&text), &bytes));
        assert_true(slice_equal(buf_slice(&bytes), rows[i].bytes));
    }
}

static void test_refuses_all_but_the_one_text(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {
        "Z",    "Zg",   "Zg=",  "Zm8",      "Zg===",    "====",       "=",
        "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm9v\n",   " Zm9v",      "Zm9v====",
        "Zm-v", "Zm_v", "Z=9v", "Zm=v",     "Zm9v*m8=", "\xc3\xa4==", "Zg=A",
    };
    CLEANUP(buf_release) struct buf out = BUF_INIT(64);
    buf_append_cstr(&out, "kept");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        print_message("# row %zu\n", i);
        assert_false(base64_decode(slice_from_cstr(bad[i]), &out));
        assert_slice_equal(buf_slice(&out), "kept");
    }
    assert_int_equal(buf_check(&out), OK);
}

static void test_refuses_the_same_for_urls(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {"Z",     "Zg==", "Zm8=", "Zh",  "Zm9",
                                      "Zm9vY", "Zm+v", "Zm/v", "Zg\n"};
    CLEANUP(buf_release) struct buf out = BUF_INIT(64);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        print_message("# row %zu\n", i);
        assert_false(base64url_decode(slice_from_cstr(bad[i]), &out));
        assert_int_equal(out.len, 0);
    }
}

/* Every byte that is no letter, at every place: libsodium by itself takes some past ASCII. */
static void test_refuses_every_byte_that_is_no_letter(void **state)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    UNUSED(state);
    CLEANUP(buf_release) struct buf out = BUF_INIT(64);
    for (int byte = 0; byte < 256; byte++) {
        bool is_letter = byte != 0 && strchr(letters, byte) != NULL;
        for (size_t at = 0; at < 4; at++) {
            char text[] = "Zm9v";
            text[at] = (char)byte;
            buf_clear(&out);
            assert_int_equal(base64_decode((slice){(const uint8_t *)text, 4}, &out),
                             is_letter || byte == '+' || byte == '/');
            buf_clear(&out);
            assert_int_equal(base64url_decode((slice){(const uint8_t *)text, 4}, &out),
                             is_letter || byte == '-' || byte == '_');
        }
    }
}

static void test_keeps_to_the_limit_of_the_buf(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf out = BUF_INIT(8);
    base64_append(&out, SLICE("foobar"));
    assert_int_equal(buf_check(&out), OK); /* just fits */
    base64_append(&out, SLICE("f"));
    assert_int_equal(buf_check(&out), ERR_LIMIT);
    assert_slice_equal(buf_slice(&out), "Zm9vYmFy");

    buf_clear(&out);
    base64url_append(&out, SLICE("foob12"));
    assert_int_equal(buf_check(&out), OK);
    buf_clear(&out);
    assert_true(base64_decode(SLICE("MTIzNDU2Nzg="), &out));
    assert_slice_equal(buf_slice(&out), "12345678");
    assert_false(base64_decode(SLICE("MQ=="), &out));
    assert_int_equal(buf_check(&out), ERR_LIMIT);
    assert_slice_equal(buf_slice(&out), "12345678");
}

static void test_decodes_into_a_fixed_size(void **state)
{
    UNUSED(state);
    uint8_t out[5] = {0};
    assert_true(base64url_decode_exact(SLICE("Zm9vYmE"), out, 5));
    assert_memory_equal(out, "fooba", 5);
    assert_true(base64url_decode_exact(SLICE("Zm9v"), out, 3));
    assert_true(base64url_decode_exact(SLICE(""), out, 0));
    static const char *const bad[] = {"Zm9vYmFy", "Zm9vYg", "Zm9vYmF", "Zm9vYmE=", "Zm9vYm+", ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(base64url_decode_exact(slice_from_cstr(bad[i]), out, 5));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refuses_all_but_the_one_text),
        cmocka_unit_test(test_refuses_the_same_for_urls),
        cmocka_unit_test(test_refuses_every_byte_that_is_no_letter),
        cmocka_unit_test(test_keeps_to_the_limit_of_the_buf),
        cmocka_unit_test(test_decodes_into_a_fixed_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
