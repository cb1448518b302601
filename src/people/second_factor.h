/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * second_factor - what a user needs beside the codes of crypto/totp.h: the secret as an address
 * that an authenticator application reads, and codes for the day it is lost.
 *
 * Recovery codes are shown once and kept as SHA-256: 80 random bits each, so that no slow hash is
 * needed to hide them. Each is good once: the caller takes its hash out of those that are left.
 *
 * Threads: any.
 */

#include "base/buf.h"
#include "crypto/sha256.h"
#include "crypto/totp.h"

#define TOTP_URI_BYTES_MAX  1024
#define RECOVERY_CODES      10
#define RECOVERY_CODE_BYTES 20 /* "ABCD-EFGH-IJKL-MNOP" and its NUL */

void totp_secret_make(uint8_t secret_out[TOTP_SECRET_BYTES]);

/* Appends otpauth://totp/<issuer>:<account>?secret=<base32>&issuer=<issuer>&algorithm=SHA1&
 * digits=6&period=30 (the Key Uri Format of Google Authenticator). Issuer and account are UTF-8,
 * not empty. INVALID: one of them is empty or has a colon, which parts them; LIMIT. */
enum err totp_uri(slice secret, slice issuer, slice account, struct buf *out);

struct recovery_codes {
    char texts[RECOVERY_CODES][RECOVERY_CODE_BYTES]; /* shown once, then wiped by the caller */
    uint8_t hashes[RECOVERY_CODES][SHA256_BYTES];
};

void recovery_codes_make(struct recovery_codes *out);

/* Which of `count` hashes is that of the code, typed in either case, with or without hyphens and
 * spaces. False: none. All are compared, each in constant time. */
bool recovery_code_find(slice typed, const uint8_t (*hashes)[SHA256_BYTES], size_t count,
                        size_t *index_out);
