/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * slice - a borrowed run of bytes: a pointer and a length, never a terminator.
 *
 * A slice owns nothing. Whoever hands one out says how long its bytes stay valid.
 * The take_* functions eat from the front: on success they advance *s, on failure they
 * leave it alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/byte.h"
#include "base/check.h"

typedef struct slice {
    const uint8_t *ptr;
    size_t len;
} slice;

/* A literal as a slice: SLICE("actor"). */
#define SLICE(literal) ((slice){(const uint8_t *)("" literal), sizeof(literal) - 1})

/* The same, for the initialiser of a static table. */
#define SLICE_INIT(literal)                                                                        \
    {                                                                                              \
        (const uint8_t *)("" literal), sizeof(literal) - 1                                         \
    }

/* For printf: ("%.*s", SLICE_ARG(s)). */
#define SLICE_ARG(s) (int)(s).len, (const char *)(s).ptr

static inline slice slice_from_cstr(const char *text)
{
    ASSERT(text != NULL);
    return (slice){(const uint8_t *)text, strlen(text)};
}

static inline bool slice_equal(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* <0, 0, >0 as bytes compare, a beginning before what continues it. */
static inline int slice_compare(slice a, slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline slice slice_take(slice *s, size_t n)
{
    ASSERT(n <= s->len);
    slice head = {s->ptr, n};
    if (n > 0) { /* NULL + 0 is undefined in C, and {0} is a fine empty slice */
        s->ptr += n;
        s->len -= n;
    }
    return head;
}

/* Whether all of its bytes are 0; so it is when it has none. */
static inline bool slice_is_zero(slice s)
{
    uint8_t any = 0;
    for (size_t i = 0; i < s.len; i++) {
        any |= s.ptr[i];
    }
    return any == 0;
}

static inline bool slice_take_literal(slice *s, slice literal)
{
    if (s->len < literal.len || memcmp(s->ptr, literal.ptr, literal.len) != 0) {
        return false;
    }
    (void)slice_take(s, literal.len);
    return true;
}

static inline slice slice_take_while(slice *s, bool (*wanted)(uint8_t byte))
{
    size_t n = 0;
    while (n < s->len && wanted(s->ptr[n])) {
        n++;
    }
    return slice_take(s, n);
}

static inline bool slice_take_quoted(slice *s, slice *inside_out)
{
    if (s->len < 2 || s->ptr[0] != '"') {
        return false;
    }
    const uint8_t *close = memchr(s->ptr + 1, '"', s->len - 1);
    if (close == NULL) {
        return false;
    }
    slice quoted = slice_take(s, (size_t)(close - s->ptr) + 1);
    *inside_out = (slice){quoted.ptr + 1, quoted.len - 2};
    return true;
}

static inline void slice_skip_spaces(slice *s)
{
    (void)slice_take_while(s, byte_is_space);
}

/* Without the spaces and tabs around it. */
static inline slice slice_trim(slice text)
{
    slice_skip_spaces(&text);
    while (text.len > 0 && byte_is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* The beginning of UTF-8 text that has at most so many bytes, and no half character at its end. */
static inline slice slice_cut(slice text, size_t bytes_max)
{
    if (text.len <= bytes_max) {
        return text;
    }
    while (bytes_max > 0 && (text.ptr[bytes_max] & 0xc0) == 0x80) {
        bytes_max--;
    }
    return (slice){text.ptr, bytes_max};
}

/* Takes away the half character that snprintf() leaves at the end where it cuts UTF-8. */
static inline void cstr_trim(char *text)
{
    size_t len = strlen(text);
    size_t first = len; /* of the last character */
    while (first > 0 && len - first < 4 && ((uint8_t)text[first - 1] & 0xc0) == 0x80) {
        first--;
    }
    uint8_t byte = first > 0 ? (uint8_t)text[first - 1] : 0;
    size_t wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 0;
    if (len - first + 1 < wanted) {
        text[first - 1] = '\0';
    }
}

/* All of `text` as a decimal number of 1 to 18 digits. False leaves *out untouched. */
static inline bool slice_parse_u64(slice text, uint64_t *out)
{
    uint64_t number = 0;
    if (text.len == 0 || text.len > 18) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *out = number;
    return true;
}

/* ---- Letters of ASCII in any case ---- */

static inline bool slice_equal_any_case(slice a, slice b)
{
    size_t same = 0;
    while (a.len == b.len && same < a.len && byte_lower(a.ptr[same]) == byte_lower(b.ptr[same])) {
        same++;
    }
    return a.len == b.len && same == a.len;
}

/* Whether `word` stands anywhere in `text`; an empty one does not. */
static inline bool slice_holds_any_case(slice text, slice word)
{
    for (size_t at = 0; word.len > 0 && at + word.len <= text.len; at++) {
        if (slice_equal_any_case((slice){text.ptr + at, word.len}, word)) {
            return true;
        }
    }
    return false;
}
