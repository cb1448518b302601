/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * test_server - an HTTP server of one thread that plays a script: for the n-th request it keeps
 * what was sent and answers what the script says. Included by *_test.c only.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

#define TEST_SERVER_STEPS_MAX 8
#define TEST_SERVER_BYTES_MAX (256 * 1024)

struct test_server {
    const char *const *answers; /* whole HTTP answers; NULL: hang up without one */
    size_t count;
    int listener;
    char address[64];
    pthread_t thread;
    size_t served;
    char *requests[TEST_SERVER_STEPS_MAX]; /* as they came, chunks taken apart */
};

/* "HTTP/1.1 <status>", the usual headers, and a body whose length is right. */
#define ANSWER(status, type, body)                                                                 \
    test_answer("HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n", body)

static inline const char *test_answer(const char *head, const char *body)
{
    static char texts[32][4096];
    static size_t next;
    char *out = texts[next++ % COUNT_OF(texts)];
    (void)snprintf(out, sizeof(texts[0]), "%sContent-Length: %zu\r\n\r\n%s", head, strlen(body),
                   body);
    return out;
}

static inline size_t test_read_some(int fd, char *buffer, size_t len)
{
    ssize_t n = len < TEST_SERVER_BYTES_MAX - 1
                    ? read(fd, buffer + len, TEST_SERVER_BYTES_MAX - 1 - len)
                    : 0;
    return n > 0 ? (size_t)n : 0;
}

static inline bool test_request_is_whole(const char *text, size_t len)
{
    const char *body = strstr(text, "\r\n\r\n");
    if (body == NULL) {
        return false;
    }
    if (strstr(text, "Transfer-Encoding: chunked") != NULL) {
        return strstr(body, "\r\n0\r\n\r\n") != NULL;
    }
    const char *length = strstr(text, "Content-Length: ");
    size_t wanted = length == NULL || length > body ? 0 : strtoul(length + 16, NULL, 10);
    return len - (size_t)(body + 4 - text) >= wanted;
}

static inline void *test_server_run(void *context)
{
    struct test_server *server = context;
    for (size_t i = 0; i < server->count; i++) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            break;
        }
        char *text = calloc(1, TEST_SERVER_BYTES_MAX);
        for (size_t len = 0, n = 1; n > 0 && !test_request_is_whole(text, len); len += n) {
            n = test_read_some(fd, text, len);
        }
        server->requests[i] = text;
        const char *answer = server->answers[i];
        if (answer != NULL && write(fd, answer, strlen(answer)) < 0) {
            server->count = i;
        }
        (void)close(fd);
        server->served++;
    }
    return NULL;
}

static inline void test_server_start(struct test_server *server, const char *const *answers,
                                     size_t count)
{
    *server = (struct test_server){.answers = answers, .count = count};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(server->address, sizeof(server->address), "127.0.0.1:%u",
                   ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, test_server_run, server), 0);
}

/* Waits until every answer was given. */
static inline void test_server_stop(struct test_server *server)
{
    (void)shutdown(server->listener, SHUT_RDWR);
    (void)pthread_join(server->thread, NULL);
    (void)close(server->listener);
    for (size_t i = 0; i < TEST_SERVER_STEPS_MAX; i++) {
        free(server->requests[i]);
        server->requests[i] = NULL;
    }
}

static inline const char *test_body(const struct test_server *server, size_t request)
{
    const char *body = strstr(server->requests[request], "\r\n\r\n");
    return body == NULL ? "" : body + 4;
}
