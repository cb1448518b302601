/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A constraint: the filter language over the document. What a leaf means is the filter room's
 * business; but a pattern that gives up does not match there, which a NOT would turn into a pass.
 * So patterns are searched for here, and their work is counted.
 */
#include "rules/rule.h"

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

enum err constraint_read(const struct node *source, int64_t now_us, struct arena *arena,
                         const struct filter **out, struct diag *diag)
{
    const struct filter_context context = {.now_us = now_us};
    struct diag why = {0};
    enum err error = filter_parse(source->text, &context, arena, out, &why);
    if (error != OK) {
        return document_fail(diag, error, source, "%s, at %s", why.text, why.where);
    }
    if (!is_about_data(*out)) {
        return document_fail(diag, ERR_INVALID, source,
                             "a constraint asks about the document alone, as data.a.b>5");
    }
    return OK;
}

struct evaluation {
    const struct node *document;
    struct work *work;
    struct diag *diag;
};

static enum err search(const struct evaluation *evaluation, const struct filter *leaf,
                       const struct node *value, bool *holds_out)
{
    bool is_text = value->kind == JSON_IS_STRING || value->kind == JSON_IS_NUMBER;
    if (value->kind == JSON_IS_NULL || value->kind == JSON_IS_OBJECT) {
        *holds_out = false;
        return OK;
    }
    return pattern_search(leaf->regex, is_text ? value->text : value->raw, evaluation->work,
                          holds_out, evaluation->diag);
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

enum err constraint_holds(const struct filter *constraint, const struct node *document,
                          struct work *work, bool *holds_out, struct diag *diag)
{
    const struct evaluation evaluation = {document, work, diag};
    return evaluate(&evaluation, constraint, holds_out);
}
