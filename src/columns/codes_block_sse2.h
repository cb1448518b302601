/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * codes_block_sse2 - which of 64 codes lie in [first, first + last], as bits, 16 bytes at once.
 *
 * SSE2 compares signed numbers only; turning the highest bit around makes the order of unsigned
 * ones that of signed ones. Comparing (code - first) with `last` tests both ends of the range.
 */

#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

static inline __m128i codes_load(const void *codes, size_t byte)
{
    __m128i block;
    memcpy(&block, (const uint8_t *)codes + byte, sizeof(block));
    return block;
}

static inline unsigned codes_mask(__m128i outside)
{
    return ~(unsigned)_mm_movemask_epi8(outside) & 0xffff;
}

static inline uint64_t codes_block_u8(const uint8_t *codes, uint32_t first, uint32_t last)
{
    uint64_t bits = 0;
    const __m128i low = _mm_set1_epi8((char)first);
    const __m128i turn = _mm_set1_epi8((char)0x80);
    const __m128i high = _mm_set1_epi8((char)(last ^ 0x80));
    for (unsigned i = 0; i < 4; i++) {
        __m128i block = _mm_xor_si128(_mm_sub_epi8(codes_load(codes, 16 * i), low), turn);
        bits |= (uint64_t)codes_mask(_mm_cmpgt_epi8(block, high)) << (16 * i);
    }
    return bits;
}

static inline __m128i codes_outside_u16(const uint16_t *codes, uint32_t first, uint32_t last)
{
    const __m128i low = _mm_set1_epi16((short)first);
    const __m128i turn = _mm_set1_epi16((short)0x8000);
    const __m128i high = _mm_set1_epi16((short)(last ^ 0x8000));
    return _mm_cmpgt_epi16(_mm_xor_si128(_mm_sub_epi16(codes_load(codes, 0), low), turn), high);
}

static inline uint64_t codes_block_u16(const uint16_t *codes, uint32_t first, uint32_t last)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        __m128i a = codes_outside_u16(codes + 16 * i, first, last);
        __m128i b = codes_outside_u16(codes + 16 * i + 8, first, last);
        bits |= (uint64_t)codes_mask(_mm_packs_epi16(a, b)) << (16 * i);
    }
    return bits;
}

static inline __m128i codes_outside_u32(const uint32_t *codes, uint32_t first, uint32_t last)
{
    const __m128i low = _mm_set1_epi32((int)first);
    const __m128i turn = _mm_set1_epi32((int)0x80000000);
    const __m128i high = _mm_set1_epi32((int)(last ^ 0x80000000));
    return _mm_cmpgt_epi32(_mm_xor_si128(_mm_sub_epi32(codes_load(codes, 0), low), turn), high);
}

static inline uint64_t codes_block_u32(const uint32_t *codes, uint32_t first, uint32_t last)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        const uint32_t *at = codes + 16 * i;
        __m128i a = _mm_packs_epi32(codes_outside_u32(at, first, last),
                                    codes_outside_u32(at + 4, first, last));
        __m128i b = _mm_packs_epi32(codes_outside_u32(at + 8, first, last),
                                    codes_outside_u32(at + 12, first, last));
        bits |= (uint64_t)codes_mask(_mm_packs_epi16(a, b)) << (16 * i);
    }
    return bits;
}
