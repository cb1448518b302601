/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* codes_block - which of 64 codes lie in [first, first + last], as bits, in plain C. */

#include <stdint.h>

#define CODES_BLOCK(name, type)                                                                    \
    static inline uint64_t name(const type *codes, uint32_t first, uint32_t last)                  \
    {                                                                                              \
        uint64_t bits = 0;                                                                         \
        for (unsigned i = 0; i < 64; i++) {                                                        \
            bits |= (uint64_t)((type)(codes[i] - first) <= (type)last) << i;                       \
        }                                                                                          \
        return bits;                                                                               \
    }
CODES_BLOCK(codes_block_u8, uint8_t)
CODES_BLOCK(codes_block_u16, uint16_t)
CODES_BLOCK(codes_block_u32, uint32_t)
