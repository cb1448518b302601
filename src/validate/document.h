/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * document - a JSON text as a tree, for those who look at a value more than once.
 *
 * The tree keeps numbers as the digits that were written, so that nothing is rounded, and each node
 * knows its bytes and its parent, so that a place can be named without a stack.
 *
 * Ownership: nodes live in the arena they were read into, and point into the text; `raw` of true,
 * false and null points to a constant.
 * Threads: a tree is immutable and may be shared.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"

struct node {
    enum json_kind kind;
    uint32_t index;  /* which child of its parent it is, from 0 */
    uint32_t count;  /* children */
    uint32_t number; /* which node of the document it is, from 0 */
    slice name;      /* of a member of an object, unescaped */
    slice text;      /* STRING: unescaped; NUMBER: its digits */
    slice raw;       /* the whole value as compact JSON; where it stands, but for literals */
    const struct node *parent, *first, *next;
};

struct document {
    const struct node *root;
    uint32_t node_count;
};

/* Reads compact JSON that a scan has accepted before, like the event_data of an event; `json` must
 * outlive the tree. INVALID: it is damaged, or has white space; LIMIT: the arena is too small. */
enum err document_read(slice json, struct arena *arena, struct document *out, struct diag *diag);

/* Reads JSON of strangers: everything is checked, white space is dropped. `json` must outlive the
 * tree. INVALID, with pointer and byte; LIMIT. */
enum err document_parse(slice json, uint32_t depth_max, struct arena *arena, struct document *out,
                        struct diag *diag);

/* The member of an object, NULL if it has none of this name or is no object. */
const struct node *document_member(const struct node *object, slice name);

/* The element of an array, NULL behind its end or if it is no array. */
const struct node *document_element(const struct node *array, uint64_t index);

/* Either, as a pointer or a path has it: of an array a number without zeros in front. */
const struct node *document_step(const struct node *at, slice name);

/* Whether two values are equal as JSON Schema says: numbers by value, objects in any order. The
 * arena is for scratch, and may be left with it. LIMIT. */
enum err document_same(const struct node *a, const struct node *b, struct arena *arena,
                       bool *same_out);

/* A hash that equal values share. LIMIT: the arena does not suffice. */
enum err document_hash(const struct node *node, struct arena *arena, uint64_t *hash_out);

/* Fills `diag` with the node's pointer and a sentence; returns `code`. */
enum err document_fail(struct diag *diag, enum err code, const struct node *node,
                       const char *format, ...) PRINTF_LIKE(4, 5);

/* Appends the RFC 6901 pointer of the node: "/a/0". */
void document_pointer(const struct node *node, struct buf *out);

/* Appends the dotted path of the node, as rules write it: "a.0", a dot in a name as "\.". */
void document_path(const struct node *node, struct buf *out);
