/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes were checked when they came in, so only what keeps the walk inside them is checked
 * again: every read is below `end`, the stack has a floor and a ceiling, and an item always
 * advances.
 */
#include "json/bytes.h"
#include "json/json.h"

enum {
    WANTS_VALUE,
    WANTS_FIRST_ELEMENT, /* or ] */
    WANTS_FIRST_KEY,     /* or } */
    WANTS_AFTER,         /* comma or closing bracket, or the end at the top */
    IS_DONE,
    IS_BROKEN,
};

void json_walk_init(struct json_walk *walk, slice json)
{
    walk->at = json.ptr;
    walk->end = json.len > 0 ? json.ptr + json.len : json.ptr;
    walk->depth = 0;
    walk->expects = json.len > 0 ? WANTS_VALUE : IS_DONE;
}

static enum json_item_kind broken(struct json_walk *walk, struct json_item *item)
{
    walk->expects = IS_BROKEN;
    item->kind = JSON_ERROR;
    item->text = (slice){0};
    return JSON_ERROR;
}

static inline bool in_object(const struct json_walk *walk)
{
    uint32_t level = walk->depth - 1;
    return (walk->objects[level / 64] >> (level % 64) & 1) != 0;
}

static enum json_item_kind open_level(struct json_walk *walk, struct json_item *item)
{
    if (walk->depth == JSON_DEPTH_MAX) {
        return broken(walk, item);
    }
    bool is_object = *walk->at == '{';
    uint64_t bit = UINT64_C(1) << (walk->depth % 64);
    uint64_t *word = &walk->objects[walk->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    walk->depth++;
    walk->at++;
    walk->expects = is_object ? WANTS_FIRST_KEY : WANTS_FIRST_ELEMENT;
    item->kind = is_object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
    return item->kind;
}

static enum json_item_kind close_level(struct json_walk *walk, struct json_item *item)
{
    bool is_object = in_object(walk);
    walk->depth--;
    walk->at++;
    walk->expects = WANTS_AFTER;
    item->kind = is_object ? JSON_OBJECT_END : JSON_ARRAY_END;
    return item->kind;
}

/* The inside of the string whose opening quote is at walk->at; moves behind the closing one. */
static bool take_string(struct json_walk *walk, struct json_item *item)
{
    const uint8_t *start = walk->at + 1;
    const uint8_t *p = start;
    item->has_escapes = false;
    for (;;) {
        p = json_find_quote(p, walk->end);
        if (p == walk->end) {
            return false;
        }
        if (*p == '"') {
            break;
        }
        item->has_escapes = true;
        if (walk->end - p < 2) {
            return false;
        }
        p += 2;
    }
    item->text = (slice){start, (size_t)(p - start)};
    walk->at = p + 1;
    return true;
}

static inline bool is_number_byte(uint8_t byte)
{
    return (unsigned)byte - '0' <= 9 || byte == '-' || byte == '+' || byte == '.' ||
           (byte | 0x20) == 'e';
}

static enum json_item_kind take_word(struct json_walk *walk, struct json_item *item, slice word,
                                     enum json_item_kind kind)
{
    slice rest = {walk->at, (size_t)(walk->end - walk->at)};
    if (!slice_take_literal(&rest, word)) {
        return broken(walk, item);
    }
    walk->at = rest.ptr;
    walk->expects = WANTS_AFTER;
    item->kind = kind;
    return kind;
}

static enum json_item_kind take_number(struct json_walk *walk, struct json_item *item)
{
    const uint8_t *p = walk->at;
    while (p < walk->end && is_number_byte(*p)) {
        p++;
    }
    item->text = (slice){walk->at, (size_t)(p - walk->at)};
    if (!json_is_number(item->text)) {
        return broken(walk, item);
    }
    walk->at = p;
    walk->expects = WANTS_AFTER;
    item->kind = JSON_NUMBER;
    return JSON_NUMBER;
}

static enum json_item_kind take_value(struct json_walk *walk, struct json_item *item)
{
    if (walk->at == walk->end) {
        return broken(walk, item);
    }
    switch (*walk->at) {
    case '{':
    case '[':
        return open_level(walk, item);
    case '"':
        walk->expects = WANTS_AFTER;
        item->kind = JSON_STRING;
        return take_string(walk, item) ? JSON_STRING : broken(walk, item);
    case 't':
        return take_word(walk, item, SLICE("true"), JSON_TRUE);
    case 'f':
        return take_word(walk, item, SLICE("false"), JSON_FALSE);
    case 'n':
        return take_word(walk, item, SLICE("null"), JSON_NULL);
    default:
        return take_number(walk, item);
    }
}

static enum json_item_kind take_key(struct json_walk *walk, struct json_item *item)
{
    if (walk->at == walk->end || *walk->at != '"' || !take_string(walk, item) ||
        walk->at == walk->end || *walk->at != ':') {
        return broken(walk, item);
    }
    walk->at++;
    walk->expects = WANTS_VALUE;
    item->kind = JSON_KEY;
    return JSON_KEY;
}

static enum json_item_kind take_after(struct json_walk *walk, struct json_item *item)
{
    if (walk->depth == 0) {
        if (walk->at != walk->end) {
            return broken(walk, item);
        }
        walk->expects = IS_DONE;
        item->kind = JSON_END;
        return JSON_END;
    }
    if (walk->at == walk->end) {
        return broken(walk, item);
    }
    bool is_object = in_object(walk);
    if (*walk->at == (is_object ? '}' : ']')) {
        return close_level(walk, item);
    }
    if (*walk->at != ',') {
        return broken(walk, item);
    }
    walk->at++;
    return is_object ? take_key(walk, item) : take_value(walk, item);
}

enum json_item_kind json_walk_next(struct json_walk *walk, struct json_item *item)
{
    switch (walk->expects) {
    case WANTS_AFTER:
        return take_after(walk, item);
    case WANTS_VALUE:
        return take_value(walk, item);
    case WANTS_FIRST_KEY:
        if (walk->at < walk->end && *walk->at == '}') {
            return close_level(walk, item);
        }
        return take_key(walk, item);
    case WANTS_FIRST_ELEMENT:
        if (walk->at < walk->end && *walk->at == ']') {
            return close_level(walk, item);
        }
        return take_value(walk, item);
    case IS_DONE:
        item->kind = JSON_END;
        return JSON_END;
    default:
        return broken(walk, item);
    }
}

bool json_walk_value(struct json_walk *walk, slice *raw)
{
    struct json_item item;
    uint32_t outside = walk->depth;
    bool has_comma = walk->expects == WANTS_AFTER && walk->at < walk->end && *walk->at == ',';
    const uint8_t *start = walk->at + (has_comma ? 1 : 0);
    enum json_item_kind kind = json_walk_next(walk, &item);
    if (kind == JSON_END || kind == JSON_ERROR || kind == JSON_KEY || walk->depth < outside) {
        return false;
    }
    while (walk->depth > outside && kind != JSON_ERROR) {
        kind = json_walk_next(walk, &item);
    }
    if (kind == JSON_ERROR) {
        return false;
    }
    *raw = (slice){start, (size_t)(walk->at - start)};
    return true;
}
