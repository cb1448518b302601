/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "json/json.h"

struct walk_case {
    const char *name;
    const char *json;
    const char *items; /* a letter an item: { } [ ] K S N T F 0, . at the end, ! on damage */
};

static struct walk_case cases[] = {
    {"empty object", "{}", "{}."},
    {"empty array", "[]", "[]."},
    {"scalars", "[\"s\",-1.5e3,true,false,null]", "[SNTF0]."},
    {"nested", "{\"a\":{\"b\":[{},[]]},\"c\":1}", "{K{K[{}[]]}KN}."},
    {"lonely string", "\"x\"", "S."},
    {"lonely number", "12", "N."},
    {"nothing", "", "."},
    {"white space", "{ }", "{!"},
    {"cut in string", "[\"abc", "[!"},
    {"cut behind backslash", "[\"abc\\", "[!"},
    {"cut behind key", "{\"a\"", "{!"},
    {"cut behind colon", "{\"a\":", "{K!"},
    {"cut behind comma", "[1,", "[N!"},
    {"cut open", "[[", "[[!"},
    {"wrong bracket", "[1}", "[N!"},
    {"wrong bracket of object", "{\"a\":1]", "{KN!"},
    {"bracket at the top", "]", "!"},
    {"something behind", "1,2", "N!"},
    {"key that is none", "{1:2}", "{!"},
    {"missing colon", "{\"a\",1}", "{!"},
    {"number that is none", "[1.]", "[!"},
    {"word that is none", "[nulL]", "[!"},
    {"zero byte", "[\x01]", "[!"},
};

static void test_walk(void **state)
{
    static const char letters[] = ".!{}[]KSNTF0";
    const struct walk_case *c = *state;
    struct json_walk walk;
    struct json_item item;
    json_walk_init(&walk, slice_from_cstr(c->json));
    for (const char *expect = c->items; *expect != '\0'; expect++) {
        enum json_item_kind kind = json_walk_next(&walk, &item);
        assert_int_equal(kind, item.kind);
        assert_int_equal(letters[kind], *expect);
    }
    /* The end and damage stay what they are. */
    enum json_item_kind last = item.kind;
    assert_int_equal(json_walk_next(&walk, &item), last);
}

static void test_texts_and_values(void **state)
{
    UNUSED(state);
    struct json_walk walk;
    struct json_item item;
    slice raw = {0};
    json_walk_init(&walk, SLICE("{\"a\\n\":[1,{\"x\":\"]\"}],\"b\":\"t\",\"c\":[7,8]}"));
    assert_int_equal(json_walk_next(&walk, &item), JSON_OBJECT_BEGIN);
    assert_int_equal(json_walk_next(&walk, &item), JSON_KEY);
    assert_slice_equal(item.text, "a\\n");
    assert_true(item.has_escapes);
    assert_true(json_walk_value(&walk, &raw));
    assert_slice_equal(raw, "[1,{\"x\":\"]\"}]");
    assert_int_equal(json_walk_next(&walk, &item), JSON_KEY);
    assert_true(json_walk_value(&walk, &raw));
    assert_slice_equal(raw, "\"t\"");
    assert_int_equal(json_walk_next(&walk, &item), JSON_KEY);
    assert_false(item.has_escapes);
    assert_int_equal(json_walk_next(&walk, &item), JSON_ARRAY_BEGIN);
    assert_true(json_walk_value(&walk, &raw));
    assert_slice_equal(raw, "7");
    assert_true(json_walk_value(&walk, &raw));
    assert_slice_equal(raw, "8");
    assert_false(json_walk_value(&walk, &raw));
}

static void test_depth_is_bounded(void **state)
{
    UNUSED(state);
    uint8_t deep[JSON_DEPTH_MAX + 1];
    struct json_walk walk;
    struct json_item item;
    memset(deep, '[', sizeof(deep));
    json_walk_init(&walk, (slice){deep, sizeof(deep)});
    for (size_t i = 0; i < JSON_DEPTH_MAX; i++) {
        assert_int_equal(json_walk_next(&walk, &item), JSON_ARRAY_BEGIN);
    }
    assert_int_equal(json_walk_next(&walk, &item), JSON_ERROR);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 2] = {
        cmocka_unit_test(test_texts_and_values),
        cmocka_unit_test(test_depth_is_bounded),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tests[i + 2] = (struct CMUnitTest){.name = cases[i].name,
                                           .test_func = test_walk,
                                           .initial_state = &cases[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
