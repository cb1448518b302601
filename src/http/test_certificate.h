/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* test_certificate.h - certificates made by the tests, as PEM texts. Included by *_test.c only. */

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"

struct test_certificate {
    X509 *x509;
    EVP_PKEY *key;
    char *certificate_pem;
    char *key_pem;
};

/* What a certificate is to say; zero is the default. */
struct test_certificate_options {
    const char *name;                      /* CN */
    const char *hosts;                     /* subjectAltName; NULL: DNS:localhost,IP:127.0.0.1 */
    const struct test_certificate *issuer; /* NULL: it signs itself, and is a CA */
    long begins_s, ends_s;                 /* from now; both 0: from an hour ago for a day */
    bool is_ca;
};

static inline char *test_pem_text(BIO *bio)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    memcpy(text, bytes, (size_t)len);
    (void)BIO_free(bio);
    return text;
}

static inline void test_extend(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline void test_certificate_make(const struct test_certificate_options *options,
                                         struct test_certificate *out)
{
    static long serial = 1;
    bool is_ca = options->issuer == NULL || options->is_ca;
    X509 *x509 = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_true(x509 != NULL && key != NULL);
    X509 *issuer = options->issuer == NULL ? x509 : options->issuer->x509;
    X509_NAME *name = X509_NAME_new();
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)options->name, -1, -1, 0),
                     1);
    bool has_time = options->begins_s != 0 || options->ends_s != 0;
    (void)X509_set_version(x509, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    (void)X509_gmtime_adj(X509_getm_notBefore(x509), has_time ? options->begins_s : -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(x509), has_time ? options->ends_s : 86400);
    (void)X509_set_subject_name(x509, name);
    (void)X509_set_issuer_name(x509, X509_get_subject_name(issuer));
    (void)X509_set_pubkey(x509, key);
    X509_NAME_free(name);
    test_extend(x509, issuer, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    test_extend(x509, issuer, NID_subject_alt_name,
                options->hosts != NULL ? options->hosts : "DNS:localhost,IP:127.0.0.1");
    EVP_PKEY *signer = options->issuer == NULL ? key : options->issuer->key;
    assert_true(X509_sign(x509, signer, EVP_sha256()) > 0);
    BIO *certificate_pem = BIO_new(BIO_s_mem());
    BIO *key_pem = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(certificate_pem, x509), 1);
    assert_int_equal(PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL), 1);
    *out = (struct test_certificate){x509, key, test_pem_text(certificate_pem),
                                     test_pem_text(key_pem)};
}

static inline void test_certificate_release(struct test_certificate *certificate)
{
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
    free(certificate->certificate_pem);
    free(certificate->key_pem);
    *certificate = (struct test_certificate){0};
}

static inline void test_write_file(const char *dir, const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}
