/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * uuid - RFC 9562 identifiers: read, write, make. Threads: any.
 */

#include "base/slice.h"

#define UUID_TEXT_BYTES 36

struct uuid {
    uint8_t bytes[16];
};

/* Exactly 36 characters with hyphens, either case; nothing else. False leaves *out untouched. */
bool uuid_parse(slice text, struct uuid *out);

/* Lower case, without a NUL. */
void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_BYTES]);

/* 7 for a UUIDv7; the variant must be the RFC's, else 0. */
int uuid_version(const struct uuid *uuid);

/* The 48-bit milliseconds of a version 7. */
uint64_t uuid_v7_ms(const struct uuid *uuid);

/* A version 7 of `now_us` and ten random bytes. */
struct uuid uuid_make_v7(int64_t now_us, const uint8_t random[10]);

/* The version 5 of a name in the name space `space`: always the same. */
struct uuid uuid_make_v5(const struct uuid *space, slice name);

static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
