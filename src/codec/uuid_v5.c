/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UUIDv5 is the first 16 bytes of a SHA-1 (RFC 9562, 5.5; FIPS 180-4). SHA-1 is used for nothing
 * else here and nothing relies on its strength: it only gives the same name the same id.
 */
#include "codec/uuid.h"

enum {
    BLOCK_BYTES = 64,
    ROUNDS = 80,
};

struct sha1 {
    uint32_t state[5];
    uint8_t block[BLOCK_BYTES];
    uint64_t bytes;
};

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    switch (round / 20) {
    case 0:
        return ((b & c) | (~b & d)) + 0x5a827999;
    case 1:
        return (b ^ c ^ d) + 0x6ed9eba1;
    case 2:
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    default:
        return (b ^ c ^ d) + 0xca62c1d6;
    }
}

static void add_block(struct sha1 *sha1)
{
    uint32_t w[ROUNDS];
    for (unsigned i = 0; i < 16; i++) {
        const uint8_t *p = sha1->block + (size_t)4 * i;
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (unsigned i = 16; i < ROUNDS; i++) {
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    uint32_t *s = sha1->state;
    uint32_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4];
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t next = rotate(a, 5) + mix(i, b, c, d) + e + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    s[0] += a;
    s[1] += b;
    s[2] += c;
    s[3] += d;
    s[4] += e;
}

static void add_byte(struct sha1 *sha1, uint8_t byte)
{
    sha1->block[sha1->bytes++ % BLOCK_BYTES] = byte;
    if (sha1->bytes % BLOCK_BYTES == 0) {
        add_block(sha1);
    }
}

static void add_bytes(struct sha1 *sha1, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        add_byte(sha1, bytes[i]);
    }
}

struct uuid uuid_make_v5(const struct uuid *space, slice name)
{
    struct sha1 sha1 = {.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
    add_bytes(&sha1, space->bytes, sizeof(space->bytes));
    add_bytes(&sha1, name.ptr, name.len);

    uint64_t bits = sha1.bytes * 8;
    add_byte(&sha1, 0x80);
    while (sha1.bytes % BLOCK_BYTES != BLOCK_BYTES - 8) {
        add_byte(&sha1, 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        add_byte(&sha1, (uint8_t)(bits >> (56 - 8 * i)));
    }
    struct uuid uuid;
    for (unsigned i = 0; i < sizeof(uuid.bytes); i++) {
        uuid.bytes[i] = (uint8_t)(sha1.state[i / 4] >> (24 - 8 * (i % 4)));
    }
    uuid.bytes[6] = (uint8_t)(0x50 | (uuid.bytes[6] & 0x0f));
    uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3f));
    return uuid;
}
