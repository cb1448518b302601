/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords: one row each, and how its value becomes an assertion. */
#include <stdlib.h>

#include "validate/trial.h"

struct keyword;
typedef enum err (*keyword_fn)(struct compiler *compiler, struct part *part,
                               const struct node *source, const struct keyword *keyword);

struct keyword {
    const char *name;
    keyword_fn compile;
    holds_fn holds;
    unsigned about; /* KIND_BITs of the values it looks at */
};

static enum err assert_new(struct compiler *compiler, struct part *part, const struct node *source,
                           const struct keyword *keyword, struct assertion **out)
{
    struct assertion *assertion = part_assert(compiler, part, keyword->name, source);
    if (assertion == NULL) {
        return ERR_LIMIT;
    }
    assertion->holds = keyword->holds;
    assertion->about = keyword->about;
    *out = assertion;
    return OK;
}

/* ---- Any value ---- */

static unsigned type_of(slice name)
{
    static const struct {
        slice name;
        unsigned types;
    } types[] = {
        {SLICE_INIT("object"), KIND_BIT(JSON_IS_OBJECT)},
        {SLICE_INIT("array"), KIND_BIT(JSON_IS_ARRAY)},
        {SLICE_INIT("string"), KIND_BIT(JSON_IS_STRING)},
        {SLICE_INIT("number"), KIND_BIT(JSON_IS_NUMBER)},
        {SLICE_INIT("integer"), ABOUT_INTEGER},
        {SLICE_INIT("boolean"), KIND_BIT(JSON_IS_TRUE) | KIND_BIT(JSON_IS_FALSE)},
        {SLICE_INIT("null"), KIND_BIT(JSON_IS_NULL)},
    };
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (slice_equal(types[i].name, name)) {
            return types[i].types;
        }
    }
    return 0;
}

static enum err compile_type(struct compiler *compiler, struct part *part,
                             const struct node *source, const struct keyword *keyword)
{
    static const char wanted[] = "one of object, array, string, number, integer, boolean, null, "
                                 "or a list of them without repeats";
    const struct node *at = source->kind == JSON_IS_ARRAY ? source->first : source;
    unsigned types = 0;
    if (at == NULL) {
        return part_refuse(compiler, source, wanted);
    }
    for (; at != NULL; at = at == source ? NULL : at->next) {
        unsigned type = at->kind == JSON_IS_STRING ? type_of(at->text) : 0;
        if (type == 0 || (types & type) != 0) {
            return part_refuse(compiler, source, wanted);
        }
        types |= type;
    }
    struct assertion *assertion = NULL;
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    assertion->types = types;
    return OK;
}

static int compare_constants(const void *a, const void *b)
{
    uint64_t left = ((const struct constant *)a)->hash;
    uint64_t right = ((const struct constant *)b)->hash;
    return (left > right) - (left < right);
}

static enum err compile_constants(struct compiler *compiler, struct part *part,
                                  const struct node *source, const struct keyword *keyword)
{
    bool is_list = strcmp(keyword->name, "enum") == 0;
    if (is_list && source->kind != JSON_IS_ARRAY) {
        return part_refuse(compiler, source, "a list of values");
    }
    struct assertion *assertion = NULL;
    struct constant *list = NULL;
    uint32_t count = is_list ? source->count : 1;
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    TRY(part_take(compiler, count * sizeof(*list), &list));
    const struct node *at = is_list ? source->first : source;
    for (uint32_t i = 0; i < count; i++) {
        list[i].value = at;
        if (document_hash(at, compiler->arena, &list[i].hash) != OK) {
            return part_too_large(compiler);
        }
        assertion->constants.kinds |= KIND_BIT(at->kind);
        at = at->next;
    }
    qsort(list, count, sizeof(*list), compare_constants);
    assertion->constants.list = list;
    assertion->constants.count = count;
    return OK;
}

/* ---- Numbers and strings ---- */

static enum err compile_number(struct compiler *compiler, struct part *part,
                               const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    if (source->kind != JSON_IS_NUMBER) {
        return part_refuse(compiler, source, "a number");
    }
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    assertion->number = source->text;
    return OK;
}

static enum err compile_multiple(struct compiler *compiler, struct part *part,
                                 const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    struct number_divisor divisor = {0};
    if (source->kind != JSON_IS_NUMBER) {
        return part_refuse(compiler, source, "a number greater than 0");
    }
    enum err error = number_divisor_read(source->text, &divisor);
    if (error == ERR_LIMIT) {
        return document_fail(compiler->diag, ERR_LIMIT, source,
                             "multipleOf has at most %d significant digits",
                             NUMBER_DIVISOR_DIGITS_MAX);
    }
    if (error != OK) {
        return part_refuse(compiler, source, "a number greater than 0");
    }
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    assertion->divisor = divisor;
    return OK;
}

static enum err compile_count(struct compiler *compiler, struct part *part,
                              const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    uint64_t count = 0;
    if (source->kind != JSON_IS_NUMBER || !number_to_count(source->text, &count)) {
        return part_refuse(compiler, source, "a whole number from 0 on");
    }
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    assertion->count = count;
    return OK;
}

static enum err compile_pattern(struct compiler *compiler, struct part *part,
                                const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    if (source->kind != JSON_IS_STRING) {
        return part_refuse(compiler, source, "a string, a regular expression");
    }
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    return part_pattern(compiler, source, source->text, &assertion->pattern);
}

static enum err compile_form(struct compiler *compiler, struct part *part,
                             const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    form_fn has_form = source->kind == JSON_IS_STRING ? form_find(source->text) : NULL;
    if (has_form == NULL) {
        return part_refuse(
            compiler, source,
            "one of date-time, date, time, uuid, ipv4, ipv6, email, hostname, uri; no "
            "other format is checked");
    }
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    assertion->has_form = has_form;
    return OK;
}

/* ---- Arrays and objects ---- */

static enum err compile_unique(struct compiler *compiler, struct part *part,
                               const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    if (source->kind != JSON_IS_TRUE && source->kind != JSON_IS_FALSE) {
        return part_refuse(compiler, source, "true or false");
    }
    if (source->kind == JSON_IS_FALSE) {
        return OK;
    }
    return assert_new(compiler, part, source, keyword, &assertion);
}

static enum err compile_elements(struct compiler *compiler, struct part *part,
                                 const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    if (part->elements == NULL) {
        TRY(part_take(compiler, sizeof(*part->elements), &part->elements));
        part->elements->contains_min = 1;
        part->elements->contains_max = UINT64_MAX;
        TRY(assert_new(compiler, part, source, keyword, &assertion));
        assertion->elements = part->elements;
    }
    return elements_keyword(compiler, part, source);
}

static enum err compile_members(struct compiler *compiler, struct part *part,
                                const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    if (part->members == NULL) {
        TRY(part_take(compiler, sizeof(*part->members), &part->members));
        TRY(assert_new(compiler, part, source, keyword, &assertion));
        assertion->members = part->members;
    }
    return members_keyword(compiler, part, source);
}

/* ---- Schemas in schemas ---- */

static enum err compile_list(struct compiler *compiler, struct part *part,
                             const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    if (source->kind != JSON_IS_ARRAY || source->count == 0) {
        return part_refuse(compiler, source, "a list of schemas, at least one");
    }
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    TRY(part_take(compiler, source->count * sizeof(struct part *), &assertion->parts.list));
    assertion->parts.count = source->count;
    for (const struct node *at = source->first; at != NULL; at = at->next) {
        TRY(part_compile(compiler, at, &assertion->parts.list[at->index]));
    }
    return OK;
}

static enum err compile_single(struct compiler *compiler, struct part *part,
                               const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    TRY(part_take(compiler, sizeof(struct part *), &assertion->parts.list));
    assertion->parts.count = 1;
    return part_compile(compiler, source, &assertion->parts.list[0]);
}

static enum err compile_condition(struct compiler *compiler, struct part *part,
                                  const struct node *source, const struct keyword *keyword)
{
    static const char *const names[] = {"if", "then", "else"};
    if (part->condition == NULL) {
        TRY(assert_new(compiler, part, source, keyword, &part->condition));
        TRY(part_take(compiler, COUNT_OF(names) * sizeof(struct part *),
                      &part->condition->parts.list));
        part->condition->parts.count = COUNT_OF(names);
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(names[i], keyword->name) == 0) {
            return part_compile(compiler, source, &part->condition->parts.list[i]);
        }
    }
    ASSERT(false);
    return OK;
}

static enum err compile_reference(struct compiler *compiler, struct part *part,
                                  const struct node *source, const struct keyword *keyword)
{
    struct assertion *assertion = NULL;
    struct reference *reference = NULL;
    if (source->kind != JSON_IS_STRING) {
        return part_refuse(compiler, source, "a string");
    }
    TRY(assert_new(compiler, part, source, keyword, &assertion));
    TRY(part_take(compiler, sizeof(struct part *), &assertion->parts.list));
    TRY(part_take(compiler, sizeof(*reference), &reference));
    assertion->parts.count = 1;
    *reference = (struct reference){assertion, compiler->references};
    compiler->references = reference;
    return OK;
}

static enum err compile_definitions(struct compiler *compiler, struct part *part,
                                    const struct node *source, const struct keyword *keyword)
{
    UNUSED(part);
    UNUSED(keyword);
    if (source->kind != JSON_IS_OBJECT) {
        return part_refuse(compiler, source, "an object of schemas");
    }
    for (const struct node *at = source->first; at != NULL; at = at->next) {
        const struct part *unused = NULL; /* $ref finds it by its place */
        TRY(part_compile(compiler, at, &unused));
    }
    return OK;
}

/* ---- What asserts nothing ---- */

static enum err compile_dialect(struct compiler *compiler, struct part *part,
                                const struct node *source, const struct keyword *keyword)
{
    UNUSED(part);
    UNUSED(keyword);
    slice text = source->text;
    bool is_ours = source->kind == JSON_IS_STRING && source->parent == compiler->root &&
                   slice_take_literal(&text, SLICE("https://json-schema.org/draft/2020-12/schema"));
    (void)slice_take_literal(&text, SLICE("#"));
    if (!is_ours || text.len > 0) {
        return part_refuse(
            compiler, source,
            "https://json-schema.org/draft/2020-12/schema, at the top of the schema");
    }
    return OK;
}

static enum err compile_id(struct compiler *compiler, struct part *part, const struct node *source,
                           const struct keyword *keyword)
{
    UNUSED(part);
    UNUSED(keyword);
    if (source->kind != JSON_IS_STRING || source->parent != compiler->root) {
        return part_refuse(compiler, source, "a string, and stand at the top of the schema");
    }
    return OK;
}

static enum err compile_text(struct compiler *compiler, struct part *part,
                             const struct node *source, const struct keyword *keyword)
{
    UNUSED(part);
    UNUSED(keyword);
    return source->kind == JSON_IS_STRING ? OK : part_refuse(compiler, source, "a string");
}

static enum err compile_flag(struct compiler *compiler, struct part *part,
                             const struct node *source, const struct keyword *keyword)
{
    UNUSED(part);
    UNUSED(keyword);
    bool is_flag = source->kind == JSON_IS_TRUE || source->kind == JSON_IS_FALSE;
    return is_flag ? OK : part_refuse(compiler, source, "true or false");
}

static enum err compile_examples(struct compiler *compiler, struct part *part,
                                 const struct node *source, const struct keyword *keyword)
{
    UNUSED(part);
    UNUSED(keyword);
    return source->kind == JSON_IS_ARRAY ? OK : part_refuse(compiler, source, "a list");
}

static enum err compile_nothing(struct compiler *compiler, struct part *part,
                                const struct node *source, const struct keyword *keyword)
{
    UNUSED(compiler);
    UNUSED(part);
    UNUSED(source);
    UNUSED(keyword);
    return OK;
}

#define ABOUT_OBJECT KIND_BIT(JSON_IS_OBJECT)
#define ABOUT_ARRAY  KIND_BIT(JSON_IS_ARRAY)
#define ABOUT_STRING KIND_BIT(JSON_IS_STRING)
#define ABOUT_NUMBER KIND_BIT(JSON_IS_NUMBER)

static const struct keyword keywords[] = {
    {"type", compile_type, holds_type, ABOUT_ALL},
    {"enum", compile_constants, holds_constants, ABOUT_ALL},
    {"const", compile_constants, holds_constants, ABOUT_ALL},
    {"minimum", compile_number, holds_minimum, ABOUT_NUMBER},
    {"maximum", compile_number, holds_maximum, ABOUT_NUMBER},
    {"exclusiveMinimum", compile_number, holds_above, ABOUT_NUMBER},
    {"exclusiveMaximum", compile_number, holds_below, ABOUT_NUMBER},
    {"multipleOf", compile_multiple, holds_multiple, ABOUT_NUMBER},
    {"minLength", compile_count, holds_length_min, ABOUT_STRING},
    {"maxLength", compile_count, holds_length_max, ABOUT_STRING},
    {"pattern", compile_pattern, holds_pattern, ABOUT_STRING},
    {"format", compile_form, holds_form, ABOUT_STRING},
    {"minItems", compile_count, holds_count_min, ABOUT_ARRAY},
    {"maxItems", compile_count, holds_count_max, ABOUT_ARRAY},
    {"uniqueItems", compile_unique, holds_unique, ABOUT_ARRAY},
    {"prefixItems", compile_elements, holds_elements, ABOUT_ARRAY},
    {"items", compile_elements, holds_elements, ABOUT_ARRAY},
    {"contains", compile_elements, holds_elements, ABOUT_ARRAY},
    {"minContains", compile_elements, holds_elements, ABOUT_ARRAY},
    {"maxContains", compile_elements, holds_elements, ABOUT_ARRAY},
    {"minProperties", compile_count, holds_count_min, ABOUT_OBJECT},
    {"maxProperties", compile_count, holds_count_max, ABOUT_OBJECT},
    {"properties", compile_members, holds_members, ABOUT_OBJECT},
    {"patternProperties", compile_members, holds_members, ABOUT_OBJECT},
    {"additionalProperties", compile_members, holds_members, ABOUT_OBJECT},
    {"required", compile_members, holds_members, ABOUT_OBJECT},
    {"dependentRequired", compile_members, holds_members, ABOUT_OBJECT},
    {"propertyNames", compile_single, holds_names, ABOUT_OBJECT},
    {"allOf", compile_list, holds_all, ABOUT_ALL},
    {"anyOf", compile_list, holds_any, ABOUT_ALL},
    {"oneOf", compile_list, holds_one, ABOUT_ALL},
    {"not", compile_single, holds_not, ABOUT_ALL},
    {"if", compile_condition, holds_condition, ABOUT_ALL},
    {"then", compile_condition, holds_condition, ABOUT_ALL},
    {"else", compile_condition, holds_condition, ABOUT_ALL},
    {"$ref", compile_reference, holds_all, ABOUT_ALL},
    {"$defs", compile_definitions, NULL, 0},
    {"$schema", compile_dialect, NULL, 0},
    {"$id", compile_id, NULL, 0},
    {"$comment", compile_text, NULL, 0},
    {"title", compile_text, NULL, 0},
    {"description", compile_text, NULL, 0},
    {"default", compile_nothing, NULL, 0},
    {"examples", compile_examples, NULL, 0},
    {"deprecated", compile_flag, NULL, 0},
    {"readOnly", compile_flag, NULL, 0},
    {"writeOnly", compile_flag, NULL, 0},
};

enum err keyword_compile(struct compiler *compiler, struct part *part, const struct node *source)
{
    for (size_t i = 0; i < COUNT_OF(keywords); i++) {
        if (slice_equal(slice_from_cstr(keywords[i].name), source->name)) {
            return keywords[i].compile(compiler, part, source, &keywords[i]);
        }
    }
    slice name = name_excerpt(source->name);
    return document_fail(compiler->diag, ERR_INVALID, source,
                         "%.*s is no keyword that is checked here; see docs/validation.md",
                         SLICE_ARG(name));
}
