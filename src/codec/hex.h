/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hex - bytes as pairs of digits. Written in lower case, read in either. Threads: any.
 */

#include "base/slice.h"

/* What a digit of either case is, 0 to 15; -1: it is none. */
static inline int hex_digit(uint8_t byte)
{
    unsigned number = (unsigned)byte - '0';
    unsigned letter = ((unsigned)byte | 0x20) - 'a';
    if (number <= 9) {
        return (int)number;
    }
    return letter < 6 ? (int)letter + 10 : -1;
}

/* The byte of the two digits in front of `text`, 0 to 255; less than 0: there are no two. */
static inline int hex_byte(slice text)
{
    int high = text.len >= 2 ? hex_digit(text.ptr[0]) : -1;
    int low = text.len >= 2 ? hex_digit(text.ptr[1]) : -1;
    return high * 16 | low; /* of a negative one, negative */
}

/* Writes 2 * bytes.len characters, without a NUL. */
void hex_encode(slice bytes, char *out);

/* Writes text.len / 2 bytes. False for an odd length or anything but digits; `out` is then of no
 * use. `out` may not overlap the text. */
bool hex_decode(slice text, uint8_t *out);
