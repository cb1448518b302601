/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * json - RFC 8259 over slices, without a tree.
 *
 *   struct json_scan   reads bytes of strangers: strict, single pass, everything is checked.
 *                      Lone surrogates, bad UTF-8, two members of one name, and nesting that is
 *                      too deep are refused.
 *   struct json_walk   reads compact JSON that a scan has accepted before: fast, one item a call.
 *                      Damaged bytes end it with JSON_ERROR, never with a crash.
 *   texts, numbers     unescape, quote, compact; decimals compared without floating point.
 *
 * No function reads outside the slice it is given. Writing JSON is json/write.h.
 *
 * Threads: any; a scan or a walk belongs to one.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define JSON_DEPTH_MAX 256 /* no reader goes deeper, whatever is asked for */

/* ---- Bytes of strangers ---- */

enum json_kind {
    JSON_IS_OBJECT,
    JSON_IS_ARRAY,
    JSON_IS_STRING,
    JSON_IS_NUMBER,
    JSON_IS_TRUE,
    JSON_IS_FALSE,
    JSON_IS_NULL,
};

struct json_value {
    enum json_kind kind;
    bool has_escapes; /* STRING: json_unescape() changes it */
    slice raw;        /* the whole value, of a STRING with its quotes */
    size_t spaces;    /* bytes of insignificant white space in `raw` */
    uint32_t depth;   /* levels of arrays and objects: 0 for a scalar, 1 for [1] */
};

struct json_name {
    const uint8_t *ptr; /* unescaped */
    uint32_t len;
    uint32_t mark;
};

struct json_level {
    uint64_t marks;      /* which marks its names may have, as a set */
    uint32_t *table;     /* slots of names, once they are many */
    uint32_t table_mask; /* slots - 1 */
    uint32_t first_name; /* OBJECT: its names lie from here to the end of `names` */
    uint32_t count;      /* members or elements begun */
    bool is_object;
};

#define JSON_NAMES_INLINE 64

/* The inside of a scan is nobody else's business, but for `spaces`. */
struct json_scan {
    const uint8_t *at, *start, *end;
    struct arena *arena;
    size_t spaces; /* bytes of insignificant white space so far */
    uint32_t depth, depth_max, deepest;
    uint32_t name_count, name_capacity;
    struct json_name *names;
    uint32_t *spare_table;
    uint32_t spare_slots;
    enum err error;
    const char *error_text;
    const uint8_t *error_at;
    struct json_name names_inline[JSON_NAMES_INLINE];
    struct json_level levels[JSON_DEPTH_MAX];
};

/* Starts at the first byte. `depth_max` (1..JSON_DEPTH_MAX) counts nested arrays and objects; the
 * arena keeps unescaped names and must outlive the scan. */
void json_scan_init(struct json_scan *scan, slice json, uint32_t depth_max, struct arena *arena);

/* Takes the next value, whole. After any error the scan is spent and *out means nothing. INVALID;
 * LIMIT. */
enum err json_scan_value(struct json_scan *scan, struct json_value *out);

/* The kind of the next value without taking it; false at the end of the text. */
bool json_scan_peek(struct json_scan *scan, uint8_t *first_byte_out);

/*
 * Walks an object member by member: open it (INVALID if the next value is none); then each
 * json_scan_member() that sets *more leaves the scan before a value, which the caller takes with
 * json_scan_value() or opens; *more is false behind the closing brace. Names come unescaped and
 * live as long as the text and the arena. INVALID, also for a second member of one name; LIMIT.
 */
enum err json_scan_open_object(struct json_scan *scan);
enum err json_scan_member(struct json_scan *scan, slice *name, bool *more);

/* INVALID unless nothing but white space is left. */
enum err json_scan_end(struct json_scan *scan);

/* What went wrong, for people: where is the RFC 6901 pointer of the value that was being read,
 * the text says what and at which byte. Returns the scan's error. */
enum err json_scan_fail(const struct json_scan *scan, struct diag *diag);

/* Whether the error is that the text ended too soon: more bytes could mend it. */
bool json_scan_is_cut(const struct json_scan *scan);

/* The whole text as one value; *out may be NULL. */
enum err json_check(slice json, uint32_t depth_max, struct arena *arena, struct json_value *out,
                    struct diag *diag);

/* ---- Compact JSON of our own ---- */

enum json_item_kind {
    JSON_END,   /* behind the last value */
    JSON_ERROR, /* damaged, or deeper than JSON_DEPTH_MAX; stays so */
    JSON_OBJECT_BEGIN,
    JSON_OBJECT_END,
    JSON_ARRAY_BEGIN,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_item {
    enum json_item_kind kind;
    bool has_escapes; /* KEY, STRING */
    slice text;       /* KEY, STRING: between the quotes, raw; NUMBER: its digits */
};

struct json_walk {
    const uint8_t *at, *end;
    uint32_t depth;
    uint8_t expects;
    uint64_t objects[JSON_DEPTH_MAX / 64]; /* bit d - 1: level d is an object */
};

/* `json` is compact: white space between its tokens is an error here. */
void json_walk_init(struct json_walk *walk, slice json);

/* The next item; its texts point into `json`. Returns item->kind. */
enum json_item_kind json_walk_next(struct json_walk *walk, struct json_item *item);

/* Behind a KEY, or before an element: takes the whole value that follows. False on damage, or if
 * none follows. */
bool json_walk_value(struct json_walk *walk, slice *raw);

/* ---- Texts ---- */

/* Resolves the escapes of the inside of a valid string. `out` has room for raw.len bytes and may
 * be raw.ptr. Returns the length. Escapes that are damaged are copied as they are. */
size_t json_unescape(slice raw, uint8_t *out);

/* Appends `text` (UTF-8) as a JSON string with the minimal escapes of RFC 8785: \b \t \n \f \r
 * \" \\, other controls as \u00xx in lower case, all else as it is. */
void json_quote(struct buf *out, slice text);

/* Valid JSON without its insignificant white space, else byte for byte: appended, or written to
 * memory with room for all but the spaces that a scan counted. When it counted none, there is no
 * need to call this. The second returns the length. */
void json_compact(slice json, struct buf *out);
size_t json_compact_into(slice json, uint8_t *out);

/* ---- Numbers ---- */

/* Whether the whole text is a number as RFC 8259 writes it. */
bool json_is_number(slice text);

/* <0, 0, >0 as a is less than, equal to, or greater than b: exact, of valid numbers of any
 * length. Exponents beyond ±10^15 count as ±10^15. */
int json_decimal_compare(slice a, slice b);

/*
 * Writes the one text that all equal numbers share: "0", or [-]<digits>e<exponent>, digits without
 * zeros at either end, the exponent always there and without a plus: 1000, 1e3 and 1000.0 are
 * "1e3", -0.25 is "-25e-2". Returns its length, 0 when `out_bytes` are too few (number.len + 20 are
 * always enough).
 */
size_t json_decimal_normalise(slice number, char *out, size_t out_bytes);
