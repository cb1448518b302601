/* SPDX-License-Identifier: Apache-2.0 */
/* rules - what is done about events that match: the fields of the seed's alert rules. */
#include "filter/regex.h"
#include "kinds/kinds.h"

static const struct kind_field fields[] = {
    {"number", KIND_INTEGER, KIND_READ_ONLY | KIND_UNIQUE, NULL, 1, INT64_MAX, NULL,
     "A number that stays, which version 1.0 of the API shows as the id"},
    {"match_string", KIND_TEXT, 0, NULL, 1, 255, NULL, "The text that is looked for"},
    {"trap_oid", KIND_NAME, KIND_SEARCHED, NULL, 1, 255, NULL,
     "The object identifier of an SNMP trap that is looked for"},
    {"syslog_severity", KIND_INTEGER, 0, NULL, 0, 7, NULL,
     "Only events of exactly this syslog severity"},
    {"match_type", KIND_CHOICE, KIND_SEARCHED, "\"contains\"", 0, 0, "contains regex oid_prefix",
     "How match_string or trap_oid is compared"},
    {"priority", KIND_INTEGER, KIND_SEARCHED, "100", 0, 1000000, NULL,
     "Lower ones are tried first, and the first that matches counts"},
    {"prod_handling", KIND_NAME, KIND_REQUIRED, NULL, 1, 100, NULL,
     "What is done for a host in production"},
    {"dev_handling", KIND_NAME, KIND_REQUIRED, NULL, 1, 100, NULL,
     "What is done for a host of dev-hosts"},
    {"team_assignment", KIND_NAME, KIND_REQUIRED | KIND_SEARCHED, NULL, 1, 100, NULL,
     "The team that is told"},
    {"is_active", KIND_BOOLEAN, KIND_SEARCHED, "true", 0, 0, NULL, "Whether the rule counts"},
};

static bool is_set(const json_t *object, const char *name)
{
    return json_is_string(json_object_get(object, name));
}

static void check_pattern(const json_t *object, struct kind_errors *errors)
{
    const char *pattern = json_string_value(json_object_get(object, "match_string"));
    struct regex *regex = NULL;
    char message[REGEX_MESSAGE_BYTES];
    size_t offset = 0;
    if (pattern != NULL &&
        regex_compile(slice_from_cstr(pattern), &regex, &offset, message) != OK) {
        kind_wrong(errors, "match_string", "is no regular expression: %s, at byte %zu", message,
                   offset);
    }
    regex_free(regex);
}

static void check(const json_t *object, struct kind_errors *errors)
{
    const char *how = json_string_value(json_object_get(object, "match_type"));
    if (!is_set(object, "match_string") && !is_set(object, "trap_oid")) {
        kind_wrong(errors, "match_string", "a rule needs match_string or trap_oid");
    }
    if (how != NULL && strcmp(how, "oid_prefix") == 0 && !is_set(object, "trap_oid")) {
        kind_wrong(errors, "trap_oid", "match_type oid_prefix needs trap_oid");
    }
    if (how != NULL && strcmp(how, "regex") == 0) {
        check_pattern(object, errors);
    }
}

const struct kind kind_rules = {
    .name = "rules",
    .singular = "rule",
    .command = "rule",
    .about = "Rules say what is done about events that match",
    .order = {"priority", "number"},
    .event = "config.rules",
    .event_category = "config",
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .check = check,
};
