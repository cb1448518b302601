/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* words_sse2 - words_block() and words_stops() of words.h, sixteen bytes at once. */

#include <emmintrin.h>

#include "base/slice.h"

/* Bytes in [first, last], both below 0x80: as signed bytes those from 0x80 on are less. */
static inline __m128i words_between(__m128i bytes, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(last + 1))));
}

static inline unsigned words_block(const uint8_t block[16], uint8_t lower[16])
{
    __m128i bytes;
    memcpy(&bytes, block, sizeof(bytes));
    __m128i upper = words_between(bytes, 'A', 'Z');
    bytes = _mm_or_si128(bytes, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
    memcpy(lower, &bytes, sizeof(bytes));
    __m128i letter = words_between(bytes, 'a', 'z');
    __m128i digit = words_between(bytes, '0', '9');
    __m128i line = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_'));
    __m128i high = _mm_cmplt_epi8(bytes, _mm_setzero_si128());
    __m128i word = _mm_or_si128(_mm_or_si128(letter, digit), _mm_or_si128(line, high));
    return (unsigned)_mm_movemask_epi8(word);
}

static inline unsigned words_stops(const uint8_t block[16])
{
    __m128i bytes;
    memcpy(&bytes, block, sizeof(bytes));
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(quote, slash));
}
