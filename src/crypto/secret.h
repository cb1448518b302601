/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * secret - bytes that nobody else may see: seeds, tokens, keys of webhooks.
 *
 * A secret lives in place, never on the heap, and is wiped when its scope ends:
 * CLEANUP(secret_release) struct secret token = {0}; What comes out of a file is on the heap, and
 * wiped in the same way: CLEANUP(secret_file_release) struct secret_file file = {0}; There is no
 * kv_ that would log one. Compare with secret_equal() of crypto/sha256.h.
 *
 * Threads: any; a secret has one owner.
 */

#include "base/slice.h"

#define SECRET_BYTES_MAX 512

struct secret {
    uint8_t bytes[SECRET_BYTES_MAX];
    size_t len;
};

/* Zeroes memory in a way that no compiler leaves out. NULL is fine when `len` is 0. */
void secret_wipe(void *memory, size_t len);

void secret_release(struct secret *secret); /* wipes; the secret is then empty */

/* Wipes what was held and copies `bytes`, which may not lie inside `secret`. False, with the
 * secret as it was, past SECRET_BYTES_MAX. */
bool secret_set(struct secret *secret, slice bytes);

/* Valid until the next secret_set() or the end of the secret. */
static inline slice secret_slice(const struct secret *secret)
{
    return (slice){secret->bytes, secret->len};
}

/* What was read of a file that holds a secret, or may: of malloc(). */
struct secret_file {
    uint8_t *bytes;
    size_t len;
};

void secret_file_release(struct secret_file *file); /* wipes and frees; it is then empty */

static inline slice secret_file_slice(const struct secret_file *file)
{
    return (slice){file->bytes, file->len};
}

/* A mark by which a secret that was seen before is known again, where only the mark is kept:
 * SipHash-2-4 of 128 bits under a random key, which stays in this process. A quarter of a SHA-256.
 */
#define SECRET_MARK_BYTES   16
#define SECRET_MARKER_BYTES 16

struct secret_marker {
    uint8_t key[SECRET_MARKER_BYTES];
};

void secret_marker_init(struct secret_marker *marker); /* a key of its own */
void secret_mark(const struct secret_marker *marker, slice secret, uint8_t out[SECRET_MARK_BYTES]);
