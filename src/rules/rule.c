/* SPDX-License-Identifier: Apache-2.0 */
/* rule - from the JSON of a rule to what can be asked. */
#include "rules/rule.h"

#include "json/pointer.h"
#include "validate/trial.h"

#define OF(kind) (1u << (unsigned)(kind))
enum { OF_ALL = (1 << (RULE_REQUIRED + 1)) - 1 };

static const slice kind_names[] = {
    [RULE_SCHEMA] = SLICE_INIT("schema"),   [RULE_RANGE] = SLICE_INIT("range"),
    [RULE_PATTERN] = SLICE_INIT("pattern"), [RULE_CONSTRAINT] = SLICE_INIT("constraint"),
    [RULE_ENUM] = SLICE_INIT("enum"),       [RULE_REQUIRED] = SLICE_INIT("required"),
};

/* Every member that a rule may have, and of which kinds. */
static const struct {
    slice name;
    unsigned kinds;
} rule_members[] = {
    {SLICE_INIT("type"), OF_ALL},
    {SLICE_INIT("name"), OF_ALL},
    {SLICE_INIT("severity"), OF_ALL},
    {SLICE_INIT("message"), OF_ALL},
    {SLICE_INIT("suggestion"), OF_ALL},
    {SLICE_INIT("field"), OF_ALL},
    {SLICE_INIT("fields"), OF(RULE_REQUIRED)},
    {SLICE_INIT("default_value"), OF(RULE_REQUIRED)},
    {SLICE_INIT("schema"), OF(RULE_SCHEMA)},
    {SLICE_INIT("event_type"), OF(RULE_SCHEMA)},
    {SLICE_INIT("min"), OF(RULE_RANGE)},
    {SLICE_INIT("max"), OF(RULE_RANGE)},
    {SLICE_INIT("pattern"), OF(RULE_PATTERN)},
    {SLICE_INIT("expression"), OF(RULE_CONSTRAINT)},
    {SLICE_INIT("valid_options"), OF(RULE_ENUM)},
};

struct reading {
    struct rule_list *list;
    struct arena *arena;
    const struct rules_context *context;
    struct diag *diag;
};

/* A member that is there and is not null, which is how some clients write "not given". */
static const struct node *given(const struct node *source, const char *name)
{
    const struct node *member = document_member(source, slice_from_cstr(name));
    return member == NULL || member->kind == JSON_IS_NULL ? NULL : member;
}

static enum err get_member(const struct reading *reading, const struct node *source,
                           const char *name, const struct node **out)
{
    *out = given(source, name);
    if (*out == NULL) {
        (void)document_fail(reading->diag, ERR_INVALID, source, "%s is missing", name);
        return ERR_INVALID;
    }
    return OK;
}

/* A text that people read. *out stays as it is when there is none. */
static enum err read_text(const struct reading *reading, const struct node *text, slice *out)
{
    if (text == NULL) {
        return OK;
    }
    if (text->kind != JSON_IS_STRING || text->text.len == 0 ||
        text->text.len > RULES_TEXT_BYTES_MAX) {
        return document_fail(reading->diag, ERR_INVALID, text, "%.*s is a string of 1 to %d bytes",
                             SLICE_ARG(text->name), RULES_TEXT_BYTES_MAX);
    }
    *out = text->text;
    return OK;
}

static enum err read_kind(const struct reading *reading, const struct node *source,
                          struct rule *rule)
{
    const struct node *type = NULL;
    TRY(get_member(reading, source, "type", &type));
    for (size_t i = 0; i < COUNT_OF(kind_names); i++) {
        if (type->kind == JSON_IS_STRING && slice_equal(type->text, kind_names[i])) {
            rule->kind = (enum rule_kind)i;
            rule->type = kind_names[i];
            return OK;
        }
    }
    slice found = name_excerpt(type->raw);
    return document_fail(reading->diag, ERR_INVALID, type,
                         "no rules of type %.*s; there are schema, range, pattern, constraint, "
                         "enum, required",
                         SLICE_ARG(found));
}

static enum err check_members(const struct reading *reading, const struct node *source,
                              const struct rule *rule)
{
    for (const struct node *at = source->first; at != NULL; at = at->next) {
        unsigned kinds = 0;
        for (size_t i = 0; i < COUNT_OF(rule_members); i++) {
            kinds |= slice_equal(rule_members[i].name, at->name) ? rule_members[i].kinds : 0;
        }
        bool is_absent = kinds != 0 && at->kind == JSON_IS_NULL;
        if ((kinds & OF(rule->kind)) == 0 && !is_absent) {
            slice name = name_excerpt(at->name);
            return document_fail(reading->diag, ERR_INVALID, at, "%.*s is no member of a %.*s rule",
                                 SLICE_ARG(name), SLICE_ARG(rule->type));
        }
    }
    return OK;
}

static enum err read_severity(const struct reading *reading, const struct node *source,
                              struct rule *rule)
{
    const struct node *severity = given(source, "severity");
    rule->severity = RULES_ERROR;
    if (severity == NULL) {
        return OK;
    }
    bool is_warning = slice_equal(severity->text, SLICE("warning"));
    if (!is_warning && !slice_equal(severity->text, SLICE("error"))) {
        return document_fail(reading->diag, ERR_INVALID, severity, "severity is error or warning");
    }
    rule->severity = is_warning ? RULES_WARN : RULES_ERROR;
    return OK;
}

/* ---- Where it looks ---- */

static enum err take_paths(const struct reading *reading, const struct node *source, size_t count,
                           struct rule *rule)
{
    rule->paths = arena_take_zeroed(reading->arena, count * sizeof(*rule->paths));
    if (rule->paths == NULL) {
        return document_fail(reading->diag, ERR_LIMIT, source, "the rules take too much memory");
    }
    rule->path_count = count;
    return OK;
}

static enum err read_fields(const struct reading *reading, const struct node *list,
                            struct rule *rule)
{
    if (list->kind != JSON_IS_ARRAY || list->count == 0 || list->count > RULES_MAX) {
        return document_fail(reading->diag, ERR_INVALID, list, "fields is a list of 1 to %d paths",
                             RULES_MAX);
    }
    TRY(take_paths(reading, list, list->count, rule));
    for (const struct node *at = list->first; at != NULL; at = at->next) {
        TRY(rule_path_read(at, reading->arena, &rule->paths[at->index], reading->diag));
    }
    return OK;
}

static enum err read_paths(const struct reading *reading, const struct node *source,
                           struct rule *rule)
{
    const struct node *field = given(source, "field");
    const struct node *list = given(source, "fields");
    bool is_optional = rule->kind == RULE_SCHEMA || rule->kind == RULE_CONSTRAINT;
    if (field != NULL && list != NULL) {
        return document_fail(reading->diag, ERR_INVALID, list, "give field or fields, not both");
    }
    if (list != NULL) {
        return read_fields(reading, list, rule);
    }
    TRY(take_paths(reading, source, 1, rule));
    if (field != NULL) {
        return rule_path_read(field, reading->arena, &rule->paths[0], reading->diag);
    }
    if (!is_optional) {
        return document_fail(reading->diag, ERR_INVALID, source, "field is missing");
    }
    return OK;
}

/* ---- What it asks ---- */

static enum err count_patterns(const struct reading *reading, const struct node *source,
                               size_t more)
{
    reading->list->pattern_count += more;
    if (reading->list->pattern_count > RULES_PATTERNS_MAX) {
        return document_fail(reading->diag, ERR_LIMIT, source, "more than %d patterns",
                             RULES_PATTERNS_MAX);
    }
    return OK;
}

/* The schema that the member `type` names. */
static enum err find_registered(const struct reading *reading, const struct node *type, slice *out)
{
    const struct rules_context *context = reading->context;
    if (type->kind != JSON_IS_STRING) {
        return document_fail(reading->diag, ERR_INVALID, type, "event_type is a string");
    }
    enum err found =
        context->find_schema == NULL
            ? ERR_NOT_FOUND
            : context->find_schema(context->owner, type->text, reading->arena, out, reading->diag);
    if (found != ERR_NOT_FOUND) {
        return found;
    }
    slice name = name_excerpt(type->text);
    return document_fail(reading->diag, ERR_INVALID, type, "no schema is registered for %.*s",
                         SLICE_ARG(name));
}

/* What a schema says about itself, said about the request: its pointer goes behind ours, where the
 * request has it. */
static enum err compile_schema(const struct reading *reading, const struct node *source,
                               slice schema, struct rule *rule)
{
    struct diag why = {0};
    enum err error = schema_compile(schema, &rule->schema, &why);
    if (error != OK) {
        (void)document_fail(reading->diag, error, source, "%s", why.text);
        if (reading->diag != NULL && source->kind != JSON_IS_STRING) {
            json_pointer_join(reading->diag->where, sizeof(reading->diag->where),
                              slice_from_cstr(why.where));
        }
        return error;
    }
    return count_patterns(reading, source, rule->schema->pattern_count);
}

static enum err read_schema(const struct reading *reading, const struct node *source,
                            struct rule *rule)
{
    const struct node *schema = given(source, "schema");
    const struct node *type = given(source, "event_type");
    slice registered = {0};
    if (type == NULL) {
        TRY(get_member(reading, source, "schema", &schema));
        return compile_schema(reading, schema, schema->raw, rule);
    }
    if (schema != NULL) {
        return document_fail(reading->diag, ERR_INVALID, type,
                             "give schema or event_type, not both");
    }
    TRY(find_registered(reading, type, &registered));
    return compile_schema(reading, type, registered, rule);
}

static enum err read_range(const struct reading *reading, const struct node *source,
                           struct rule *rule)
{
    rule->min = given(source, "min");
    rule->max = given(source, "max");
    const struct node *bounds[] = {rule->min, rule->max};
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        if (bounds[i] != NULL && bounds[i]->kind != JSON_IS_NUMBER) {
            return document_fail(reading->diag, ERR_INVALID, bounds[i], "%.*s is a number",
                                 SLICE_ARG(bounds[i]->name));
        }
    }
    if (rule->min == NULL && rule->max == NULL) {
        return document_fail(reading->diag, ERR_INVALID, source, "min or max is missing");
    }
    struct buf text = BUF_INIT(RULES_BYTES_MAX);
    struct json_writer writer = json_writer_to(&text);
    json_begin_object(&writer, NULL);
    if (rule->min != NULL) {
        json_raw(&writer, "min", rule->min->raw);
    }
    if (rule->max != NULL) {
        json_raw(&writer, "max", rule->max->raw);
    }
    enum err error = json_end(&writer);
    bool is_copied = error == OK && arena_copy(reading->arena, buf_slice(&text), &rule->expected);
    buf_release(&text);
    if (!is_copied) {
        return document_fail(reading->diag, ERR_LIMIT, source, "the rules take too much memory");
    }
    return OK;
}

static enum err read_pattern(const struct reading *reading, const struct node *source,
                             struct rule *rule)
{
    const struct node *pattern = NULL;
    char message[REGEX_MESSAGE_BYTES] = "";
    size_t offset = 0;
    TRY(get_member(reading, source, "pattern", &pattern));
    if (pattern->kind != JSON_IS_STRING) {
        return document_fail(reading->diag, ERR_INVALID, pattern, "pattern is a string");
    }
    if (pattern->text.len > REGEX_BYTES_MAX) {
        return document_fail(reading->diag, ERR_LIMIT, pattern, "a pattern has at most %d bytes",
                             REGEX_BYTES_MAX);
    }
    if (regex_compile(pattern->text, &rule->pattern, &offset, message) != OK) {
        return document_fail(reading->diag, ERR_INVALID, pattern, "%s (byte %zu of the pattern)",
                             message, offset);
    }
    rule->pattern_text = pattern->text;
    rule->expected = pattern->raw;
    return count_patterns(reading, pattern, 1);
}

static enum err read_constraint(const struct reading *reading, const struct node *source,
                                struct rule *rule)
{
    const struct node *expression = NULL;
    TRY(get_member(reading, source, "expression", &expression));
    if (expression->kind != JSON_IS_STRING) {
        return document_fail(reading->diag, ERR_INVALID, expression, "expression is a string");
    }
    TRY(constraint_read(expression, reading->context->now_us, reading->arena, &rule->constraint,
                        reading->diag));
    rule->expected = expression->raw;
    return count_patterns(reading, expression, rule->constraint->regex_count);
}

static enum err read_enum(const struct reading *reading, const struct node *source,
                          struct rule *rule)
{
    TRY(get_member(reading, source, "valid_options", &rule->options));
    if (rule->options->kind != JSON_IS_ARRAY) {
        return document_fail(reading->diag, ERR_INVALID, rule->options,
                             "valid_options is a list of values");
    }
    rule->expected = rule->options->raw;
    return OK;
}

static enum err read_required(const struct reading *reading, const struct node *source,
                              struct rule *rule)
{
    const struct node *fallback = given(source, "default_value");
    if (fallback == NULL || rule->suggestion.ptr != NULL) {
        return OK;
    }
    struct buf text = BUF_INIT(RULES_TEXT_BYTES_MAX);
    buf_append_cstr(&text, "use the default value ");
    buf_append(&text, fallback->raw);
    slice sentence = text.failed ? SLICE("use the default value") : buf_slice(&text);
    bool is_copied = arena_copy(reading->arena, sentence, &rule->suggestion);
    buf_release(&text);
    if (!is_copied) {
        return document_fail(reading->diag, ERR_LIMIT, source, "the rules take too much memory");
    }
    return OK;
}

static enum err read_rule(const struct reading *reading, const struct node *source,
                          struct rule *rule)
{
    static enum err (*const readers[])(const struct reading *reading, const struct node *source,
                                       struct rule *rule) = {
        [RULE_SCHEMA] = read_schema,   [RULE_RANGE] = read_range,
        [RULE_PATTERN] = read_pattern, [RULE_CONSTRAINT] = read_constraint,
        [RULE_ENUM] = read_enum,       [RULE_REQUIRED] = read_required,
    };
    const struct node *name = NULL;
    if (source->kind != JSON_IS_OBJECT) {
        return document_fail(reading->diag, ERR_INVALID, source, "a rule is an object");
    }
    TRY(read_kind(reading, source, rule));
    TRY(check_members(reading, source, rule));
    TRY(get_member(reading, source, "name", &name));
    TRY(read_text(reading, name, &rule->name));
    TRY(read_text(reading, given(source, "message"), &rule->message));
    TRY(read_text(reading, given(source, "suggestion"), &rule->suggestion));
    TRY(read_severity(reading, source, rule));
    TRY(read_paths(reading, source, rule));
    return readers[rule->kind](reading, source, rule);
}

enum err rule_list_read(const struct node *source, const struct rules_context *context,
                        struct arena *arena, struct rule_list *out, struct diag *diag)
{
    const struct reading reading = {out, arena, context, diag};
    if (source->kind != JSON_IS_ARRAY) {
        return document_fail(diag, ERR_INVALID, source, "rules is a list of rules");
    }
    if (source->count > RULES_MAX) {
        return document_fail(diag, ERR_LIMIT, source, "at most %d rules", RULES_MAX);
    }
    out->rules = arena_take_zeroed(arena, source->count * sizeof(*out->rules));
    if (out->rules == NULL) {
        return document_fail(diag, ERR_LIMIT, source, "the rules take too much memory");
    }
    out->count = source->count;
    for (const struct node *at = source->first; at != NULL; at = at->next) {
        TRY(read_rule(&reading, at, &out->rules[at->index]));
    }
    return OK;
}

void rule_list_release(struct rule_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        regex_free(list->rules[i].pattern);
        filter_release(list->rules[i].constraint);
        schema_free(list->rules[i].schema);
    }
    list->count = 0;
}
