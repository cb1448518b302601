/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instruction of SSE4.2 takes 8 bytes, with a latency of three cycles but one started each
 * cycle. So three lanes of LANE_BYTES run side by side and are joined afterwards: the register of
 * a lane is moved over the n bytes behind it by multiplying it with x^(8n) modulo the polynomial.
 *
 * That is one carry-less multiplication and one more crc32: the instruction on a 64-bit value
 * multiplies by x^32, and the product of two reflected numbers is one bit short, so the constant
 * for n bytes is x^(8n - 33) modulo the polynomial, reflected.
 */
#include "codec/crc32c.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "base/macros.h"

enum { LANE_BYTES = 256 };

#define X_POWER_LANE      0xb9e02b86u /* x^(8 * 256 - 33) */
#define X_POWER_TWO_LANES 0xdd7e3b0cu /* x^(8 * 512 - 33) */

bool crc32c_is_fast(void)
{
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

static inline uint64_t load(const uint8_t *bytes)
{
    uint64_t word = 0;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

TARGET("sse4.2,pclmul") static inline uint64_t move_over(uint64_t state, uint32_t x_power)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)state),
                                           _mm_cvtsi64_si128((long long)x_power), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

TARGET("sse4.2,pclmul") static uint64_t take_three_lanes(uint64_t state, const uint8_t *bytes)
{
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < LANE_BYTES; i += sizeof(uint64_t)) {
        state = _mm_crc32_u64(state, load(bytes + i));
        second = _mm_crc32_u64(second, load(bytes + LANE_BYTES + i));
        third = _mm_crc32_u64(third, load(bytes + 2 * (size_t)LANE_BYTES + i));
    }
    return move_over(state, X_POWER_TWO_LANES) ^ move_over(second, X_POWER_LANE) ^ third;
}

TARGET("sse4.2,pclmul") uint32_t crc32c_fast(uint32_t crc, slice bytes)
{
    uint64_t state = ~crc;
    while (bytes.len >= 3 * (size_t)LANE_BYTES) {
        state = take_three_lanes(state, slice_take(&bytes, 3 * (size_t)LANE_BYTES).ptr);
    }
    while (bytes.len >= sizeof(uint64_t)) {
        state = _mm_crc32_u64(state, load(slice_take(&bytes, sizeof(uint64_t)).ptr));
    }
    uint32_t rest = (uint32_t)state;
    for (size_t i = 0; i < bytes.len; i++) {
        rest = _mm_crc32_u8(rest, bytes.ptr[i]);
    }
    return ~rest;
}

#else

bool crc32c_is_fast(void)
{
    return false;
}

uint32_t crc32c_fast(uint32_t crc, slice bytes)
{
    return crc32c_portable(crc, bytes);
}

#endif
