/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts of the client: event streams, walking JSON, encoding. */
#include <stdio.h>

#include "base/test.h"
#include "client/sse.h"
#include "client/text.h"
#include "client/walk.h"

struct sse_case {
    const char *text;
    const char *expect; /* id/name=data; of each event */
};

static bool on_event(void *context, const struct sse *sse, slice data)
{
    char *out = context;
    size_t at = strlen(out);
    (void)snprintf(out + at, 256 - at, "%s/%s=%.*s;", sse->id, sse->name, SLICE_ARG(data));
    return true;
}

static void test_event_streams(void **state)
{
    UNUSED(state);
    static const struct sse_case cases[] = {
        {"data: a\n\n", "/=a;"},
        {"data:a\r\n\r\ndata:b\r\n\r\n", "/=a;/=b;"},
        {"data: a\r\rdata: b\r\r", "/=a;/=b;"},
        {"id: 1\ndata: a\n\ndata: b\n\n", "1/=a;1/=b;"},
        {"event: x\ndata: a\n\ndata: b\n\n", "/x=a;/=b;"},
        {"data: a\ndata:  b\n\n", "/=a\n b;"},
        {": comment\n\ndata\n\nid\n\n", "/=;"},
        {"data: half", ""},
        {"other: 1\nretry: 20\n\n", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t step = 1; step < 4; step++) {
            char out[256] = "";
            struct sse sse;
            sse_init(&sse);
            slice rest = slice_from_cstr(cases[i].text);
            while (rest.len > 0) {
                slice piece = slice_take(&rest, step < rest.len ? step : rest.len);
                assert_true(sse_feed(&sse, piece, on_event, out));
            }
            assert_string_equal(out, cases[i].expect);
            sse_release(&sse);
        }
    }
}

struct member_case {
    const char *text, *name, *expect; /* NULL: none */
};

static void test_members(void **state)
{
    UNUSED(state);
    static const struct member_case cases[] = {
        {"{\"a\":1}", "a", "1"},
        {" { \"a\" : [1, {\"b\":\"]\"}] , \"b\":true } ", "a", "[1, {\"b\":\"]\"}]"},
        {"{\"x\":{\"a\":1},\"a\":\"\\\"\"}", "a", "\"\\\"\""},
        {"{\"x\":1}", "a", NULL},
        {"{}", "a", NULL},
        {"", "a", NULL},
        {"[1]", "a", NULL},
        {"{\"a\"", "a", NULL},
        {"{\"a\":", "a", NULL},
        {"{\"a\":[", "a", NULL},
        {"{\"a\":\"\\", "a", NULL},
        {"{1:2}", "a", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        slice value = {0};
        bool found =
            walk_member(slice_from_cstr(cases[i].text), slice_from_cstr(cases[i].name), &value);
        assert_int_equal(found, cases[i].expect != NULL);
        if (found) {
            assert_slice_equal(value, cases[i].expect);
        }
    }
}

static void test_elements(void **state)
{
    UNUSED(state);
    slice rest = SLICE("[ {\"a\":[]} , 1,\"x\" ]"), value = {0};
    assert_true(walk_element(&rest, &value));
    assert_slice_equal(value, "{\"a\":[]}");
    assert_true(walk_element(&rest, &value));
    assert_slice_equal(value, "1");
    assert_true(walk_element(&rest, &value));
    assert_slice_equal(value, "\"x\"");
    assert_false(walk_element(&rest, &value));
    rest = SLICE("[]");
    assert_false(walk_element(&rest, &value));
}

static void test_encoding(void **state)
{
    UNUSED(state);
    struct text text = {0};
    text_append_encoded(&text, "aZ09-._~ /?&=\xc3\xa4");
    assert_string_equal(text.ptr, "aZ09-._~%20%2F%3F%26%3D%C3%A4");
    text_clear(&text);
    text.max = 2;
    text_append_cstr(&text, "ab");
    assert_false(text.failed);
    text_append_cstr(&text, "c");
    assert_true(text.failed);
    assert_string_equal(text.ptr, "ab");
    text_release(&text);
}

static void test_parameters_of_a_target(void **state)
{
    UNUSED(state);
    struct text target = {.max = 64};
    text_append_parameter(&target, "a", "1 &=?");
    text_append_parameter(&target, "none", NULL);
    text_append_parameter(&target, "empty", "");
    text_append_parameter(&target, "b", "~x");
    text_append_parameter_u64(&target, "n", UINT64_MAX);
    assert_string_equal(target.ptr, "?a=1%20%26%3D%3F&b=~x&n=18446744073709551615");
    text_clear(&target);
    text_append_cstr(&target, "/p?x=");
    text_append_parameter_u64(&target, "n", 0);
    assert_string_equal(target.ptr, "/p?x=&n=0");
    text_release(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_of_a_target),
        cmocka_unit_test(test_event_streams),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
