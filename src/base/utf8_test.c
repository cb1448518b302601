/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "base/utf8.h"

/* As RFC 3629 says it: what is decoded, and encoded again, is the same. */
static size_t plain_len(const uint8_t *p, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t wanted = p[0] < 0x80       ? 1
                    : p[0] >> 5 == 6  ? 2
                    : p[0] >> 4 == 14 ? 3
                    : p[0] >> 3 == 30 ? 4
                                      : 0;
    uint32_t code = wanted == 1 ? p[0] : p[0] & (0x7fu >> wanted);
    if (wanted == 0 || wanted > len) {
        return 0;
    }
    for (size_t i = 1; i < wanted; i++) {
        if (p[i] >> 6 != 2) {
            return 0;
        }
        code = code << 6 | (p[i] & 0x3fu);
    }
    bool is_one = code >= least[wanted] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return is_one ? wanted : 0;
}

/* All that begin with any three bytes, and some of the fourth. */
static void test_a_character_is_what_rfc_3629_says(void **state)
{
    static const uint8_t fourth[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    UNUSED(state);
    for (uint32_t first = 0; first <= 0xffffff; first++) {
        uint8_t bytes[4] = {(uint8_t)(first >> 16), (uint8_t)(first >> 8), (uint8_t)first, 0};
        size_t last = bytes[0] >= 0xf0 ? COUNT_OF(fourth) : 1;
        for (size_t i = 0; i < last; i++) {
            bytes[3] = fourth[i];
            size_t len = utf8_character_len((slice){bytes, sizeof(bytes)});
            if (len != plain_len(bytes, sizeof(bytes))) {
                fail_msg("%02x %02x %02x %02x: %zu", bytes[0], bytes[1], bytes[2], bytes[3], len);
            }
        }
    }
}

static void test_a_character_that_more_bytes_could_complete_is_cut(void **state)
{
    static const struct {
        const char *bytes;
        bool is_cut;
    } rows[] = {
        {"\xc3", true},          {"\xe2\x82", true},      {"\xf0\x9d\x84", true}, {"\xc0", false},
        {"\xe0\x80", false},     {"\xed\xa0", false},     {"\xf4\x90", false},    {"\xff", false},
        {"\xe2\x82\xac", false}, {"\xe2\x28\xa1", false},
    };
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        slice text = slice_from_cstr(rows[i].bytes);
        bool is_cut = true;
        (void)utf8_character_end(text.ptr, text.ptr + text.len, &is_cut);
        assert_int_equal(is_cut, rows[i].is_cut);
    }
}

static void test_a_text_is_valid_up_to_its_first_bad_byte(void **state)
{
    static const struct {
        slice text;
        size_t valid;
    } rows[] = {
        {SLICE_INIT(""), 0},
        {SLICE_INIT("plain\0text"), 10},
        {SLICE_INIT("aé€𝄞\x01"), 11},
        {SLICE_INIT("\xc0\xaf"), 0},
        {SLICE_INIT("ab\xed\xa0\x80"), 2},
        {SLICE_INIT("abc\xe2\x82"), 3},
        {SLICE_INIT("é\x80"
                    "é"),
         2},
    };
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(utf8_prefix_len(rows[i].text), rows[i].valid);
        assert_int_equal(utf8_is_valid(rows[i].text), rows[i].valid == rows[i].text.len);
    }
    assert_true(utf8_is_valid((slice){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_character_is_what_rfc_3629_says),
        cmocka_unit_test(test_a_character_that_more_bytes_could_complete_is_cut),
        cmocka_unit_test(test_a_text_is_valid_up_to_its_first_bad_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
