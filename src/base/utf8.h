/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * utf8 - characters as RFC 3629 has them: the shortest form, no surrogates, up to U+10FFFF.
 *
 * Threads: any.
 */

#include "base/slice.h"

/* The end of the character of two to four bytes at `p`; NULL if it is none: then *is_cut says
 * whether more bytes than those up to `end` could complete it. */
static inline const uint8_t *utf8_character_end(const uint8_t *p, const uint8_t *end, bool *is_cut)
{
    uint8_t lead = *p;
    size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    *is_cut = false;
    if (lead < 0xc2 || lead > 0xf4) {
        return NULL;
    }
    for (size_t i = 1; i <= more; i++) {
        if (p + i == end) {
            *is_cut = true;
            return NULL;
        }
        if (p[i] < low || p[i] > high) {
            return NULL;
        }
        low = 0x80;
        high = 0xbf;
    }
    return p + more + 1;
}

/* Bytes of the character at the front of `text`, which is not empty; 0: there is none. */
static inline size_t utf8_character_len(slice text)
{
    bool is_cut = false;
    if (text.ptr[0] < 0x80) {
        return 1;
    }
    const uint8_t *end = utf8_character_end(text.ptr, text.ptr + text.len, &is_cut);
    return end != NULL ? (size_t)(end - text.ptr) : 0;
}

/* So many bytes at the front of `text` are whole characters. */
static inline size_t utf8_prefix_len(slice text)
{
    size_t at = 0;
    size_t len = 1;
    while (at < text.len && len > 0) {
        len = utf8_character_len((slice){text.ptr + at, text.len - at});
        at += len;
    }
    return at;
}

static inline bool utf8_is_valid(slice text)
{
    return utf8_prefix_len(text) == text.len;
}
