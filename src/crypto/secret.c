/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <sodium.h>
#include <stdlib.h>

void secret_wipe(void *memory, size_t len)
{
    if (len > 0) {
        OPENSSL_cleanse(memory, len);
    }
}

void secret_release(struct secret *secret)
{
    secret_wipe(secret, sizeof(*secret));
}

bool secret_set(struct secret *secret, slice bytes)
{
    if (bytes.len > SECRET_BYTES_MAX) {
        return false;
    }
    secret_release(secret);
    if (bytes.len > 0) {
        memcpy(secret->bytes, bytes.ptr, bytes.len);
    }
    secret->len = bytes.len;
    return true;
}

void secret_file_release(struct secret_file *file)
{
    secret_wipe(file->bytes, file->len);
    free(file->bytes);
    *file = (struct secret_file){0};
}

_Static_assert(SECRET_MARK_BYTES == crypto_shorthash_siphashx24_BYTES, "a mark is a SipHash");
_Static_assert(SECRET_MARKER_BYTES == crypto_shorthash_siphashx24_KEYBYTES, "and so is its key");

void secret_marker_init(struct secret_marker *marker)
{
    ASSERT(sodium_init() >= 0);
    randombytes_buf(marker->key, sizeof(marker->key));
}

void secret_mark(const struct secret_marker *marker, slice secret, uint8_t out[SECRET_MARK_BYTES])
{
    (void)crypto_shorthash_siphashx24(out, secret.ptr, secret.len, marker->key); /* always 0 */
}
