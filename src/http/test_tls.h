/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* test_tls.h - the client's TLS, by descriptor. Included by *_test.c only. */

#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "http/server.h"
#include "http/test_certificate.h"

enum { TEST_TLS_FDS = 8192 };

static struct {
    struct test_certificate ca;
    struct test_certificate own;
    SSL_CTX *context;
    SSL *sessions[TEST_TLS_FDS];
} test_tls;

/* The server's, with a certificate for localhost. */
static inline const struct http_tls_options *test_tls_options(void)
{
    static struct http_tls_options options;
    if (test_tls.context == NULL) {
        test_certificate_make(&(struct test_certificate_options){.name = "Test CA"}, &test_tls.ca);
        test_certificate_make(&(struct test_certificate_options){.name = "localhost",
                                                                 .issuer = &test_tls.ca},
                              &test_tls.own);
        test_tls.context = SSL_CTX_new(TLS_client_method());
        X509_STORE *store = SSL_CTX_get_cert_store(test_tls.context);
        assert_int_equal(X509_STORE_add_cert(store, test_tls.ca.x509), 1);
        SSL_CTX_set_verify(test_tls.context, SSL_VERIFY_PEER, NULL);
        options = (struct http_tls_options){.certificate = test_tls.own.certificate_pem,
                                            .key = test_tls.own.key_pem};
    }
    return &options;
}

static inline void test_tls_release(void)
{
    SSL_CTX_free(test_tls.context);
    test_tls.context = NULL;
    test_certificate_release(&test_tls.own);
    test_certificate_release(&test_tls.ca);
}

static inline void test_tls_connect(int fd)
{
    struct timeval patience = {.tv_sec = 10};
    assert_true(fd < TEST_TLS_FDS);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    SSL *ssl = SSL_new(test_tls.context);
    assert_non_null(ssl);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    assert_int_equal(SSL_set1_host(ssl, "localhost"), 1);
    ERR_clear_error();
    /* A server that is full closes instead; then what is read is an end. */
    (void)SSL_connect(ssl);
    test_tls.sessions[fd] = ssl;
}

static inline ssize_t test_tls_send(int fd, const void *bytes, size_t len)
{
    if (len == 0) {
        return 0;
    }
    ERR_clear_error();
    int n = SSL_write(test_tls.sessions[fd], bytes, (int)(len < 65536 ? len : 65536));
    return n > 0 ? n : -1;
}

static inline ssize_t test_tls_read(int fd, void *out, size_t len)
{
    ERR_clear_error();
    errno = 0;
    int n = SSL_read(test_tls.sessions[fd], out, (int)len);
    if (n > 0) {
        return n;
    }
    int error = SSL_get_error(test_tls.sessions[fd], n);
    if (errno == EAGAIN && error != SSL_ERROR_ZERO_RETURN) {
        return -2;
    }
    return errno == ECONNRESET ? -1 : 0;
}

/* Whether an answer, or the end, comes within that time; a session ticket is neither. */
static inline bool test_tls_comes(int fd, int timeout_ms)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    char byte = 0;
    if (poll(&wanted, 1, timeout_ms) == 0) {
        return false;
    }
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    ERR_clear_error();
    int n = SSL_peek(test_tls.sessions[fd], &byte, 1);
    int error = SSL_get_error(test_tls.sessions[fd], n);
    (void)fcntl(fd, F_SETFL, flags);
    return n > 0 || error != SSL_ERROR_WANT_READ;
}

static inline int test_tls_half_close(int fd)
{
    ERR_clear_error();
    return SSL_shutdown(test_tls.sessions[fd]) < 0 ? -1 : 0;
}

static inline void test_tls_close(int fd)
{
    SSL_free(test_tls.sessions[fd]);
    test_tls.sessions[fd] = NULL;
}
