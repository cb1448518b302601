/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/part.h"

enum err part_refuse(struct compiler *compiler, const struct node *source, const char *wanted)
{
    return document_fail(compiler->diag, ERR_INVALID, source, "%.*s must be %s",
                         SLICE_ARG(source->name), wanted);
}

enum err part_too_large(struct compiler *compiler)
{
    (void)diag_fail(compiler->diag, ERR_LIMIT, "", "the schema takes too much memory");
    return ERR_LIMIT;
}

enum err part_take(struct compiler *compiler, size_t bytes, void *out)
{
    void *taken = arena_take_zeroed(compiler->arena, bytes);
    if (taken == NULL) {
        return part_too_large(compiler);
    }
    memcpy(out, &taken, sizeof(taken));
    return OK;
}

struct assertion *part_assert(struct compiler *compiler, struct part *part, const char *name,
                              const struct node *source)
{
    struct assertion *assertion = NULL;
    if (part_take(compiler, sizeof(*assertion), &assertion) != OK) {
        return NULL;
    }
    assertion->name = name;
    assertion->source = source;
    if (part->newest == NULL) {
        part->first = assertion;
    } else {
        part->newest->next = assertion;
    }
    part->newest = assertion;
    return assertion;
}

enum err part_pattern(struct compiler *compiler, const struct node *source, slice text,
                      struct regex **out)
{
    struct schema *schema = compiler->schema;
    char message[REGEX_MESSAGE_BYTES] = "";
    size_t offset = 0;
    if (text.len > REGEX_BYTES_MAX) {
        return document_fail(compiler->diag, ERR_LIMIT, source, "a pattern has at most %d bytes",
                             REGEX_BYTES_MAX);
    }
    if (schema->pattern_count == SCHEMA_PATTERNS_MAX) {
        return document_fail(compiler->diag, ERR_LIMIT, source, "more than %d patterns",
                             SCHEMA_PATTERNS_MAX);
    }
    struct regex **pattern = &schema->patterns[schema->pattern_count];
    if (regex_compile(text, pattern, &offset, message) != OK) {
        return document_fail(compiler->diag, ERR_INVALID, source, "%s (byte %zu of the pattern)",
                             message, offset);
    }
    schema->pattern_count++;
    *out = *pattern;
    return OK;
}

enum err part_compile(struct compiler *compiler, const struct node *source, const struct part **out)
{
    struct part *part = NULL;
    if (compiler->part_count == SCHEMA_PARTS_MAX) {
        return document_fail(compiler->diag, ERR_LIMIT, source, "more than %d schemas in one",
                             SCHEMA_PARTS_MAX);
    }
    TRY(part_take(compiler, sizeof(*part), &part));
    compiler->part_count++;
    compiler->parts[source->number] = part;
    part->source = source;
    *out = part;
    if (source->kind == JSON_IS_TRUE || source->kind == JSON_IS_FALSE) {
        part->truth = source->kind == JSON_IS_TRUE ? PART_TRUE : PART_FALSE;
        return OK;
    }
    if (source->kind != JSON_IS_OBJECT) {
        return document_fail(compiler->diag, ERR_INVALID, source,
                             "a schema is an object, true or false");
    }
    for (const struct node *member = source->first; member != NULL; member = member->next) {
        TRY(keyword_compile(compiler, part, member));
    }
    if (part->members != NULL) {
        TRY(members_finish(compiler, part));
    }
    return OK;
}
