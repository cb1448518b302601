/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "json/json.h"
#include "validate/schema.h"

/* ---- What fits, and what does not: pointer and keyword of every violation ---- */

struct row {
    const char *name;
    const char *schema;
    const char *document;
    const char *violations; /* "pointer keyword" each, with "; " between; "": it is valid */
};

static struct row rows[] = {
    {"true takes everything", "true", "[1]", ""},
    {"false takes nothing", "false", "[1]", " false"},
    {"an empty schema takes everything", "{}", "null", ""},
    {"type: object", "{\"type\":\"object\"}", "{}", ""},
    {"type: an array is no object", "{\"type\":\"object\"}", "[]", " type"},
    {"type: string", "{\"type\":\"string\"}", "\"\"", ""},
    {"type: null", "{\"type\":\"null\"}", "null", ""},
    {"type: null is not false", "{\"type\":\"null\"}", "false", " type"},
    {"type: boolean true", "{\"type\":\"boolean\"}", "true", ""},
    {"type: boolean false", "{\"type\":\"boolean\"}", "false", ""},
    {"type: 0 is no boolean", "{\"type\":\"boolean\"}", "0", " type"},
    {"type: number", "{\"type\":\"number\"}", "1.5", ""},
    {"type: integer", "{\"type\":\"integer\"}", "15", ""},
    {"type: 1.0 is an integer", "{\"type\":\"integer\"}", "1.0", ""},
    {"type: 1e400 is an integer", "{\"type\":\"integer\"}", "1e400", ""},
    {"type: 1e-400 is no integer", "{\"type\":\"integer\"}", "1e-400", " type"},
    {"type: 100e-2 is an integer", "{\"type\":\"integer\"}", "100e-2", ""},
    {"type: 1.5 is no integer", "{\"type\":\"integer\"}", "1.5", " type"},
    {"type: a number that is no float is no integer", "{\"type\":\"integer\"}",
     "9007199254740993.5", " type"},
    {"type: a list", "{\"type\":[\"string\",\"null\"]}", "null", ""},
    {"type: none of a list", "{\"type\":[\"string\",\"null\"]}", "1", " type"},

    {"enum: by value", "{\"enum\":[1,\"a\",null]}", "1.0", ""},
    {"enum: none", "{\"enum\":[1,\"a\",null]}", "\"b\"", " enum"},
    {"enum: true is not 1", "{\"enum\":[1]}", "true", " enum"},
    {"enum: 0 is not false", "{\"enum\":[false]}", "0", " enum"},
    {"enum: of nothing", "{\"enum\":[]}", "0", " enum"},
    {"enum: escapes do not count", "{\"enum\":[\"\\u0041\"]}", "\"A\"", ""},
    {"const: members in any order", "{\"const\":{\"a\":1,\"b\":[2]}}", "{\"b\":[2.0],\"a\":1}", ""},
    {"const: elements in their order", "{\"const\":[1,2]}", "[2,1]", " const"},
    {"const: another member", "{\"const\":{\"a\":1}}", "{\"a\":1,\"b\":1}", " const"},
    {"const: another name", "{\"const\":{\"a\":1}}", "{\"b\":1}", " const"},
    {"const: 2^53+1 is not 2^53", "{\"const\":9007199254740992}", "9007199254740993", " const"},
    {"const: 1e400 is 10e399", "{\"const\":1e400}", "10e399", ""},
    {"const: -0 is 0", "{\"const\":0}", "-0.0", ""},
    {"const: 0.1+0.2 of floats is not 0.3", "{\"const\":0.3}", "0.30000000000000004", " const"},

    {"minimum: the bound fits", "{\"minimum\":0.3}", "0.3", ""},
    {"minimum: a little less does not", "{\"minimum\":0.3}", "0.29999999999999999999", " minimum"},
    {"minimum: only numbers", "{\"minimum\":5}", "\"1\"", ""},
    {"maximum: the bound fits", "{\"maximum\":9007199254740992}", "9007199254740992", ""},
    {"maximum: 2^53+1 is more than 2^53", "{\"maximum\":9007199254740992}", "9007199254740993",
     " maximum"},
    {"maximum: 1e400 is less than 1e401", "{\"maximum\":1e401}", "1e400", ""},
    {"maximum: 1e400 is more than 1e308", "{\"maximum\":1e308}", "1e400", " maximum"},
    {"exclusiveMinimum: the bound does not fit", "{\"exclusiveMinimum\":1}", "1.0",
     " exclusiveMinimum"},
    {"exclusiveMinimum: more does", "{\"exclusiveMinimum\":1}", "1.0000000000000000001", ""},
    {"exclusiveMaximum: the bound does not fit", "{\"exclusiveMaximum\":1}", "1",
     " exclusiveMaximum"},
    {"exclusiveMaximum: less does", "{\"exclusiveMaximum\":1}", "0.99999999999999999999", ""},
    {"multipleOf: 19.99 of 0.01", "{\"multipleOf\":0.01}", "19.99", ""},
    {"multipleOf: 4.35 of 0.01", "{\"multipleOf\":0.01}", "4.35", ""},
    {"multipleOf: 0.015 of 0.01", "{\"multipleOf\":0.01}", "0.015", " multipleOf"},
    {"multipleOf: 0.3 of 0.1", "{\"multipleOf\":0.1}", "0.3", ""},
    {"multipleOf: 0 of anything", "{\"multipleOf\":7}", "0.00", ""},
    {"multipleOf: negative", "{\"multipleOf\":1.5}", "-4.5", ""},
    {"multipleOf: 1e400 of 7", "{\"multipleOf\":7}", "1e400", " multipleOf"},
    {"multipleOf: 7e400 of 7", "{\"multipleOf\":7}", "7e400", ""},
    {"multipleOf: 1e400 of 3e-9", "{\"multipleOf\":3e-9}", "3e400", ""},
    {"multipleOf: 1e-400 of 1", "{\"multipleOf\":1}", "1e-400", " multipleOf"},
    {"multipleOf: 2^53+1 of 3", "{\"multipleOf\":3}", "9007199254740993", ""},
    {"multipleOf: 2^53+2 of 3", "{\"multipleOf\":3}", "9007199254740994", " multipleOf"},
    {"multipleOf: only numbers", "{\"multipleOf\":3}", "\"x\"", ""},

    {"minLength: code points", "{\"minLength\":2}", "\"\xc3\xa4\xf0\x9f\x98\x80\"", ""},
    {"minLength: too few", "{\"minLength\":3}", "\"\xc3\xa4\xf0\x9f\x98\x80\"", " minLength"},
    {"maxLength: an escaped pair is one", "{\"maxLength\":1}", "\"\\ud83d\\ude00\"", ""},
    {"maxLength: too many", "{\"maxLength\":1}", "\"ab\"", " maxLength"},
    {"maxLength: 2.0 is 2", "{\"maxLength\":2.0}", "\"ab\"", ""},
    {"maxLength: 1e400 is no bound", "{\"maxLength\":1e400}", "\"ab\"", ""},
    {"pattern: anywhere", "{\"pattern\":\"b+\"}", "\"abbc\"", ""},
    {"pattern: anchored", "{\"pattern\":\"^b+$\"}", "\"abbc\"", " pattern"},
    {"pattern: code points", "{\"pattern\":\"^.$\"}", "\"\xf0\x9f\x98\x80\"", ""},
    {"pattern: $ is the very end", "{\"pattern\":\"^a$\"}", "\"a\\n\"", " pattern"},
    {"pattern: only strings", "{\"pattern\":\"^a$\"}", "5", ""},
    {"format: is asserted", "{\"format\":\"ipv4\"}", "\"1.2.3\"", " format"},
    {"format: only strings", "{\"format\":\"ipv4\"}", "12", ""},

    {"minItems", "{\"minItems\":2}", "[1]", " minItems"},
    {"maxItems", "{\"maxItems\":1}", "[1,2]", " maxItems"},
    {"maxItems: an object has none", "{\"maxItems\":0}", "{\"a\":1}", ""},
    {"items", "{\"items\":{\"type\":\"integer\"}}", "[1,\"a\",2,null]", "/1 type; /3 type"},
    {"items: behind prefixItems", "{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}",
     "[\"a\",1]", "/1 false"},
    {"prefixItems: fewer elements fit", "{\"prefixItems\":[{\"type\":\"string\"},false]}",
     "[\"a\"]", ""},
    {"prefixItems: others are free", "{\"prefixItems\":[{\"type\":\"string\"}]}", "[1,2]",
     "/0 type"},
    {"contains", "{\"contains\":{\"const\":1}}", "[0,1]", ""},
    {"contains: none", "{\"contains\":{\"const\":1}}", "[0,2]", " contains"},
    {"contains: an empty array", "{\"contains\":true}", "[]", " contains"},
    {"minContains", "{\"contains\":{\"const\":1},\"minContains\":2}", "[1,2]", " minContains"},
    {"minContains: 0 asks for nothing", "{\"contains\":{\"const\":1},\"minContains\":0}", "[]", ""},
    {"minContains: alone it says nothing", "{\"minContains\":2}", "[]", ""},
    {"maxContains", "{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,1]", " maxContains"},
    {"maxContains: with minContains 0", "{\"contains\":true,\"minContains\":0,\"maxContains\":1}",
     "[1,1]", " maxContains"},
    {"uniqueItems", "{\"uniqueItems\":true}", "[1,2,\"1\",true]", ""},
    {"uniqueItems: 1 is 1.0", "{\"uniqueItems\":true}", "[1,2,1.0]", " uniqueItems"},
    {"uniqueItems: objects in any order", "{\"uniqueItems\":true}",
     "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", " uniqueItems"},
    {"uniqueItems: arrays", "{\"uniqueItems\":true}", "[[1],[2],[1,2],[2,1]]", ""},
    {"uniqueItems: false", "{\"uniqueItems\":false}", "[1,1]", ""},

    {"minProperties", "{\"minProperties\":1}", "{}", " minProperties"},
    {"maxProperties", "{\"maxProperties\":1}", "{\"a\":1,\"b\":2}", " maxProperties"},
    {"properties", "{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":false}}",
     "{\"a\":1,\"b\":2,\"c\":3}", "/a type; /b false"},
    {"properties: names are pointers", "{\"properties\":{\"a/b~c\":false}}", "{\"a/b~c\":1}",
     "/a~1b~0c false"},
    {"properties: only objects", "{\"properties\":{\"a\":false}}", "[1]", ""},
    {"required", "{\"required\":[\"a\",\"b\",\"c\"]}", "{\"b\":null}",
     " required; "
     " required"},
    {"required: of nothing", "{\"required\":[]}", "{}", ""},
    {"required: only objects", "{\"required\":[\"a\"]}", "[]", ""},
    {"additionalProperties: false", "{\"properties\":{\"a\":true},\"additionalProperties\":false}",
     "{\"a\":1,\"b\":2}", "/b additionalProperties"},
    {"additionalProperties: required does not name it",
     "{\"required\":[\"a\"],\"additionalProperties\":false}", "{\"a\":1}",
     "/a additionalProperties"},
    {"additionalProperties: a schema", "{\"additionalProperties\":{\"type\":\"string\"}}",
     "{\"a\":\"x\",\"b\":2}", "/b type"},
    {"additionalProperties: patterns cover",
     "{\"patternProperties\":{\"^x\":true},\"additionalProperties\":false}", "{\"x1\":1,\"y\":2}",
     "/y additionalProperties"},
    {"patternProperties: all that match",
     "{\"patternProperties\":{\"a\":{\"minimum\":3},\"b\":{\"maximum\":1}}}", "{\"ab\":2,\"c\":9}",
     "/ab minimum; /ab maximum"},
    {"patternProperties: beside properties",
     "{\"properties\":{\"a\":{\"minimum\":3}},\"patternProperties\":{\"a\":{\"maximum\":1}}}",
     "{\"a\":2}", "/a minimum; /a maximum"},
    {"propertyNames", "{\"propertyNames\":{\"maxLength\":2}}", "{\"abc\":1,\"ab\":2}",
     "/abc maxLength"},
    {"propertyNames: enum", "{\"propertyNames\":{\"enum\":[\"a\"]}}", "{\"a\":1,\"b\":2}",
     "/b enum"},
    {"dependentRequired", "{\"dependentRequired\":{\"a\":[\"b\",\"c\"]}}", "{\"a\":1,\"c\":2}",
     " dependentRequired"},
    {"dependentRequired: without its cause", "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"c\":1}",
     ""},

    {"allOf", "{\"allOf\":[{\"minimum\":2},{\"maximum\":0}]}", "1",
     " minimum; "
     " maximum"},
    {"anyOf", "{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":2}]}", "3", ""},
    {"anyOf: none", "{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":2}]}", "1", " anyOf"},
    {"oneOf", "{\"oneOf\":[{\"minimum\":2},{\"maximum\":0}]}", "3", ""},
    {"oneOf: none", "{\"oneOf\":[{\"minimum\":2},{\"maximum\":0}]}", "1", " oneOf"},
    {"oneOf: two", "{\"oneOf\":[{\"minimum\":0},{\"maximum\":2}]}", "1", " oneOf"},
    {"not", "{\"not\":{\"type\":\"string\"}}", "1", ""},
    {"not: it fits", "{\"not\":{\"type\":\"string\"}}", "\"a\"", " not"},
    {"not not", "{\"not\":{\"not\":{\"type\":\"string\"}}}", "1", " not"},
    {"if then", "{\"if\":{\"minimum\":10},\"then\":{\"multipleOf\":2},\"else\":{\"const\":1}}",
     "11", " multipleOf"},
    {"if else", "{\"if\":{\"minimum\":10},\"then\":{\"multipleOf\":2},\"else\":{\"const\":1}}", "2",
     " const"},
    {"then before if", "{\"then\":{\"multipleOf\":2},\"if\":{\"minimum\":10}}", "11",
     " multipleOf"},
    {"then without if says nothing", "{\"then\":false,\"else\":false}", "1", ""},
    {"$ref", "{\"$defs\":{\"a\":{\"type\":\"string\"}},\"items\":{\"$ref\":\"#/$defs/a\"}}",
     "[1,\"a\"]", "/0 type"},
    {"$ref: beside others",
     "{\"$defs\":{\"a\":{\"minimum\":1}},\"$ref\":\"#/$defs/a\","
     "\"maximum\":-1}",
     "0",
     " minimum; "
     " maximum"},
    {"$ref: to itself, deeper",
     "{\"properties\":{\"a\":{\"$ref\":\"#\"}},"
     "\"additionalProperties\":false}",
     "{\"a\":{\"a\":{\"b\":1}}}", "/a/a/b additionalProperties"},
    {"$ref: escapes of pointer and URI",
     "{\"$defs\":{\"a/b ~%\":{\"type\":\"string\"}},\"$ref\":\"#/$defs/a~1b%20~0%25\"}", "1",
     " type"},
    {"$ref: into a list",
     "{\"allOf\":[true,{\"type\":\"string\"}],\"items\":{\"$ref\":"
     "\"#/allOf/1\"}}",
     "[1]", " type; /0 type"},
    {"annotations say nothing",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"urn:x\","
     "\"title\":\"t\",\"description\":\"d\",\"$comment\":\"c\",\"default\":1,\"examples\":[2],"
     "\"deprecated\":true,\"readOnly\":true,\"writeOnly\":false}",
     "null", ""},
};

struct heard {
    struct buf text;
};

static void hear(void *context, const struct schema_violation *violation)
{
    struct heard *heard = context;
    if (heard->text.len > 0) {
        buf_append_cstr(&heard->text, "; ");
    }
    buf_append(&heard->text, violation->pointer);
    buf_append_byte(&heard->text, ' ');
    buf_append_cstr(&heard->text, violation->keyword);
    assert_true(violation->message.len > 0);
    assert_true(violation->expected.len > 0);
}

static void test_row(void **state)
{
    const struct row *row = *state;
    OWNED(schema) schema = NULL;
    struct diag diag = {0};
    CLEANUP(buf_release) struct buf compact = BUF_INIT(KIB(64));
    struct heard heard = {BUF_INIT(KIB(64))};
    struct schema_sink sink = {hear, &heard, 100};
    bool is_valid = false;
    assert_int_equal(schema_compile(slice_from_cstr(row->schema), &schema, &diag), OK);
    json_compact(slice_from_cstr(row->document), &compact);
    assert_int_equal(schema_check(schema, buf_slice(&compact), &sink, &is_valid, &diag), OK);
    assert_string_equal(buf_cstr(&heard.text), row->violations);
    assert_int_equal(is_valid, row->violations[0] == '\0');
    /* Without a sink the verdict is the same. */
    is_valid = !is_valid;
    assert_int_equal(schema_check(schema, buf_slice(&compact), NULL, &is_valid, &diag), OK);
    assert_int_equal(is_valid, row->violations[0] == '\0');
    buf_release(&heard.text);
}

TEST_TABLE(test_row, rows)
