/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ed25519.h"

#include <openssl/evp.h>

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static EVP_PKEY *private_key(const uint8_t seed[ED25519_SEED_BYTES])
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_BYTES);
}

enum err ed25519_public(const uint8_t seed[ED25519_SEED_BYTES],
                        uint8_t public_out[ED25519_PUBLIC_BYTES])
{
    CLEANUP(free_key) EVP_PKEY *key = private_key(seed);
    uint8_t bytes[ED25519_PUBLIC_BYTES];
    size_t len = sizeof(bytes);
    if (key == NULL || EVP_PKEY_get_raw_public_key(key, bytes, &len) != 1 || len != sizeof(bytes)) {
        return ERR_IO;
    }
    memcpy(public_out, bytes, sizeof(bytes));
    return OK;
}

enum err ed25519_sign(const uint8_t seed[ED25519_SEED_BYTES], slice message,
                      uint8_t signature_out[ED25519_SIGNATURE_BYTES])
{
    CLEANUP(free_key) EVP_PKEY *key = private_key(seed);
    CLEANUP(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t bytes[ED25519_SIGNATURE_BYTES];
    size_t len = sizeof(bytes);
    if (key == NULL || context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, bytes, &len, message.ptr, message.len) != 1 ||
        len != sizeof(bytes)) {
        return ERR_IO;
    }
    memcpy(signature_out, bytes, sizeof(bytes));
    return OK;
}

bool ed25519_verify(const uint8_t public_key[ED25519_PUBLIC_BYTES], slice message,
                    const uint8_t signature[ED25519_SIGNATURE_BYTES])
{
    CLEANUP(free_key)
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_PUBLIC_BYTES);
    CLEANUP(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    return key != NULL && context != NULL &&
           EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
           EVP_DigestVerify(context, signature, ED25519_SIGNATURE_BYTES, message.ptr,
                            message.len) == 1;
}
