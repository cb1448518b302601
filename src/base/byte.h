/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * byte - what a byte of ASCII is, whatever the locale says.
 *
 * Threads: any.
 */

#include <stdbool.h>
#include <stdint.h>

static inline bool byte_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static inline bool byte_is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static inline uint8_t byte_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A') : byte;
}
