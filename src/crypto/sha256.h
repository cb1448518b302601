/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* sha256 - SHA-256 (FIPS 180-4) through OpenSSL. Threads: any; contexts are kept per thread. */

#include "base/slice.h"

#define SHA256_BYTES 32

void sha256(slice bytes, uint8_t out[SHA256_BYTES]);
/* Of `head` and `bytes` in a row; what RFC 6962 leaves and nodes need. */
void sha256_two(slice head, slice bytes, uint8_t out[SHA256_BYTES]);
void hmac_sha256(slice key, slice bytes, uint8_t out[SHA256_BYTES]);

/* In a time that does not depend on where they differ; lengths are not secret. */
bool secret_equal(slice a, slice b);
