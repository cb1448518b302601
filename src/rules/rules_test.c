/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "json/json.h"
#include "rules/rules.h"

#define NOW_US INT64_C(1768435200000000) /* 2026-01-15T00:00:00Z */

static char owner_text[] = "the owner";

/* One schema is registered; another one was stored although it cannot be compiled. */
static enum err find_schema(void *owner, slice event_type, struct arena *arena, slice *schema_out,
                            struct diag *diag)
{
    assert_ptr_equal(owner, owner_text);
    if (slice_equal(event_type, SLICE("disk"))) {
        return diag_fail(diag, ERR_IO, "", "cannot be read");
    }
    if (slice_equal(event_type, SLICE("broken"))) {
        *schema_out = SLICE("{\"typ\":1}");
        return OK;
    }
    return slice_equal(event_type, SLICE("order.paid")) &&
                   arena_copy(arena, SLICE("{\"properties\":{\"price\":{\"maximum\":10}}}"),
                              schema_out)
               ? OK
               : ERR_NOT_FOUND;
}

static const struct rules_context context = {.now_us = NOW_US,
                                             .find_schema = find_schema,
                                             .owner = owner_text};

/* ---- What is found: status, and "field severity" of every violation ---- */

struct row {
    const char *name;
    const char *rules;
    const char *output;
    const char *found;
};

#define DOCUMENT                                                                                   \
    "{\"a\":{\"b\":5,\"c.d\":\"x\"},\"list\":[{\"b\":1},{\"b\":\"two\"}],\"n\":null,"              \
    "\"price\":19.99,\"mail\":\"ann@example.com\",\"when\":\"2026-01-14T23:00:00Z\"}"

static struct row rows[] = {
    {"no rules", "[]", DOCUMENT, "passed"},
    {"any value is a document", "[{\"type\":\"schema\",\"name\":\"s\",\"schema\":true}]", "7",
     "passed"},

    {"range: within", "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"a.b\",\"min\":5,\"max\":5}]",
     DOCUMENT, "passed"},
    {"range: below", "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"a.b\",\"min\":5.1}]",
     DOCUMENT, "failed; a.b error"},
    {"range: above", "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"a.b\",\"max\":4}]", DOCUMENT,
     "failed; a.b error"},
    {"range: exact",
     "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"price\",\"max\":19.989999999"
     "9999999999}]",
     DOCUMENT, "failed; price error"},
    {"range: no number", "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"list.1.b\",\"max\":4}]",
     DOCUMENT, "failed; list.1.b error"},
    {"range: null is no number", "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"n\",\"max\":4}]",
     DOCUMENT, "failed; n error"},
    {"range: an absent field is not its business",
     "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"list.2.b\",\"max\":4}]", DOCUMENT, "passed"},

    {"path: a dot in a name",
     "[{\"type\":\"enum\",\"name\":\"e\",\"field\":\"a.c\\\\.d\",\"valid_options\":[\"y\"]}]",
     DOCUMENT, "failed; a.c\\.d error"},
    {"path: 01 is no index",
     "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"list.00.b\",\"min\":9}]", DOCUMENT, "passed"},
    {"path: a number may be a name",
     "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"0\",\"min\":9}]", "{\"0\":1}",
     "failed; 0 error"},

    {"pattern: found",
     "[{\"type\":\"pattern\",\"name\":\"p\",\"field\":\"mail\",\"pattern\":\"@\"}]", DOCUMENT,
     "passed"},
    {"pattern: not found",
     "[{\"type\":\"pattern\",\"name\":\"p\",\"field\":\"mail\",\"pattern\":\"^@\"}]", DOCUMENT,
     "failed; mail error"},
    {"pattern: no string",
     "[{\"type\":\"pattern\",\"name\":\"p\",\"field\":\"a.b\",\"pattern\":\"5\"}]", DOCUMENT,
     "failed; a.b error"},

    {"enum: by value",
     "[{\"type\":\"enum\",\"name\":\"e\",\"field\":\"a.b\",\"valid_options\":[1,5.0]}]", DOCUMENT,
     "passed"},
    {"enum: none",
     "[{\"type\":\"enum\",\"name\":\"e\",\"field\":\"a.b\",\"valid_options\":[\"5\"]}]", DOCUMENT,
     "failed; a.b error"},

    {"required: there", "[{\"type\":\"required\",\"name\":\"q\",\"field\":\"a.b\"}]", DOCUMENT,
     "passed"},
    {"required: absent", "[{\"type\":\"required\",\"name\":\"q\",\"field\":\"a.z\"}]", DOCUMENT,
     "failed; a.z error"},
    {"required: null", "[{\"type\":\"required\",\"name\":\"q\",\"field\":\"n\"}]", DOCUMENT,
     "failed; n error"},
    {"required: fields",
     "[{\"type\":\"required\",\"name\":\"q\",\"fields\":[\"x\",\"a\",\"y.z\"]}]", DOCUMENT,
     "failed; x error; y.z error"},

    {"constraint: holds",
     "[{\"type\":\"constraint\",\"name\":\"c\",\"expression\":\"data.a.b>4 data.price<20\"}]",
     DOCUMENT, "passed"},
    {"constraint: does not hold",
     "[{\"type\":\"constraint\",\"name\":\"c\",\"expression\":\"data.a.b>4 data.price>20\"}]",
     DOCUMENT, "failed;  error"},
    {"constraint: its field is shown",
     "[{\"type\":\"constraint\",\"name\":\"c\",\"field\":\"price\",\"expression\":"
     "\"data.price>20\"}]",
     DOCUMENT, "failed; price error"},
    {"constraint: either",
     "[{\"type\":\"constraint\",\"name\":\"c\",\"expression\":\"data.x:1 OR NOT data.y:1\"}]",
     DOCUMENT, "passed"},
    {"constraint: elements of arrays",
     "[{\"type\":\"constraint\",\"name\":\"c\",\"expression\":\"data.list.b:two\"}]", DOCUMENT,
     "passed"},
    {"constraint: patterns in arrays",
     "[{\"type\":\"constraint\",\"name\":\"c\",\"expression\":\"data.list.b~^tw\"}]", DOCUMENT,
     "passed"},
    {"constraint: patterns that do not match",
     "[{\"type\":\"constraint\",\"name\":\"c\",\"expression\":\"data.list.b~^w\"}]", DOCUMENT,
     "failed;  error"},
    {"constraint: words", "[{\"type\":\"constraint\",\"name\":\"c\",\"expression\":\"ann\"}]",
     DOCUMENT, "passed"},
    {"constraint: times count from now",
     "[{\"type\":\"constraint\",\"name\":\"c\",\"expression\":\"data.when>=24h\"}]", DOCUMENT,
     "passed"},
    {"constraint: everything", "[{\"type\":\"constraint\",\"name\":\"c\",\"expression\":\"*\"}]",
     DOCUMENT, "passed"},

    {"schema: every violation",
     "[{\"type\":\"schema\",\"name\":\"s\",\"schema\":{\"required\":[\"q\"],\"properties\":"
     "{\"list\":{\"items\":{\"properties\":{\"b\":{\"type\":\"integer\"}}}},"
     "\"a\":{\"properties\":{\"c.d\":false}}}}}]",
     DOCUMENT, "failed; a.c\\.d error; list.1.b error;  error"},
    {"schema: at a field",
     "[{\"type\":\"schema\",\"name\":\"s\",\"field\":\"list.0\",\"schema\":{\"required\":[\"q\"]}}"
     "]",
     DOCUMENT, "failed; list.0 error"},
    {"schema: an absent field is not its business",
     "[{\"type\":\"schema\",\"name\":\"s\",\"field\":\"z\",\"schema\":false}]", DOCUMENT, "passed"},

    {"schema: a registered one",
     "[{\"type\":\"schema\",\"name\":\"s\",\"event_type\":\"order.paid\"}]", DOCUMENT,
     "failed; price error"},
    {"schema: a registered one at a field",
     "[{\"type\":\"schema\",\"name\":\"s\",\"event_type\":\"order.paid\",\"field\":\"a\","
     "\"schema\":"
     "null}]",
     DOCUMENT, "passed"},

    {"warnings alone",
     "[{\"type\":\"required\",\"name\":\"q\",\"field\":\"z\",\"severity\":\"warning\"}]", DOCUMENT,
     "warning; z warning"},
    {"warnings and errors",
     "[{\"type\":\"required\",\"name\":\"q\",\"field\":\"z\",\"severity\":\"warning\"},"
     "{\"type\":\"required\",\"name\":\"q\",\"field\":\"y\",\"severity\":\"error\"}]",
     DOCUMENT, "failed; z warning; y error"},
    {"null is not given",
     "[{\"type\":\"range\",\"name\":\"r\",\"field\":\"a.b\",\"min\":null,\"max\":9,"
     "\"message\":null,\"suggestion\":null,\"severity\":null,\"valid_options\":null}]",
     DOCUMENT, "passed"},
};

static enum err run_rules(const char *rules, const char *output, struct arena *arena,
                          struct rules_result *result, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(2));
    slice request = {0};
    buf_append_format(&text, " { \"output\" : %s, \"rules\": %s, \"context\":{\"x\":1} } ", output,
                      rules);
    assert_true(arena_copy(arena, buf_slice(&text), &request));
    return rules_run(request, &context, arena, result, diag);
}

static void test_row(void **state)
{
    static const char *const statuses[] = {"passed", "failed", "warning"};
    static const char *const severities[] = {"error", "warning"};
    const struct row *row = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
    CLEANUP(buf_release) struct buf found = BUF_INIT(KIB(16));
    struct rules_result result = {0};
    struct diag diag = {0};
    enum err error = run_rules(row->rules, row->output, &arena, &result, &diag);
    if (error != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    buf_append_cstr(&found, statuses[result.status]);
    for (size_t i = 0; i < result.violation_count; i++) {
        const struct rules_violation *violation = &result.violations[i];
        if (violation->expected.len > 0) { /* it outlives the schema it is from */
            assert_int_equal(json_check(violation->expected, RULES_DEPTH_MAX, &arena, NULL, NULL),
                             OK);
        }
        buf_append_format(&found, "; %.*s %s", SLICE_ARG(violation->field),
                          severities[violation->severity]);
        assert_true(violation->message.len > 0);
    }
    assert_string_equal(buf_cstr(&found), row->found);
    assert_int_equal(result.error_count + result.warning_count, result.violation_count);
}

/* ---- What is refused ---- */

struct refusal {
    const char *name; /* the rules */
    const char *where;
    const char *says;
    enum err error;
};

static struct refusal refusals[] = {
    {"{}", "/rules", "a list of rules", ERR_INVALID},
    {"[1]", "/rules/0", "a rule is an object", ERR_INVALID},
    {"[{\"name\":\"a\"}]", "/rules/0", "type is missing", ERR_INVALID},
    {"[{\"type\":\"semantic\",\"name\":\"a\"}]", "/rules/0/type", "no rules of type \"semantic\"",
     ERR_INVALID},
    {"[{\"type\":\"web_verify\",\"name\":\"a\"}]", "/rules/0/type", "\"web_verify\"", ERR_INVALID},
    {"[{\"type\":7,\"name\":\"a\"}]", "/rules/0/type", "no rules of type 7", ERR_INVALID},
    {"[{\"type\":\"required\",\"field\":\"a\"}]", "/rules/0", "name is missing", ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"\",\"field\":\"a\"}]", "/rules/0/name", "1 to 1000 bytes",
     ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"field\":\"a\",\"severity\":\"info\"}]",
     "/rules/0/severity", "error or warning", ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"field\":\"a\",\"min\":1}]", "/rules/0/min",
     "min is no member of a required rule", ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"field\":\"a\",\"x\":null}]", "/rules/0/x",
     "x is no member", ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\"}]", "/rules/0", "field is missing", ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"field\":\"a\",\"fields\":[\"b\"]}]",
     "/rules/0/fields", "not both", ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"fields\":[]}]", "/rules/0/fields", "1 to 100 paths",
     ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"fields\":[\"a\",\"b..c\"]}]", "/rules/0/fields/1",
     "names with dots between", ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"field\":\"\"}]", "/rules/0/field", "names with dots",
     ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"field\":\"a.\"}]", "/rules/0/field",
     "names with dots", ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"field\":\"a\\\\b\"}]", "/rules/0/field",
     "a backslash quotes", ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"field\":5}]", "/rules/0/field", "a path is a string",
     ERR_INVALID},
    {"[{\"type\":\"required\",\"name\":\"a\",\"field\":\"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
     "a.a.a.a.a.a.a.a.a.a.a.a\"}]",
     "/rules/0/field", "at most 32 names", ERR_LIMIT},
    {"[{\"type\":\"range\",\"name\":\"a\",\"field\":\"a\"}]", "/rules/0", "min or max is missing",
     ERR_INVALID},
    {"[{\"type\":\"range\",\"name\":\"a\",\"field\":\"a\",\"min\":\"1\"}]", "/rules/0/min",
     "min is a number", ERR_INVALID},
    {"[{\"type\":\"pattern\",\"name\":\"a\",\"field\":\"a\"}]", "/rules/0", "pattern is missing",
     ERR_INVALID},
    {"[{\"type\":\"pattern\",\"name\":\"a\",\"field\":\"a\",\"pattern\":\"(\"}]",
     "/rules/0/pattern", "parenthesis", ERR_INVALID},
    {"[{\"type\":\"enum\",\"name\":\"a\",\"field\":\"a\",\"valid_options\":\"x\"}]",
     "/rules/0/valid_options", "a list of values", ERR_INVALID},
    {"[{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"data.a>\"}]", "/rules/0/expression",
     "expected a value", ERR_INVALID},
    {"[{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"__import__('os').system('id')\"}]",
     "/rules/0/expression", "", ERR_INVALID},
    {"[{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"data.a:1 OR actor_id:x\"}]",
     "/rules/0/expression", "the document alone", ERR_INVALID},
    {"[{\"type\":\"constraint\",\"name\":\"a\",\"expression\":\"NOT metadata.a:1\"}]",
     "/rules/0/expression", "the document alone", ERR_INVALID},
    {"[{\"type\":\"schema\",\"name\":\"a\"}]", "/rules/0", "schema is missing", ERR_INVALID},
    {"[{\"type\":\"schema\",\"name\":\"a\",\"schema\":{\"items\":{\"foo\":1}}}]",
     "/rules/0/schema/items/foo", "foo is no keyword", ERR_INVALID},
    {"[{\"type\":\"schema\",\"name\":\"a\",\"event_type\":\"order.sent\"}]", "/rules/0/event_type",
     "no schema is registered for order.sent", ERR_INVALID},
    {"[{\"type\":\"schema\",\"name\":\"a\",\"event_type\":7}]", "/rules/0/event_type",
     "event_type is a string", ERR_INVALID},
    {"[{\"type\":\"schema\",\"name\":\"a\",\"event_type\":\"broken\"}]", "/rules/0/event_type",
     "typ is no keyword", ERR_INVALID},
    {"[{\"type\":\"schema\",\"name\":\"a\",\"event_type\":\"order.paid\",\"schema\":{}}]",
     "/rules/0/event_type", "not both", ERR_INVALID},
    {"[{\"type\":\"schema\",\"name\":\"a\",\"event_type\":\"disk\"}]", "", "cannot be read",
     ERR_IO},
    {"[{\"type\":\"range\",\"name\":\"a\",\"field\":\"b\",\"min\":1,\"event_type\":\"order.paid\"}"
     "]",
     "/rules/0/event_type", "event_type is no member of a range rule", ERR_INVALID},
};

static void test_refusal(void **state)
{
    const struct refusal *row = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
    struct rules_result result = {0};
    struct diag diag = {0};
    assert_int_equal(run_rules(row->name, "{}", &arena, &result, &diag), row->error);
    assert_string_equal(diag.where, row->where);
    if (strstr(diag.text, row->says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", diag.text, row->says);
    }
}

/* ---- Requests ---- */

struct request {
    const char *text, *where, *says;
    enum err error;
};

static const struct request requests[] = {
    {"", "", "the text ends", ERR_INVALID},
    {"[]", "", "", ERR_INVALID},
    {"{\"output\":{}}", "", "rules is missing", ERR_INVALID},
    {"{\"rules\":[]}", "", "output is missing", ERR_INVALID},
    {"{\"output\":{},\"rules\":[],\"ouptut\":1}", "/ouptut", "a request has", ERR_INVALID},
    {"{\"output\":{\"a\":1,\"a\":2},\"rules\":[]}", "/output/a", "second member", ERR_INVALID},
    {"{\"output\":{},\"output\":{},\"rules\":[]}", "/output", "second member", ERR_INVALID},
    {"{\"output\":{},\"rules\":[]} x", "", "", ERR_INVALID},
    {"{\"output\":{},\"rules\":[],\"event_type\":\"order.paid\"}", "/event_type",
     "rules or event_type", ERR_INVALID},
    {"{\"output\":{},\"event_type\":\"order.sent\"}", "/event_type", "no schema is registered",
     ERR_INVALID},
    {"{\"output\":{},\"event_type\":{\"a\":1}}", "/event_type", "is a string", ERR_INVALID},
    {"{\"output\":{},\"event_type\":null}", "/event_type", "schema is missing", ERR_INVALID},
};

static void test_requests(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
        struct rules_result result = {0};
        struct diag diag = {0};
        slice text = slice_from_cstr(requests[i].text);
        assert_int_equal(rules_run(text, &context, &arena, &result, &diag), requests[i].error);
        assert_string_equal(diag.where, requests[i].where);
        assert_non_null(strstr(diag.text, requests[i].says));
    }
}

static void test_a_request_may_name_a_registered_schema(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        enum rules_status status;
    } named[] = {
        {"{\"event_type\":\"order.paid\",\"output\":{\"price\":10}}", RULES_PASSED},
        {"{\"output\":{\"price\":11},\"event_type\":\"order.paid\"}", RULES_FAILED},
        {"{\"output\":{\"price\":11},\"event_type\" : \"order\\u002epaid\"}", RULES_FAILED},
    };
    for (size_t i = 0; i < COUNT_OF(named); i++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
        struct rules_result result = {0};
        slice text = slice_from_cstr(named[i].text);
        assert_int_equal(rules_run(text, &context, &arena, &result, NULL), OK);
        assert_int_equal(result.status, named[i].status);
        assert_int_equal(result.violation_count, named[i].status == RULES_FAILED ? 1 : 0);
    }
}

static void test_nothing_is_registered_where_nobody_is_asked(void **state)
{
    UNUSED(state);
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
    const struct rules_context alone = {.now_us = NOW_US};
    struct rules_result result = {0};
    assert_int_equal(rules_run(SLICE("{\"output\":1,\"event_type\":\"order.paid\"}"), &alone,
                               &arena, &result, NULL),
                     ERR_INVALID);
}

/* ---- The answer ---- */

static void test_answer(void **state)
{
    UNUSED(state);
    static const char rules[] =
        "[{\"type\":\"range\",\"name\":\"price\",\"field\":\"price\",\"min\":1,\"max\":10,"
        "\"suggestion\":\"cheaper\"},"
        "{\"type\":\"required\",\"name\":\"country\",\"field\":\"country\",\"default_value\":"
        "\"NL\","
        "\"severity\":\"warning\",\"message\":\"no country\"}]";
    static const char expected[] =
        "{\"status\":\"failed\",\"is_valid\":false,\"violations\":[{\"rule_name\":\"price\","
        "\"violation_type\":\"range\",\"field\":\"price\",\"message\":\"must be at most 10\","
        "\"severity\":\"error\",\"found_value\":19.99,\"expected_value\":{\"min\":1,\"max\":10},"
        "\"suggestion\":\"cheaper\"},{\"rule_name\":\"country\",\"violation_type\":\"required\","
        "\"field\":\"country\",\"message\":\"no country\",\"severity\":\"warning\","
        "\"found_value\":null,\"expected_value\":null,\"suggestion\":\"use the default value "
        "\\\"NL\\\"\"}],\"violation_count\":2,\"auto_corrected\":false,\"corrected_output\":null,"
        "\"corrections_applied\":[]}";
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
    CLEANUP(buf_release) struct buf out = BUF_INIT(MIB(1));
    struct rules_result result = {0};
    struct json_writer writer = json_writer_to(&out);
    assert_int_equal(run_rules(rules, DOCUMENT, &arena, &result, NULL), OK);
    json_begin_object(&writer, NULL);
    rules_write(&result, &writer);
    assert_int_equal(json_end(&writer), OK);
    assert_string_equal(buf_cstr(&out), expected);
}

/* 1,500 elements of which none fits: all are counted as far as they are looked for, 1,000 are
 * listed, and a value of 5,000 bytes is cut between characters. */
static void test_long_answers(void **state)
{
    UNUSED(state);
    static const char rules[] =
        "[{\"type\":\"schema\",\"name\":\"s\",\"schema\":{\"items\":false}},"
        "{\"type\":\"required\",\"name\":\"q\",\"field\":\"x\"}]";
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
    CLEANUP(buf_release) struct buf document = BUF_INIT(MIB(1));
    CLEANUP(buf_release) struct buf out = BUF_INIT(MIB(4));
    struct rules_result result = {0};
    struct json_writer writer = json_writer_to(&out);
    buf_append_cstr(&document, "[\"");
    for (int i = 0; i < 2500; i++) {
        buf_append_cstr(&document, "\xc3\xa4");
    }
    buf_append_cstr(&document, "\"");
    for (int i = 1; i < 1500; i++) {
        buf_append_cstr(&document, ",1");
    }
    buf_append_cstr(&document, "]");
    assert_int_equal(run_rules(rules, buf_cstr(&document), &arena, &result, NULL), OK);
    assert_int_equal(result.violation_count, RULES_VIOLATIONS_MAX);
    assert_int_equal(result.error_count, RULES_VIOLATIONS_MAX + 2);
    json_begin_object(&writer, NULL);
    rules_write(&result, &writer);
    assert_int_equal(json_end(&writer), OK);
    assert_null(strstr(buf_cstr(&out), "\xc3\xe2"));
    assert_non_null(strstr(buf_cstr(&out), "\xc3\xa4\xe2\x80\xa6\",\"expected_value\":false"));
}

static const struct CMUnitTest others[] = {
    cmocka_unit_test(test_requests),
    cmocka_unit_test(test_a_request_may_name_a_registered_schema),
    cmocka_unit_test(test_nothing_is_registered_where_nobody_is_asked),
    cmocka_unit_test(test_answer),
    cmocka_unit_test(test_long_answers),
};

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(rows) + COUNT_OF(refusals) + COUNT_OF(others)];
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
    memcpy(tests + count, others, sizeof(others));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
