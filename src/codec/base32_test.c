/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "codec/base32.h"

struct base32_row {
    slice bytes;
    const char *text;
};

/* The first seven are those of RFC 4648, section 10, without their padding. */
static const struct base32_row rows[] = {
    {SLICE_INIT(""), ""},
    {SLICE_INIT("f"), "MY"},
    {SLICE_INIT("fo"), "MZXQ"},
    {SLICE_INIT("foo"), "MZXW6"},
    {SLICE_INIT("foob"), "MZXW6YQ"},
    {SLICE_INIT("fooba"), "MZXW6YTB"},
    {SLICE_INIT("foobar"), "MZXW6YTBOI"},
    {SLICE_INIT("\xff\xff\xff\xff\xff"), "77777777"},
    {SLICE_INIT("\0\0\0"), "AAAAA"},
    {SLICE_INIT("12345678901234567890"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
};

static void test_there_and_back(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_release) struct buf text = BUF_INIT(64), bytes = BUF_INIT(64);
        base32_append(&text, rows[i].bytes);
        assert_string_equal(buf_cstr(&text), rows[i].text);
        assert_true(base32_decode(buf_slice(&text), &bytes));
        assert_true(slice_equal(buf_slice(&bytes), rows[i].bytes));
    }
}

static void test_refuses_all_but_the_one_text(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {
        "M",         "MZX",  "MZXW6Y",       /* no such length */
        "MZ",        "MZXR", "MZXW7",        /* bits left over */
        "MY======",  "my",   "M1",     "M8", /* padding, case, letters that are none */
        "MZXW6YTB ", " MY",  "M\xc3",
    };
    CLEANUP(buf_release) struct buf out = BUF_INIT(64);
    buf_append_cstr(&out, "kept");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        print_message("# row %zu\n", i);
        assert_false(base32_decode(slice_from_cstr(bad[i]), &out));
        assert_slice_equal(buf_slice(&out), "kept");
    }
}

static void test_keeps_to_the_limit_of_the_buf(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf out = BUF_INIT(8);
    base32_append(&out, SLICE("fooba"));
    assert_int_equal(buf_check(&out), OK); /* just fits */
    base32_append(&out, SLICE("f"));
    assert_int_equal(buf_check(&out), ERR_LIMIT);
    assert_slice_equal(buf_slice(&out), "MZXW6YTB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refuses_all_but_the_one_text),
        cmocka_unit_test(test_keeps_to_the_limit_of_the_buf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
