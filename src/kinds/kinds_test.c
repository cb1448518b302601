/* SPDX-License-Identifier: Apache-2.0 */
/* kinds_test - what may be sent, what comes of it, what is shown. */
#include <stdlib.h>

#include "base/macros.h"
#include "base/test.h"
#include "kinds/kinds.h"

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    return value;
}

static void expect_same(const json_t *object, const char *expected)
{
    char *text = json_dumps(object, KIND_JSON);
    assert_string_equal(text, expected);
    free(text);
}

struct take_case {
    const char *name;
    const struct kind *kind;
    enum kind_change change;
    const char *sent, *old;
    const char *expected; /* "!" and pointers of what is wrong */
};

#define RULE_OLD                                                                                   \
    "{\"number\":7,\"match_string\":\"a\",\"trap_oid\":null,\"syslog_severity\":null,"             \
    "\"match_type\":\"contains\",\"priority\":5,\"prod_handling\":\"p\",\"dev_handling\":\"d\","   \
    "\"team_assignment\":\"t\",\"is_active\":false}"

static const struct take_case cases[] = {
    {"defaults are filled in", &kind_rules, KIND_CREATE,
     "{\"match_string\":\"a\",\"prod_handling\":\"p\",\"dev_handling\":\"d\","
     "\"team_assignment\":\"t\",\"reason\":\"why\"}",
     NULL,
     "{\"number\":null,\"match_string\":\"a\",\"trap_oid\":null,\"syslog_severity\":null,"
     "\"match_type\":\"contains\",\"priority\":100,\"prod_handling\":\"p\","
     "\"dev_handling\":\"d\",\"team_assignment\":\"t\",\"is_active\":true}"},
    {"CFG-08: a rule needs these", &kind_rules, KIND_CREATE, "{}", NULL,
     "!/prod_handling /dev_handling /team_assignment "},
    {"CFG-08: and something to match", &kind_rules, KIND_CREATE,
     "{\"prod_handling\":\"p\",\"dev_handling\":\"d\",\"team_assignment\":\"t\"}", NULL,
     "!/match_string "},
    {"CFG-10: bounds and choices", &kind_rules, KIND_CREATE,
     "{\"match_string\":\"a\",\"prod_handling\":\"p\",\"dev_handling\":\"d\","
     "\"team_assignment\":\"t\",\"syslog_severity\":8,\"match_type\":\"glob\"}",
     NULL, "!/syslog_severity /match_type "},
    {"a regular expression is one", &kind_rules, KIND_PATCH,
     "{\"match_type\":\"regex\",\"match_string\":\"a(b\"}", RULE_OLD, "!/match_string "},
    {"a patch leaves the rest", &kind_rules, KIND_PATCH, "{\"priority\":6}", RULE_OLD,
     "{\"number\":7,\"match_string\":\"a\",\"trap_oid\":null,\"syslog_severity\":null,"
     "\"match_type\":\"contains\",\"priority\":6,\"prod_handling\":\"p\",\"dev_handling\":\"d\","
     "\"team_assignment\":\"t\",\"is_active\":false}"},
    {"null takes the default", &kind_rules, KIND_PATCH, "{\"priority\":null,\"is_active\":null}",
     RULE_OLD,
     "{\"number\":7,\"match_string\":\"a\",\"trap_oid\":null,\"syslog_severity\":null,"
     "\"match_type\":\"contains\",\"priority\":100,\"prod_handling\":\"p\","
     "\"dev_handling\":\"d\",\"team_assignment\":\"t\",\"is_active\":true}"},
    {"a replacement keeps what is the server's", &kind_rules, KIND_REPLACE,
     "{\"number\":7,\"match_string\":\"b\",\"prod_handling\":\"p\",\"dev_handling\":\"d\","
     "\"team_assignment\":\"t\"}",
     RULE_OLD,
     "{\"number\":7,\"match_string\":\"b\",\"trap_oid\":null,\"syslog_severity\":null,"
     "\"match_type\":\"contains\",\"priority\":100,\"prod_handling\":\"p\","
     "\"dev_handling\":\"d\",\"team_assignment\":\"t\",\"is_active\":true}"},
    {"what is the server's cannot be sent", &kind_rules, KIND_PATCH, "{\"number\":8}", RULE_OLD,
     "!/number "},
    {"a required field stays", &kind_rules, KIND_PATCH, "{\"prod_handling\":null}", RULE_OLD,
     "!/prod_handling "},
    {"a misspelt field is said", &kind_rules, KIND_PATCH, "{\"priorty\":1}", RULE_OLD,
     "!/priorty "},
    {"types are kept", &kind_rules, KIND_PATCH,
     "{\"priority\":\"1\",\"is_active\":1,\"match_string\":3,\"team_assignment\":[]}", RULE_OLD,
     "!/match_string /priority /team_assignment /is_active "},
    {"a host is in lower case", &kind_teams, KIND_CREATE,
     "{\"hostname\":\"Web-1.Example\",\"team_assignment\":\"NETO\"}", NULL,
     "{\"hostname\":\"web-1.example\",\"team_assignment\":\"NETO\"}"},
    {"a host is none", &kind_dev_hosts, KIND_CREATE, "{\"hostname\":\"a b\"}", NULL, "!/hostname "},
    {"a host is not empty between dots", &kind_dev_hosts, KIND_CREATE, "{\"hostname\":\"a..b\"}",
     NULL, "!/hostname "},
    {"what cannot be changed", &kind_teams, KIND_PATCH, "{\"hostname\":\"b\"}",
     "{\"hostname\":\"a\",\"team_assignment\":\"t\"}", "!/hostname "},
    {"the URL of a type", &kind_targets, KIND_CREATE,
     "{\"name\":\"n\",\"type\":\"syslog\",\"url\":\"https://a/\"}", NULL, "!/url "},
    {"a URL with spaces", &kind_targets, KIND_CREATE,
     "{\"name\":\"n\",\"type\":\"webhook\",\"url\":\"https://a/ b\"}", NULL, "!/url "},
    {"a short secret", &kind_targets, KIND_CREATE,
     "{\"name\":\"n\",\"type\":\"webhook\",\"url\":\"https://a/\",\"secret\":\"short\"}", NULL,
     "!/secret "},
    {"a document is merged", &kind_schemas, KIND_PATCH,
     "{\"schema\":{\"type\":null,\"properties\":{\"b\":{}}}}",
     "{\"event_type\":\"a.b\",\"mode\":\"off\",\"schema\":{\"type\":\"object\","
     "\"properties\":{\"a\":{}}},\"description\":null}",
     "{\"event_type\":\"a.b\",\"mode\":\"off\",\"schema\":{\"properties\":{\"a\":{},\"b\":{}}},"
     "\"description\":null}"},
    {"numbers of a document stay as they were sent", &kind_schemas, KIND_CREATE,
     "{\"event_type\":\"a.b\",\"schema\":{\"maximum\":19.99,\"multipleOf\":0.1}}", NULL,
     "{\"event_type\":\"a.b\",\"mode\":\"warn\",\"schema\":{\"maximum\":19.99,"
     "\"multipleOf\":0.1},\"description\":null}"},
    {"a schema that cannot be compiled", &kind_schemas, KIND_CREATE,
     "{\"event_type\":\"a.b\",\"schema\":{\"properties\":{\"a/b\":{\"typ\":\"string\"}}}}", NULL,
     "!/schema/properties/a~1b/typ "},
    {"the same after a merge", &kind_schemas, KIND_PATCH,
     "{\"schema\":{\"properties\":{\"b\":{\"type\":\"strin\"}}}}",
     "{\"event_type\":\"a.b\",\"mode\":\"off\",\"schema\":{\"properties\":{\"a\":{}}},"
     "\"description\":null}",
     "!/schema/properties/b/type "},
    {"a list of choices", &kind_api_keys, KIND_CREATE,
     "{\"name\":\"n\",\"scopes\":[\"events:read\",\"root\"]}", NULL, "!/scopes "},
    {"a choice twice", &kind_api_keys, KIND_CREATE,
     "{\"name\":\"n\",\"scopes\":[\"events:read\",\"events:read\"]}", NULL, "!/scopes "},
    {"a filter that is none", &kind_api_keys, KIND_CREATE,
     "{\"name\":\"n\",\"filter\":\"a AND (\"}", NULL, "!/filter "},
    {"hidden fields are no fields", &kind_api_keys, KIND_CREATE,
     "{\"name\":\"n\",\"key_hash\":\"00\"}", NULL, "!/key_hash /key_hash "},
    {"an address that is none", &kind_users, KIND_CREATE,
     "{\"email\":\"a@b@c\",\"password\":\"12345678\",\"role\":\"owner\"}", NULL, "!/email "},
    {"a password of 7", &kind_users, KIND_CREATE,
     "{\"email\":\"a@b.c\",\"password\":\"1234567\",\"role\":\"owner\"}", NULL, "!/password "},
    {"control characters", &kind_organizations, KIND_CREATE, "{\"name\":\"a\\u0007\"}", NULL,
     "!/name "},
    {"no object", &kind_rules, KIND_CREATE, "[]", NULL, "! "},
};

static void test_take(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct take_case *c = &cases[i];
        struct kind_errors errors;
        json_t *sent = parse(c->sent);
        json_t *old = c->old != NULL ? parse(c->old) : NULL;
        json_t *out = NULL;
        enum err e = kind_take(c->kind, c->change, sent, old, &out, &errors);
        if (c->expected[0] == '!') {
            char wrong[1024] = "!";
            for (size_t j = 0; j < errors.count; j++) {
                (void)strncat(wrong, errors.list[j].pointer, sizeof(wrong) - strlen(wrong) - 1);
                (void)strncat(wrong, " ", sizeof(wrong) - strlen(wrong) - 1);
            }
            if (e != ERR_INVALID || strcmp(wrong, c->expected) != 0) {
                fail_msg("%s: %s", c->name, wrong);
            }
        } else {
            if (e != OK) {
                fail_msg("%s: %s %s", c->name, errors.list[0].pointer, errors.list[0].detail);
            }
            expect_same(out, c->expected);
        }
        json_decref(sent);
        json_decref(old);
        json_decref(out);
    }
}

static void test_documents_are_not_deep(void **state)
{
    UNUSED(state);
    for (size_t depth = 31; depth <= 33; depth++) {
        struct kind_errors errors;
        json_t *out = NULL;
        json_t *schema = json_object();
        for (size_t i = 1; i < depth; i++) {
            json_t *outer = i % 2 == 0 ? json_object() : json_array();
            (void)(i % 2 == 0 ? json_object_set_new(outer, "a", schema)
                              : json_array_append_new(outer, schema));
            schema = outer;
        }
        json_t *sent = json_pack("{s:s, s:{s:o}}", "event_type", "a", "schema", "const", schema);
        enum err e = kind_take(&kind_schemas, KIND_CREATE, sent, NULL, &out, &errors);
        assert_int_equal(e, depth < 32 ? OK : ERR_INVALID);
        json_decref(out);
        json_decref(sent);
    }
}

/* Every error is counted, and what has no room is not written. */
static void test_many_errors(void **state)
{
    struct kind_errors errors;
    json_t *sent = json_object();
    json_t *out = NULL;
    UNUSED(state);
    for (int i = 0; i < 100; i++) {
        char name[300];
        memset(name, 'a', sizeof(name));
        name[298] = (char)('0' + i % 10);
        name[297] = (char)('0' + i / 10);
        name[299] = '\0';
        (void)json_object_set_new(sent, name, json_true());
    }
    assert_int_equal(kind_take(&kind_dev_hosts, KIND_CREATE, sent, NULL, &out, &errors),
                     ERR_INVALID);
    assert_int_equal(errors.count, 101);
    json_decref(sent);
}

static void hide(void *context, slice secret, char out[17])
{
    UNUSED(context);
    assert_true(secret.len > 0);
    memcpy(out, "0123456789abcdef", 17);
}

static void test_secrets_are_not_shown(void **state)
{
    UNUSED(state);
    json_t *target = parse("{\"id\":\"1\",\"name\":\"n\",\"type\":\"webhook\",\"url\":\"u\","
                           "\"secret\":\"s\",\"token\":null,\"enabled\":true,\"active\":false}");
    json_t *shown = kind_show(&kind_targets, target);
    expect_same(shown, "{\"id\":\"1\",\"name\":\"n\",\"type\":\"webhook\",\"url\":\"u\","
                       "\"secret_set\":true,\"token_set\":false,\"enabled\":true,"
                       "\"active\":false}");
    json_t *audited = kind_audit(&kind_targets, target, NULL, hide, NULL);
    expect_same(audited, "{\"id\":\"1\",\"name\":\"n\",\"type\":\"webhook\",\"url\":\"u\","
                         "\"secret\":\"0123456789abcdef\",\"token\":null,\"enabled\":true,"
                         "\"active\":false}");
    json_decref(target);
    json_decref(shown);
    json_decref(audited);
}

static void test_of_passwords_only_that_they_changed(void **state)
{
    UNUSED(state);
    json_t *old = parse("{\"password\":\"$argon2id$1\"}");
    json_t *new = parse("{\"password\":\"$argon2id$2\"}");
    json_t *changed = kind_audit(&kind_users, new, old, hide, NULL);
    json_t *same = kind_audit(&kind_users, old, old, hide, NULL);
    assert_string_equal(json_string_value(json_object_get(changed, "password")), "changed");
    assert_string_equal(json_string_value(json_object_get(same, "password")), "unchanged");
    json_decref(old);
    json_decref(new);
    json_decref(changed);
    json_decref(same);
}

/* What was read can be sent back, whole. */
static void test_what_is_shown_can_be_sent(void **state)
{
    struct kind_errors errors;
    json_t *again = NULL;
    UNUSED(state);
    json_t *old = parse("{\"id\":\"1\",\"name\":\"n\",\"type\":\"webhook\",\"url\":\"https://a/\","
                        "\"secret\":\"0123456789abcdef\",\"token\":null,\"enabled\":true,"
                        "\"active\":false,\"created_at\":\"2026-01-15T00:00:01.000000Z\"}");
    json_t *shown = kind_show(&kind_targets, old);
    assert_int_equal(kind_take(&kind_targets, KIND_REPLACE, shown, old, &again, &errors), OK);
    assert_string_equal(json_string_value(json_object_get(again, "secret")), "0123456789abcdef");
    json_decref(old);
    json_decref(shown);
    json_decref(again);
}

/* Descriptions hold together: names are names, defaults are values of their fields. */
static void test_descriptions_are_sound(void **state)
{
    size_t count = 0;
    const struct kind *const *kinds = kinds_all(&count);
    UNUSED(state);
    for (size_t k = 0; k < count; k++) {
        const struct kind *kind = kinds[k];
        assert_ptr_equal(kind_find(slice_from_cstr(kind->name)), kind);
        assert_true(kind->key == NULL || kind_field(kind, slice_from_cstr(kind->key)) != NULL);
        for (size_t o = 0; o < KIND_ORDER_MAX && kind->order[o] != NULL; o++) {
            assert_non_null(kind_field(kind, slice_from_cstr(kind->order[o])));
        }
        for (size_t i = 0; i < kind->field_count; i++) {
            const struct kind_field *field = &kind->fields[i];
            assert_ptr_equal(kind_field(kind, slice_from_cstr(field->name)), field);
            assert_true(field->about[0] != '\0' && field->about[strlen(field->about) - 1] != '.');
            bool is_choice = field->type == KIND_CHOICE || field->type == KIND_CHOICES ||
                             field->type == KIND_REFERENCE;
            assert_int_equal(is_choice, field->choices != NULL);
            assert_true(field->least <= field->most);
            bool is_required = (field->flags & KIND_REQUIRED) != 0;
            assert_true(!is_required || field->fallback == NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_documents_are_not_deep),
        cmocka_unit_test(test_many_errors),
        cmocka_unit_test(test_secrets_are_not_shown),
        cmocka_unit_test(test_of_passwords_only_that_they_changed),
        cmocka_unit_test(test_what_is_shown_can_be_sent),
        cmocka_unit_test(test_descriptions_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
