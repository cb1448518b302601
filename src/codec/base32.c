/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits go through a small reservoir, first bit first. A text of n letters holds 5n / 8 bytes; the
 * up to four bits that are left over are zero, and there are never five or more of them.
 */
#include "codec/base32.h"

enum { LETTER_BITS = 5, BYTE_BITS = 8, NOT_A_LETTER = 32 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void base32_append(struct buf *out, slice bytes)
{
    if (!buf_reserve(out, (bytes.len * BYTE_BITS + LETTER_BITS - 1) / LETTER_BITS)) {
        return;
    }
    uint32_t held = 0;
    uint32_t held_bits = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        held = held << BYTE_BITS | bytes.ptr[i];
        held_bits += BYTE_BITS;
        while (held_bits >= LETTER_BITS) {
            held_bits -= LETTER_BITS;
            out->ptr[out->len++] = (uint8_t)letters[held >> held_bits & 31];
        }
    }
    if (held_bits > 0) {
        out->ptr[out->len++] = (uint8_t)letters[held << (LETTER_BITS - held_bits) & 31];
    }
}

static uint32_t letter_value(uint8_t letter)
{
    if (letter >= 'A' && letter <= 'Z') {
        return (uint32_t)letter - 'A';
    }
    return letter >= '2' && letter <= '7' ? (uint32_t)letter - '2' + 26 : (uint32_t)NOT_A_LETTER;
}

bool base32_decode(slice text, struct buf *out)
{
    if (text.len * LETTER_BITS % BYTE_BITS >= LETTER_BITS ||
        !buf_reserve(out, text.len * LETTER_BITS / BYTE_BITS)) {
        return false;
    }
    size_t at = out->len;
    uint32_t held = 0;
    uint32_t held_bits = 0;
    uint32_t bad = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t value = letter_value(text.ptr[i]);
        bad |= value & NOT_A_LETTER;
        held = held << LETTER_BITS | (value & 31);
        held_bits += LETTER_BITS;
        if (held_bits >= BYTE_BITS) {
            held_bits -= BYTE_BITS;
            out->ptr[at++] = (uint8_t)(held >> held_bits);
        }
    }
    if (bad != 0 || (held & ((1U << held_bits) - 1)) != 0) {
        return false;
    }
    out->len = at;
    return true;
}
