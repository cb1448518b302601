/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * test_client.h - a blocking socket to a server on 127.0.0.1. With TEST_OVER_TLS the same functions
 * speak TLS over it, so that every test of the server can be one of both. For *_test.c only.
 */

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "http/server.h"
#include "os/clock.h"
#if defined(TEST_OVER_TLS)
#include "http/test_tls.h"
#endif

/* A TCP connection that says nothing yet. */
static inline int client_connect_tcp(const struct http_server *server)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static inline int client_connect(const struct http_server *server)
{
    int fd = client_connect_tcp(server);
#if defined(TEST_OVER_TLS)
    test_tls_connect(fd);
#endif
    return fd;
}

static inline ssize_t client_send_some(int fd, const void *bytes, size_t len)
{
#if defined(TEST_OVER_TLS)
    return test_tls_send(fd, bytes, len);
#else
    return send(fd, bytes, len, MSG_NOSIGNAL);
#endif
}

/* Says that no more comes, and still reads. */
static inline int client_half_close(int fd)
{
#if defined(TEST_OVER_TLS)
    return test_tls_half_close(fd);
#else
    return shutdown(fd, SHUT_WR);
#endif
}

static inline void client_close(int fd)
{
#if defined(TEST_OVER_TLS)
    test_tls_close(fd);
#endif
    (void)close(fd);
}

static inline void client_send_bytes(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = client_send_some(fd, at, len);
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

static inline void client_send(int fd, const char *text)
{
    client_send_bytes(fd, text, strlen(text));
}

/* Whether an answer, or the end, comes within that time. */
static inline bool client_comes(int fd, int timeout_ms)
{
#if defined(TEST_OVER_TLS)
    return test_tls_comes(fd, timeout_ms);
#else
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    return poll(&wanted, 1, timeout_ms) != 0;
#endif
}

/* One read of at most 10 s. 0: the server ended; -1: it reset; -2: nothing came. */
static inline ssize_t client_read(int fd, void *out, size_t len)
{
#if defined(TEST_OVER_TLS)
    return test_tls_read(fd, out, len);
#else
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    if (poll(&wanted, 1, 10000) <= 0) {
        return -2;
    }
    return recv(fd, out, len, 0);
#endif
}

/* Everything until the server ends; NUL at the end. The caller frees. True in *is_reset_out when
 * it ended by a reset. */
static inline char *client_read_all(int fd, bool *is_reset_out)
{
    struct buf all = BUF_INIT(MIB(128));
    ssize_t n = 0;
    assert_true(buf_reserve(&all, 65536));
    while ((n = client_read(fd, all.ptr + all.len, 65536)) > 0) {
        all.len += (size_t)n;
        assert_true(buf_reserve(&all, 65536));
    }
    assert_true(n > -2);
    if (is_reset_out != NULL) {
        *is_reset_out = n < 0;
    }
    buf_append_byte(&all, '\0');
    return (char *)all.ptr;
}

/* Reads until `wanted` was seen `times` times; the caller frees. */
static inline char *client_read_until(int fd, const char *wanted, int times)
{
    size_t len = 0;
    char *text = calloc(1, 262144);
    assert_non_null(text);
    for (;;) {
        int seen = 0;
        for (const char *p = text; (p = strstr(p, wanted)) != NULL; p++) {
            seen++;
        }
        if (seen >= times) {
            return text;
        }
        assert_true(len < 262143);
        ssize_t n = client_read(fd, text + len, 262143 - len);
        if (n <= 0) {
            print_error("wanted %d x \"%s\", have: %s\n", times, wanted, text);
        }
        assert_true(n > 0);
        len += (size_t)n;
    }
}

/* Sends, reads until the server ends, closes. The caller frees. */
static inline char *client_talk(const struct http_server *server, const char *text)
{
    int fd = client_connect(server);
    client_send(fd, text);
    char *answer = client_read_all(fd, NULL);
    client_close(fd);
    return answer;
}

static inline void assert_contains(const char *text, const char *part)
{
    const char *found = strstr(text, part);
    if (found == NULL) {
        print_error("\"%s\" is not in:\n%s\n", part, text);
    }
    assert_non_null(found);
}

/* Each of up to `count` parts is in the text, or is not if it has a ! in front. NULL ends them. */
static inline void assert_parts(const char *text, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count && parts[i] != NULL; i++) {
        if (parts[i][0] == '!') {
            assert_null(strstr(text, parts[i] + 1));
        } else {
            assert_contains(text, parts[i]);
        }
    }
}
