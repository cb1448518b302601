/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * api_key - the keys of programs: cairn_<env>_<8 characters of id>_<43 characters of secret>.
 *
 * The secret is 256 random bits in base64url; of the whole key only the SHA-256 is kept. The id is
 * no secret: it is what is shown and recorded, and where the key is looked up.
 *
 * Threads: any.
 */

#include "crypto/sha256.h"

#define API_KEY_PREFIX_BYTES 8
#define API_KEY_BYTES_MAX    128

struct api_key {
    char text[API_KEY_BYTES_MAX]; /* NUL-terminated; shown once, then wiped */
    char prefix[API_KEY_PREFIX_BYTES + 1];
    uint8_t hash[SHA256_BYTES];
};

/* What stands in keys of a production server, and of any other: "live", "dev". */
const char *api_key_environment(bool is_production);

/* A new key of one of these environments. */
void api_key_make(const char *environment, struct api_key *out);

/* What an object of kind api-keys keeps of it: a new reference. */
struct json_t; /* of jansson */
struct json_t *api_key_given(const struct api_key *key);

/* The prefix of what has a key's form to the last bit: 8 characters inside `key`. False: it is
 * none, and no key of ours ever had that form. */
bool api_key_prefix(slice key, slice *out);

/* The same by its beginning alone: enough to look it up, not to say that it is one. */
bool api_key_place(slice key, slice *out);

/* What is kept of it. */
void api_key_hash(slice key, uint8_t out[SHA256_BYTES]);

/* Whether `key` is the one of that hash, in constant time. */
bool api_key_matches(slice key, const uint8_t hash[SHA256_BYTES]);
