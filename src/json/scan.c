/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass, no recursion: `levels` is the stack of open objects and arrays. The functions hand the
 * reading position on as a value (NULL: failed, scan->error says why), which keeps it in a
 * register; only the public functions store it in the scan.
 *
 * Names of open objects lie on one stack, `names`; a level knows where its own begin. A set of 64
 * marks a level tells most new names from all earlier ones without looking at them; up to
 * LINEAR_NAMES the rest are compared one by one, beyond that a table of slots in the arena is
 * asked, so that an object of very many members costs no more a member than a small one.
 */
#include <stdio.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "codec/hex.h"
#include "json/bytes.h"
#include "json/json.h"
#include "json/number.h"
#include "json/pointer.h"

enum {
    LINEAR_NAMES = 24,
    TABLE_SLOTS_MIN = 128,
};

static const uint8_t *fail(struct json_scan *scan, enum err code, const uint8_t *at,
                           const char *text)
{
    scan->error = code;
    scan->error_at = at;
    scan->error_text = text;
    return NULL;
}

static const uint8_t *fail_cut(struct json_scan *scan)
{
    return fail(scan, ERR_INVALID, scan->end, "the text ends in the middle of a value");
}

void json_scan_init(struct json_scan *scan, slice json, uint32_t depth_max, struct arena *arena)
{
    ASSERT(depth_max >= 1 && depth_max <= JSON_DEPTH_MAX);
    ASSERT(json.len < UINT32_MAX);
    scan->at = scan->start = json.ptr;
    scan->end = json.len > 0 ? json.ptr + json.len : json.ptr;
    scan->arena = arena;
    scan->spaces = 0;
    scan->depth = 0;
    scan->deepest = 0;
    scan->depth_max = depth_max;
    scan->name_count = 0;
    scan->name_capacity = JSON_NAMES_INLINE;
    scan->names = scan->names_inline;
    scan->spare_table = NULL;
    scan->spare_slots = 0;
    scan->error = OK;
}

/* ---- White space ---- */

static const uint8_t *skip_spaces_slowly(struct json_scan *scan, const uint8_t *p)
{
    const uint8_t *start = p;
    while (p < scan->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    scan->spaces += (size_t)(p - start);
    return p;
}

static inline const uint8_t *skip_spaces(struct json_scan *scan, const uint8_t *p)
{
    if (p<scan->end && * p> ' ') {
        return p;
    }
    return skip_spaces_slowly(scan, p);
}

/* ---- Strings ---- */

/* \uXXXX at `p`; its code unit in *unit. */
static const uint8_t *take_unit(struct json_scan *scan, const uint8_t *p, unsigned *unit)
{
    static const uint8_t head[2] = {'\\', 'u'};
    unsigned number = 0;
    for (size_t i = 0; i < 6; i++) {
        if (p + i == scan->end) {
            return fail_cut(scan);
        }
        int digit = i < 2 ? (p[i] == head[i] ? 0 : -1) : hex_digit(p[i]);
        if (digit < 0) {
            return fail(scan, ERR_INVALID, p + i, "\\u wants four hex digits");
        }
        number = number << 4 | (unsigned)digit;
    }
    *unit = number;
    return p + 6;
}

static const uint8_t *take_unicode(struct json_scan *scan, const uint8_t *p)
{
    unsigned first = 0;
    const uint8_t *next = take_unit(scan, p, &first);
    if (next == NULL || first < 0xd800 || first > 0xdfff) {
        return next;
    }
    if (first > 0xdbff || (next < scan->end && *next != '\\')) {
        return fail(scan, ERR_INVALID, p, "a surrogate stands alone");
    }
    unsigned second = 0;
    next = take_unit(scan, next, &second);
    if (next != NULL && (second < 0xdc00 || second > 0xdfff)) {
        return fail(scan, ERR_INVALID, p, "a surrogate stands alone");
    }
    return next;
}

static const uint8_t *take_escape(struct json_scan *scan, const uint8_t *p)
{
    if (scan->end - p < 2) {
        return fail_cut(scan);
    }
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        return take_unicode(scan, p);
    default:
        return fail(scan, ERR_INVALID, p, "no such escape");
    }
}

static const uint8_t *take_utf8(struct json_scan *scan, const uint8_t *p)
{
    bool is_cut = false;
    const uint8_t *next = utf8_character_end(p, scan->end, &is_cut);
    if (next == NULL) {
        return is_cut ? fail_cut(scan) : fail(scan, ERR_INVALID, p, "not UTF-8");
    }
    return next;
}

/* From a byte that json_find_special() stopped at to the closing quote. */
static const uint8_t *take_odd_string(struct json_scan *scan, const uint8_t *p, bool *has_escapes)
{
    while (p < scan->end && *p != '"') {
        if (*p == '\\') {
            *has_escapes = true;
            p = take_escape(scan, p);
        } else if (*p >= 0x80) {
            p = take_utf8(scan, p);
        } else {
            return fail(scan, ERR_INVALID, p, "a control character in a string wants an escape");
        }
        if (p == NULL) {
            return NULL;
        }
        p = json_find_special(p, scan->end);
    }
    return p < scan->end ? p : fail_cut(scan);
}

/* From behind the opening quote to the closing one. Most strings are plain to their end. */
static inline const uint8_t *take_string(struct json_scan *scan, const uint8_t *p,
                                         bool *has_escapes)
{
    p = json_find_special(p, scan->end);
    *has_escapes = false;
    if (p < scan->end && *p == '"') {
        return p;
    }
    return take_odd_string(scan, p, has_escapes);
}

/* ---- Names ---- */

/* What two different names rarely share: length, first eight bytes, last byte. Reading all eight
 * at once wants them to lie in the text, which all but the names with escapes do. */
static inline uint32_t mark_of(const struct json_scan *scan, slice name)
{
    uint64_t word = 0;
    if (name.ptr >= scan->start && scan->end - name.ptr >= 8) {
        memcpy(&word, name.ptr, 8);
        word &= name.len >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * name.len)) - 1;
    } else {
        memcpy(&word, name.ptr, name.len < 8 ? name.len : 8);
    }
    uint64_t last = name.len > 0 ? name.ptr[name.len - 1] : 0;
    word ^= last << 56 | (uint64_t)name.len << 48;
    return (uint32_t)((word * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static inline bool same_name(const struct json_name *a, const struct json_name *b)
{
    return a->mark == b->mark && a->len == b->len && memcmp(a->ptr, b->ptr, a->len) == 0;
}

/* The slot that holds `name`, or the free one where it belongs. Slots are index + 1 in `names`. */
static uint32_t *find_slot(const struct json_scan *scan, const struct json_level *level,
                           const struct json_name *name)
{
    uint64_t hash = hash_bytes((slice){name->ptr, name->len}, hash_secret());
    uint32_t at = (uint32_t)hash & level->table_mask;
    while (level->table[at] != 0 && !same_name(&scan->names[level->table[at] - 1], name)) {
        at = (at + 1) & level->table_mask;
    }
    return &level->table[at];
}

/* A table with room for `slots`, empty; the one that a closed object left behind, if it fits. */
static bool level_table(struct json_scan *scan, struct json_level *level, uint32_t slots)
{
    uint32_t *table = NULL;
    if (scan->spare_slots >= slots) {
        table = scan->spare_table;
        scan->spare_slots = 0;
    } else {
        table = arena_take(scan->arena, slots * sizeof(*table));
    }
    if (table == NULL) {
        (void)fail(scan, ERR_LIMIT, scan->at, "an object has too many members");
        return false;
    }
    memset(table, 0, slots * sizeof(*table));
    level->table = table;
    level->table_mask = slots - 1;
    for (uint32_t i = level->first_name; i < scan->name_count; i++) {
        *find_slot(scan, level, &scan->names[i]) = i + 1;
    }
    return true;
}

static bool has_name(const struct json_scan *scan, const struct json_level *level,
                     const struct json_name *name)
{
    if (level->table != NULL) {
        return *find_slot(scan, level, name) != 0;
    }
    for (uint32_t i = level->first_name; i < scan->name_count; i++) {
        if (same_name(&scan->names[i], name)) {
            return true;
        }
    }
    return false;
}

static bool grow_names(struct json_scan *scan)
{
    uint32_t capacity = scan->name_capacity * 2;
    struct json_name *names = arena_take(scan->arena, capacity * sizeof(*names));
    if (names == NULL) {
        (void)fail(scan, ERR_LIMIT, scan->at, "an object has too many members");
        return false;
    }
    memcpy(names, scan->names, scan->name_count * sizeof(*names));
    scan->names = names;
    scan->name_capacity = capacity;
    return true;
}

/* Keeps a large level's table up to date: slot for the newest name, twice the slots when half of
 * them are taken. */
static bool table_add(struct json_scan *scan, struct json_level *level)
{
    if (level->table == NULL || level->count * 2 > level->table_mask) {
        uint32_t slots = level->table == NULL ? TABLE_SLOTS_MIN : (level->table_mask + 1) * 2;
        return level_table(scan, level, slots);
    }
    *find_slot(scan, level, &scan->names[scan->name_count - 1]) = scan->name_count;
    return true;
}

/* A second name goes onto the stack too, so that the pointer of the failure shows it. */
static bool add_name(struct json_scan *scan, slice name, const uint8_t *at)
{
    if (scan->name_count == scan->name_capacity && !grow_names(scan)) {
        return false;
    }
    struct json_level *level = &scan->levels[scan->depth - 1];
    struct json_name *new = &scan->names[scan->name_count];
    uint32_t mark = mark_of(scan, name);
    uint64_t bit = UINT64_C(1) << (mark >> 26);
    new->ptr = name.ptr;
    new->len = (uint32_t)name.len;
    new->mark = mark;
    bool is_second = (level->marks & bit) != 0 && has_name(scan, level, new);
    scan->name_count++;
    level->count++;
    level->marks |= bit;
    if (is_second) {
        (void)fail(scan, ERR_INVALID, at, "a second member of this name");
        return false;
    }
    return level->count <= LINEAR_NAMES || table_add(scan, level);
}

/* A member's name, its colon and the space behind; *name is unescaped. */
static const uint8_t *take_key(struct json_scan *scan, const uint8_t *p, slice *name)
{
    if (p == scan->end) {
        return fail_cut(scan);
    }
    if (*p != '"') {
        return fail(scan, ERR_INVALID, p, "expected the name of a member in quotes");
    }
    bool has_escapes = false;
    const uint8_t *start = p;
    const uint8_t *close = take_string(scan, p + 1, &has_escapes);
    if (close == NULL) {
        return NULL;
    }
    *name = (slice){start + 1, (size_t)(close - start) - 1};
    if (has_escapes) {
        uint8_t *plain = arena_take(scan->arena, name->len);
        if (plain == NULL) {
            return fail(scan, ERR_LIMIT, start, "the names take too much memory");
        }
        *name = (slice){plain, json_unescape(*name, plain)};
    }
    if (!add_name(scan, *name, start)) {
        return NULL;
    }
    p = skip_spaces(scan, close + 1);
    if (p == scan->end) {
        return fail_cut(scan);
    }
    if (*p != ':') {
        return fail(scan, ERR_INVALID, p, "expected a colon");
    }
    return skip_spaces(scan, p + 1);
}

/* ---- Values ---- */

static const uint8_t *take_word(struct json_scan *scan, const uint8_t *p, slice word)
{
    size_t i = 0;
    while (i < word.len && p + i < scan->end && p[i] == word.ptr[i]) {
        i++;
    }
    if (i == word.len) {
        return p + i;
    }
    return p + i == scan->end ? fail_cut(scan) : fail(scan, ERR_INVALID, p, "expected a value");
}

static const uint8_t *take_number(struct json_scan *scan, const uint8_t *p)
{
    const uint8_t *end = json_number_end(p, scan->end);
    if (end != NULL) {
        return end;
    }
    bool is_start = *p == '-' || (unsigned)*p - '0' <= 9;
    return fail(scan, ERR_INVALID, p, is_start ? "not a number" : "expected a value");
}

static const uint8_t *take_scalar(struct json_scan *scan, const uint8_t *p,
                                  struct json_value *value)
{
    const uint8_t *end = NULL;
    switch (*p) {
    case '"':
        value->kind = JSON_IS_STRING;
        end = take_string(scan, p + 1, &value->has_escapes);
        return end == NULL ? NULL : end + 1;
    case 't':
        value->kind = JSON_IS_TRUE;
        return take_word(scan, p, SLICE("true"));
    case 'f':
        value->kind = JSON_IS_FALSE;
        return take_word(scan, p, SLICE("false"));
    case 'n':
        value->kind = JSON_IS_NULL;
        return take_word(scan, p, SLICE("null"));
    default:
        value->kind = JSON_IS_NUMBER;
        return take_number(scan, p);
    }
}

static void close_level(struct json_scan *scan)
{
    struct json_level *level = &scan->levels[--scan->depth];
    if (!level->is_object) {
        return;
    }
    scan->name_count = level->first_name;
    if (level->table != NULL && level->table_mask + 1 > scan->spare_slots) {
        scan->spare_table = level->table;
        scan->spare_slots = level->table_mask + 1;
    }
}

/* An opening bracket and the space behind it. */
static const uint8_t *push_level(struct json_scan *scan, const uint8_t *p)
{
    if (scan->depth == scan->depth_max) {
        return fail(scan, ERR_INVALID, p, "nested too deep");
    }
    struct json_level *level = &scan->levels[scan->depth++];
    scan->deepest = scan->depth > scan->deepest ? scan->depth : scan->deepest;
    level->marks = 0;
    level->table = NULL;
    level->first_name = scan->name_count;
    level->count = 0;
    level->is_object = *p == '{';
    return skip_spaces(scan, p + 1);
}

/* Opens an array or object. One that is empty is closed at once; else *p stands before the first
 * value, one level deeper. */
static const uint8_t *open_level(struct json_scan *scan, const uint8_t *p)
{
    p = push_level(scan, p);
    if (p == NULL) {
        return NULL;
    }
    struct json_level *level = &scan->levels[scan->depth - 1];
    if (p < scan->end && *p == (level->is_object ? '}' : ']')) {
        close_level(scan);
        return p + 1;
    }
    if (level->is_object) {
        slice name;
        return take_key(scan, p, &name);
    }
    level->count = 1;
    return p;
}

/* Behind a value: the comma and what leads to the next one, or the closing bracket. */
static const uint8_t *after_value(struct json_scan *scan, const uint8_t *p)
{
    struct json_level *level = &scan->levels[scan->depth - 1];
    p = skip_spaces(scan, p);
    if (p == scan->end) {
        return fail_cut(scan);
    }
    if (*p == ',') {
        p = skip_spaces(scan, p + 1);
        if (level->is_object) {
            slice name;
            return take_key(scan, p, &name);
        }
        level->count++;
        return p;
    }
    if (*p == (level->is_object ? '}' : ']')) {
        close_level(scan);
        return p + 1;
    }
    return fail(scan, ERR_INVALID, p, "expected a comma or the closing bracket");
}

/* Everything inside the bracket at `p`, and its closing one. */
static const uint8_t *take_nested(struct json_scan *scan, const uint8_t *p)
{
    struct json_value ignored;
    uint32_t outside = scan->depth;
    for (;;) {
        uint32_t depth = scan->depth;
        if (p == scan->end) {
            return fail_cut(scan);
        }
        p = *p == '{' || *p == '[' ? open_level(scan, p) : take_scalar(scan, p, &ignored);
        bool is_whole = scan->depth == depth;
        while (p != NULL && is_whole && scan->depth > outside) {
            depth = scan->depth;
            p = after_value(scan, p);
            is_whole = scan->depth < depth;
        }
        if (p == NULL || scan->depth == outside) {
            return p;
        }
    }
}

enum err json_scan_value(struct json_scan *scan, struct json_value *out)
{
    const uint8_t *p = skip_spaces(scan, scan->at);
    const uint8_t *end = NULL;
    size_t spaces = scan->spaces;
    scan->deepest = scan->depth;
    out->has_escapes = false;
    if (p == scan->end) {
        end = fail_cut(scan);
    } else if (*p == '{' || *p == '[') {
        out->kind = *p == '{' ? JSON_IS_OBJECT : JSON_IS_ARRAY;
        end = take_nested(scan, p);
    } else {
        end = take_scalar(scan, p, out);
    }
    if (end == NULL) {
        return scan->error;
    }
    out->raw.ptr = p;
    out->raw.len = (size_t)(end - p);
    out->spaces = scan->spaces - spaces;
    out->depth = scan->deepest - scan->depth;
    scan->at = end;
    return OK;
}

bool json_scan_peek(struct json_scan *scan, uint8_t *first_byte_out)
{
    scan->at = skip_spaces(scan, scan->at);
    if (scan->at == scan->end) {
        return false;
    }
    *first_byte_out = *scan->at;
    return true;
}

enum err json_scan_open_object(struct json_scan *scan)
{
    const uint8_t *p = skip_spaces(scan, scan->at);
    if (p == scan->end) {
        p = fail_cut(scan);
    } else if (*p != '{') {
        p = fail(scan, ERR_INVALID, p, "expected an object");
    } else {
        p = push_level(scan, p);
    }
    if (p == NULL) {
        return scan->error;
    }
    scan->at = p;
    return OK;
}

enum err json_scan_member(struct json_scan *scan, slice *name, bool *more)
{
    ASSERT(scan->depth > 0);
    const uint8_t *p = skip_spaces(scan, scan->at);
    bool is_first = scan->levels[scan->depth - 1].count == 0;
    if (p < scan->end && *p == '}') {
        close_level(scan);
        scan->at = p + 1;
        *more = false;
        return OK;
    }
    if (!is_first && p < scan->end && *p == ',') {
        p = skip_spaces(scan, p + 1);
    } else if (!is_first) {
        p = p == scan->end ? fail_cut(scan)
                           : fail(scan, ERR_INVALID, p, "expected a comma or the closing bracket");
    }
    p = p == NULL ? NULL : take_key(scan, p, name);
    if (p == NULL) {
        return scan->error;
    }
    scan->at = p;
    *more = true;
    return OK;
}

enum err json_scan_end(struct json_scan *scan)
{
    const uint8_t *p = skip_spaces(scan, scan->at);
    scan->at = p;
    if (p != scan->end) {
        (void)fail(scan, ERR_INVALID, p, "something follows the value");
        return ERR_INVALID;
    }
    return OK;
}

bool json_scan_is_cut(const struct json_scan *scan)
{
    return scan->error == ERR_INVALID && scan->error_at == scan->end;
}

enum err json_scan_fail(const struct json_scan *scan, struct diag *diag)
{
    ASSERT(scan->error != OK);
    char where[sizeof(diag->where)] = "";
    uint32_t names_end = scan->name_count;
    uint32_t last_name[JSON_DEPTH_MAX];
    for (uint32_t i = scan->depth; i > 0; i--) {
        const struct json_level *level = &scan->levels[i - 1];
        last_name[i - 1] = names_end;
        names_end = level->is_object ? level->first_name : names_end;
    }
    for (uint32_t i = 0; i < scan->depth; i++) {
        const struct json_level *level = &scan->levels[i];
        if (level->count == 0) {
            continue;
        }
        if (level->is_object) {
            const struct json_name *name = &scan->names[last_name[i] - 1];
            json_pointer_append(where, sizeof(where), (slice){name->ptr, name->len});
        } else {
            char index[16];
            int len = snprintf(index, sizeof(index), "%u", level->count - 1);
            json_pointer_append(where, sizeof(where), (slice){(uint8_t *)index, (size_t)len});
        }
    }
    return diag_fail(diag, scan->error, where, "%s (byte %zu)", scan->error_text,
                     (size_t)(scan->error_at - scan->start));
}

enum err json_check(slice json, uint32_t depth_max, struct arena *arena, struct json_value *out,
                    struct diag *diag)
{
    if (json.len >= UINT32_MAX) {
        return diag_fail(diag, ERR_LIMIT, "", "the JSON text is too long");
    }
    struct json_scan scan;
    struct json_value value;
    json_scan_init(&scan, json, depth_max, arena);
    if (json_scan_value(&scan, &value) != OK || json_scan_end(&scan) != OK) {
        return json_scan_fail(&scan, diag);
    }
    if (out != NULL) {
        *out = value;
    }
    return OK;
}
