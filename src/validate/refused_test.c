/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas that are refused: nothing is passed over in silence, and the answer says where. */
#include "base/test.h"
#include "validate/schema.h"

struct row {
    const char *name; /* the schema */
    const char *where;
    const char *says; /* a part of the sentence */
    enum err error;
};

static struct row rows[] = {
    {"", "", "the text ends", ERR_INVALID},
    {"{\"type\":\"object\"", "/type", "the text ends", ERR_INVALID},
    {"{\"a\":1,\"a\":2}", "/a", "second member", ERR_INVALID},
    {"1", "", "a schema is an object, true or false", ERR_INVALID},
    {"{\"items\":[true]}", "/items", "a schema is an object", ERR_INVALID},
    {"{\"unevaluatedProperties\":false}", "/unevaluatedProperties",
     "unevaluatedProperties is no keyword that is checked", ERR_INVALID},
    {"{\"properties\":{\"a\":{\"maxLenght\":3}}}", "/properties/a/maxLenght",
     "maxLenght is no keyword", ERR_INVALID},
    {"{\"definitions\":{}}", "/definitions", "no keyword", ERR_INVALID},
    {"{\"dependentSchemas\":{}}", "/dependentSchemas", "no keyword", ERR_INVALID},
    {"{\"$anchor\":\"a\"}", "/$anchor", "no keyword", ERR_INVALID},
    {"{\"$dynamicRef\":\"#a\"}", "/$dynamicRef", "no keyword", ERR_INVALID},
    {"{\"contentEncoding\":\"base64\"}", "/contentEncoding", "no keyword", ERR_INVALID},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}", "/$schema", "2020-12",
     ERR_INVALID},
    {"{\"items\":{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}}", "/items/$schema",
     "at the top", ERR_INVALID},
    {"{\"items\":{\"$id\":\"a\"}}", "/items/$id", "at the top", ERR_INVALID},
    {"{\"type\":\"decimal\"}", "/type", "type must be one of", ERR_INVALID},
    {"{\"type\":[]}", "/type", "type must be one of", ERR_INVALID},
    {"{\"type\":[\"null\",\"null\"]}", "/type", "without repeats", ERR_INVALID},
    {"{\"type\":1}", "/type", "type must be one of", ERR_INVALID},
    {"{\"enum\":1}", "/enum", "enum must be a list", ERR_INVALID},
    {"{\"minimum\":\"1\"}", "/minimum", "minimum must be a number", ERR_INVALID},
    {"{\"multipleOf\":0}", "/multipleOf", "greater than 0", ERR_INVALID},
    {"{\"multipleOf\":-1}", "/multipleOf", "greater than 0", ERR_INVALID},
    {"{\"multipleOf\":0.1234567890123456789}", "/multipleOf", "18 significant digits", ERR_LIMIT},
    {"{\"minLength\":-1}", "/minLength", "a whole number from 0 on", ERR_INVALID},
    {"{\"maxItems\":1.5}", "/maxItems", "a whole number from 0 on", ERR_INVALID},
    {"{\"minContains\":\"1\"}", "/minContains", "a whole number", ERR_INVALID},
    {"{\"pattern\":\"(\"}", "/pattern", "missing closing parenthesis", ERR_INVALID},
    {"{\"pattern\":1}", "/pattern", "a regular expression", ERR_INVALID},
    {"{\"patternProperties\":{\"(\":true}}", "/patternProperties/(", "parenthesis", ERR_INVALID},
    {"{\"format\":\"iri\"}", "/format", "no other format is checked", ERR_INVALID},
    {"{\"uniqueItems\":1}", "/uniqueItems", "true or false", ERR_INVALID},
    {"{\"prefixItems\":[]}", "/prefixItems", "at least one", ERR_INVALID},
    {"{\"prefixItems\":{}}", "/prefixItems", "a list of schemas", ERR_INVALID},
    {"{\"allOf\":[]}", "/allOf", "at least one", ERR_INVALID},
    {"{\"anyOf\":[1]}", "/anyOf/0", "a schema is an object", ERR_INVALID},
    {"{\"not\":[]}", "/not", "a schema is an object", ERR_INVALID},
    {"{\"properties\":[]}", "/properties", "an object", ERR_INVALID},
    {"{\"required\":\"a\"}", "/required", "a list of names", ERR_INVALID},
    {"{\"required\":[1]}", "/required/0", "a name, a string", ERR_INVALID},
    {"{\"dependentRequired\":{\"a\":\"b\"}}", "/dependentRequired/a", "a list of names",
     ERR_INVALID},
    {"{\"$defs\":{\"a\":{\"x\":1}}}", "/$defs/a/x", "no keyword", ERR_INVALID},
    {"{\"$ref\":\"#/$defs/a\"}", "/$ref", "points at no schema", ERR_INVALID},
    {"{\"enum\":[{}],\"$ref\":\"#/enum/0\"}", "/$ref", "points at no schema", ERR_INVALID},
    {"{\"$defs\":{},\"$ref\":\"#/$defs\"}", "/$ref", "points at no schema", ERR_INVALID},
    {"{\"allOf\":[true],\"$ref\":\"#/allOf/00\"}", "/$ref", "points at no schema", ERR_INVALID},
    {"{\"$ref\":\"other.json\"}", "/$ref", "a pointer into this schema", ERR_INVALID},
    {"{\"$ref\":\"#name\"}", "/$ref", "a pointer into this schema", ERR_INVALID},
    {"{\"$ref\":\"#/%4\"}", "/$ref", "a pointer into this schema", ERR_INVALID},
    {"{\"$ref\":\"#/~2\"}", "/$ref", "points at no schema", ERR_INVALID},
    {"{\"$ref\":\"#\"}", "", "applies to itself", ERR_INVALID},
    {"{\"$defs\":{\"a\":{\"not\":{\"$ref\":\"#/$defs/b\"}},\"b\":{\"if\":true,\"then\":"
     "{\"$ref\":\"#/$defs/a\"}}}}",
     "/$defs/a", "applies to itself", ERR_INVALID},
    {"{\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
     "\xc3\xa4\xc3\xa4\xc3\xa4"
     "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
     "\xa4\xc3\xa4\xc3\xa4"
     "x\xc3\xa4\xc3\xa4\xc3\xa4\":1}",
     "/\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
     "\xa4\xc3\xa4\xc3\xa4"
     "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
     "\xa4\xc3\xa4\xc3\xa4"
     "x\xc3\xa4\xc3\xa4\xc3\xa4",
     "x\xc3\xa4 is no keyword", ERR_INVALID},
    {"{\"title\":1}", "/title", "title must be a string", ERR_INVALID},
    {"{\"examples\":1}", "/examples", "examples must be a list", ERR_INVALID},
    {"{\"readOnly\":1}", "/readOnly", "true or false", ERR_INVALID},
};

static void test_refused(void **state)
{
    const struct row *row = *state;
    struct schema *schema = NULL;
    struct diag diag = {0};
    assert_int_equal(schema_compile(slice_from_cstr(row->name), &schema, &diag), row->error);
    assert_null(schema);
    assert_string_equal(diag.where, row->where);
    if (strstr(diag.text, row->says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", diag.text, row->says);
    }
}

TEST_TABLE(test_refused, rows)
