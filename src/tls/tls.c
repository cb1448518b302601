/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/secret.h"
#include "os/file.h"

enum {
    PEM_BYTES_MAX = 1024 * 1024,
    CHAIN_MAX = 16,                     /* certificates behind the server's own */
    CLIENT_CHAIN_BYTES_MAX = 32 * 1024, /* that a client may send */
    CLIENT_DEPTH_MAX = 8,
    SESSION_S = 2 * 60 * 60,
};

/* Forward secret and authenticated; of AES the one that is faster first, ChaCha20 for those that
 * prefer it. */
static const char ciphers_1_2[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char ciphers_1_3[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/* ---- Failing ---- */

/* What OpenSSL says of its last failure. */
static enum err fail(struct diag *diag, const char *where, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return diag_fail(diag, ERR_INVALID, where, "%s%s%s", what, reason != NULL ? ": " : "",
                     reason != NULL ? reason : "");
}

/* ---- PEM ---- */

static enum err read_pem(const char *path_or_text, const char *what, struct secret_file *out,
                         struct diag *diag)
{
    if (strncmp(path_or_text, "-----BEGIN ", 11) == 0) {
        size_t len = strlen(path_or_text);
        if (len > PEM_BYTES_MAX) {
            return diag_fail(diag, ERR_LIMIT, what, "it is larger than 1 MiB");
        }
        out->len = len;
        out->bytes = (uint8_t *)mem_text(path_or_text, len);
        return OK;
    }
    if (path_or_text[0] == '\0') {
        return diag_fail(diag, ERR_INVALID, what, "no file is named");
    }
    return file_read_path(path_or_text, PEM_BYTES_MAX, &out->bytes, &out->len, diag);
}

static int no_passphrase(char *out, int size, int writes, void *data)
{
    UNUSED(out);
    UNUSED(size);
    UNUSED(writes);
    UNUSED(data);
    return -1; /* else OpenSSL would ask at the terminal */
}

/* The next certificate of `in`; NULL behind the last, and for what is none. */
static X509 *next_certificate(BIO *in)
{
    return PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
}

static bool is_at_end(void)
{
    unsigned long error = ERR_peek_last_error();
    bool is_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (is_end) {
        ERR_clear_error();
    }
    return is_end;
}

static void free_bio(BIO **bio)
{
    (void)BIO_free(*bio);
}

static void free_certificate(X509 **x509)
{
    X509_free(*x509);
}

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

/* ---- The server's own ---- */

static enum err load_chain(struct http_tls *tls, BIO *in, struct diag *diag)
{
    for (int i = 0;; i++) {
        X509 *issuer = next_certificate(in);
        if (issuer == NULL) {
            return is_at_end() ? OK : fail(diag, "certificate", "an issuer cannot be read");
        }
        if (i >= CHAIN_MAX || SSL_CTX_add0_chain_cert(tls->context, issuer) != 1) {
            X509_free(issuer);
            return fail(diag, "certificate", "it names too many issuers, or a weak one");
        }
    }
}

static enum err load_certificate(struct http_tls *tls, const char *source, struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file pem = {0};
    TRY(read_pem(source, "certificate", &pem, diag));
    BIO *in CLEANUP(free_bio) = BIO_new_mem_buf(pem.bytes, (int)pem.len);
    X509 *own CLEANUP(free_certificate) = in != NULL ? next_certificate(in) : NULL;
    if (own == NULL) {
        return fail(diag, "certificate", "it is no certificate in PEM");
    }
    if (SSL_CTX_use_certificate(tls->context, own) != 1) {
        return fail(diag, "certificate", "it cannot be used");
    }
    http_certificate_describe(own, &tls->certificate);
    return load_chain(tls, in, diag);
}

static enum err load_key(struct http_tls *tls, const char *source, struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file pem = {0};
    TRY(read_pem(source, "key", &pem, diag));
    BIO *in CLEANUP(free_bio) = BIO_new_mem_buf(pem.bytes, (int)pem.len);
    EVP_PKEY *key CLEANUP(free_key) =
        in != NULL ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    if (key == NULL) {
        return fail(diag, "key", "it is no private key in PEM, or it has a passphrase");
    }
    /* This also compares it with the certificate. */
    if (SSL_CTX_use_PrivateKey(tls->context, key) != 1 ||
        SSL_CTX_check_private_key(tls->context) != 1) {
        return fail(diag, "key", "it cannot be used with the certificate");
    }
    return OK;
}

/* ---- Clients ---- */

static enum err add_client_ca(struct http_tls *tls, X509 *issuer, struct diag *diag)
{
    X509_STORE *store = SSL_CTX_get_cert_store(tls->context);
    if (X509_STORE_add_cert(store, issuer) != 1 ||
        SSL_CTX_add_client_CA(tls->context, issuer) != 1) {
        return fail(diag, "client_ca", "a certificate cannot be used");
    }
    return OK;
}

static enum err load_client_ca(struct http_tls *tls, const char *source, struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file pem = {0};
    TRY(read_pem(source, "client_ca", &pem, diag));
    BIO *in CLEANUP(free_bio) = BIO_new_mem_buf(pem.bytes, (int)pem.len);
    if (in == NULL) {
        return fail(diag, "client_ca", "it cannot be read");
    }
    for (size_t count = 0;; count++) {
        X509 *issuer CLEANUP(free_certificate) = next_certificate(in);
        if (issuer == NULL) {
            return is_at_end() && count > 0
                       ? OK
                       : fail(diag, "client_ca", "it is no certificate in PEM");
        }
        TRY(add_client_ca(tls, issuer, diag));
    }
}

static enum err set_client(struct http_tls *tls, const struct http_tls_options *options,
                           struct diag *diag)
{
    bool has_ca = options->client_ca != NULL && options->client_ca[0] != '\0';
    if (options->client_mode == HTTP_TLS_CLIENT_NONE) {
        return OK;
    }
    if (!has_ca) {
        return diag_fail(diag, ERR_INVALID, "client_ca",
                         "client certificates are asked for, but no CA for them is named");
    }
    TRY(load_client_ca(tls, options->client_ca, diag));
    int mode = SSL_VERIFY_PEER;
    if (options->client_mode == HTTP_TLS_CLIENT_REQUIRED) {
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    SSL_CTX_set_verify(tls->context, mode, NULL);
    SSL_CTX_set_verify_depth(tls->context, CLIENT_DEPTH_MAX);
    SSL_CTX_set_max_cert_list(tls->context, CLIENT_CHAIN_BYTES_MAX);
    return OK;
}

/* ---- What is spoken ---- */

/* Names in the order of the client, each behind its length. Who speaks only other protocols is
 * told so, not served with this one. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *names, unsigned names_len, void *data)
{
    UNUSED(ssl);
    UNUSED(data);
    slice rest = {names, names_len};
    while (rest.len > 0) {
        size_t len = slice_take(&rest, 1).ptr[0];
        if (len > rest.len) {
            break;
        }
        slice name = slice_take(&rest, len);
        if (slice_equal(name, SLICE("http/1.1"))) {
            *out = name.ptr;
            *out_len = (unsigned char)name.len;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static enum err set_protocol(struct http_tls *tls, enum http_tls_version version_min,
                             struct diag *diag)
{
    SSL_CTX *context = tls->context;
    int least = version_min == HTTP_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    char groups[] = "X25519:P-256:P-384"; /* OpenSSL's macro takes the const away */
    static const uint8_t session_context[] = "cairn";
    bool is_set = SSL_CTX_set_min_proto_version(context, least) == 1 &&
                  SSL_CTX_set_max_proto_version(context, 0) == 1 &&
                  SSL_CTX_set_cipher_list(context, ciphers_1_2) == 1 &&
                  SSL_CTX_set_ciphersuites(context, ciphers_1_3) == 1 &&
                  SSL_CTX_set1_groups_list(context, groups) == 1 &&
                  SSL_CTX_set_session_id_context(context, session_context,
                                                 sizeof(session_context) - 1) == 1 &&
                  SSL_CTX_set_num_tickets(context, 1) == 1 &&
                  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, http_tls_ticket) == 1;
    if (!is_set) {
        return fail(diag, "tls", "OpenSSL lacks a version, a cipher or a curve");
    }
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE |
                                           SSL_OP_PRIORITIZE_CHACHA);
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_timeout(context, SESSION_S);
    SSL_CTX_set_security_level(context, 2);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return OK;
}

/* ---- Life ---- */

static enum err fill(struct http_tls *tls, const struct http_tls_options *options,
                     struct diag *diag)
{
    if (tls->context == NULL || tls->bio == NULL) {
        return fail(diag, "tls", "no context can be made");
    }
    (void)SSL_CTX_set_app_data(tls->context, tls);
    TRY(set_protocol(tls, options->version_min, diag));
    TRY(load_certificate(tls, options->certificate, diag));
    TRY(load_key(tls, options->key, diag));
    return set_client(tls, options, diag);
}

enum err http_tls_new(const struct http_tls_options *options, BIO_METHOD *bio,
                      struct http_tls **out, struct diag *diag)
{
    ASSERT(options->certificate != NULL && options->key != NULL);
    struct http_tls *tls = mem_zeroed(sizeof(*tls));
    mutex_init(&tls->ticket_lock);
    tls->references = 1;
    ERR_clear_error();
    tls->context = SSL_CTX_new(TLS_server_method());
    tls->bio = bio;
    enum err filled = fill(tls, options, diag);
    if (filled != OK) {
        http_tls_unref(tls);
        return filled;
    }
    *out = tls;
    return OK;
}

struct http_tls *http_tls_ref(struct http_tls *tls)
{
    tls->references++;
    return tls;
}

void http_tls_unref(struct http_tls *tls)
{
    if (tls == NULL || --tls->references > 0) {
        return;
    }
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->bio);
    mutex_release(&tls->ticket_lock);
    secret_wipe(tls->ticket_keys, sizeof(tls->ticket_keys));
    free(tls);
}

/* ---- Certificates as people name them ---- */

static void describe_subject(const X509 *x509, char out[HTTP_TLS_SUBJECT_BYTES])
{
    BIO *text CLEANUP(free_bio) = BIO_new(BIO_s_mem());
    out[0] = '\0';
    if (text == NULL ||
        X509_NAME_print_ex(text, X509_get_subject_name(x509), 0, XN_FLAG_RFC2253) < 0) {
        return;
    }
    char *bytes = NULL;
    long len = BIO_get_mem_data(text, &bytes);
    /* Half a name would be another's. */
    if (len > 0 && len < HTTP_TLS_SUBJECT_BYTES) {
        memcpy(out, bytes, (size_t)len);
        out[len] = '\0';
    }
}

void http_certificate_describe(const X509 *x509, struct http_certificate *out)
{
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    unsigned len = 0;
    *out = (struct http_certificate){0};
    describe_subject(x509, out->subject);
    if (X509_digest(x509, EVP_sha256(), digest, &len) == 1) {
        hex_encode((slice){digest, len}, out->fingerprint);
        out->fingerprint[2 * (size_t)len] = '\0';
    }
    struct tm utc = {0};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(x509), &utc) == 1) {
        out->expires_us = (int64_t)timegm(&utc) * 1000000;
    }
}
