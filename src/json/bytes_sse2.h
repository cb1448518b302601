/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* bytes_sse2 - the searches of bytes.h, 32 bytes at a time: most strings end within. */

#include <emmintrin.h>

#include "json/bytes.h"

/* As signed bytes, controls and bytes of 0x80 and above are all less than a space. */
static inline unsigned json_block_special(__m128i block)
{
    __m128i low = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash)));
}

static inline unsigned json_block_escaped(__m128i block)
{
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, slash)));
}

static inline unsigned json_block_quote(__m128i block)
{
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(quote, slash));
}

static inline __m128i json_block_load(const uint8_t *p)
{
    __m128i block;
    memcpy(&block, p, sizeof(block));
    return block;
}

static inline const uint8_t *json_find_special(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 32; p += 32) {
        unsigned found = json_block_special(json_block_load(p)) |
                         json_block_special(json_block_load(p + 16)) << 16;
        if (found != 0) {
            return p + __builtin_ctz(found);
        }
    }
    return json_plain_find_special(p, end);
}

static inline const uint8_t *json_find_escaped(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 32; p += 32) {
        unsigned found = json_block_escaped(json_block_load(p)) |
                         json_block_escaped(json_block_load(p + 16)) << 16;
        if (found != 0) {
            return p + __builtin_ctz(found);
        }
    }
    return json_plain_find_escaped(p, end);
}

static inline const uint8_t *json_find_quote(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 32; p += 32) {
        unsigned found =
            json_block_quote(json_block_load(p)) | json_block_quote(json_block_load(p + 16)) << 16;
        if (found != 0) {
            return p + __builtin_ctz(found);
        }
    }
    return json_plain_find_quote(p, end);
}

static inline bool json_has_escaped(slice text)
{
    if (text.len < 16) {
        return json_plain_has_escaped(text);
    }
    unsigned found = json_block_escaped(json_block_load(text.ptr + text.len - 16));
    for (size_t at = 0; at + 16 < text.len; at += 16) {
        found |= json_block_escaped(json_block_load(text.ptr + at));
    }
    return found != 0;
}
