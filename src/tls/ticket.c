/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of session tickets. Who steals one reads the sessions that it sealed, so each is young:
 * it seals for an hour, opens for one more, and is then wiped. It never leaves the memory.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "crypto/secret.h"
#include "os/clock.h"
#include "os/random.h"
#include "tls/tls.h"

static const int64_t seals_us = INT64_C(3600) * 1000000;
static const int64_t opens_us = INT64_C(7200) * 1000000;

static bool is_younger(const struct http_ticket_key *key, int64_t now_us, int64_t age_us)
{
    return key->made_us > 0 && now_us - key->made_us < age_us;
}

/* With the lock held. */
static void rotate(struct http_tls *tls, int64_t now_us)
{
    struct http_ticket_key *keys = tls->ticket_keys;
    if (!is_younger(&keys[0], now_us, seals_us)) {
        keys[1] = keys[0];
        random_bytes(keys[0].name, sizeof(keys[0].name));
        random_bytes(keys[0].cipher, sizeof(keys[0].cipher));
        random_bytes(keys[0].mac, sizeof(keys[0].mac));
        keys[0].made_us = now_us;
    }
    if (!is_younger(&keys[1], now_us, opens_us)) {
        secret_wipe(&keys[1], sizeof(keys[1]));
    }
}

/* The key of that name (NULL: the one that seals), copied. False when it is gone. */
static bool find_key(struct http_tls *tls, const uint8_t *name, struct http_ticket_key *out)
{
    mutex_lock(&tls->ticket_lock);
    rotate(tls, clock_monotonic_us() + 1); /* 0 means that there is none */
    const struct http_ticket_key *found = name == NULL ? &tls->ticket_keys[0] : NULL;
    for (size_t i = 0; i < COUNT_OF(tls->ticket_keys) && found == NULL; i++) {
        const struct http_ticket_key *key = &tls->ticket_keys[i];
        if (key->made_us > 0 && memcmp(key->name, name, sizeof(key->name)) == 0) {
            found = key;
        }
    }
    if (found != NULL) {
        *out = *found;
    }
    mutex_unlock(&tls->ticket_lock);
    return found != NULL;
}

static bool set_mac(EVP_MAC_CTX *mac, struct http_ticket_key *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static void release_key(struct http_ticket_key *key)
{
    secret_wipe(key, sizeof(*key));
}

/* 1: done; 2: opened, and a new ticket is due; 0: there is no such key, so the handshake is a full
 * one; -1: failed. */
int http_tls_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int seals)
{
    struct http_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    CLEANUP(release_key) struct http_ticket_key key = {0};
    if (!find_key(tls, seals != 0 ? NULL : name, &key)) {
        return 0;
    }
    if (seals != 0) {
        memcpy(name, key.name, sizeof(key.name));
        random_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
    }
    bool is_set = set_mac(mac, &key) &&
                  EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv, seals) == 1;
    if (!is_set) {
        return -1;
    }
    return seals != 0 ? 1 : 2;
}
