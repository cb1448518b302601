/* SPDX-License-Identifier: Apache-2.0 */
/* How a check goes through parts and assertions, and the keywords that combine schemas. */
#include "validate/trial.h"

#include <stdio.h>

enum { EXCERPT_BYTES = 60, POINTER_BYTES = 16 };

bool trial_goes_on(struct trial *trial, enum err error)
{
    if (error == OK) {
        return trial->error == OK;
    }
    if (trial->error == OK) {
        trial->error = error;
        if (trial->diag != NULL && trial->diag->text[0] == '\0') {
            (void)diag_fail(trial->diag, error, "", "checking this document takes too much memory");
        }
    }
    trial->is_over = true;
    return false;
}

bool trial_pays(struct trial *trial, uint64_t units)
{
    return trial_goes_on(trial, work_take(trial->work, units, trial->diag));
}

slice name_excerpt(slice name)
{
    if (name.len <= EXCERPT_BYTES) {
        return name;
    }
    name.len = EXCERPT_BYTES;
    while (name.len > 0 && (name.ptr[name.len] & 0xc0) == 0x80) {
        name.len--;
    }
    return name;
}

const char *kind_phrase(enum json_kind kind)
{
    static const char *const phrases[] = {
        [JSON_IS_OBJECT] = "an object", [JSON_IS_ARRAY] = "an array", [JSON_IS_STRING] = "a string",
        [JSON_IS_NUMBER] = "a number",  [JSON_IS_TRUE] = "true",      [JSON_IS_FALSE] = "false",
        [JSON_IS_NULL] = "null",
    };
    return phrases[kind];
}

slice message_text(char out[MESSAGE_BYTES_MAX], const char *format, va_list args)
{
    int len = vsnprintf(out, MESSAGE_BYTES_MAX, format, args);
    ASSERT(len >= 0 && len < MESSAGE_BYTES_MAX);
    return (slice){(const uint8_t *)out, (size_t)len};
}

bool trial_violated(struct trial *trial, const struct node *value, const char *name,
                    const struct node *source, const char *format, ...)
{
    if (trial->is_quiet || trial->is_over) {
        return false;
    }
    if (trial->sink == NULL) {
        trial->is_over = true;
        return false;
    }
    if (!trial_pays(trial, 1 + value->raw.len / 64)) {
        return false;
    }
    buf_clear(trial->pointer);
    document_pointer(value, trial->pointer);
    if (!trial_pays(trial, trial->pointer->len / POINTER_BYTES)) { /* names may be long */
        return false;
    }
    char text[MESSAGE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    slice message = message_text(text, format, args);
    va_end(args);
    struct schema_violation violation = {
        .place = value,
        .pointer = buf_slice(trial->pointer),
        .keyword = name,
        .message = message,
        .found = value->raw,
        .expected = source->raw,
    };
    trial->sink->tell(trial->sink->context, &violation);
    trial->told++;
    trial->is_over = trial->told >= trial->sink->violations_max;
    return false;
}

static bool apply_assertions(struct trial *trial, const struct part *part, const struct node *value)
{
    unsigned kind = KIND_BIT(value->kind);
    bool holds = true;
    for (const struct assertion *at = part->first; at != NULL; at = at->next) {
        if ((at->about & kind) == 0) {
            continue;
        }
        holds &= at->holds(trial, at, value);
        if (trial->is_over || (!holds && trial->is_quiet)) {
            return false;
        }
    }
    return holds;
}

bool trial_apply(struct trial *trial, const struct part *part, const struct node *value)
{
    if (trial->is_over || !trial_pays(trial, 1)) {
        return false;
    }
    if (part->truth == PART_TRUE) {
        return true;
    }
    if (part->truth == PART_FALSE) {
        return trial_violated(trial, value, "false", part->source, "no value is allowed here");
    }
    if (trial->depth == SCHEMA_CHECK_DEPTH_MAX) {
        return trial_goes_on(trial, diag_fail(trial->diag, ERR_LIMIT, "",
                                              "the document is nested too deep for this schema"));
    }
    trial->depth++;
    bool holds = apply_assertions(trial, part, value);
    trial->depth--;
    return holds;
}

bool trial_asks(struct trial *trial, const struct part *part, const struct node *value)
{
    bool was_quiet = trial->is_quiet;
    trial->is_quiet = true;
    bool holds = trial_apply(trial, part, value);
    trial->is_quiet = was_quiet;
    return holds;
}

/* ---- allOf, anyOf, oneOf, not, if, and $ref, which is an allOf of one ---- */

bool holds_all(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    bool holds = true;
    for (uint32_t i = 0; i < assertion->parts.count; i++) {
        holds &= trial_apply(trial, assertion->parts.list[i], value);
        if (trial->is_over || (!holds && trial->is_quiet)) {
            return false;
        }
    }
    return holds;
}

bool holds_any(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    for (uint32_t i = 0; i < assertion->parts.count; i++) {
        if (trial_asks(trial, assertion->parts.list[i], value)) {
            return true;
        }
    }
    return trial_violated(trial, value, "anyOf", assertion->source,
                          "fits none of the %u schemas of anyOf", assertion->parts.count);
}

bool holds_one(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < assertion->parts.count && fitting < 2; i++) {
        fitting += trial_asks(trial, assertion->parts.list[i], value) ? 1 : 0;
    }
    if (fitting == 1) {
        return true;
    }
    return trial_violated(trial, value, "oneOf", assertion->source,
                          "fits %s of the %u schemas of oneOf", fitting == 0 ? "none" : "several",
                          assertion->parts.count);
}

bool holds_not(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    if (!trial_asks(trial, assertion->parts.list[0], value)) {
        return true;
    }
    return trial_violated(trial, value, "not", assertion->source, "fits the schema of not");
}

bool holds_condition(struct trial *trial, const struct assertion *assertion,
                     const struct node *value)
{
    const struct part **list = assertion->parts.list;
    if (list[0] == NULL || (list[1] == NULL && list[2] == NULL)) {
        return true;
    }
    const struct part *next = trial_asks(trial, list[0], value) ? list[1] : list[2];
    return next == NULL || trial_apply(trial, next, value);
}

enum err trial_run(const struct schema *schema, const struct node *value, struct trial *trial,
                   bool *is_valid_out, struct diag *diag)
{
    struct diag why = {0};
    trial->diag = &why;
    bool holds = trial_apply(trial, schema->root, value);
    trial->diag = NULL;
    if (trial->error != OK) {
        return diag_fail(diag, trial->error, why.where, "%s", why.text);
    }
    *is_valid_out = holds;
    return OK;
}

enum err schema_check(const struct schema *schema, slice json, const struct schema_sink *sink,
                      bool *is_valid_out, struct diag *diag)
{
    uint64_t work = SCHEMA_WORK_MAX;
    return schema_check_within(schema, json, &work, sink, is_valid_out, diag);
}

enum err schema_check_within(const struct schema *schema, slice json, uint64_t *work,
                             const struct schema_sink *sink, bool *is_valid_out, struct diag *diag)
{
    ASSERT(sink == NULL || sink->violations_max >= 1);
    if (json.len > SCHEMA_DOCUMENT_BYTES_MAX) {
        return diag_fail(diag, ERR_LIMIT, "", "a document has at most %zu bytes",
                         SCHEMA_DOCUMENT_BYTES_MAX);
    }
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(SCHEMA_DOCUMENT_MEMORY_MAX);
    CLEANUP(buf_release) struct buf pointer = BUF_INIT(SCHEMA_POINTER_BYTES_MAX);
    uint64_t given = *work < SCHEMA_WORK_MAX ? *work : SCHEMA_WORK_MAX;
    struct work left = {given};
    struct document document = {0};
    TRY(document_read(json, &arena, &document, diag));
    struct trial trial = {.arena = &arena, .work = &left, .sink = sink, .pointer = &pointer};
    enum err checked = trial_run(schema, document.root, &trial, is_valid_out, diag);
    *work -= given - left.left;
    return checked;
}
