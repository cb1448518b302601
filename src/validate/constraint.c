/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A constraint: the filter language over the document. What a leaf means is the filter room's
 * business; but a pattern that gives up does not match there, which a NOT would turn into a pass.
 * So patterns are searched here, and their work is counted.
 */
#include "validate/rule.h"

enum { SCANNED_BYTES = 8 };

/* The recursion is as deep as the filter, at most FILTER_DEPTH_MAX. */
static bool is_about_data(const struct filter *filter)
{
    for (size_t i = 0; i < filter->child_count; i++) {
        if (!is_about_data(filter->children[i])) {
            return false;
        }
    }
    bool is_leaf = filter->op >= FILTER_EQUAL;
    return !is_leaf || filter->target == FILTER_ON_DATA || filter->target == FILTER_ON_ANY;
}

/* A pattern of the filter, by the leaf it belongs to. */
struct leaf_pattern {
    const struct filter *leaf;
    struct pattern *pattern;
};

struct constraint {
    const struct filter *filter;
    struct leaf_pattern patterns[FILTER_REGEX_MAX];
    size_t pattern_count;
};

/* The recursion is as deep as the filter, at most FILTER_DEPTH_MAX. */
static enum err compile_patterns(struct constraint *constraint, const struct filter *filter)
{
    for (size_t i = 0; i < filter->child_count; i++) {
        TRY(compile_patterns(constraint, filter->children[i]));
    }
    if (filter->op != FILTER_REGEX) {
        return OK;
    }
    char message[PATTERN_MESSAGE_BYTES] = "";
    size_t offset = 0;
    ASSERT(constraint->pattern_count < FILTER_REGEX_MAX);
    struct leaf_pattern *pattern = &constraint->patterns[constraint->pattern_count];
    TRY(pattern_compile(filter->text, &pattern->pattern, &offset, message));
    pattern->leaf = filter;
    constraint->pattern_count++;
    return OK;
}

enum err constraint_read(const struct node *source, int64_t now_us, struct arena *arena,
                         struct constraint **out, struct diag *diag)
{
    const struct filter_context context = {.now_us = now_us};
    struct diag why = {0};
    struct constraint *constraint = arena_take_zeroed(arena, sizeof(*constraint));
    if (constraint == NULL) {
        return document_fail(diag, ERR_LIMIT, source, "the rules take too much memory");
    }
    *out = constraint; /* what it holds is released with the rule, whatever happens now */
    enum err error = filter_parse(source->text, &context, arena, &constraint->filter, &why);
    if (error != OK) {
        return document_fail(diag, error, source, "%s, at %s", why.text, why.where);
    }
    if (!is_about_data(constraint->filter)) {
        return document_fail(diag, ERR_INVALID, source,
                             "a constraint asks about the document alone, as data.a.b>5");
    }
    if (compile_patterns(constraint, constraint->filter) != OK) {
        return document_fail(diag, ERR_INVALID, source, "a pattern cannot be compiled");
    }
    return OK;
}

void constraint_release(struct constraint *constraint)
{
    if (constraint == NULL) {
        return;
    }
    for (size_t i = 0; i < constraint->pattern_count; i++) {
        pattern_free(constraint->patterns[i].pattern);
    }
    filter_release(constraint->filter);
}

size_t constraint_pattern_count(const struct constraint *constraint)
{
    return constraint->pattern_count;
}

struct evaluation {
    const struct constraint *constraint;
    const struct node *document;
    struct work *work;
    struct diag *diag;
};

static struct pattern *pattern_of(const struct constraint *constraint, const struct filter *leaf)
{
    size_t i = 0;
    while (constraint->patterns[i].leaf != leaf) {
        i++;
        ASSERT(i < constraint->pattern_count);
    }
    return constraint->patterns[i].pattern;
}

static enum err search(const struct evaluation *evaluation, const struct filter *leaf,
                       const struct node *value, bool *holds_out)
{
    bool is_text = value->kind == JSON_IS_STRING || value->kind == JSON_IS_NUMBER;
    if (value->kind == JSON_IS_NULL || value->kind == JSON_IS_OBJECT) {
        *holds_out = false;
        return OK;
    }
    return pattern_search(pattern_of(evaluation->constraint, leaf),
                          is_text ? value->text : value->raw, evaluation->work, holds_out,
                          evaluation->diag);
}

/* The values at the path from its `key`-th name on: arrays stand for each of their elements. The
 * recursion is as deep as the document. */
static enum err search_path(const struct evaluation *evaluation, const struct filter *leaf,
                            const struct node *at, size_t key, bool *holds_out)
{
    *holds_out = false;
    TRY(work_take(evaluation->work, 1 + at->count / SCANNED_BYTES, evaluation->diag));
    if (at->kind == JSON_IS_ARRAY) {
        for (const struct node *child = at->first; child != NULL && !*holds_out;
             child = child->next) {
            TRY(search_path(evaluation, leaf, child, key, holds_out));
        }
        return OK;
    }
    if (key == leaf->path_len) {
        return search(evaluation, leaf, at, holds_out);
    }
    const struct node *member = document_member(at, leaf->path[key]);
    return member == NULL ? OK : search_path(evaluation, leaf, member, key + 1, holds_out);
}

static enum err holds_leaf(const struct evaluation *evaluation, const struct filter *leaf,
                           bool *holds_out)
{
    if (leaf->op == FILTER_REGEX) {
        return search_path(evaluation, leaf, evaluation->document, 0, holds_out);
    }
    slice json = evaluation->document->raw;
    TRY(work_take(evaluation->work, 1 + json.len / SCANNED_BYTES, evaluation->diag));
    *holds_out = filter_leaf_json(leaf, json);
    return OK;
}

/* The recursion is as deep as the filter, at most FILTER_DEPTH_MAX. */
static enum err evaluate(const struct evaluation *evaluation, const struct filter *filter,
                         bool *holds_out)
{
    bool is_or = filter->op == FILTER_OR;
    bool holds = !is_or;
    if (filter->op >= FILTER_EQUAL) {
        return holds_leaf(evaluation, filter, holds_out);
    }
    for (size_t i = 0; i < filter->child_count && holds != is_or; i++) {
        TRY(evaluate(evaluation, filter->children[i], &holds));
    }
    *holds_out = filter->op == FILTER_NOT ? !holds : holds;
    return OK;
}

enum err constraint_holds(const struct constraint *constraint, const struct node *document,
                          struct work *work, bool *holds_out, struct diag *diag)
{
    const struct evaluation evaluation = {constraint, document, work, diag};
    return evaluate(&evaluation, constraint->filter, holds_out);
}
