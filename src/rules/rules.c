/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules.h"

#include <stdarg.h>
#include <stdio.h>

#include "json/pointer.h"
#include "rules/rule.h"
#include "validate/trial.h"

enum {
    WORK_MAX = 2 * SCHEMA_WORK_MAX,
    PATH_BYTES_MAX = 512 * 1024,
    COMPARED_BYTES = 8,
};

/* A request while its rules are asked. */
struct run {
    struct arena *arena;
    struct work work;
    const struct node *document;
    struct rules_violation *violations;
    struct rules_result result;
    struct diag *diag;
    enum err error; /* of the sink of a schema, which cannot answer with one */
};

static enum err too_much_memory(const struct run *run)
{
    return diag_fail(run->diag, ERR_LIMIT, "", "checking this document takes too much memory");
}

/* Counts a violation of `rule` at `value` (NULL: there is none); lists it while there is room. The
 * rule's own message goes before `text`. */
static enum err add_violation(struct run *run, const struct rule *rule, slice field, slice found,
                              slice expected, slice text)
{
    uint64_t *count =
        rule->severity == RULES_ERROR ? &run->result.error_count : &run->result.warning_count;
    (*count)++;
    if (run->result.violation_count == RULES_VIOLATIONS_MAX) {
        return OK;
    }
    struct rules_violation violation = {
        .rule_name = rule->name,
        .type = rule->type,
        .severity = rule->severity,
        .message = rule->message,
        .found = found,
        .expected = expected,
        .suggestion = rule->suggestion,
    };
    bool is_copied =
        arena_copy(run->arena, field, &violation.field) &&
        (rule->message.ptr != NULL || arena_copy(run->arena, text, &violation.message));
    if (!is_copied) {
        return too_much_memory(run);
    }
    run->violations[run->result.violation_count++] = violation;
    return OK;
}

/* The same for a rule whose path leads to `value`. */
static enum err violated(struct run *run, const struct rule *rule, const struct rule_path *path,
                         const struct node *value, const char *format, ...) PRINTF_LIKE(5, 6);

static enum err violated(struct run *run, const struct rule *rule, const struct rule_path *path,
                         const struct node *value, const char *format, ...)
{
    char text[MESSAGE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    slice message = message_text(text, format, args);
    va_end(args);
    slice found = value != NULL ? value->raw : (slice){0};
    return add_violation(run, rule, path->text, found, rule->expected, message);
}

static enum err ask_range(struct run *run, const struct rule *rule, const struct rule_path *path,
                          const struct node *value)
{
    if (value->kind != JSON_IS_NUMBER) {
        return violated(run, rule, path, value, "%s where a number is expected",
                        kind_phrase(value->kind));
    }
    size_t bytes = 2 * value->text.len + (rule->min != NULL ? rule->min->text.len : 0) +
                   (rule->max != NULL ? rule->max->text.len : 0);
    TRY(work_take(&run->work, bytes / COMPARED_BYTES, run->diag));
    if (rule->min != NULL && json_decimal_compare(value->text, rule->min->text) < 0) {
        slice bound = name_excerpt(rule->min->text);
        return violated(run, rule, path, value, "must be at least %.*s", SLICE_ARG(bound));
    }
    if (rule->max != NULL && json_decimal_compare(value->text, rule->max->text) > 0) {
        slice bound = name_excerpt(rule->max->text);
        return violated(run, rule, path, value, "must be at most %.*s", SLICE_ARG(bound));
    }
    return OK;
}

static enum err ask_pattern(struct run *run, const struct rule *rule, const struct rule_path *path,
                            const struct node *value)
{
    bool found = false;
    if (value->kind != JSON_IS_STRING) {
        return violated(run, rule, path, value, "%s where a string is expected",
                        kind_phrase(value->kind));
    }
    TRY(pattern_search(rule->pattern, value->text, &run->work, &found, run->diag));
    slice wanted = name_excerpt(rule->pattern_text);
    return found ? OK : violated(run, rule, path, value, "does not match %.*s", SLICE_ARG(wanted));
}

static enum err ask_enum(struct run *run, const struct rule *rule, const struct rule_path *path,
                         const struct node *value)
{
    for (const struct node *at = rule->options->first; at != NULL; at = at->next) {
        bool same = false;
        size_t bytes = at->raw.len + value->raw.len;
        TRY(work_take(&run->work, 1 + bytes / COMPARED_BYTES, run->diag));
        if (document_same(at, value, run->arena, &same) != OK) {
            return too_much_memory(run);
        }
        if (same) {
            return OK;
        }
    }
    return violated(run, rule, path, value, "is none of the %u values that are allowed",
                    rule->options->count);
}

static enum err ask_constraint(struct run *run, const struct rule *rule,
                               const struct rule_path *path)
{
    bool holds = false;
    const struct node *value = NULL;
    TRY(constraint_holds(rule->constraint, run->document, &run->work, &holds, run->diag));
    if (holds) {
        return OK;
    }
    if (path->key_count > 0) {
        TRY(rule_path_find(path, run->document, &run->work, &value, run->diag));
    }
    return violated(run, rule, path, value, "does not fulfil the constraint");
}

static enum err ask_required(struct run *run, const struct rule *rule, const struct rule_path *path,
                             const struct node *value)
{
    if (value != NULL && value->kind != JSON_IS_NULL) {
        return OK;
    }
    return violated(run, rule, path, value, value == NULL ? "is missing" : "is null");
}

/* ---- Schemas ---- */

struct schema_run {
    struct run *run;
    const struct rule *rule;
    struct buf path;
};

/* The schema ends before the result does, so of what it expected the result has a copy, as much as
 * is shown and a byte more, by which it is seen to be cut. */
static void hear(void *context, const struct schema_violation *violation)
{
    struct schema_run *schema_run = context;
    struct run *run = schema_run->run;
    slice expected = violation->expected;
    expected.len = expected.len > RULES_SHOWN_BYTES_MAX ? RULES_SHOWN_BYTES_MAX + 1 : expected.len;
    buf_clear(&schema_run->path);
    document_path(violation->place, &schema_run->path);
    enum err error = OK;
    if (arena_copy(run->arena, expected, &expected)) {
        error = add_violation(run, schema_run->rule, buf_slice(&schema_run->path), violation->found,
                              expected, violation->message);
    } else {
        error = too_much_memory(run);
    }
    run->error = error != OK ? error : run->error;
}

/* Violations behind the last one that is listed are not looked for: what is counted of this rule is
 * then at least one more than that. */
static enum err ask_schema(struct run *run, const struct rule *rule, const struct node *value)
{
    CLEANUP(buf_release) struct buf pointer = BUF_INIT(SCHEMA_POINTER_BYTES_MAX);
    struct schema_run schema_run = {run, rule, BUF_INIT(PATH_BYTES_MAX)};
    const struct schema_sink sink = {
        .tell = hear,
        .context = &schema_run,
        .violations_max = RULES_VIOLATIONS_MAX - run->result.violation_count + 1,
    };
    struct trial trial = {.arena = run->arena,
                          .work = &run->work,
                          .sink = &sink,
                          .pointer = &pointer};
    bool is_valid = false;
    enum err error = trial_run(rule->schema, value, &trial, &is_valid, run->diag);
    buf_release(&schema_run.path);
    TRY(error);
    return run->error;
}

static enum err ask_value(struct run *run, const struct rule *rule, const struct rule_path *path)
{
    const struct node *value = NULL;
    TRY(rule_path_find(path, run->document, &run->work, &value, run->diag));
    if (rule->kind == RULE_REQUIRED) {
        return ask_required(run, rule, path, value);
    }
    if (value == NULL) {
        return OK;
    }
    switch (rule->kind) {
    case RULE_SCHEMA:
        return ask_schema(run, rule, value);
    case RULE_RANGE:
        return ask_range(run, rule, path, value);
    case RULE_PATTERN:
        return ask_pattern(run, rule, path, value);
    case RULE_ENUM:
        return ask_enum(run, rule, path, value);
    case RULE_CONSTRAINT:
    case RULE_REQUIRED:
        break;
    }
    ASSERT(false);
    return OK;
}

static enum err ask_rule(struct run *run, const struct rule *rule)
{
    for (size_t i = 0; i < rule->path_count; i++) {
        bool is_constraint = rule->kind == RULE_CONSTRAINT;
        TRY(is_constraint ? ask_constraint(run, rule, &rule->paths[i])
                          : ask_value(run, rule, &rule->paths[i]));
    }
    return OK;
}

static enum err ask_all(struct run *run, const struct rule_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        enum err error = ask_rule(run, &list->rules[i]);
        if (error != OK && run->diag != NULL) {
            (void)snprintf(run->diag->where, sizeof(run->diag->where), "/rules/%zu", i);
        }
        TRY(error);
    }
    return OK;
}

/* ---- The request ---- */

struct request {
    struct json_value output, rules, event_type;
    bool has_output, has_rules, has_event_type;
};

static enum err read_member(struct json_scan *scan, slice name, struct request *out,
                            struct diag *diag)
{
    struct json_value ignored;
    struct json_value *value = &ignored;
    if (slice_equal(name, SLICE("output"))) {
        value = &out->output;
        out->has_output = true;
    } else if (slice_equal(name, SLICE("rules"))) {
        value = &out->rules;
        out->has_rules = true;
    } else if (slice_equal(name, SLICE("event_type"))) {
        value = &out->event_type;
        out->has_event_type = true;
    } else if (!slice_equal(name, SLICE("context"))) {
        char where[sizeof(diag->where)] = "";
        json_pointer_append(where, sizeof(where), name);
        return diag_fail(diag, ERR_INVALID, where,
                         "a request has output, rules or event_type, and context");
    }
    return json_scan_value(scan, value) == OK ? OK : json_scan_fail(scan, diag);
}

static enum err read_request(slice text, struct arena *arena, struct request *out,
                             struct diag *diag)
{
    struct json_scan scan;
    json_scan_init(&scan, text, RULES_DEPTH_MAX, arena);
    if (json_scan_open_object(&scan) != OK) {
        return json_scan_fail(&scan, diag);
    }
    for (;;) {
        slice name = {0};
        bool more = false;
        if (json_scan_member(&scan, &name, &more) != OK) {
            return json_scan_fail(&scan, diag);
        }
        if (!more) {
            break;
        }
        TRY(read_member(&scan, name, out, diag));
    }
    if (json_scan_end(&scan) != OK) {
        return json_scan_fail(&scan, diag);
    }
    if (!out->has_output || (!out->has_rules && !out->has_event_type)) {
        return diag_fail(diag, ERR_INVALID, "", "%s is missing",
                         out->has_output ? "rules" : "output");
    }
    if (out->has_rules && out->has_event_type) {
        return diag_fail(diag, ERR_INVALID, "/event_type",
                         "give rules or event_type; a rule of type schema may have an event_type");
    }
    if (out->output.raw.len - out->output.spaces > RULES_DOCUMENT_BYTES_MAX) {
        return diag_fail(diag, ERR_LIMIT, "/output", "a document has at most %zu bytes",
                         RULES_DOCUMENT_BYTES_MAX);
    }
    if (out->rules.raw.len - out->rules.spaces > RULES_BYTES_MAX) {
        return diag_fail(diag, ERR_LIMIT, "/rules", "rules have at most %zu bytes",
                         RULES_BYTES_MAX);
    }
    return OK;
}

/* A value with what stands before and behind it. */
static enum err read_between(const char *head, const struct json_value *value, const char *tail,
                             struct arena *arena, const struct node **out, struct diag *diag)
{
    size_t head_len = strlen(head);
    size_t tail_len = strlen(tail);
    uint8_t *text = arena_take(arena, head_len + value->raw.len + tail_len);
    struct document document = {0};
    if (text == NULL) {
        return diag_fail(diag, ERR_LIMIT, "", "the request takes too much memory");
    }
    memcpy(text, head, head_len);
    size_t len = head_len + json_compact_into(value->raw, text + head_len);
    memcpy(text + len, tail, tail_len);
    TRY(document_read((slice){text, len + tail_len}, arena, &document, diag));
    *out = document.root;
    return OK;
}

/* The rules as {"rules": [...]}, so that pointers to them begin with that. An event type alone is
 * one rule. */
static enum err read_rules(const struct request *request, struct arena *arena,
                           const struct node **out, struct diag *diag)
{
    if (request->has_rules) {
        return read_between("{\"rules\":", &request->rules, "}", arena, out, diag);
    }
    return read_between("{\"rules\":[{\"type\":\"schema\",\"name\":\"event_type\","
                        "\"event_type\":",
                        &request->event_type, "}]}", arena, out, diag);
}

static enum err run_list(struct run *run, const struct rule_list *list)
{
    run->violations = arena_take(run->arena, RULES_VIOLATIONS_MAX * sizeof(*run->violations));
    if (run->violations == NULL) {
        return too_much_memory(run);
    }
    TRY(ask_all(run, list));
    run->result.violations = run->violations;
    run->result.status = run->result.error_count > 0     ? RULES_FAILED
                         : run->result.warning_count > 0 ? RULES_WARNING
                                                         : RULES_PASSED;
    return OK;
}

static enum err run_request(struct run *run, const struct request *request,
                            const struct rules_context *context)
{
    const struct node *rules = NULL;
    TRY(read_between("", &request->output, "", run->arena, &run->document, run->diag));
    TRY(read_rules(request, run->arena, &rules, run->diag));
    ASSERT(rules != NULL);
    CLEANUP(rule_list_release) struct rule_list list = {0};
    TRY(rule_list_read(rules->first, context, run->arena, &list, run->diag));
    return run_list(run, &list);
}

enum err rules_run(slice request, const struct rules_context *context, struct arena *arena,
                   struct rules_result *out, struct diag *diag)
{
    struct request parts = {0};
    struct run run = {.arena = arena, .work = {WORK_MAX}, .diag = diag};
    if (request.len >= UINT32_MAX) {
        return diag_fail(diag, ERR_LIMIT, "", "the request is too long");
    }
    TRY(read_request(request, arena, &parts, diag));
    enum err ran = run_request(&run, &parts, context);
    bool is_of_ours =
        parts.has_event_type && diag != NULL && strncmp(diag->where, "/rules", 6) == 0;
    if (ran != OK && is_of_ours) {
        (void)snprintf(diag->where, sizeof(diag->where), "/event_type"); /* not the rule we made */
    }
    TRY(ran);
    *out = run.result;
    return OK;
}
