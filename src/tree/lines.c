/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/lines.h"

bool line_take(slice *text, slice *line_out)
{
    const uint8_t *end = text->len > 0 ? memchr(text->ptr, '\n', text->len) : NULL;
    if (end == NULL) {
        return false;
    }
    *line_out = slice_take(text, (size_t)(end - text->ptr));
    (void)slice_take(text, 1);
    return true;
}

bool decimal_parse(slice text, uint64_t *out)
{
    uint64_t number = 0;
    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte < '0' || byte > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(byte - '0'), &number)) {
            return false;
        }
    }
    *out = number;
    return true;
}
