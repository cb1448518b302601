/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each thread makes one context and keeps it. A digest begins by copying a context that was started
 * once: of what the library offers that is the least work (113 ns for a tree node; starting the
 * thread's own context again 122, EVP_Digest() 155, EVP_Q_digest(), which looks the algorithm up by
 * name, 330).
 *
 * The library fails here only when it has no memory or no SHA-256; neither is an answer that a
 * caller could use, so both end the process.
 */
#include "crypto/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key; /* only for its destructor; reading `context` is cheaper */
static EVP_MD_CTX *started;       /* never changes; all threads copy it */
static _Thread_local EVP_MD_CTX *context;

static void free_context(void *ended)
{
    context = NULL;
    EVP_MD_CTX_free(ended);
}

static void prepare(void)
{
    EVP_MD *algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    ASSERT(algorithm != NULL);
    started = EVP_MD_CTX_new();
    ASSERT(started != NULL);
    ASSERT(EVP_DigestInit_ex2(started, algorithm, NULL) == 1);
    EVP_MD_free(algorithm); /* the context holds it */
    ASSERT(pthread_key_create(&context_key, free_context) == 0);
}

static void make_context(void)
{
    ASSERT(pthread_once(&once, prepare) == 0);
    context = EVP_MD_CTX_new();
    ASSERT(context != NULL);
    ASSERT(pthread_setspecific(context_key, context) == 0);
}

static EVP_MD_CTX *start(void)
{
    if (context == NULL) {
        make_context();
    }
    ASSERT(EVP_MD_CTX_copy_ex(context, started) == 1);
    return context;
}

void sha256(slice bytes, uint8_t out[SHA256_BYTES])
{
    EVP_MD_CTX *digest = start();
    ASSERT(EVP_DigestUpdate(digest, bytes.ptr, bytes.len) == 1);
    ASSERT(EVP_DigestFinal_ex(digest, out, NULL) == 1);
}

void sha256_two(slice head, slice bytes, uint8_t out[SHA256_BYTES])
{
    EVP_MD_CTX *digest = start();
    ASSERT(EVP_DigestUpdate(digest, head.ptr, head.len) == 1);
    ASSERT(EVP_DigestUpdate(digest, bytes.ptr, bytes.len) == 1);
    ASSERT(EVP_DigestFinal_ex(digest, out, NULL) == 1);
}

void hmac_sha256(slice key, slice bytes, uint8_t out[SHA256_BYTES])
{
    static const uint8_t none[1];
    ASSERT(key.len <= INT32_MAX);
    ASSERT(HMAC(EVP_sha256(), key.len > 0 ? key.ptr : none, (int)key.len,
                bytes.len > 0 ? bytes.ptr : none, bytes.len, out, NULL) != NULL);
}

bool secret_equal(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}
