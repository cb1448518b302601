/* SPDX-License-Identifier: Apache-2.0 */
/* What a well-behaved client sees. */
#include "http/test_app.h"

static struct http_server *server;

static int start(void **state)
{
    UNUSED(state);
    server = app_start((struct http_options){0});
    return 0;
}

static int stop(void **state)
{
    UNUSED(state);
    http_server_free(server);
    return 0;
}

/* One request on a connection of its own; parts of the answer, or "!" and what is not in it. */
struct row {
    const char *name;
    const char *request;
    const char *parts[5];
};

#define HOST "Host: h\r\n"
#define LAST HOST "Connection: close\r\n"

static const struct row rows[] = {
    {"a blocking handler answers",
     "GET /hello HTTP/1.1\r\n" LAST "\r\n",
     {"HTTP/1.1 200 OK\r\nDate: ", "\r\nContent-Type: text/plain; charset=utf-8\r\n",
      "\r\nContent-Length: 6\r\n", "\r\nConnection: close\r\n", "\r\n\r\nhello\n"}},
    {"a hook adds a header",
     "GET /hello HTTP/1.1\r\n" LAST "\r\n",
     {"\r\nX-Content-Type-Options: nosniff\r\n"}},
    {"a body is echoed",
     "POST /echo HTTP/1.1\r\n" LAST "Content-Length: 3\r\n\r\nabc",
     {"\r\nX-Bytes: 3\r\n", "\r\n\r\nabc"}},
    {"a chunked body is echoed",
     "POST /echo HTTP/1.1\r\n" LAST
     "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
     {"\r\nX-Bytes: 3\r\n", "\r\n\r\nabc"}},
    {"a parked handler answers",
     "POST /events HTTP/1.1\r\n" LAST "Content-Length: 3\r\n\r\nabc",
     {"HTTP/1.1 201 Created\r\n", "{\"bytes\": 3}\n"}},
    {"a handler may pause its body",
     "POST /slow HTTP/1.1\r\n" LAST
     "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
     {"HTTP/1.1 201 Created\r\n", "{\"bytes\": 3}\n"}},
    {"HEAD is GET without body",
     "HEAD /hello HTTP/1.1\r\n" LAST "\r\n",
     {"HTTP/1.1 200 OK\r\n", "\r\nContent-Length: 6\r\n", "!hello"}},
    {"OPTIONS names the methods",
     "OPTIONS /hello HTTP/1.1\r\n" LAST "\r\n",
     {"HTTP/1.1 204 No Content\r\n", "\r\nAllow: GET, HEAD, OPTIONS\r\n", "!Content-Length"}},
    {"OPTIONS of everything",
     "OPTIONS * HTTP/1.1\r\n" LAST "\r\n",
     {"HTTP/1.1 204 No Content\r\n",
      "\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"}},
    {"an unknown path",
     "GET /nope HTTP/1.1\r\n" LAST "X-Request-Id: r-1\r\n\r\n",
     {"HTTP/1.1 404 Not Found\r\n", "application/problem+json",
      "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"there is "
      "nothing "
      "at this path\",\"instance\":\"/nope\",\"request_id\":\"r-1\"}"}},
    {"another method",
     "DELETE /hello HTTP/1.1\r\n" LAST "\r\n",
     {"HTTP/1.1 405 Method Not Allowed\r\n", "\r\nAllow: GET, HEAD, OPTIONS\r\n"}},
    {"a refused body keeps the connection",
     "POST /nope HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /hello HTTP/1.1\r\n" LAST
     "\r\n",
     {"HTTP/1.1 404 Not Found\r\n", "hello\n"}},
    {"a middleware refuses",
     "GET /hello HTTP/1.1\r\n" LAST "X-Api-Key: bad\r\n\r\n",
     {"HTTP/1.1 401 Unauthorized\r\n", "the key is not known"}},
    {"a middleware bounds the body",
     "POST /echo HTTP/1.1\r\n" LAST "X-Body-Max: 3\r\nContent-Length: 4\r\n\r\nabcd",
     {"HTTP/1.1 413 Content Too Large\r\n"}},
    {"a middleware bounds a body of chunks",
     "POST /echo HTTP/1.1\r\n" LAST "X-Body-Max: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
     "4\r\nabcd\r\n0\r\n\r\n",
     {"HTTP/1.1 413 Content Too Large\r\n"}},
    {"a body within that bound",
     "POST /echo HTTP/1.1\r\n" LAST "X-Body-Max: 3\r\nContent-Length: 3\r\n\r\nabc",
     {"HTTP/1.1 200 OK\r\n", "\r\n\r\nabc"}},
    {"a middleware widens what the route says",
     "POST /held HTTP/1.1\r\n" LAST "X-Body-Max: 2000000\r\nContent-Length: 2000001\r\n\r\n",
     {"HTTP/1.1 413 Content Too Large\r\n"}},
    {"parameters are decoded",
     "GET /things/a%20b%2Fc?x=1&y=%C3%A9+z&x=2&&w HTTP/1.1\r\n" LAST "User-Agent: t\r\n\r\n",
     {"\r\n\r\nid=a b/c;x=1;y=\xc3\xa9 z;x=2;w=;agent=t."}},
    {"a literal path wins", "GET /things/special HTTP/1.1\r\n" LAST "\r\n", {"hello\n"}},
    {"a literal path may be encoded", "GET /%68ello HTTP/1.1\r\n" LAST "\r\n", {"hello\n"}},
    {"the rest of a path", "GET /files/a/b/c HTTP/1.1\r\n" LAST "\r\n", {"id=a/b/c."}},
    {"an empty parameter is none", "GET /things/ HTTP/1.1\r\n" LAST "\r\n", {"404 Not Found"}},
    {"a bad escape in the path", "GET /things/%4 HTTP/1.1\r\n" LAST "\r\n", {"400 Bad Request"}},
    {"a bad escape in the query", "GET /hello?a=%zz HTTP/1.1\r\n" LAST "\r\n", {"400 Bad Request"}},
    {"an encoded NUL", "GET /things/a%00 HTTP/1.1\r\n" LAST "\r\n", {"400 Bad Request"}},
    {"an encoded NUL in the query",
     "GET /hello?a=%00 HTTP/1.1\r\n" LAST "\r\n",
     {"400 Bad Request"}},
    {"bytes that are not UTF-8", "GET /things/%ff HTTP/1.1\r\n" LAST "\r\n", {"400 Bad Request"}},
    {"a segment of dots", "GET /things/%2e%2E HTTP/1.1\r\n" LAST "\r\n", {"400 Bad Request"}},
    {"a brace in the path", "GET /things/{id} HTTP/1.1\r\n" LAST "\r\n", {"400 Bad Request"}},
    {"a comparison in the query",
     "GET /things/a?q=n>=1 HTTP/1.1\r\n" LAST "\r\n",
     {"id=a;q=n>=1."}},
    {"a sane request id is echoed",
     "GET /hello HTTP/1.1\r\n" LAST "X-Correlation-ID: A.b_c-9\r\n\r\n",
     {"\r\nX-Request-Id: A.b_c-9\r\n"}},
    {"another is replaced",
     "GET /hello HTTP/1.1\r\n" LAST "X-Request-Id: a b\r\n\r\n",
     {"\r\nX-Request-Id: ", "!a b"}},
    {"HTTP/1.0 ends", "GET /hello HTTP/1.0\r\n\r\n", {"HTTP/1.1 200 OK\r\n", "Connection: close"}},
    {"HTTP/1.0 may stay",
     "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /hello HTTP/1.0\r\n\r\n",
     {"\r\nConnection: keep-alive\r\n", "\r\nConnection: close\r\n"}},
    {"a stream is chunked",
     "GET /export?bytes=1 HTTP/1.1\r\n" LAST "\r\n",
     {"\r\nTransfer-Encoding: chunked\r\n", "\r\n\r\n1\r\ne\r\n0\r\n\r\n", "!Content-Length"}},
    {"a stream without a byte is an answer",
     "GET /export HTTP/1.1\r\n" LAST "\r\n",
     {"\r\nContent-Length: 0\r\n"}},
    {"a stream for HTTP/1.0 ends with the connection",
     "GET /export?bytes=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     {"\r\nConnection: close\r\n", "\r\n\r\ne", "!chunked"}},
    {"HEAD of a stream",
     "HEAD /export?bytes=3 HTTP/1.1\r\n" LAST "\r\n",
     {"\r\nTransfer-Encoding: chunked\r\n", "!0\r\n\r\n"}},
    {"a body over the route's limit by length",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n",
     {"HTTP/1.1 413 Content Too Large\r\n", "Connection: close"}},
    {"an unknown coding",
     "POST /echo HTTP/1.1\r\n" LAST "Content-Encoding: br\r\nContent-Length: 1\r\n\r\na",
     {"HTTP/1.1 415 ", "\r\nAccept-Encoding: gzip, zstd\r\n"}},
    {"a body that is not gzip",
     "POST /echo HTTP/1.1\r\n" LAST "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
     {"HTTP/1.1 400 ", "not what Content-Encoding says"}},
    {"a refused head is answered and the connection ends",
     "GET / HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n",
     {"HTTP/1.1 400 Bad Request\r\n", "Host is missing", "Connection: close", "!hello"}},
    {"a bad chunk in a blocking request",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
     {"HTTP/1.1 400 Bad Request\r\n", "Connection: close"}},
    {"a bad chunk in a parked request",
     "POST /events HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n",
     {"HTTP/1.1 400 Bad Request\r\n", "Connection: close"}},
};

static void row_is_answered(void **state)
{
    const struct row *row = *state;
    char *answer = client_talk(server, row->request);
    assert_parts(answer, row->parts, COUNT_OF(row->parts));
    free(answer);
}

static void a_post_byte_by_byte_is_the_same(void **state)
{
    UNUSED(state);
    const char *text = "POST /echo HTTP/1.1\r\n" LAST "Transfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n0\r\n\r\n";
    int fd = client_connect(server);
    for (size_t i = 0; text[i] != '\0'; i++) {
        client_send_bytes(fd, text + i, 1);
        (void)usleep(200);
    }
    char *answer = client_read_all(fd, NULL);
    assert_contains(answer, "\r\n\r\nabc");
    free(answer);
    client_close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    UNUSED(state);
    struct buf text = BUF_INIT(MIB(1));
    for (int i = 0; i < 100; i++) {
        const char *body =
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxx";
        buf_append_format(&text, "POST /events HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n%.*s",
                          i, i, body);
        buf_append_format(&text, "GET /things/%d HTTP/1.1\r\n" HOST "\r\n", i);
    }
    int fd = client_connect(server);
    client_send_bytes(fd, text.ptr, text.len);
    char *answers = client_read_until(fd, "id=99.", 1);
    const char *at = answers;
    for (int i = 0; i < 100; i++) {
        char wanted[32];
        (void)snprintf(wanted, sizeof(wanted), "{\"bytes\": %d}", i);
        at = strstr(at, wanted);
        assert_non_null(at);
        (void)snprintf(wanted, sizeof(wanted), "id=%d.", i);
        at = strstr(at, wanted);
        assert_non_null(at);
    }
    free(answers);
    buf_release(&text);
    client_close(fd);
}

static void a_body_is_invited_after_the_middleware(void **state)
{
    UNUSED(state);
    int fd = client_connect(server);
    client_send(fd,
                "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    free(client_read_until(fd, "HTTP/1.1 100 Continue\r\n\r\n", 1));
    client_send(fd, "abc");
    free(client_read_until(fd, "\r\n\r\nabc", 1));
    client_send(fd, "POST /echo HTTP/1.1\r\n" HOST "X-Api-Key: bad\r\nExpect: 100-continue\r\n"
                    "Content-Length: 3\r\n\r\n");
    char *answer = client_read_all(fd, NULL);
    assert_null(strstr(answer, "100 Continue"));
    assert_contains(answer, "401 Unauthorized");
    free(answer);
    client_close(fd);
}

static void a_body_waits_for_a_middleware_that_waits(void **state)
{
    UNUSED(state);
    int fd = client_connect(server);
    client_send(fd, "POST /echo HTTP/1.1\r\n" HOST "X-Api-Key: slow\r\nContent-Length: 3\r\n\r\n"
                    "abcPOST /events HTTP/1.1\r\n" HOST "X-Api-Key: slow\r\n"
                    "Content-Length: 4\r\n\r\nabcdGET /hello HTTP/1.1\r\n" HOST
                    "X-Api-Key: slow\r\n\r\nGET /hello HTTP/1.1\r\n" LAST
                    "X-Api-Key: slow-bad\r\n\r\n");
    char *answers = client_read_all(fd, NULL);
    assert_contains(answers, "\r\n\r\nabcHTTP/1.1 201 Created\r\n");
    assert_contains(answers, "{\"bytes\": 4}\nHTTP/1.1 200 OK\r\n");
    assert_contains(answers, "hello\nHTTP/1.1 401 Unauthorized\r\n");
    assert_contains(answers, "the slow key is not known");
    free(answers);
    client_close(fd);
}

static void what_comes_while_a_middleware_waits_is_kept(void **state)
{
    UNUSED(state);
    int before = app.asked;
    int fd = client_connect(server);
    int other = client_connect(server);
    app_set_gate(true);
    client_send(fd, "POST /events HTTP/1.1\r\n" HOST "Connection: close\r\nX-Api-Key: slow\r\n"
                    "Content-Length: 6\r\n\r\n");
    app_wait_asked(before + 1);
    client_send(fd, "abc");
    client_send(other, "GET /hello HTTP/1.1\r\n" LAST "\r\n"); /* the loop serves others */
    free(client_read_until(other, "hello\n", 1));
    app_set_gate(false);
    client_send(fd, "def");
    char *answer = client_read_all(fd, NULL);
    assert_contains(answer, "{\"bytes\": 6}");
    free(answer);
    client_close(fd);
    client_close(other);
}

static void a_client_may_half_close_while_a_middleware_waits(void **state)
{
    UNUSED(state);
    int before = app.asked;
    int fd = client_connect(server);
    app_set_gate(true);
    client_send(fd, "GET /hello HTTP/1.1\r\n" HOST "X-Api-Key: slow\r\n\r\n");
    app_wait_asked(before + 1);
    assert_int_equal(client_half_close(fd), 0);
    app_set_gate(false);
    char *answer = client_read_all(fd, NULL);
    assert_contains(answer, "hello\n");
    free(answer);
    client_close(fd);
}

/* All of them are there when the loop comes back to them. */
static void a_loop_that_is_behind_says_so(void **state)
{
    static const char ask[] = "GET /crowd HTTP/1.1\r\n" HOST "\r\n";
    int fds[100];
    int keeper = client_connect(server);
    UNUSED(state);
    app.crowded = 0;
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = client_connect(server);
        client_send(fds[i], ask);
        free(client_read_until(fds[i], "bytes", 1));
    }
    assert_int_equal(app.crowded, 0); /* one after the other */
    for (int tries = 0; tries < 100 && app.crowded == 0; tries++) {
        int before = app.asked;
        app_set_gate(true);
        client_send(keeper, "GET /keep HTTP/1.1\r\n" HOST "\r\n");
        app_wait_asked(before + 1);
        for (size_t i = 0; i < COUNT_OF(fds); i++) {
            client_send(fds[i], ask);
        }
        app_set_gate(false);
        free(client_read_until(keeper, "bytes", 1));
        for (size_t i = 0; i < COUNT_OF(fds); i++) {
            free(client_read_until(fds[i], "bytes", 1));
        }
    }
    assert_in_range(app.crowded, 1, COUNT_OF(fds) - 1); /* the first ones were not */
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        client_close(fds[i]);
    }
    client_close(keeper);
}

static int wholes_of(const char *first, const char *second)
{
    int before = app.wholes;
    uint64_t came = app.body_bytes;
    int fd = client_connect(server);
    client_send(fd, first);
    if (second != NULL) {
        wait_until(app.body_bytes > came);
        client_send(fd, second);
    }
    free(client_read_until(fd, "{\"bytes\": 3}", 1));
    client_close(fd);
    return app.wholes - before;
}

static void a_body_in_one_piece_is_told_from_others(void **state)
{
    UNUSED(state);
    assert_int_equal(wholes_of("POST /events HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
                               NULL),
                     1);
    assert_int_equal(wholes_of("POST /events HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na", "bc"),
                     0);
    assert_int_equal(wholes_of("POST /events HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nab", "c"),
                     0);
    assert_int_equal(wholes_of("POST /events HTTP/1.1\r\n" HOST
                               "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                               NULL),
                     0);
}

static void a_client_that_half_closes_gets_its_answer(void **state)
{
    UNUSED(state);
    int fd = client_connect(server);
    client_send(fd, "POST /events HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    assert_int_equal(client_half_close(fd), 0);
    char *answer = client_read_all(fd, NULL);
    assert_contains(answer, "{\"bytes\": 3}");
    free(answer);
    client_close(fd);
}

static void a_refusal_is_not_lost_to_a_reset(void **state)
{
    UNUSED(state);
    int fd = client_connect(server);
    client_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 300000000\r\n\r\n");
    char block[4096] = {0};
    for (int i = 0; i < 64; i++) { /* much that nobody wants, while the answer is on its way */
        if (client_send_some(fd, block, sizeof(block)) < 0) {
            break;
        }
    }
    (void)client_half_close(fd);
    bool is_reset = true;
    char *answer = client_read_all(fd, &is_reset);
    assert_contains(answer, "413 Content Too Large");
    assert_false(is_reset);
    free(answer);
    client_close(fd);
}

/* ---- An answer that waits for its reader ---- */

#if !defined(TEST_OVER_TLS)         /* there one thread cannot send while another reads */
enum { ASKERS = 6, ASKED = 15000 }; /* 7 MB of answers for each: more than a socket holds */

struct asker {
    int fd;
    int digits; /* not the same, so that different parts of an answer have to wait */
    pthread_t thread;
};

static void *ask_often(void *context)
{
    const struct asker *asker = context;
    char question[600];
    (void)snprintf(question, sizeof(question), "GET /things/%0*d HTTP/1.1\r\n" HOST "\r\n",
                   asker->digits, 7);
    for (int i = 0; i < ASKED; i++) {
        client_send(asker->fd, question);
    }
    return NULL;
}

/* Nobody reads: in the end an answer waits, and nothing more is answered. */
static void wait_for_standstill(void)
{
    int before = -1;
    while (before != app.outcomes) {
        before = app.outcomes;
        (void)usleep(200000);
    }
}

/* Reads the answers, whose heads must be whole. */
static void read_answers(const struct asker *asker)
{
    struct buf all = BUF_INIT(MIB(16));
    int count = 0;
    for (size_t at = 0; count < ASKED;) {
        assert_true(buf_reserve(&all, 65537));
        ssize_t n = client_read(asker->fd, all.ptr + all.len, 65536);
        assert_true(n > 0);
        all.len += (size_t)n;
        all.ptr[all.len] = '\0';
        const char *end = NULL;
        while ((end = strstr((const char *)all.ptr + at, "7.")) != NULL) {
            const char *begin = (const char *)all.ptr + at;
            const char *length = strstr(begin, "Content-Length: ");
            assert_memory_equal(begin, "HTTP/1.1 200 OK\r\nDate: ", 23);
            assert_true(length != NULL && length < end);
            assert_int_equal(atol(length + 16), asker->digits + 4);
            at = (size_t)(end + 2 - (const char *)all.ptr);
            count++;
        }
    }
    buf_release(&all);
}

/* The loop makes the heads of all answers in one memory, but for those that have to wait. */
static void an_answer_that_waits_keeps_its_head(void **state)
{
    UNUSED(state);
    struct asker askers[ASKERS];
    static const struct http_times patient = {10000, 60000, 600000, 10000};
    int before = app.outcomes;
    http_server_set_times(server, &patient);
    for (int i = 0; i < ASKERS; i++) {
        askers[i].fd = client_connect(server);
        askers[i].digits = 300 + 37 * i;
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
    }
    wait_for_standstill();
    print_message("# %d of %d answers are sent\n", app.outcomes - before, ASKERS * ASKED);
    char *other = client_talk(server, "GET /nothing HTTP/1.1\r\n" LAST "\r\n");
    assert_contains(other, "404 Not Found");
    free(other);
    for (int i = 0; i < ASKERS; i++) {
        read_answers(&askers[i]);
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        client_close(askers[i].fd);
    }
    wait_until(app.outcomes == before + ASKERS * ASKED + 1);
}
#endif

static void times_change_while_it_runs(void **state)
{
    UNUSED(state);
    struct http_server *other = app_start((struct http_options){.tick_ms = 10});
    const struct http_times times = {.head_ms = 60000, .idle_ms = 20, .write_ms = 1, .stop_ms = 1};
    http_server_set_times(other, &times);
    int fd = client_connect(other);
    client_send(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    char *answer = client_read_all(fd, NULL); /* ends when the server closes */
    assert_contains(answer, "hello\n");
    free(answer);
    client_close(fd);
    http_server_free(other);
}

static void every_request_is_reported(void **state)
{
    UNUSED(state);
    int before = app.outcomes;
    free(client_talk(server, "GET /hello HTTP/1.1\r\n" LAST "\r\n"));
    free(client_talk(server, "bad"
                             "\r\n\r\n"));
    wait_until(app.outcomes == before + 2);
    assert_int_equal(app.last_status, 400);
}

static void routes_are_checked(void **state)
{
    UNUSED(state);
    static const struct http_route wrong[] = {
        {.method = HTTP_GET, .path = "a", .blocking = app_hello},
        {.method = HTTP_GET, .path = "/{a", .blocking = app_hello},
        {.method = HTTP_GET, .path = "/{a...}/b", .blocking = app_hello},
        {.method = HTTP_GET, .path = "/a"},
        {.method = HTTP_OPTIONS, .path = "/a", .blocking = app_hello},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct http_server *none = NULL;
        struct http_options options = {.routes = &wrong[i], .route_count = 1};
        assert_int_equal(http_server_start(&options, &none, NULL), ERR_INVALID);
    }
    static const char *const listens[] = {"127.0.0.1", "127.0.0.1:x", "127.0.0.1:123456", ":"};
    for (size_t i = 0; i < COUNT_OF(listens); i++) {
        struct http_server *none = NULL;
        struct http_options options = {.listen = listens[i]};
        assert_int_equal(http_server_start(&options, &none, NULL), ERR_INVALID);
    }
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_post_byte_by_byte_is_the_same),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_body_is_invited_after_the_middleware),
        cmocka_unit_test(a_body_waits_for_a_middleware_that_waits),
        cmocka_unit_test(what_comes_while_a_middleware_waits_is_kept),
        cmocka_unit_test(a_client_may_half_close_while_a_middleware_waits),
        cmocka_unit_test(a_loop_that_is_behind_says_so),
        cmocka_unit_test(a_body_in_one_piece_is_told_from_others),
        cmocka_unit_test(a_client_that_half_closes_gets_its_answer),
        cmocka_unit_test(a_refusal_is_not_lost_to_a_reset),
#if !defined(TEST_OVER_TLS)
        cmocka_unit_test(an_answer_that_waits_keeps_its_head),
#endif
        cmocka_unit_test(every_request_is_reported),
        cmocka_unit_test(times_change_while_it_runs),
        cmocka_unit_test(routes_are_checked),
    };
    struct CMUnitTest tests[COUNT_OF(rows) + COUNT_OF(others)];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = row_is_answered,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    memcpy(tests + COUNT_OF(rows), others, sizeof(others));
    return _cmocka_run_group_tests("server", tests, COUNT_OF(tests), start, stop);
}
