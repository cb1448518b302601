/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * password - what is kept of a password: Argon2id (RFC 9106) in the PHC string format.
 *
 *   $argon2id$v=19$m=19456,t=2,p=1$<salt, 16 bytes>$<hash, 32 bytes>
 *
 * The parameters are the least that the OWASP Password Storage Cheat Sheet advises: 19 MiB of
 * memory, two passes, one lane. A hash takes 16 ms here, and the text carries its parameters, so
 * that they may be raised: a hash of other parameters still verifies, and password_needs_rehash()
 * says that it is time for another one.
 *
 * At most PASSWORD_PARALLEL_MAX hashes are made at a time, so that a crowd at the door costs
 * PASSWORD_PARALLEL_MAX times the memory and no more. A few may wait, for a short time.
 *
 * A password is bytes: UTF-8 as it was sent. It is not normalised (no NFC), so that an accent typed
 * as one code point and as two are two passwords. Every byte counts, up to the limit.
 *
 * Threads: any; password_hash() and password_verify() block.
 */

#include "base/err.h"
#include "base/slice.h"

#define PASSWORD_BYTES_MAX    1024
#define PASSWORD_HASH_BYTES   128 /* of the text, with its NUL and what is left behind it */
#define PASSWORD_MEMORY_KIB   19456
#define PASSWORD_PASSES       2
#define PASSWORD_PARALLEL_MAX 4    /* 76 MiB */
#define PASSWORD_WAITING_MAX  16   /* more are told BUSY at once */
#define PASSWORD_WAIT_MS      2000 /* and these after that */

/* What a stored hash may ask for at most; more is CORRUPT, not a machine on its knees. */
#define PASSWORD_MEMORY_KIB_MAX (64 * 1024)
#define PASSWORD_PASSES_MAX     8

/* The text that is kept, with a new salt. INVALID: empty, or longer than PASSWORD_BYTES_MAX; BUSY;
 * IO: the library has no memory. */
enum err password_hash(slice password, char out[PASSWORD_HASH_BYTES], struct diag *diag);

/* Whether `password` is the one that `hash` was made of. `hash` NULL stands for an account that
 * does not exist: the same work is done, and the answer is false, so that the time tells nothing
 * (a hash of earlier parameters takes its own time until it is made anew). A password longer than
 * PASSWORD_BYTES_MAX is refused before it is looked at: INVALID. CORRUPT: `hash` is not a hash, or
 * asks for too much; BUSY. */
enum err password_verify(const char *hash, slice password, bool *is_right, struct diag *diag);

/* Whether a new hash should replace this one, at the next login, when the password is known. */
bool password_needs_rehash(const char *hash);
