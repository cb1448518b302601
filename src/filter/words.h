/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * words - what a word is, for the search over all strings and for the tokens that speed it up.
 *
 * A word is a run of ASCII letters and digits, '_' and all bytes from 0x80 on; ASCII letters count
 * in lower case, other bytes as they are. Private to this room.
 *
 *   words_take    one word after the other, for phrases and comparisons
 *   words_block   which of 16 bytes belong to words, and their lower case: for sealing, where
 *                 every string of every event passes
 *   words_stops   which of 16 bytes end or escape a JSON string
 *
 * Threads: any.
 */

#include "base/slice.h"

#define WORDS_BLOCK 16

/* The lower-case form of a byte of a word; 0 for a byte that is in no word. */
extern const uint8_t word_bytes[256];

static inline bool byte_is_word(uint8_t byte)
{
    return word_bytes[byte] != 0;
}

/* Takes the next word of `*rest`, as written. False when there is none left. */
static inline bool words_take(slice *rest, slice *out)
{
    size_t from = 0;
    while (from < rest->len && !byte_is_word(rest->ptr[from])) {
        from++;
    }
    size_t to = from;
    while (to < rest->len && byte_is_word(rest->ptr[to])) {
        to++;
    }
    if (from == to) {
        return false;
    }
    slice taken = slice_take(rest, to);
    *out = (slice){taken.ptr + from, to - from};
    return true;
}

/* Bit i: byte i of the block is of a word. Bytes of words are written to `lower` in lower case,
 * what is written of others is of no use. */
static inline unsigned words_plain_block(const uint8_t block[WORDS_BLOCK],
                                         uint8_t lower[WORDS_BLOCK])
{
    unsigned mask = 0;
    for (unsigned i = 0; i < WORDS_BLOCK; i++) {
        lower[i] = word_bytes[block[i]];
        mask |= lower[i] != 0 ? 1u << i : 0;
    }
    return mask;
}

/* Bit i: byte i of the block is a quote or a backslash. */
static inline unsigned words_plain_stops(const uint8_t block[WORDS_BLOCK])
{
    unsigned mask = 0;
    for (unsigned i = 0; i < WORDS_BLOCK; i++) {
        mask |= block[i] == '"' || block[i] == '\\' ? 1u << i : 0;
    }
    return mask;
}

#if defined(__SSE2__)
#include "filter/words_sse2.h"
#else
#define words_block words_plain_block
#define words_stops words_plain_stops
#endif
