/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "json/bytes.h"
#include "json/json.h"
#include "json/write.h"

struct text_case {
    slice raw, plain, quoted;
};

static void test_unescape_and_quote(void **state)
{
    UNUSED(state);
    static const struct text_case cases[] = {
        {SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("\"\"")},
        {SLICE_INIT("plain"), SLICE_INIT("plain"), SLICE_INIT("\"plain\"")},
        {SLICE_INIT("\\\"\\\\\\/\\b\\f\\n\\r\\t"), SLICE_INIT("\"\\/\b\f\n\r\t"),
         SLICE_INIT("\"\\\"\\\\/\\b\\f\\n\\r\\t\"")},
        {SLICE_INIT("\\u0000\\u001F\\u007f"), SLICE_INIT("\0\x1f\x7f"),
         SLICE_INIT("\"\\u0000\\u001f\x7f\"")},
        {SLICE_INIT("\\u00e9\\u20AC\\ud834\\uDD1E"), SLICE_INIT("é€𝄞"), SLICE_INIT("\"é€𝄞\"")},
        {SLICE_INIT("a\\u0041b"), SLICE_INIT("aAb"), SLICE_INIT("\"aAb\"")},
        {SLICE_INIT("0123456789012345678901234567890123456789\\n"),
         SLICE_INIT("0123456789012345678901234567890123456789\n"),
         SLICE_INIT("\"0123456789012345678901234567890123456789\\n\"")},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t out[64];
        size_t len = json_unescape(cases[i].raw, out);
        assert_true(slice_equal((slice){out, len}, cases[i].plain));
        struct buf quoted = BUF_INIT(KIB(1));
        json_quote(&quoted, cases[i].plain);
        assert_true(slice_equal(buf_slice(&quoted), cases[i].quoted));
        buf_release(&quoted);
    }
}

static void test_unescape_leaves_damage_as_it_is(void **state)
{
    UNUSED(state);
    static const char *const damaged[] = {"\\",      "\\u12",           "\\x",
                                          "\\ud800", "\\ud800\\u0041x", "a\\"};
    static const char *const expect[] = {"\\", "\\u12", "\\x", "\\ud800", "\\ud800Ax", "a\\"};
    for (size_t i = 0; i < COUNT_OF(damaged); i++) {
        uint8_t out[64];
        slice raw = slice_from_cstr(damaged[i]);
        assert_slice_equal(((slice){out, json_unescape(raw, out)}), expect[i]);
    }
}

static void test_compact_drops_only_what_is_insignificant(void **state)
{
    UNUSED(state);
    static const char *const cases[][2] = {
        {"{}", "{}"},
        {" { \"a b\" :\t[ 1 ,\r\n\"\\\" \\\\\" , -0.50E+01 ] } ",
         "{\"a b\":[1,\"\\\" \\\\\",-0.50E+01]}"},
        {"\"  \"", "\"  \""},
        {"  12 ", "12"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        slice json = slice_from_cstr(cases[i][0]);
        struct buf out = BUF_INIT(KIB(1));
        uint8_t memory[64];
        json_compact(json, &out);
        assert_slice_equal(buf_slice(&out), cases[i][1]);
        assert_slice_equal(((slice){memory, json_compact_into(json, memory)}), cases[i][1]);
        buf_release(&out);
    }
}

static bool is_special(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
}

/* Every byte value at every place of texts around the block sizes, among plain bytes. */
static void test_searches_agree(void **state)
{
    UNUSED(state);
    uint8_t text[70];
    for (size_t len = 0; len <= sizeof(text); len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                memset(text, ' ', sizeof(text));
                text[at] = (uint8_t)byte;
                const uint8_t *end = text + len;
                const uint8_t *here = text + at;
                bool escaped = byte < 0x20 || byte == '"' || byte == '\\';
                bool quote = byte == '"' || byte == '\\';
                const uint8_t *special = is_special((uint8_t)byte) ? here : end;
                assert_ptr_equal(json_find_special(text, end), special);
                assert_ptr_equal(json_plain_find_special(text, end), special);
                assert_ptr_equal(json_find_escaped(text, end), escaped ? here : end);
                assert_ptr_equal(json_plain_find_escaped(text, end), escaped ? here : end);
                assert_ptr_equal(json_find_quote(text, end), quote ? here : end);
                assert_ptr_equal(json_plain_find_quote(text, end), quote ? here : end);
                assert_int_equal(json_has_escaped((slice){text, len}), escaped);
                assert_int_equal(json_plain_has_escaped((slice){text, len}), escaped);
            }
        }
    }
}

static void test_writer_minds_commas_and_brackets(void **state)
{
    UNUSED(state);
    struct buf out = BUF_INIT(KIB(1));
    struct json_writer w = json_writer_to(&out);
    json_begin_object(&w, NULL);
    json_u64(&w, "seq", UINT64_MAX);
    json_i64(&w, "min", INT64_MIN);
    json_hex(&w, "hash", SLICE("\x00\xff\x1a"));
    json_begin_array(&w, "list");
    json_str(&w, NULL, SLICE("a\"b"));
    json_bool(&w, NULL, true);
    json_begin_object(&w, NULL);
    json_end_object(&w);
    json_begin_array(&w, NULL);
    json_null(&w, NULL);
    json_end_array(&w);
    json_end_array(&w);
    json_key(&w, SLICE("k\n"));
    json_raw(&w, NULL, SLICE("{\"x\":1}"));
    json_bool(&w, "no", false);
    json_begin_object(&w, "open");
    json_cstr(&w, "text", "t");
    assert_int_equal(json_end(&w), OK);
    assert_slice_equal(buf_slice(&out),
                       "{\"seq\":18446744073709551615,\"min\":-9223372036854775808,"
                       "\"hash\":\"00ff1a\",\"list\":[\"a\\\"b\",true,{},[null]],"
                       "\"k\\n\":{\"x\":1},\"no\":false,\"open\":{\"text\":\"t\"}}");
    buf_release(&out);
}

static void test_writer_tells_of_a_full_buf_at_the_end(void **state)
{
    UNUSED(state);
    struct buf out = BUF_INIT(16);
    struct json_writer w = json_writer_to(&out);
    json_begin_object(&w, NULL);
    json_str(&w, "text", SLICE("longer than the buf"));
    json_u64(&w, "n", 1);
    assert_int_equal(json_end(&w), ERR_LIMIT);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unescape_and_quote),
        cmocka_unit_test(test_unescape_leaves_damage_as_it_is),
        cmocka_unit_test(test_compact_drops_only_what_is_insignificant),
        cmocka_unit_test(test_searches_agree),
        cmocka_unit_test(test_writer_minds_commas_and_brackets),
        cmocka_unit_test(test_writer_tells_of_a_full_buf_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
