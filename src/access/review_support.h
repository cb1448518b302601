/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * review_support - a Kubernetes API server as far as TokenReview goes, over HTTPS, with a thread
 * for each connection; and tokens that look like a cluster's. Included by *_test.c only.
 *
 * Threads: reviewer_start() and reviewer_stop() one, the rest any.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access/token_review.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "http/test_certificate.h"
#include "os/clock.h"
#include "os/tempdir.h"
#include "os/thread.h"

#define SECOND_US INT64_C(1000000)

enum { REVIEWER_CONNS_MAX = 32, REVIEWER_BYTES_MAX = 128 * 1024 };

struct reviewer {
    struct tempdir temp;
    struct test_certificate ca, own;
    SSL_CTX *tls;
    int listener;
    char url[64], ca_file[300], token_file[300];
    struct thread acceptor, conns[REVIEWER_CONNS_MAX];
    struct mutex lock; /* of the rest */
    struct condition changed;
    int fds[REVIEWER_CONNS_MAX];
    size_t conn_count;
    bool is_closed; /* whoever asks waits until it is opened */
    bool is_stopping;
    const char *status; /* "201 Created" */
    const char *extra;  /* more lines of its head */
    char *body;
    size_t asked;
    char *last; /* the last request, whole */
};

/* ---- The server ---- */

static inline size_t reviewer_length(const char *text, size_t len)
{
    const char *body = len > 0 ? strstr(text, "\r\n\r\n") : NULL;
    const char *length = body != NULL ? strcasestr(text, "content-length: ") : NULL;
    return length == NULL ? SIZE_MAX : (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10);
}

/* False: the connection has ended. */
static inline bool reviewer_read(SSL *ssl, char *text)
{
    size_t len = 0;
    memset(text, 0, REVIEWER_BYTES_MAX);
    while (len < REVIEWER_BYTES_MAX - 1 && reviewer_length(text, len) > len) {
        int n = SSL_read(ssl, text + len, (int)(REVIEWER_BYTES_MAX - 1 - len));
        if (n <= 0) {
            return false;
        }
        len += (size_t)n;
    }
    return true;
}

/* What to answer, as a string of the heap; NULL: the server stops. */
static inline char *reviewer_answer(struct reviewer *reviewer, const char *request)
{
    char *answer = NULL;
    mutex_lock(&reviewer->lock);
    reviewer->asked++;
    free(reviewer->last);
    reviewer->last = mem_text(request, strlen(request));
    condition_broadcast(&reviewer->changed);
    while (reviewer->is_closed && !reviewer->is_stopping) {
        condition_wait(&reviewer->changed, &reviewer->lock);
    }
    if (!reviewer->is_stopping) {
        size_t bytes = strlen(reviewer->body) + strlen(reviewer->extra) + 200;
        answer = mem_zeroed(bytes);
        (void)snprintf(answer, bytes,
                       "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%s"
                       "Content-Length: %zu\r\n\r\n%s",
                       reviewer->status, reviewer->extra, strlen(reviewer->body), reviewer->body);
    }
    mutex_unlock(&reviewer->lock);
    return answer;
}

struct reviewer_conn {
    struct reviewer *reviewer;
    int fd;
};

static inline void reviewer_serve(void *context)
{
    struct reviewer_conn *conn = context;
    SSL *ssl = SSL_new(conn->reviewer->tls);
    char *text = mem_zeroed(REVIEWER_BYTES_MAX);
    bool is_open = SSL_set_fd(ssl, conn->fd) == 1 && SSL_accept(ssl) == 1;
    while (is_open && reviewer_read(ssl, text)) {
        char *answer = reviewer_answer(conn->reviewer, text);
        is_open = answer != NULL && SSL_write(ssl, answer, (int)strlen(answer)) > 0;
        free(answer);
    }
    SSL_free(ssl);
    free(text);
    (void)shutdown(conn->fd, SHUT_RDWR);
    free(conn);
}

static inline void reviewer_accept(void *context)
{
    struct reviewer *reviewer = context;
    for (int fd = accept(reviewer->listener, NULL, NULL); fd >= 0;
         fd = accept(reviewer->listener, NULL, NULL)) {
        struct reviewer_conn *conn = mem_zeroed(sizeof(*conn));
        *conn = (struct reviewer_conn){reviewer, fd};
        mutex_lock(&reviewer->lock);
        size_t at = reviewer->conn_count++;
        assert_true(at < REVIEWER_CONNS_MAX);
        reviewer->fds[at] = fd;
        mutex_unlock(&reviewer->lock);
        assert_int_equal(thread_start(&reviewer->conns[at], "conn", reviewer_serve, conn, NULL),
                         OK);
    }
}

static inline void reviewer_listen(struct reviewer *reviewer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    reviewer->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(reviewer->listener >= 0);
    assert_int_equal(bind(reviewer->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(reviewer->listener, 16), 0);
    assert_int_equal(getsockname(reviewer->listener, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(reviewer->url, sizeof(reviewer->url), "https://127.0.0.1:%u",
                   ntohs(address.sin_port));
}

/* `hosts` of its certificate; NULL: the right ones. */
static inline void reviewer_start(struct reviewer *reviewer, const char *hosts)
{
    *reviewer = (struct reviewer){.status = "201 Created", .extra = ""};
    (void)signal(SIGPIPE, SIG_IGN);
    tempdir_init(&reviewer->temp);
    test_certificate_make(&(struct test_certificate_options){.name = "cluster"}, &reviewer->ca);
    test_certificate_make(&(struct test_certificate_options){.name = "kubernetes",
                                                             .hosts = hosts,
                                                             .issuer = &reviewer->ca},
                          &reviewer->own);
    reviewer->tls = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(reviewer->tls, reviewer->own.x509), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(reviewer->tls, reviewer->own.key), 1);
    test_write_file(reviewer->temp.path, "ca.crt", reviewer->ca.certificate_pem);
    test_write_file(reviewer->temp.path, "token", "our.own.token\n");
    (void)snprintf(reviewer->ca_file, sizeof(reviewer->ca_file), "%s/ca.crt", reviewer->temp.path);
    (void)snprintf(reviewer->token_file, sizeof(reviewer->token_file), "%s/token",
                   reviewer->temp.path);
    mutex_init(&reviewer->lock);
    condition_init(&reviewer->changed);
    reviewer->body = mem_text("", 0);
    reviewer_listen(reviewer);
    assert_int_equal(thread_start(&reviewer->acceptor, "reviewer", reviewer_accept, reviewer, NULL),
                     OK);
}

static inline void reviewer_stop(struct reviewer *reviewer)
{
    mutex_lock(&reviewer->lock);
    reviewer->is_stopping = true;
    condition_broadcast(&reviewer->changed);
    mutex_unlock(&reviewer->lock);
    (void)shutdown(reviewer->listener, SHUT_RDWR);
    thread_join(&reviewer->acceptor);
    for (size_t i = 0; i < reviewer->conn_count; i++) {
        (void)shutdown(reviewer->fds[i], SHUT_RDWR);
        thread_join(&reviewer->conns[i]);
        (void)close(reviewer->fds[i]);
    }
    (void)close(reviewer->listener);
    SSL_CTX_free(reviewer->tls);
    test_certificate_release(&reviewer->own);
    test_certificate_release(&reviewer->ca);
    condition_release(&reviewer->changed);
    mutex_release(&reviewer->lock);
    free(reviewer->body);
    free(reviewer->last);
    tempdir_release(&reviewer->temp);
}

/* What it answers from now on; both are copied or constant: `status` stays the caller's, `body` is
 * copied. */
static inline void reviewer_says(struct reviewer *reviewer, const char *status, const char *body)
{
    mutex_lock(&reviewer->lock);
    reviewer->status = status;
    free(reviewer->body);
    reviewer->body = mem_text(body, strlen(body));
    mutex_unlock(&reviewer->lock);
}

#define REVIEW(status)                                                                             \
    "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\",\"metadata\":{},"       \
    "\"spec\":{\"token\":\"x\"},\"status\":" status "}"
#define REVIEW_USER(namespace, name)                                                               \
    "\"user\":{\"username\":\"system:serviceaccount:" namespace ":" name "\",\"uid\":\"u-1\","     \
                                                                "\"groups\":[\"system:"            \
                                                                "serviceaccounts\",\"system:"      \
                                                                "serviceaccounts:" namespace "\"," \
                                                                                             "\"s" \
                                                                                             "yst" \
                                                                                             "em:" \
                                                                                             "aut" \
                                                                                             "hen" \
                                                                                             "tic" \
                                                                                             "ate" \
                                                                                             "d\"" \
                                                                                             "]}"
#define REVIEW_YES REVIEW("{\"authenticated\":true," REVIEW_USER("pay", "api") "}")
#define REVIEW_NO  REVIEW("{\"user\":{},\"error\":\"[invalid bearer token]\"}")

static inline void reviewer_close(struct reviewer *reviewer, bool is_closed)
{
    mutex_lock(&reviewer->lock);
    reviewer->is_closed = is_closed;
    condition_broadcast(&reviewer->changed);
    mutex_unlock(&reviewer->lock);
}

static inline size_t reviewer_asked(struct reviewer *reviewer)
{
    mutex_lock(&reviewer->lock);
    size_t asked = reviewer->asked;
    mutex_unlock(&reviewer->lock);
    return asked;
}

/* Waits until so many have asked. */
static inline void reviewer_wait(struct reviewer *reviewer, size_t asked)
{
    mutex_lock(&reviewer->lock);
    while (reviewer->asked < asked) {
        assert_true(condition_wait_us(&reviewer->changed, &reviewer->lock, 10 * SECOND_US));
    }
    mutex_unlock(&reviewer->lock);
}

/* ---- Tokens ---- */

static inline void token_of(struct buf *out, const char *claims)
{
    buf_clear(out);
    base64url_append(out, SLICE("{\"alg\":\"RS256\",\"kid\":\"k\"}"));
    buf_append_byte(out, '.');
    base64url_append(out, slice_from_cstr(claims));
    buf_append_cstr(out, ".c2lnbmF0dXJl");
}

/* Of system:serviceaccount:pay:api; `number` makes it another one. */
static inline void token_of_pay_api(struct buf *out, int number, int64_t expires_s)
{
    char claims[300];
    (void)snprintf(claims, sizeof(claims),
                   "{\"iss\":\"https://cluster\",\"sub\":\"system:serviceaccount:pay:api\","
                   "\"exp\":%lld,\"jti\":\"%d\",\"kubernetes.io\":{\"namespace\":\"pay\"}}",
                   (long long)expires_s, number);
    token_of(out, claims);
}
