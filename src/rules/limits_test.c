/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile schemas, rules and documents: each ends with a named error, none with a verdict. */
#include "base/test.h"
#include "json/json.h"
#include "rules/rules.h"
#include "validate/schema.h"

/* A text that repeats: head, `open` as often as `count` says, middle, `close` as often, tail. */
struct text {
    const char *head, *open, *middle, *close, *tail;
    unsigned count;
};

static void append(struct buf *out, const struct text *text)
{
    buf_append_cstr(out, text->head);
    for (unsigned i = 0; i < text->count; i++) {
        buf_append_cstr(out, text->open);
    }
    buf_append_cstr(out, text->middle);
    for (unsigned i = 0; i < text->count; i++) {
        buf_append_cstr(out, text->close);
    }
    buf_append_cstr(out, text->tail);
    assert_int_equal(buf_check(out), OK);
}

#define ONCE(text)                                                                                 \
    {                                                                                              \
        (text), "", "", "", "", 0                                                                  \
    }
#define BOMB                                                                                       \
    "{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"}},\"type\":\"object\"},"           \
    "{\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"}},\"type\":\"object\"}]}"

/* ---- Checks ---- */

struct row {
    const char *name;
    struct text schema, document;
    const char *says; /* NULL: there is a verdict, `is_valid` */
    bool is_valid;
};

static struct row rows[] = {
    {"an anyOf that doubles with every level",
     ONCE("{\"$ref\":\"#/$defs/x\",\"$defs\":{\"x\":" BOMB "}}"),
     {"", "{\"a\":", "1", "}", "", 40},
     "too much work",
     false},
    {"the same behind not",
     ONCE("{\"not\":{\"$ref\":\"#/$defs/x\"},\"$defs\":{\"x\":" BOMB "}}"),
     {"", "{\"a\":", "1", "}", "", 40},
     "too much work",
     false},
    {"the same where all fits is quick",
     ONCE("{\"$ref\":\"#/$defs/x\",\"$defs\":{\"x\":" BOMB "}}"),
     {"", "{\"a\":", "{}", "}", "", 40},
     NULL,
     true},
    {"a pattern that backtracks without end",
     ONCE("{\"pattern\":\"^(a+)+$\"}"),
     {"\"", "a", "b\"", "", "", 60},
     "too many steps",
     false},
    {"the same behind not, where giving up must not pass",
     ONCE("{\"not\":{\"pattern\":\"^(a+)+$\"}}"),
     {"\"", "a", "b\"", "", "", 60},
     "too many steps",
     false},
    {"the same for a name",
     ONCE("{\"patternProperties\":{\"^(a+)+$\":false}}"),
     {"{\"", "a", "b\":1}", "", "", 60},
     "too many steps",
     false},
    {"a slow pattern over a long string",
     ONCE("{\"pattern\":\"[a-z]+[a-y]*[a-x]*[0-9]\"}"),
     {"\"1", "a", "\"", "", "", 200000},
     "too many steps",
     false},
    {"a pattern that reads to the end from every place",
     ONCE("{\"pattern\":\"(\\\\w+)\\\\s\\\\1\"}"),
     {"\"", "a", "\"", "", "", 200000},
     "too many steps",
     false},
    {"a pattern that counts far from every place",
     ONCE("{\"pattern\":\"(?=a{30000})[^a]\"}"),
     {"\"", "a", "\"", "", "", 29999},
     "too many steps",
     false},
    {"many slow patterns over many strings",
     {"{\"items\":{\"allOf\":[", "{\"not\":{\"pattern\":\"(x+x+)+[yq]\"}},", "true]}}", "", "", 60},
     {"[", "\"xxxxxxxxxxxxxz1\",", "1]", "", "", 10000},
     "too m",
     false},
    {"a simple pattern over many strings",
     ONCE("{\"items\":{\"pattern\":\"^[a-z]+-[0-9]{4}$\"}}"),
     {"[", "\"abcdefgh-1234\",", "\"a-1234\"]", "", "", 15000},
     NULL,
     true},
    {"equal elements in a large array",
     ONCE("{\"uniqueItems\":true}"),
     {"[", "1,", "1]", "", "", 100000},
     NULL,
     false},
    {"different elements in a large array, the last one equal",
     ONCE("{\"uniqueItems\":true}"),
     {"[0,", "[1,", "0", "]", ",0]", 60},
     NULL,
     false},
    {"a large array sorted again and again",
     {"{\"allOf\":[", "{\"uniqueItems\":true},", "true]}", "", "", 1000},
     {"[[", "1,", "1],2]", "", "", 100000},
     "too much work",
     false},
    {"large constants against many elements",
     {"{\"items\":{\"allOf\":[", "{\"not\":{\"const\":[1,2,3,4,5,6,7,8,9,0]}},", "true]}}", "", "",
      1000},
     {"[", "[1,2,3,4,5,6,7,8,9,1],", "1]", "", "", 10000},
     "too much work",
     false},
    {"a bound of very many digits against many elements",
     {"{\"items\":{\"maximum\":1", "0", "}}", "", "", 60000},
     {"[", "1,", "1]", "", "", 100000},
     "too much work",
     false},
    {"a constant of very many digits against many elements",
     {"{\"items\":{\"const\":1.", "0", "}}", "", "", 60000},
     {"[", "1,", "1]", "", "", 100000},
     "too much work",
     false},
    {"numbers of very many digits",
     {"{\"allOf\":[", "{\"multipleOf\":0.7},{\"minimum\":1},", "true]}", "", "", 1500},
     {"7", "7", "", "", "", 250000},
     "too much work",
     false},
    {"a document too deep for its schema",
     ONCE("{\"allOf\":[{\"allOf\":[{\"items\":{\"$ref\":"
          "\"#\"}}]}]}"),
     {"", "[", "", "]", "", 250},
     "nested too deep",
     false},
    {"a document as long as may be",
     ONCE("{\"maxLength\":262142}"),
     {"\"", "x", "\"", "", "", 262142},
     NULL,
     true},
    {"a document that is longer",
     ONCE("true"),
     {"\"", "x", "\"", "", "", 262143},
     "at most 262144 bytes",
     false},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    CLEANUP(buf_release) struct buf schema_text = BUF_INIT(MIB(1));
    CLEANUP(buf_release) struct buf document = BUF_INIT(MIB(1));
    OWNED(schema) schema = NULL;
    struct diag diag = {0};
    bool is_valid = !row->is_valid;
    append(&schema_text, &row->schema);
    append(&document, &row->document);
    if (schema_compile(buf_slice(&schema_text), &schema, &diag) != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    enum err error = schema_check(schema, buf_slice(&document), NULL, &is_valid, &diag);
    if (row->says == NULL) {
        assert_int_equal(error, OK);
        assert_int_equal(is_valid, row->is_valid);
        return;
    }
    assert_int_equal(error, ERR_LIMIT);
    assert_int_equal(is_valid, !row->is_valid); /* untouched */
    if (strstr(diag.text, row->says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", diag.text, row->says);
    }
}

/* ---- Schemas ---- */

struct refusal {
    const char *name;
    struct text schema;
    const char *says; /* NULL: it is compiled */
};

static struct refusal refusals[] = {
    {"64 patterns", {"{\"allOf\":[", "{\"pattern\":\"a\"},", "true]}", "", "", 64}, NULL},
    {"65 patterns",
     {"{\"allOf\":[", "{\"pattern\":\"a\"},", "true]}", "", "", 65},
     "more than 64 patterns"},
    {"a pattern of 1,024 bytes", {"{\"pattern\":\"", "a", "\"}", "", "", 1024}, NULL},
    {"a pattern of 1,025 bytes",
     {"{\"pattern\":\"", "a", "\"}", "", "", 1025},
     "at most 1024 bytes"},
    {"4,096 schemas", {"{\"anyOf\":[", "{},", "{}]}", "", "", 4094}, NULL},
    {"4,097 schemas", {"{\"anyOf\":[", "{},", "{}]}", "", "", 4095}, "more than 4096 schemas"},
    {"nested as deep as may be", {"", "{\"items\":", "{}", "}", "", 63}, NULL},
    {"nested deeper", {"", "{\"items\":", "{}", "}", "", 64}, "nested too deep"},
    {"a chain over one value", {"", "{\"not\":", "true", "}", "", 63}, NULL},
    {"a chain that is longer", {"", "{\"not\":", "true", "}", "", 64}, "each by way of the other"},
    {"a text that is too long",
     {"{\"title\":\"", "x", "\"}", "", "", 65536},
     "at most 65536 bytes"},
};

static void test_refusal(void **state)
{
    const struct refusal *row = *state;
    CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(1));
    OWNED(schema) schema = NULL;
    struct diag diag = {0};
    append(&text, &row->schema);
    enum err error = schema_compile(buf_slice(&text), &schema, &diag);
    assert_int_equal(error == OK, row->says == NULL);
    if (row->says != NULL && strstr(diag.text, row->says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", diag.text, row->says);
    }
}

static void test_names(void **state)
{
    UNUSED(state);
    for (int count = SCHEMA_NAMES_MAX; count <= SCHEMA_NAMES_MAX + 1; count++) {
        CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(1));
        OWNED(schema) schema = NULL;
        buf_append_cstr(&text, "{\"required\":[\"0\"");
        for (int i = 1; i < count; i++) {
            buf_append_format(&text, ",\"%d\"", i);
        }
        buf_append_cstr(&text, "]}");
        enum err error = schema_compile(buf_slice(&text), &schema, NULL);
        assert_int_equal(error, count <= SCHEMA_NAMES_MAX ? OK : ERR_LIMIT);
    }
}

/* ---- Requests ---- */

struct request {
    const char *name;
    struct text text;
    const char *where, *says; /* NULL: there is a result */
};

#define RULE "{\"type\":\"required\",\"name\":\"a\",\"field\":\"a\"}"

static struct request requests[] = {
    {"100 rules", {"{\"output\":{},\"rules\":[", RULE ",", RULE "]}", "", "", 99}, NULL, NULL},
    {"101 rules",
     {"{\"output\":{},\"rules\":[", RULE ",", RULE "]}", "", "", 100},
     "/rules",
     "at most 100 rules"},
    {"a document as long as may be",
     {"{\"rules\":[],\"output\":\"", "x", "\"}", "", "", 262142},
     NULL,
     NULL},
    {"a document that is longer",
     {"{\"rules\":[],\"output\":\"", "x", "\"}", "", "", 262143},
     "/output",
     "at most 262144 bytes"},
    {"white space does not count",
     {"{\"rules\":[],\"output\":[", " ", "]}", "", "", 262143},
     NULL,
     NULL},
    {"rules that are too long",
     {"{\"output\":1,\"rules\":[{\"type\":\"enum\",\"name\":\"a\",\"field\":\"a\","
      "\"valid_options\":[",
      "1,", "1]}]}", "", "", 131072},
     "/rules",
     "at most 262144 bytes"},
    {"patterns of schemas and constraints together",
     {"{\"output\":1,\"rules\":[",
      "{\"type\":\"schema\",\"name\":\"a\",\"schema\":{\"pattern\":\"a\"}},"
      "{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"data.a~b OR data.c~d\"},",
      "{\"type\":\"pattern\",\"name\":\"a\",\"field\":\"a\",\"pattern\":\"a\"}]}", "", "", 33},
     NULL,
     NULL},
    {"more patterns than may be",
     {"{\"output\":1,\"rules\":[",
      "{\"type\":\"schema\",\"name\":\"a\",\"schema\":{\"pattern\":\"a\"}},"
      "{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"data.a~b OR data.c~d\"},",
      "{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"data.a~b OR data.c~d\"}]}", "", "",
      33},
     "/rules/66/expression",
     "more than 100 patterns"},
    {"a constraint that gives up does not pass",
     {"{\"rules\":[{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"NOT data.a~^(a+)+$\"}],"
      "\"output\":{\"a\":\"",
      "a", "b\"}}", "", "", 60},
     "/rules/0",
     "too many steps"},
    {"a pattern that gives up does not pass",
     {"{\"rules\":[" RULE ",{\"type\":\"pattern\",\"name\":\"a\",\"field\":\"a\",\"pattern\":"
      "\"^(a+)+$\"}],\"output\":{\"a\":\"",
      "a", "b\"}}", "", "", 60},
     "/rules/1",
     "too many steps"},
    {"constraints that walk a large document again and again",
     {"{\"rules\":[{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"", "data.x:1 OR ",
      "data.y:1\"},{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"", "data.x:1 OR ",
      "data.y:1\"}],\"output\":{\"x\":[[],[]]}}", 900},
     NULL,
     NULL},
};

static void test_request(void **state)
{
    const struct request *row = *state;
    CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(1));
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
    struct rules_result result = {0};
    struct diag diag = {0};
    append(&text, &row->text);
    const struct rules_context context = {0};
    enum err error = rules_run(buf_slice(&text), &context, &arena, &result, &diag);
    if (row->says == NULL && error != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    if (row->says != NULL) {
        assert_int_equal(error, ERR_LIMIT);
        assert_string_equal(diag.where, row->where);
        if (strstr(diag.text, row->says) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", diag.text, row->says);
        }
    }
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(rows) + COUNT_OF(refusals) + COUNT_OF(requests) + 1];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tests[count++] = (struct CMUnitTest){.name = rows[i].name,
                                             .test_func = test_row,
                                             .initial_state = &rows[i]};
    }
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        tests[count++] = (struct CMUnitTest){.name = refusals[i].name,
                                             .test_func = test_refusal,
                                             .initial_state = &refusals[i]};
    }
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        tests[count++] = (struct CMUnitTest){.name = requests[i].name,
                                             .test_func = test_request,
                                             .initial_state = &requests[i]};
    }
    tests[count] = (struct CMUnitTest)cmocka_unit_test(test_names);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
