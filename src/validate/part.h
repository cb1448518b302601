/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * part - the compiled form of a schema: a part for every schema within it, each with a list of
 * assertions that are checked one after the other.
 *
 * An assertion is one keyword, but where keywords depend on each other: `members` are all that look
 * at the members of an object, `elements` those of an array, `condition` is if, then and else.
 *
 * For this room, and, through trial.h, for `rules`. Threads: immutable once it is compiled.
 */

#include "validate/document.h"
#include "validate/forms.h"
#include "validate/number.h"
#include "validate/pattern.h"
#include "validate/schema.h"

struct trial;
struct assertion;

/* Sets of enum json_kind: which values a keyword is about. */
#define KIND_BIT(kind) (1u << (unsigned)(kind))
enum {
    ABOUT_ALL = (1 << (JSON_IS_NULL + 1)) - 1,
    ABOUT_INTEGER = 1 << (JSON_IS_NULL + 1), /* in the set of `type` alone */
};

/* False: it does not hold, and has been told; or the check has ended. */
typedef bool holds_function(struct trial *trial, const struct assertion *assertion,
                            const struct node *value);
typedef holds_function *holds_fn;

enum part_truth { PART_DEPENDS, PART_TRUE, PART_FALSE };

struct part {
    enum part_truth truth;
    const struct node *source;
    const struct assertion *first;
    /* While it is compiled. */
    struct assertion *newest;
    struct members *members;
    struct elements *elements;
    struct assertion *condition;
    uint32_t height; /* of the chain of parts that apply to the same value; 0: not known yet */
    bool is_entered; /* that chain is being followed */
};

struct constant {
    uint64_t hash;
    const struct node *value;
};

/* Of patternProperties. */
struct member_pattern {
    struct regex *pattern;
    const struct part *part;
};

struct assertion {
    const char *name; /* of the keyword */
    unsigned about;   /* KIND_BITs */
    holds_fn holds;
    const struct node *source; /* the keyword's value */
    const struct assertion *next;
    union {
        uint64_t count;
        unsigned types;
        slice number;
        struct number_divisor divisor;
        form_fn has_form;
        struct regex *pattern;
        struct {
            const struct constant *list; /* by hash */
            uint32_t count;
            unsigned kinds; /* KIND_BITs of what is listed */
        } constants;
        struct {
            const struct part **list; /* `condition`: if, then, else, each may be NULL */
            uint32_t count;
        } parts; /* that apply to the same value, but for propertyNames */
        const struct members *members;
        const struct elements *elements;
    };
};

struct member_name {
    slice name;
    const struct part *part; /* of `properties`; NULL: named elsewhere alone */
};

struct dependency {
    uint32_t name;
    const uint32_t *needs;
    uint32_t count;
};

/* Names are numbered in the order of `names`, which is sorted by bytes. */
struct members {
    const struct member_name *names;
    uint32_t name_count;
    const uint32_t *required;
    uint32_t required_count;
    const struct dependency *dependencies;
    uint32_t dependency_count;
    const struct member_pattern *patterns;
    uint32_t pattern_count;
    const struct part *additional;
    /* The keywords' values; NULL: not given. */
    const struct node *properties_source, *patterns_source, *additional_source;
    const struct node *required_source, *dependencies_source;
};

struct elements {
    const struct part **prefix;
    uint32_t prefix_count;
    const struct part *items, *contains;
    uint64_t contains_min, contains_max;
    /* The keywords' values; NULL: not given. */
    const struct node *contains_source, *min_source, *max_source;
};

struct schema {
    struct arena arena;
    const struct part *root;
    struct regex *patterns[SCHEMA_PATTERNS_MAX];
    uint32_t pattern_count;
};

/* The number of `name` in the names of `members`; -1: it has none. */
int members_find(const struct members *members, slice name);

/* ---- While compiling ---- */

struct reference {
    struct assertion *assertion;
    struct reference *next;
};

struct compiler {
    struct schema *schema;
    struct arena *arena; /* the schema's */
    struct diag *diag;
    const struct node *root;
    struct part **parts; /* by the number of their node; NULL: no schema */
    uint32_t part_count;
    struct reference *references;
};

/* The part of a schema within the schema; the recursion is as deep as the text. INVALID; LIMIT. */
enum err part_compile(struct compiler *compiler, const struct node *source,
                      const struct part **out);

/* A new assertion at the end of the part's list; NULL past the limit of memory. */
struct assertion *part_assert(struct compiler *compiler, struct part *part, const char *name,
                              const struct node *source);

/* INVALID: the keyword `source` must be what is wanted. */
enum err part_refuse(struct compiler *compiler, const struct node *source, const char *wanted);

/* LIMIT: the arena does not suffice. */
enum err part_too_large(struct compiler *compiler);

/* `bytes` zeroed bytes that live as long as the schema, *out. LIMIT. */
enum err part_take(struct compiler *compiler, size_t bytes, void *out);

/* A pattern that the schema owns. INVALID; LIMIT. */
enum err part_pattern(struct compiler *compiler, const struct node *source, slice text,
                      struct regex **out);

/* What `members` and `elements` wait for until all keywords of the part have been read. */
enum err members_keyword(struct compiler *compiler, struct part *part, const struct node *source);
enum err members_finish(struct compiler *compiler, struct part *part);
enum err elements_keyword(struct compiler *compiler, struct part *part, const struct node *source);

/* Reads one keyword, the member `source` of a schema. INVALID: there is none of this name, or its
 * value cannot be. */
enum err keyword_compile(struct compiler *compiler, struct part *part, const struct node *source);

/* Points every $ref to its part, and sees that none applies to itself without going deeper into the
 * document. INVALID; LIMIT. */
enum err references_resolve(struct compiler *compiler);

/* ---- What assertions ask ---- */

holds_function holds_type, holds_constants, holds_minimum, holds_maximum, holds_above, holds_below,
    holds_multiple, holds_length_min, holds_length_max, holds_pattern, holds_form, holds_count_min,
    holds_count_max, holds_members, holds_names, holds_elements, holds_unique, holds_all, holds_any,
    holds_one, holds_not, holds_condition;
