/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * filter - the language that says which events: one text, one tree, several evaluators.
 *
 *   filter = [ or ] ;  or = and { "OR" and } ;  and = not { ["AND"] not } ;
 *   not    = { "NOT" | "!" } primary            (docs/filter.md has the whole grammar)
 *
 * A leaf compares one field, one path inside event_data or event_metadata, or every string of the
 * event, with one operand. An absent field makes every leaf false, so NOT matches what lacks it.
 * This header is the tree, so that evaluators over other shapes (segments, SQL) can walk it. Trees
 * are flat: no AND below an AND, no OR below an OR, no NOT below a NOT.
 *
 * Ownership: a filter and all it points to live in the arena it was parsed into, but for compiled
 * patterns, which filter_release() ends.
 * Threads: a filter is immutable and may be shared; any thread may match with it.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"

enum filter_op {
    FILTER_ALL, /* matches every event: the empty filter, or `*` */
    FILTER_AND, /* children, at least 2 */
    FILTER_OR,  /* children, at least 2 */
    FILTER_NOT, /* one child */
    /* Leaves. */
    FILTER_EQUAL,
    FILTER_PREFIX, /* value* */
    FILTER_REGEX,  /* ~ value, PCRE2 with UTF, unanchored */
    FILTER_LESS,
    FILTER_LESS_EQUAL,
    FILTER_GREATER,
    FILTER_GREATER_EQUAL,
    FILTER_PRESENT, /* field:* */
    FILTER_WORDS,   /* target is ANY: the words of `text`, next to each other, in any case */
};

enum filter_target {
    FILTER_ON_FIELD,    /* `field` */
    FILTER_ON_DATA,     /* `path` inside event_data */
    FILTER_ON_METADATA, /* `path` inside event_metadata */
    FILTER_ON_ANY,      /* every string of the event */
};

#define FILTER_TEXT_BYTES_MAX   (64 * 1024)
#define FILTER_NODES_MAX        1000
#define FILTER_DEPTH_MAX        64
#define FILTER_PATH_KEYS_MAX    16
#define FILTER_REGEX_MAX        64 /* regular expressions in one filter */
#define FILTER_PHRASE_WORDS_MAX 32

struct regex;

/* What an address is compared with when the operand has a prefix length: 10.0.0.0/8. */
struct filter_network {
    uint8_t bytes[16];
    uint8_t byte_count; /* 4 or 16; 0: the operand is no network */
    uint8_t bits;
};

struct filter {
    enum filter_op op;
    enum filter_target target;
    enum field field;
    const slice *path; /* keys, unescaped */
    size_t path_len;
    /* The operand, unescaped, in one canonical spelling: times as RFC 3339, UUIDs and choices in
     * lower case, addresses as RFC 5952 writes them. Of REGEX the pattern. */
    slice text;
    int64_t number;  /* the operand of a TIME, INTEGER, BOOLEAN, or the rank of a CHOICE */
    bool has_number; /* `number` holds; or, inside data, `text` is a JSON number */
    bool has_time;   /* inside data, of < <= > >=: `text` is a time and `number` holds it */
    struct filter_network network; /* of EQUAL on an ADDRESS */
    struct uuid uuid;              /* the operand of EQUAL on a UUID field */
    struct regex *regex;
    const struct filter *const *children;
    size_t child_count;
    /* Of the whole tree from here on. */
    uint32_t depth; /* 1 for a leaf */
    uint32_t node_count;
    uint32_t regex_count;
};

struct filter_context {
    int64_t now_us; /* what 24h and today are relative to */
};

/*
 * Parses `text`. INVALID: diag->where is "filter:<byte offset>", the sentence says what was
 * expected there. LIMIT past the maxima above or the arena's.
 */
enum err filter_parse(slice text, const struct filter_context *context, struct arena *arena,
                      const struct filter **out, struct diag *diag);

/* Frees what lives outside the arena (compiled patterns), of the children too. Call it once for
 * each pattern, before the arena ends; NULL is fine. */
void filter_release(const struct filter *filter);

/* Appends a text whose parse is the same filter; relative times are printed absolute. It may be
 * longer than what was parsed, and pass FILTER_TEXT_BYTES_MAX when that was close to it. */
void filter_print(const struct filter *filter, struct buf *out);

bool filter_same(const struct filter *a, const struct filter *b);

/*
 * Building filters without text: query parameters, scopes. The results live in `arena`; children
 * are borrowed, and end with the result: filter_release() the result alone. LIMIT past the maxima.
 * The AND of nothing matches every event, the OR of nothing none.
 */
enum err filter_make_and(struct arena *arena, const struct filter *const *children, size_t count,
                         const struct filter **out);
enum err filter_make_or(struct arena *arena, const struct filter *const *children, size_t count,
                        const struct filter **out);
enum err filter_make_not(struct arena *arena, const struct filter *child,
                         const struct filter **out);
/* One leaf `field op value` as the parser would make it of field and operand. The operand is data,
 * not syntax, but for backslashes and a `*` at the end of an EQUAL operand, a wildcard unless
 * escaped (alone: PRESENT). `name` may be data.<path>, since or until; with op FILTER_WORDS it is
 * empty. INVALID, diag->where counting bytes of the operand (or, for the name, of the name). */
enum err filter_make_leaf(slice name, enum filter_op op, slice operand,
                          const struct filter_context *context, struct arena *arena,
                          const struct filter **out, struct diag *diag);

/*
 * Whether an event matches. Exact: the reference for every other evaluator. A regular expression
 * that passes its limits (filter/regex.h) does not match.
 */
bool filter_match(const struct filter *filter, const struct event *event);

/* Whether a leaf holds for one value of its field: `text` for TEXT, ADDRESS, CHOICE, UUID (what a
 * dictionary of the column holds), and for WORDS. Never for REGEX beyond its limits. */
bool filter_leaf_text(const struct filter *leaf, slice text);
/* The same for TIME, INTEGER, BOOLEAN columns. */
bool filter_leaf_number(const struct filter *leaf, int64_t number);
bool filter_leaf_uuid(const struct filter *leaf, const struct uuid *uuid);

/* Whether a leaf inside event_data, event_metadata, or of WORDS, holds for such a JSON value
 * (valid, without white space). */
bool filter_leaf_json(const struct filter *leaf, slice json);

/* The fields whose value FILTER_WORDS looks into, beside the strings of event_data and
 * event_metadata: all of type TEXT, ADDRESS, CHOICE and UUID. FIELD_BITs. */
uint64_t filter_words_fields(void);

/* Times as queries write them: RFC 3339, a date, epoch seconds, 24h 7d 30m 10s 2w (ago), today,
 * yesterday, now. False if it is none. */
bool filter_parse_time(slice text, int64_t now_us, int64_t *out_us);

/* The bounds of event_timestamp that every match obeys: [*from_us, *to_us]. Both are narrowed,
 * never widened. */
void filter_time_bounds(const struct filter *filter, int64_t *from_us, int64_t *to_us);
