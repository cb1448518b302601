/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* number - where a number ends. Private to the room. */

#include "base/slice.h"

static inline bool json_is_digit(const uint8_t *p, const uint8_t *end)
{
    return p < end && (unsigned)*p - '0' <= 9;
}

static inline const uint8_t *json_digits_end(const uint8_t *p, const uint8_t *end)
{
    while (json_is_digit(p, end)) {
        p++;
    }
    return p;
}

/* The end of the number that starts at `p` (RFC 8259), NULL if there is none. */
static inline const uint8_t *json_number_end(const uint8_t *p, const uint8_t *end)
{
    p += p < end && *p == '-' ? 1 : 0;
    if (!json_is_digit(p, end)) {
        return NULL;
    }
    p = *p == '0' ? p + 1 : json_digits_end(p, end);
    if (p < end && *p == '.') {
        if (!json_is_digit(p + 1, end)) {
            return NULL;
        }
        p = json_digits_end(p + 1, end);
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        p += p < end && (*p == '+' || *p == '-') ? 1 : 0;
        if (!json_is_digit(p, end)) {
            return NULL;
        }
        p = json_digits_end(p, end);
    }
    return p;
}
