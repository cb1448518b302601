/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tree - events of one correlation, drawn by their parent links.
 *
 * An event whose parent is not among them stands at the top; so does the oldest of a circle, which
 * forged links can make. Threads: one owner at a time.
 */

#include "show/show.h"

struct tree_node {
    json_t *event;   /* owned */
    size_t parent;   /* SIZE_MAX: none here */
    size_t children; /* the first that was not visited; SIZE_MAX: none */
    size_t next;     /* of the same parent */
    size_t depth;
    bool is_drawn;
};

struct tree {
    struct tree_node *nodes; /* in the order they were added: oldest first */
    size_t count, capacity;
};

void tree_add(struct tree *tree, slice json); /* what is no object is left out */
void tree_release(struct tree *tree);
void tree_write(struct tree *tree, const struct screen *screen, struct buf *out);
