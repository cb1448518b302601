/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* tls_support.h - what the tests of TLS share: certificates, and clients that show them. */

#include <signal.h>

#define TEST_OVER_TLS
#include "http/test_app.h"
#include "os/tempdir.h"

#define HOST  "Host: h\r\n"
#define LAST  HOST "Connection: close\r\n"
#define HELLO "GET /hello HTTP/1.1\r\n" LAST "\r\n"

/* Certificates that are the same for all tests, and files of them for the openssl command. */
static struct {
    struct tempdir dir;
    struct test_certificate ca, other_ca;
    struct test_certificate own, expired, elsewhere, next;
    struct test_certificate alice, mallory, late;
} made;

static inline void make(struct test_certificate *out, const char *name,
                        const struct test_certificate *issuer, struct test_certificate_options more)
{
    more.name = name;
    more.issuer = issuer;
    test_certificate_make(&more, out);
    char file[64];
    (void)snprintf(file, sizeof(file), "%s.pem", name);
    test_write_file(made.dir.path, file, out->certificate_pem);
    (void)snprintf(file, sizeof(file), "%s.key", name);
    test_write_file(made.dir.path, file, out->key_pem);
}

static inline int set_up(void **state)
{
    UNUSED(state);
    const struct test_certificate_options plain = {0};
    const struct test_certificate_options past = {.begins_s = -7200, .ends_s = -3600};
    (void)signal(SIGPIPE, SIG_IGN);
    tempdir_init(&made.dir);
    (void)test_tls_options(); /* the context of clients that use its CA */
    make(&made.ca, "ca", NULL, plain);
    make(&made.other_ca, "other_ca", NULL, plain);
    make(&made.own, "localhost", &made.ca, plain);
    make(&made.next, "next", &made.ca, plain);
    make(&made.expired, "expired", &made.ca, past);
    make(&made.elsewhere, "elsewhere", &made.ca,
         (struct test_certificate_options){.hosts = "DNS:elsewhere.test"});
    make(&made.alice, "alice", &made.ca, plain);
    make(&made.mallory, "mallory", &made.other_ca, plain);
    make(&made.late, "late", &made.ca, past);
    return 0;
}

static inline int tear_down(void **state)
{
    UNUSED(state);
    struct test_certificate *all[] = {&made.ca,      &made.other_ca,  &made.own,
                                      &made.expired, &made.elsewhere, &made.next,
                                      &made.alice,   &made.mallory,   &made.late};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        test_certificate_release(all[i]);
    }
    test_tls_release();
    tempdir_release(&made.dir);
    return 0;
}

static inline struct http_server *start_with(const struct http_tls_options *tls,
                                             struct http_options options)
{
    options.tls = tls;
    return app_start(options);
}

static inline struct http_tls_options usual(void)
{
    return (struct http_tls_options){.certificate = made.own.certificate_pem,
                                     .key = made.own.key_pem};
}

/* A context that knows our CA; `who` may be NULL. */
static inline SSL_CTX *client_context(const struct test_certificate *who)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), made.ca.x509), 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (who != NULL) {
        assert_int_equal(SSL_CTX_use_certificate(context, who->x509), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(context, who->key), 1);
    }
    return context;
}

static inline int connect_with(const struct http_server *server, SSL_CTX *context)
{
    SSL_CTX *before = test_tls.context;
    test_tls.context = context;
    int fd = client_connect_tcp(server);
    test_tls_connect(fd);
    test_tls.context = before;
    return fd;
}

static inline char *talk_with(const struct http_server *server, SSL_CTX *context, const char *text)
{
    int fd = connect_with(server, context);
    client_send(fd, text);
    char *answer = client_read_all(fd, NULL);
    client_close(fd);
    return answer;
}
