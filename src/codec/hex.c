/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex.h"

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
    int all = 0; /* negative from the first that is none */
    for (size_t i = 0; i < text.len / 2; i++) {
        int byte = hex_byte((slice){text.ptr + 2 * i, 2});
        all |= byte;
        out[i] = (uint8_t)byte;
    }
    return all >= 0;
}
