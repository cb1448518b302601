/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tls - what the server shows and asks of those that come by TLS: certificate, key, client
 * certificates, versions.
 *
 * TLS 1.3, and 1.2 with ECDHE and AEAD only. No renegotiation, no compression, no early data.
 * Sessions are resumed by tickets (RFC 5077) whose keys live in memory, change every hour and are
 * forgotten after two; a reload begins new ones, so nobody resumes past a changed client CA.
 *
 * A context is shared by the connections that it began and is freed with the last of them.
 *
 * Threads: any.
 */

#include <openssl/ssl.h>
#include <stdint.h>

#include "base/err.h"
#include "os/thread.h"

enum http_tls_client {
    HTTP_TLS_CLIENT_NONE,     /* none is asked for */
    HTTP_TLS_CLIENT_OPTIONAL, /* who shows one must show one of client_ca */
    HTTP_TLS_CLIENT_REQUIRED,
};

enum http_tls_version {
    HTTP_TLS_1_2,
    HTTP_TLS_1_3,
};

/* Each file is PEM of up to 1 MiB: a path, or the text itself ("-----BEGIN ..."). */
struct http_tls_options {
    const char *certificate; /* the server's own first, then those that lead to its CA */
    const char *key;         /* without a passphrase */
    const char *client_ca;   /* those whose certificates clients may show; NULL or "": none */
    enum http_tls_client client_mode;
    enum http_tls_version version_min;
};

#define HTTP_TLS_SUBJECT_BYTES     512
#define HTTP_TLS_FINGERPRINT_BYTES 65

/* A certificate as people name it. */
struct http_certificate {
    char subject[HTTP_TLS_SUBJECT_BYTES];         /* RFC 2253; "" when it is longer than that */
    char fingerprint[HTTP_TLS_FINGERPRINT_BYTES]; /* SHA-256 of its DER, lowercase hex */
    int64_t expires_us;
};

void http_certificate_describe(const X509 *x509, struct http_certificate *out);

/* One key that seals tickets. */
struct http_ticket_key {
    uint8_t name[16];
    uint8_t cipher[32];
    uint8_t mac[32];
    int64_t made_us; /* 0: there is none */
};

struct http_tls {
    SSL_CTX *context;
    BIO_METHOD *bio; /* of the connections */
    struct http_certificate certificate;
    _Atomic uint32_t references;
    struct mutex ticket_lock;
    struct http_ticket_key ticket_keys[2]; /* the one that seals, and the one before it */
};

/* INVALID, NOT_FOUND, IO: diag says which file, and what is wrong with it. The caller holds one
 * reference. `bio`, the kind that the connections of this context have, is taken over in any case;
 * NULL: there was no memory for it, which is said as of the context. */
enum err http_tls_new(const struct http_tls_options *options, BIO_METHOD *bio,
                      struct http_tls **out, struct diag *diag);
struct http_tls *http_tls_ref(struct http_tls *tls);
void http_tls_unref(struct http_tls *tls); /* NULL is fine */

/* ticket.c: OpenSSL asks it for keys. */
int http_tls_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int seals);
