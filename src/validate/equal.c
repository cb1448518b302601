/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Equality and hash of values. The hash adds the members of an object, so that their order does not
 * count, and takes numbers in their normal spelling. Recursion is as deep as the document, at most
 * JSON_DEPTH_MAX.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "validate/document.h"

enum { NUMBER_BYTES = 64, NUMBER_EXTRA_BYTES = 20 };

static enum err hash_number(slice text, uint64_t seed, struct arena *arena, uint64_t *hash_out)
{
    char normal[NUMBER_BYTES];
    char *room = normal;
    size_t room_bytes = sizeof(normal);
    if (text.len + NUMBER_EXTRA_BYTES > sizeof(normal)) {
        room_bytes = text.len + NUMBER_EXTRA_BYTES;
        room = arena_take(arena, room_bytes);
        if (room == NULL) {
            return ERR_LIMIT;
        }
    }
    size_t len = json_decimal_normalise(text, room, room_bytes);
    *hash_out = hash_bytes((slice){(const uint8_t *)room, len}, seed);
    return OK;
}

enum err document_hash(const struct node *node, struct arena *arena, uint64_t *hash_out)
{
    uint64_t seed = hash_u64((uint64_t)node->kind, HASH_STORED);
    switch (node->kind) {
    case JSON_IS_STRING:
        *hash_out = hash_bytes(node->text, seed);
        return OK;
    case JSON_IS_NUMBER:
        return hash_number(node->text, seed, arena, hash_out);
    case JSON_IS_TRUE:
    case JSON_IS_FALSE:
    case JSON_IS_NULL:
        *hash_out = seed;
        return OK;
    case JSON_IS_OBJECT:
    case JSON_IS_ARRAY:
        break;
    }
    uint64_t sum = hash_u64(node->count, seed);
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        uint64_t hash = 0;
        TRY(document_hash(child, arena, &hash));
        if (node->kind == JSON_IS_OBJECT) {
            sum += hash_bytes(child->name, hash);
        } else {
            sum = hash_u64(hash, sum);
        }
    }
    *hash_out = sum;
    return OK;
}

static int compare_names(const void *a, const void *b)
{
    return slice_compare((*(const struct node *const *)a)->name,
                         (*(const struct node *const *)b)->name);
}

static const struct node **sorted_members(const struct node *object, struct arena *arena)
{
    const struct node **list = arena_take(arena, object->count * sizeof(struct node *));
    if (list == NULL) {
        return NULL;
    }
    for (const struct node *member = object->first; member != NULL; member = member->next) {
        list[member->index] = member;
    }
    qsort(list, object->count, sizeof(struct node *), compare_names);
    return list;
}

/* Members in another order: sorted by name, they are compared pair by pair. */
static enum err same_unordered(const struct node *a, const struct node *b, struct arena *arena,
                               bool *same_out)
{
    const struct node **left = sorted_members(a, arena);
    const struct node **right = sorted_members(b, arena);
    if (left == NULL || right == NULL) {
        return ERR_LIMIT;
    }
    bool same = true;
    for (uint32_t i = 0; i < a->count && same; i++) {
        same = slice_equal(left[i]->name, right[i]->name);
        if (same) {
            TRY(document_same(left[i], right[i], arena, &same));
        }
    }
    *same_out = same;
    return OK;
}

static bool has_same_names(const struct node *a, const struct node *b)
{
    const struct node *right = b->first;
    for (const struct node *left = a->first; left != NULL; left = left->next) {
        if (!slice_equal(left->name, right->name)) {
            return false;
        }
        right = right->next;
    }
    return true;
}

static enum err same_children(const struct node *a, const struct node *b, struct arena *arena,
                              bool *same_out)
{
    bool same = a->count == b->count;
    if (same && a->kind == JSON_IS_OBJECT && !has_same_names(a, b)) {
        return same_unordered(a, b, arena, same_out);
    }
    const struct node *right = b->first;
    for (const struct node *left = a->first; left != NULL && same; left = left->next) {
        TRY(document_same(left, right, arena, &same));
        right = right->next;
    }
    *same_out = same;
    return OK;
}

enum err document_same(const struct node *a, const struct node *b, struct arena *arena,
                       bool *same_out)
{
    if (a->kind != b->kind) {
        *same_out = false;
        return OK;
    }
    switch (a->kind) {
    case JSON_IS_STRING:
        *same_out = slice_equal(a->text, b->text);
        return OK;
    case JSON_IS_NUMBER:
        *same_out = json_decimal_compare(a->text, b->text) == 0;
        return OK;
    case JSON_IS_TRUE:
    case JSON_IS_FALSE:
    case JSON_IS_NULL:
        *same_out = true;
        return OK;
    case JSON_IS_OBJECT:
    case JSON_IS_ARRAY:
        break;
    }
    return same_children(a, b, arena, same_out);
}
