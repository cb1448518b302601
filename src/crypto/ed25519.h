/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* ed25519 - signatures (RFC 8032) through OpenSSL. Threads: any. */

#include "base/err.h"
#include "base/slice.h"

#define ED25519_SEED_BYTES      32
#define ED25519_PUBLIC_BYTES    32
#define ED25519_SIGNATURE_BYTES 64

/* The public key of a seed. IO when the library fails. */
enum err ed25519_public(const uint8_t seed[ED25519_SEED_BYTES],
                        uint8_t public_out[ED25519_PUBLIC_BYTES]);
enum err ed25519_sign(const uint8_t seed[ED25519_SEED_BYTES], slice message,
                      uint8_t signature_out[ED25519_SIGNATURE_BYTES]);
bool ed25519_verify(const uint8_t public_key[ED25519_PUBLIC_BYTES], slice message,
                    const uint8_t signature[ED25519_SIGNATURE_BYTES]);
