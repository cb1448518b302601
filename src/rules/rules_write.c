/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules.h"

static const char *const status_names[] = {
    [RULES_PASSED] = "passed", [RULES_FAILED] = "failed", [RULES_WARNING] = "warning"};
static const char *const severity_names[] = {[RULES_ERROR] = "error", [RULES_WARN] = "warning"};

/* A value as it is, or, when it is long, the beginning of its JSON as a string. */
static void write_value(struct json_writer *writer, const char *key, slice json)
{
    static const slice ellipsis = SLICE_INIT("\xe2\x80\xa6");
    uint8_t text[RULES_SHOWN_BYTES_MAX + 3];
    if (json.len == 0) {
        json_null(writer, key);
        return;
    }
    if (json.len <= RULES_SHOWN_BYTES_MAX) {
        json_raw(writer, key, json);
        return;
    }
    size_t len = RULES_SHOWN_BYTES_MAX;
    while ((json.ptr[len] & 0xc0) == 0x80) { /* not in the middle of a character */
        len--;
    }
    memcpy(text, json.ptr, len);
    memcpy(text + len, ellipsis.ptr, ellipsis.len);
    json_str(writer, key, (slice){text, len + ellipsis.len});
}

static void write_violation(struct json_writer *writer, const struct rules_violation *violation)
{
    json_begin_object(writer, NULL);
    json_str(writer, "rule_name", violation->rule_name);
    json_str(writer, "violation_type", violation->type);
    json_str(writer, "field", violation->field);
    json_str(writer, "message", violation->message);
    json_cstr(writer, "severity", severity_names[violation->severity]);
    write_value(writer, "found_value", violation->found);
    write_value(writer, "expected_value", violation->expected);
    if (violation->suggestion.ptr != NULL) {
        json_str(writer, "suggestion", violation->suggestion);
    } else {
        json_null(writer, "suggestion");
    }
    json_end_object(writer);
}

void rules_write(const struct rules_result *result, struct json_writer *writer)
{
    json_cstr(writer, "status", status_names[result->status]);
    json_bool(writer, "is_valid", result->status != RULES_FAILED);
    json_begin_array(writer, "violations");
    for (size_t i = 0; i < result->violation_count; i++) {
        write_violation(writer, &result->violations[i]);
    }
    json_end_array(writer);
    json_u64(writer, "violation_count", result->error_count + result->warning_count);
    json_bool(writer, "auto_corrected", false);
    json_null(writer, "corrected_output");
    json_begin_array(writer, "corrections_applied");
    json_end_array(writer);
}
