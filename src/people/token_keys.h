/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token_keys - the keys that sign access tokens, and how one takes over from another.
 *
 * The newest key signs. A key that has a successor verifies for TOKEN_LIFETIME_MAX_S and the leeway
 * longer than it signed, which is when its last token has expired; then it is of no use to anybody
 * and its file goes. That end follows from the successor's time and is stored nowhere, so that a
 * rotation is one new file: it is there, or it is not, whenever the power goes.
 *
 *   <dir>/<kid>.key     keyfile/key_file.h, "kid <kid>"; the directory holds nothing else
 *
 * kid is the key's JWK thumbprint (RFC 7638, RFC 8037), 43 characters.
 *
 * Threads: any.
 */

#include "base/buf.h"
#include "crypto/ed25519.h"
#include "os/file.h"

#define TOKEN_LIFETIME_MAX_S 3600 /* no token lives longer */
#define TOKEN_LEEWAY_S       30   /* for clocks that differ: of expiry, not-before and issue */
#define TOKEN_KEYS_MAX       8
#define TOKEN_KID_BYTES      43
#define TOKEN_JWKS_BYTES_MAX 2048

struct token_key {
    char kid[TOKEN_KID_BYTES + 1];
    uint8_t public_key[ED25519_PUBLIC_BYTES];
    uint8_t seed[ED25519_SEED_BYTES];
    int64_t created_us;
};
void token_key_release(struct token_key *key); /* wipes the seed */

struct token_keys;

/* Without files, and empty: for those who only try something. Never NULL. */
struct token_keys *token_keys_new(void);
void token_keys_free(struct token_keys *keys); /* wipes the seeds */
DEFINE_OWNED(token_keys);

/* Reads the directory (which outlives *out), makes a key if there is none, and removes what is of
 * no use any more. CORRUPT: a file is not a key, or has another name than its key; LIMIT: more than
 * TOKEN_KEYS_MAX; FULL, IO. */
enum err token_keys_open(const struct dir *dir, int64_t now_us, struct token_keys **out,
                         struct diag *diag);

/* A key of that seed, without a file; it signs if it is the newest. LIMIT, IO. */
enum err token_keys_add(struct token_keys *keys, const uint8_t seed[ED25519_SEED_BYTES],
                        int64_t created_us, struct diag *diag);

/* A new key signs from now on, whatever the clock says. LIMIT: too many rotations while tokens of
 * the keys before still live; then nothing has changed. FULL, IO. */
enum err token_keys_rotate(struct token_keys *keys, int64_t now_us, struct diag *diag);

/* The same, if the key that signs is older than `age_us`: of those who ask at once, one rotates. */
enum err token_keys_renew(struct token_keys *keys, int64_t age_us, int64_t now_us,
                          struct diag *diag);

/* For when a key was stolen: a new key signs, all others end at once, and with them every token.
 * FULL, IO: files of theirs may be left, so it is to be asked again before the next start. */
enum err token_keys_replace_all(struct token_keys *keys, int64_t now_us, struct diag *diag);

/* A copy of the key that signs; there is one. The caller ends it with token_key_release(). */
void token_keys_current(struct token_keys *keys, struct token_key *out);

/* The key that verifies under that name now. False: there is none, or it has ended. */
bool token_keys_find(struct token_keys *keys, slice kid, int64_t now_us,
                     uint8_t public_out[ED25519_PUBLIC_BYTES]);

/* Appends the public halves of all that verify now, as a JWK set: {"keys":[...]}. At most
 * TOKEN_JWKS_BYTES_MAX. */
void token_keys_jwks(struct token_keys *keys, int64_t now_us, struct buf *out);

/* Another number after each token_keys_replace_all(): what was verified before counts no more. */
uint64_t token_keys_epoch(struct token_keys *keys);
