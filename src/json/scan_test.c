/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "base/utf8.h"
#include "json/json.h"
#include "json/pointer.h"

static void test_members_come_unescaped_and_in_order(void **state)
{
    UNUSED(state);
    struct arena arena = ARENA_INIT(MIB(1));
    struct json_scan scan;
    struct json_value value;
    slice name = {0};
    bool more = false;
    json_scan_init(&scan, SLICE(" {\"a\" : [1, {\"x\":2}] ,\"\\u0062c\":\"t\\n\"} "), 8, &arena);
    assert_int_equal(json_scan_open_object(&scan), OK);
    assert_int_equal(json_scan_member(&scan, &name, &more), OK);
    assert_true(more);
    assert_slice_equal(name, "a");
    assert_int_equal(json_scan_value(&scan, &value), OK);
    assert_int_equal(value.kind, JSON_IS_ARRAY);
    assert_slice_equal(value.raw, "[1, {\"x\":2}]");
    assert_int_equal(value.spaces, 1);
    assert_int_equal(value.depth, 2);
    assert_int_equal(json_scan_member(&scan, &name, &more), OK);
    assert_slice_equal(name, "bc");
    assert_int_equal(json_scan_value(&scan, &value), OK);
    assert_int_equal(value.kind, JSON_IS_STRING);
    assert_true(value.has_escapes);
    assert_int_equal(value.depth, 0);
    assert_int_equal(json_scan_member(&scan, &name, &more), OK);
    assert_false(more);
    assert_int_equal(json_scan_end(&scan), OK);
    arena_release(&arena);
}

struct pointer_case {
    const char *json, *where, *text;
};

static void test_failures_name_their_place(void **state)
{
    UNUSED(state);
    static const struct pointer_case cases[] = {
        {"[]x", "", "something follows the value (byte 2)"},
        {"{\"a\":{\"b\":[0,1,{\"c\":tru}]}}", "/a/b/2/c", "expected a value (byte 20)"},
        {"{\"a/b\":{\"~\":+}}", "/a~1b/~0", "expected a value (byte 12)"},
        {"{\"a\":{\"k\":1,\"k\":2}}", "/a/k", "a second member of this name (byte 12)"},
        {"[[[[[]]]]]", "/0/0/0/0", "nested too deep (byte 4)"},
        {"{\"a\":1 \"b\"}", "/a", "expected a comma or the closing bracket (byte 7)"},
        {"{\"a\":1,", "/a", "the text ends in the middle of a value (byte 7)"},
        {"[1,2", "/1", "the text ends in the middle of a value (byte 4)"},
        {"{\"a\" 1}", "/a", "expected a colon (byte 5)"},
        {"[\"\x01\"]", "/0", "a control character in a string wants an escape (byte 2)"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena = ARENA_INIT(MIB(1));
        struct diag diag = {0};
        assert_int_equal(json_check(slice_from_cstr(cases[i].json), 4, &arena, NULL, &diag),
                         ERR_INVALID);
        assert_string_equal(diag.where, cases[i].where);
        assert_string_equal(diag.text, cases[i].text);
        arena_release(&arena);
    }
}

/* {"k0":0,"k1":0, ... } with `count` members, the last one's name given. */
static void write_object(struct buf *out, size_t count, const char *last)
{
    buf_append_byte(out, '{');
    for (size_t i = 0; i < count; i++) {
        buf_append_format(out, "\"key%zu\":0,", i);
    }
    buf_append_format(out, "\"%s\":0}", last);
}

static void test_second_names_are_found_among_many(void **state)
{
    UNUSED(state);
    static const size_t counts[] = {1, 23, 24, 25, 63, 64, 65, 500, 50000};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct buf json = BUF_INIT(MIB(4));
        struct arena arena = ARENA_INIT(MIB(16));
        write_object(&json, counts[i], "key0");
        assert_int_equal(json_check(buf_slice(&json), 64, &arena, NULL, NULL), ERR_INVALID);
        buf_clear(&json);
        write_object(&json, counts[i], "other");
        assert_int_equal(json_check(buf_slice(&json), 64, &arena, NULL, NULL), OK);
        buf_release(&json);
        arena_release(&arena);
    }
}

static void test_large_siblings_share_their_table(void **state)
{
    UNUSED(state);
    struct buf json = BUF_INIT(MIB(4));
    struct arena arena = ARENA_INIT(KIB(64));
    buf_append_byte(&json, '[');
    for (size_t i = 0; i < 1000; i++) {
        write_object(&json, 40, "last");
        buf_append_byte(&json, i == 999 ? ']' : ',');
    }
    assert_int_equal(json_check(buf_slice(&json), 64, &arena, NULL, NULL), OK);
    buf_release(&json);
    arena_release(&arena);
}

static void test_too_many_names_are_a_limit(void **state)
{
    UNUSED(state);
    struct buf json = BUF_INIT(MIB(4));
    struct arena arena = ARENA_INIT(KIB(16));
    write_object(&json, 5000, "last");
    struct diag diag = {0};
    assert_int_equal(json_check(buf_slice(&json), 64, &arena, NULL, &diag), ERR_LIMIT);
    buf_release(&json);
    arena_release(&arena);
}

static void test_a_cut_text_is_told_from_a_bad_one(void **state)
{
    UNUSED(state);
    static const char whole[] =
        "{\"a\":[1,true,null,\"\\ud83d\\ude00\\n\xf0\x9f\x98\x80\",-1.5e+3]}";
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        struct arena arena = ARENA_INIT(MIB(1));
        struct json_scan scan;
        struct json_value value;
        json_scan_init(&scan, (slice){(const uint8_t *)whole, len}, 8, &arena);
        assert_int_equal(json_scan_value(&scan, &value), ERR_INVALID);
        bool inside_number = len >= sizeof(whole) - 9 && len < sizeof(whole) - 3;
        assert_true(json_scan_is_cut(&scan) || inside_number);
        arena_release(&arena);
    }
    struct arena arena = ARENA_INIT(MIB(1));
    struct json_scan scan;
    struct json_value value;
    json_scan_init(&scan, SLICE("{\"a\":1]"), 8, &arena);
    assert_int_equal(json_scan_value(&scan, &value), ERR_INVALID);
    assert_false(json_scan_is_cut(&scan));
    arena_release(&arena);
}

static void test_pointers_are_cut_to_their_room(void **state)
{
    UNUSED(state);
    char where[8] = "";
    json_pointer_append(where, sizeof(where), SLICE("abc"));
    json_pointer_append(where, sizeof(where), SLICE("d/efgh"));
    assert_string_equal(where, "/abc/d");
    static const char *const names[] = {"aaaaaaaa\xc3\xa9", "aaaaaa\xea\xaa\xaa\xea\xaa\xaa",
                                        "a\xf0\x9f\x98\x80\xf0\x9f\x98\x80"};
    for (size_t n = 0; n < COUNT_OF(names); n++) { /* and never within a character */
        for (size_t size = 1; size <= 16; size++) {
            char cut[16] = "";
            json_pointer_append(cut, size, slice_from_cstr(names[n]));
            assert_true(strlen(cut) < size);
            assert_true(utf8_is_valid(slice_from_cstr(cut)));
        }
    }
}

static void test_pointers_are_joined(void **state)
{
    UNUSED(state);
    static const struct {
        const char *tail, *expected;
    } cases[] = {
        {"", "/a"},
        {"/b", "/a/b"},
        {"/b/cde", "/a/b/cde"},
        {"/b/cdef", "/a/b"},
        {"/\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", "/a"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char where[9] = "/a";
        json_pointer_join(where, sizeof(where), slice_from_cstr(cases[i].tail));
        assert_string_equal(where, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_come_unescaped_and_in_order),
        cmocka_unit_test(test_failures_name_their_place),
        cmocka_unit_test(test_second_names_are_found_among_many),
        cmocka_unit_test(test_large_siblings_share_their_table),
        cmocka_unit_test(test_too_many_names_are_a_limit),
        cmocka_unit_test(test_a_cut_text_is_told_from_a_bad_one),
        cmocka_unit_test(test_pointers_are_cut_to_their_room),
        cmocka_unit_test(test_pointers_are_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
