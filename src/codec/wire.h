/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wire - integers as bytes, in the order that a format prescribes, at any alignment.
 *
 * Our own files are little-endian; the formats of others that are big-endian (RFC 6962, TLS) have
 * the `be` half. Varints are unsigned LEB128: seven bits a byte, the low ones first, and only the
 * shortest form of a number is read back, so that equal numbers have equal bytes.
 *
 * Threads: any.
 */

#include "base/slice.h"

#define WIRE_VARINT_BYTES_MAX 10

static inline uint16_t wire_get_u16le(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t wire_get_u32le(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline uint64_t wire_get_u64le(const uint8_t *bytes)
{
    return (uint64_t)wire_get_u32le(bytes) | (uint64_t)wire_get_u32le(bytes + 4) << 32;
}

static inline uint16_t wire_get_u16be(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t wire_get_u32be(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           (uint32_t)bytes[3];
}

static inline uint64_t wire_get_u64be(const uint8_t *bytes)
{
    return (uint64_t)wire_get_u32be(bytes) << 32 | (uint64_t)wire_get_u32be(bytes + 4);
}

static inline void wire_put_u16le(uint8_t *out, uint16_t number)
{
    out[0] = (uint8_t)number;
    out[1] = (uint8_t)(number >> 8);
}

static inline void wire_put_u32le(uint8_t *out, uint32_t number)
{
    out[0] = (uint8_t)number;
    out[1] = (uint8_t)(number >> 8);
    out[2] = (uint8_t)(number >> 16);
    out[3] = (uint8_t)(number >> 24);
}

static inline void wire_put_u64le(uint8_t *out, uint64_t number)
{
    wire_put_u32le(out, (uint32_t)number);
    wire_put_u32le(out + 4, (uint32_t)(number >> 32));
}

static inline void wire_put_u16be(uint8_t *out, uint16_t number)
{
    out[0] = (uint8_t)(number >> 8);
    out[1] = (uint8_t)number;
}

static inline void wire_put_u32be(uint8_t *out, uint32_t number)
{
    out[0] = (uint8_t)(number >> 24);
    out[1] = (uint8_t)(number >> 16);
    out[2] = (uint8_t)(number >> 8);
    out[3] = (uint8_t)number;
}

static inline void wire_put_u64be(uint8_t *out, uint64_t number)
{
    wire_put_u32be(out, (uint32_t)(number >> 32));
    wire_put_u32be(out + 4, (uint32_t)number);
}

/* Writes 1..WIRE_VARINT_BYTES_MAX bytes and returns how many. */
static inline size_t wire_put_varint(uint8_t *out, uint64_t number)
{
    size_t len = 0;
    while (number >= 0x80) {
        out[len++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    out[len++] = (uint8_t)number;
    return len;
}

/* wire_take_varint() of more than one byte. */
static inline bool wire_take_long_varint(slice *s, uint64_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < s->len && i < WIRE_VARINT_BYTES_MAX; i++) {
        uint8_t byte = s->ptr[i];
        number |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            bool is_overlong = byte == 0 && i > 0;
            bool is_too_big = i == WIRE_VARINT_BYTES_MAX - 1 && byte > 1;
            if (is_overlong || is_too_big) {
                return false;
            }
            (void)slice_take(s, i + 1);
            *out = number;
            return true;
        }
    }
    return false;
}

/* False when the bytes end inside the number, when a shorter form exists, and when it does not fit
 * 64 bits; then nothing was taken and *out is untouched. */
static inline bool wire_take_varint(slice *s, uint64_t *out)
{
    if (s->len > 0 && s->ptr[0] < 0x80) { /* as most are */
        *out = slice_take(s, 1).ptr[0];
        return true;
    }
    return wire_take_long_varint(s, out);
}

/* The next `n` bytes; they live as long as those of *s. False, and nothing taken, if fewer. */
static inline bool wire_take_bytes(slice *s, size_t n, slice *out)
{
    if (n > s->len) {
        return false;
    }
    *out = slice_take(s, n);
    return true;
}
