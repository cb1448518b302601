/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex.h"

enum { NOT_A_DIGIT = 0xff };

static inline uint8_t digit_value(uint8_t digit)
{
    uint8_t number = (uint8_t)(digit - '0');
    uint8_t letter = (uint8_t)((digit | 0x20) - 'a');
    if (number < 10) {
        return number;
    }
    return letter < 6 ? (uint8_t)(letter + 10) : (uint8_t)NOT_A_DIGIT;
}

void hex_encode(slice bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits[bytes.ptr[i] >> 4];
        out[2 * i + 1] = digits[bytes.ptr[i] & 0xf];
    }
}

bool hex_decode(slice text, uint8_t *out)
{
    if (text.len % 2 != 0) {
        return false;
    }
    uint8_t bad = 0;
    for (size_t i = 0; i < text.len / 2; i++) {
        uint8_t high = digit_value(text.ptr[2 * i]);
        uint8_t low = digit_value(text.ptr[2 * i + 1]);
        bad |= (uint8_t)((high | low) & 0xf0);
        out[i] = (uint8_t)(high << 4 | (low & 0xf));
    }
    return bad == 0;
}
