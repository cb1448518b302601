/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rule - one rule of a request as it was read, ready to be asked.
 *
 * Private to the rules files. Threads: one owner.
 */

#include "filter/filter.h"
#include "rules/rules.h"
#include "validate/document.h"
#include "validate/pattern.h"
#include "validate/schema.h"

enum rule_kind {
    RULE_SCHEMA,
    RULE_RANGE,
    RULE_PATTERN,
    RULE_CONSTRAINT,
    RULE_ENUM,
    RULE_REQUIRED,
};

/* Where a rule looks; no keys: at the whole document. */
struct rule_path {
    slice text; /* as it was written */
    slice *keys;
    size_t key_count;
};

struct rule {
    enum rule_kind kind;
    slice name;
    slice type;
    enum rules_severity severity;
    slice message, suggestion; /* ptr NULL: not given */
    struct rule_path *paths;   /* one, of `required` with fields as many as these are */
    size_t path_count;
    slice expected; /* compact JSON */
    /* Of its kind alone. */
    const struct node *min, *max; /* NULL: no bound */
    const struct node *options;
    slice pattern_text;
    struct regex *pattern;
    const struct filter *constraint;
    struct schema *schema;
};

struct rule_list {
    struct rule *rules;
    size_t count;
    size_t pattern_count; /* compiled so far, of all rules */
};

/* Reads the member "rules" of a document {"rules":[...]}. The rules live in `arena`; what they
 * compiled ends with rule_list_release(), also after an error. INVALID, LIMIT, with the pointer. */
enum err rule_list_read(const struct node *source, const struct rules_context *context,
                        struct arena *arena, struct rule_list *out, struct diag *diag);
void rule_list_release(struct rule_list *list);

/* Reads a path: names with dots between; a backslash quotes a dot or a backslash. */
enum err rule_path_read(const struct node *source, struct arena *arena, struct rule_path *out,
                        struct diag *diag);

/* The value at a path, NULL if there is none. LIMIT: too much work. */
enum err rule_path_find(const struct rule_path *path, const struct node *document,
                        struct work *work, const struct node **out, struct diag *diag);

/* A constraint is a filter, whose patterns are searched for with their steps counted. *out lives in
 * `arena`, and ends with filter_release(), also after an error. INVALID: the text is no filter, or
 * asks about more than the document; LIMIT. */
enum err constraint_read(const struct node *source, int64_t now_us, struct arena *arena,
                         const struct filter **out, struct diag *diag);

/* Whether the filter matches an event whose event_data is the document. LIMIT: too much work. */
enum err constraint_holds(const struct filter *constraint, const struct node *document,
                          struct work *work, bool *holds_out, struct diag *diag);
