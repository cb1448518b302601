/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include <openssl/crypto.h>
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
