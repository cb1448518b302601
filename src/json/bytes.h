/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bytes - finding the next byte that matters inside a string.
 *
 *   json_find_special   quote, backslash, control, or a byte of 0x80 and above
 *   json_find_escaped   quote, backslash, or control
 *   json_find_quote     quote or backslash
 *   json_has_escaped    whether there is a quote, backslash, or control
 *
 * A find returns `end` when there is none, and reads nothing at or behind `end`. SSE2 is part of
 * x86-64; elsewhere eight bytes at a time in plain C. Both are always compiled where they can be,
 * so that the test compares them.
 */

#include "base/slice.h"

static inline bool json_byte_is_special(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
}

static inline bool json_byte_is_escaped(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static inline bool json_byte_is_quote(uint8_t byte)
{
    return byte == '"' || byte == '\\';
}

#define JSON_ONES UINT64_C(0x0101010101010101)
#define JSON_HIGH UINT64_C(0x8080808080808080)

/* Nonzero if any byte of `word` is zero. */
static inline uint64_t json_word_has_zero(uint64_t word)
{
    return (word - JSON_ONES) & ~word & JSON_HIGH;
}

static inline uint64_t json_word_has_quote(uint64_t word)
{
    return json_word_has_zero(word ^ (JSON_ONES * '"')) |
           json_word_has_zero(word ^ (JSON_ONES * '\\'));
}

static inline uint64_t json_word_has_control(uint64_t word)
{
    return (word - JSON_ONES * 0x20) & ~word & JSON_HIGH;
}

static inline const uint8_t *json_plain_find_special(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t word = 0;
        memcpy(&word, p, sizeof(word));
        if ((json_word_has_quote(word) | json_word_has_control(word) | (word & JSON_HIGH)) != 0) {
            break;
        }
    }
    while (p < end && !json_byte_is_special(*p)) {
        p++;
    }
    return p;
}

static inline const uint8_t *json_plain_find_escaped(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t word = 0;
        memcpy(&word, p, sizeof(word));
        if ((json_word_has_quote(word) | json_word_has_control(word)) != 0) {
            break;
        }
    }
    while (p < end && !json_byte_is_escaped(*p)) {
        p++;
    }
    return p;
}

static inline const uint8_t *json_plain_find_quote(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t word = 0;
        memcpy(&word, p, sizeof(word));
        if (json_word_has_quote(word) != 0) {
            break;
        }
    }
    while (p < end && !json_byte_is_quote(*p)) {
        p++;
    }
    return p;
}

static inline uint64_t json_word_has_escaped(uint64_t word)
{
    return json_word_has_quote(word) | json_word_has_control(word);
}

/* Whether any byte is a quote, backslash, or control. The last word overlaps the one before, so
 * that there is no rest to look at byte by byte. */
static inline bool json_plain_has_escaped(slice text)
{
    uint64_t word = JSON_ONES * ' ';
    if (text.len >= 8) {
        for (size_t at = 0; at + 8 < text.len; at += 8) {
            memcpy(&word, text.ptr + at, 8);
            if (json_word_has_escaped(word) != 0) {
                return true;
            }
        }
        memcpy(&word, text.ptr + text.len - 8, 8);
    } else if (text.len >= 4) {
        uint32_t halves[2];
        memcpy(&halves[0], text.ptr, 4);
        memcpy(&halves[1], text.ptr + text.len - 4, 4);
        word = halves[0] | (uint64_t)halves[1] << 32;
    } else if (text.len > 0) {
        word ^= (uint64_t)(text.ptr[0] ^ ' ') | (uint64_t)(text.ptr[text.len / 2] ^ ' ') << 8 |
                (uint64_t)(text.ptr[text.len - 1] ^ ' ') << 16;
    }
    return json_word_has_escaped(word) != 0;
}

#if defined(__SSE2__)
#include "json/bytes_sse2.h"
#else
#define json_find_special json_plain_find_special
#define json_find_escaped json_plain_find_escaped
#define json_find_quote   json_plain_find_quote
#define json_has_escaped  json_plain_has_escaped
#endif
