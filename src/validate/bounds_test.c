/* SPDX-License-Identifier: Apache-2.0 */
/* What bounds a schema and a check: work that is paid for, chains of schemas, memory. */
#include "base/test.h"
#include "json/json.h"
#include "validate/part.h"

/* ---- Work ---- */

enum { NAME_BYTES = 100000 };

static void hear(void *context, const struct schema_violation *violation)
{
    UNUSED(violation);
    (*(unsigned *)context)++;
}

/* The units that it takes to check an object with one long name, {"aaa...": `value`}. */
static uint64_t work_of(const char *schema_text, const char *value, unsigned violations)
{
    CLEANUP(buf_release) struct buf document = BUF_INIT(MIB(1));
    OWNED(schema) schema = NULL;
    unsigned heard = 0;
    const struct schema_sink sink = {hear, &heard, 100};
    uint64_t left = SCHEMA_WORK_MAX;
    bool is_valid = false;
    buf_append_cstr(&document, "{\"");
    for (unsigned i = 0; i < NAME_BYTES; i++) {
        buf_append_byte(&document, 'a');
    }
    buf_append_format(&document, "\":%s}", value);
    assert_int_equal(schema_compile(slice_from_cstr(schema_text), &schema, NULL), OK);
    assert_int_equal(schema_check_within(schema, buf_slice(&document), &left, &sink, &is_valid,
                                         NULL),
                     OK);
    assert_int_equal(heard, violations);
    return SCHEMA_WORK_MAX - left;
}

static void test_the_place_of_each_violation_is_paid_for(void **state)
{
    UNUSED(state);
    uint64_t work = work_of("{\"additionalProperties\":{\"items\":false}}", "[1,2,3]", 3);
    assert_true(work >= 3 * NAME_BYTES / 16);
    assert_true(work < 4 * NAME_BYTES / 16);
}

static void test_a_name_is_paid_for_as_a_string_is(void **state)
{
    UNUSED(state);
    uint64_t work = work_of("{\"propertyNames\":{\"enum\":[\"b\"]}}", "1", 1);
    assert_true(work >= NAME_BYTES / 2);
    work = work_of("{\"propertyNames\":{\"not\":{\"const\":\"b\"}}}", "1", 0);
    assert_true(work >= NAME_BYTES / 2);
}

/* ---- Chains ---- */

/* {"$defs":{"s0":{"$ref":"#/$defs/s1"}, ..., "s<count-1>":{}}}, from either end. */
static enum err compile_chain(int count, bool is_backwards, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(1));
    OWNED(schema) schema = NULL;
    buf_append_cstr(&text, "{\"$defs\":{");
    for (int i = 0; i < count; i++) {
        int n = is_backwards ? count - 1 - i : i;
        buf_append_format(&text, "%s\"s%d\":{", i == 0 ? "" : ",", n);
        if (n < count - 1) {
            buf_append_format(&text, "\"$ref\":\"#/$defs/s%d\"", n + 1);
        }
        buf_append_byte(&text, '}');
    }
    buf_append_cstr(&text, "}}");
    return schema_compile(buf_slice(&text), &schema, diag);
}

static void test_how_long_a_chain_may_be_does_not_depend_on_the_order_of_the_text(void **state)
{
    UNUSED(state);
    for (int is_backwards = 0; is_backwards <= 1; is_backwards++) {
        struct diag diag = {0};
        assert_int_equal(compile_chain(SCHEMA_CHAIN_MAX, is_backwards != 0, NULL), OK);
        assert_int_equal(compile_chain(SCHEMA_CHAIN_MAX + 1, is_backwards != 0, &diag), ERR_LIMIT);
        assert_non_null(strstr(diag.text, "each by way of the other"));
    }
}

/* ---- Memory ---- */

static const char schema_text[] =
    "{\"enum\":[1.0000000000000000000000000000000000000000000000000000000000000001],"
    "\"properties\":{\"a\":{\"items\":true,\"contains\":{\"const\":1}}},\"required\":[\"b\"],"
    "\"dependentRequired\":{\"a\":[\"c\"]},\"patternProperties\":{\"x\":{\"pattern\":\"y\"}},"
    "\"if\":{\"minimum\":1},\"then\":{\"$ref\":\"#/$defs/"
    "d\"},\"$defs\":{\"d\":{\"type\":\"null\"}}}";

/* Compiles it with so many bytes of memory. */
static enum err compile_within(const struct document *document, size_t bytes, struct diag *diag)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(bytes);
    struct schema schema = {0};
    struct compiler compiler = {.schema = &schema,
                                .arena = &arena,
                                .diag = diag,
                                .root = document->root};
    enum err e =
        part_take(&compiler, document->node_count * sizeof(struct part *), &compiler.parts);
    e = e == OK ? part_compile(&compiler, document->root, &schema.root) : e;
    e = e == OK ? references_resolve(&compiler) : e;
    for (uint32_t i = 0; i < schema.pattern_count; i++) {
        regex_free(schema.patterns[i]);
    }
    return e;
}

static void test_wherever_memory_ends_the_answer_says_so(void **state)
{
    UNUSED(state);
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    struct document document = {0};
    assert_int_equal(document_read(slice_from_cstr(schema_text), &arena, &document, NULL), OK);
    size_t bytes = 0;
    for (;; bytes += 16) {
        struct diag diag = {0};
        enum err e = compile_within(&document, bytes, &diag);
        if (e == OK) {
            break;
        }
        assert_int_equal(e, ERR_LIMIT);
        assert_string_equal(diag.text, "the schema takes too much memory");
    }
    assert_true(bytes > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_place_of_each_violation_is_paid_for),
        cmocka_unit_test(test_a_name_is_paid_for_as_a_string_is),
        cmocka_unit_test(test_how_long_a_chain_may_be_does_not_depend_on_the_order_of_the_text),
        cmocka_unit_test(test_wherever_memory_ends_the_answer_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
