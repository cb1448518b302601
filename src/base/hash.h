/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hash - a fast 64-bit hash of bytes, not a cryptographic one.
 *
 * The construction (multiply to 128 bits and fold) is that of wyhash. Who knows the seed can make
 * any number of texts that share a hash: tables in memory that strangers fill take hash_secret() or
 * a random one. With the fixed seed HASH_STORED it is part of the stored format
 * (docs/format/tokens.md, "The hash"), and may never change.
 *
 * Threads: any.
 */

#include "base/slice.h"

#define HASH_STORED UINT64_C(0x436169726e313031)

/* A seed that strangers cannot know, the same for the whole life of the process: the kernel gives
 * each one random bytes. Not for what is stored, and no key. */
uint64_t hash_secret(void);

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_u64(uint64_t number, uint64_t seed)
{
    return hash_mix(number ^ UINT64_C(0xe7037ed1a0b428db), seed ^ UINT64_C(0xa0761d6478bd642f));
}

static inline uint64_t hash_load(const uint8_t *p, size_t n)
{
    uint64_t word = 0;
    memcpy(&word, p, n);
    return word;
}

/* The last `n` bytes, 1 to 7, of `len` up to `end`, padded with zeros: loads of a fixed size that
 * overlap where they must, since a memcpy() of n bytes would be a call. */
static inline uint64_t hash_tail(const uint8_t *end, size_t n, size_t len)
{
    if (len >= 8) {
        return hash_load(end - 8, 8) >> (64 - 8 * n);
    }
    if (n >= 4) {
        return hash_load(end - n, 4) | hash_load(end - 4, 4) << (8 * (n - 4));
    }
    return (uint64_t)end[-(ptrdiff_t)n] |
           (uint64_t)end[-(ptrdiff_t)((n + 1) / 2)] << (8 * (n / 2)) |
           (uint64_t)end[-1] << (8 * (n - 1));
}

/* Little-endian words, the last one padded with zeros; the length is mixed in first. */
static inline uint64_t hash_bytes(slice bytes, uint64_t seed)
{
    const uint8_t *p = bytes.ptr;
    size_t n = bytes.len;
    uint64_t h = seed ^ ((uint64_t)n * UINT64_C(0x9e3779b97f4a7c15));
    for (; n >= 8; n -= 8, p += 8) {
        h = hash_mix(h ^ hash_load(p, 8), UINT64_C(0xa0761d6478bd642f));
    }
    if (n > 0) {
        h = hash_mix(h ^ hash_tail(p + n, n, bytes.len), UINT64_C(0xe7037ed1a0b428db));
    }
    return hash_mix(h ^ UINT64_C(0x8ebc6af09c88c6e3), UINT64_C(0x589965cc75374cc3));
}
