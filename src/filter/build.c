/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/filter.h"
#include "filter/regex.h"

static const struct filter all = {.op = FILTER_ALL, .depth = 1, .node_count = 1};

/* How many children `child` brings to a node of `op`: a flat tree has no AND below an AND. */
static size_t brings(const struct filter *child, enum filter_op op)
{
    if (op == FILTER_AND && child->op == FILTER_ALL) {
        return 0;
    }
    return child->op == op ? child->child_count : 1;
}

static const struct filter **append(const struct filter **to, const struct filter *child,
                                    enum filter_op op)
{
    if (brings(child, op) == 1) {
        *to = child;
        return to + 1;
    }
    for (size_t i = 0; child->op == op && i < child->child_count; i++) {
        *to++ = child->children[i];
    }
    return to;
}

/* A node over `count` children, which are in the arena. */
static enum err make_node(struct arena *arena, enum filter_op op,
                          const struct filter *const *children, size_t count,
                          const struct filter **out)
{
    struct filter node = {.op = op, .children = children, .child_count = count, .node_count = 1};
    for (size_t i = 0; i < count; i++) {
        node.depth = children[i]->depth > node.depth ? children[i]->depth : node.depth;
        node.node_count += children[i]->node_count;
        node.regex_count += children[i]->regex_count;
    }
    node.depth++;
    struct filter *kept = arena_take(arena, sizeof(*kept));
    if (kept == NULL || node.depth > FILTER_DEPTH_MAX || node.node_count > FILTER_NODES_MAX ||
        node.regex_count > FILTER_REGEX_MAX) {
        return ERR_LIMIT;
    }
    *kept = node;
    *out = kept;
    return OK;
}

static enum err make_list(struct arena *arena, enum filter_op op,
                          const struct filter *const *children, size_t count,
                          const struct filter **out)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += brings(children[i], op);
    }
    if (total > FILTER_NODES_MAX) {
        return ERR_LIMIT;
    }
    const struct filter **flat = arena_take(arena, total * sizeof(struct filter *));
    if (flat == NULL) {
        return ERR_LIMIT;
    }
    const struct filter **end = flat;
    for (size_t i = 0; i < count; i++) {
        end = append(end, children[i], op);
    }
    ASSERT((size_t)(end - flat) == total);
    if (total == 1) {
        *out = flat[0];
        return OK;
    }
    if (total == 0) {
        *out = &all;
        return OK;
    }
    return make_node(arena, op, flat, total, out);
}

enum err filter_make_and(struct arena *arena, const struct filter *const *children, size_t count,
                         const struct filter **out)
{
    return make_list(arena, FILTER_AND, children, count, out);
}

enum err filter_make_or(struct arena *arena, const struct filter *const *children, size_t count,
                        const struct filter **out)
{
    if (count == 0) {
        return filter_make_not(arena, &all, out);
    }
    return make_list(arena, FILTER_OR, children, count, out);
}

enum err filter_make_not(struct arena *arena, const struct filter *child, const struct filter **out)
{
    if (child->op == FILTER_NOT) {
        *out = child->children[0];
        return OK;
    }
    const struct filter **kept = arena_take(arena, sizeof(struct filter *));
    if (kept == NULL) {
        return ERR_LIMIT;
    }
    *kept = child;
    return make_node(arena, FILTER_NOT, kept, 1, out);
}

/* Recursion below is bounded by FILTER_DEPTH_MAX, which make_node() keeps. */
void filter_release(const struct filter *filter)
{
    if (filter == NULL || filter->regex_count == 0) {
        return;
    }
    regex_free(filter->regex);
    for (size_t i = 0; i < filter->child_count; i++) {
        filter_release(filter->children[i]);
    }
}

static bool path_same(const struct filter *a, const struct filter *b)
{
    if (a->path_len != b->path_len) {
        return false;
    }
    for (size_t i = 0; i < a->path_len; i++) {
        if (!slice_equal(a->path[i], b->path[i])) {
            return false;
        }
    }
    return true;
}

bool filter_same(const struct filter *a, const struct filter *b)
{
    /* The text of an operand is canonical, so that equal texts are equal operands. */
    if (a->op != b->op || a->target != b->target || a->field != b->field ||
        a->child_count != b->child_count || !path_same(a, b) || !slice_equal(a->text, b->text)) {
        return false;
    }
    for (size_t i = 0; i < a->child_count; i++) {
        if (!filter_same(a->children[i], b->children[i])) {
            return false;
        }
    }
    return true;
}
