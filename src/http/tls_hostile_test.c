/* SPDX-License-Identifier: Apache-2.0 */
/* TLS from peers that are slow, broken or worse: they are ended, and others are served. */
#include "http/exchange.h"
#include "http/tls_support.h"

/* What a client sends first, to a server that never answers: made with memory BIOs. */
static struct buf record_hello(void)
{
    struct buf hello = BUF_INIT(KIB(64));
    SSL_CTX *context = client_context(NULL);
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    char host[] = "localhost"; /* OpenSSL's macro takes the const away */
    (void)SSL_set_tlsext_host_name(ssl, host);
    assert_int_equal(SSL_connect(ssl), -1);
    char *bytes = NULL;
    long len = BIO_get_mem_data(out, &bytes);
    buf_append(&hello, (slice){(const uint8_t *)bytes, (size_t)len});
    SSL_free(ssl);
    SSL_CTX_free(context);
    return hello;
}

/* Whatever comes, until the end; how many bytes. */
static size_t read_raw(int fd)
{
    uint8_t piece[4096];
    size_t total = 0;
    for (;;) {
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wanted, 1, 10000), 1);
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        if (n <= 0) {
            return total;
        }
        total += (size_t)n;
    }
}

static struct http_options quick(void)
{
    return (struct http_options){.head_ms = 300, .idle_ms = 60000, .linger_ms = 100, .tick_ms = 20};
}

static void assert_lives(const struct http_server *server)
{
    SSL_CTX *context = client_context(NULL);
    char *answer = talk_with(server, context, HELLO);
    assert_contains(answer, "hello\n");
    free(answer);
    SSL_CTX_free(context);
}

static void a_handshake_has_the_deadline_of_a_head(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, quick());
    struct buf hello = record_hello();
    const size_t cuts[] = {0, 1, 5, 9, 100, hello.len};
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        int fd = client_connect_tcp(server);
        int64_t start_us = clock_monotonic_us();
        if (cuts[i] > 0) {
            assert_int_equal(send(fd, hello.ptr, cuts[i], MSG_NOSIGNAL), cuts[i]);
        }
        size_t came = read_raw(fd);
        assert_true((came > 0) == (cuts[i] == hello.len));
        int64_t took_us = clock_monotonic_us() - start_us;
        assert_true(took_us > 250000 && took_us < 3000000);
        (void)close(fd);
    }
    /* A byte at a time does not move it. */
    int fd = client_connect_tcp(server);
    int64_t start_us = clock_monotonic_us();
    for (size_t i = 0; i < hello.len && clock_monotonic_us() - start_us < 2000000; i++) {
        if (send(fd, hello.ptr + i, 1, MSG_NOSIGNAL) < 0) {
            break;
        }
        (void)usleep(10000);
    }
    assert_true(clock_monotonic_us() - start_us < 1500000);
    (void)close(fd);
    assert_lives(server);
    buf_release(&hello);
    http_server_free(server);
}

/* A client whose bytes go out one by one. */
static void a_byte_at_a_time_is_the_same(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, (struct http_options){0});
    SSL_CTX *context = client_context(NULL);
    int fd = client_connect_tcp(server);
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    char answer[4096] = "";
    size_t len = 0;
    bool is_asked = false;
    while (strstr(answer, "hello\n") == NULL) {
        if (SSL_do_handshake(ssl) == 1 && !is_asked) {
            is_asked = SSL_write(ssl, HELLO, (int)strlen(HELLO)) > 0;
        }
        char *bytes = NULL;
        long count = BIO_get_mem_data(out, &bytes);
        for (long i = 0; i < count; i++) {
            assert_int_equal(send(fd, bytes + i, 1, MSG_NOSIGNAL), 1);
        }
        (void)BIO_reset(out);
        uint8_t byte = 0;
        if (count == 0) {
            assert_int_equal(recv(fd, &byte, 1, 0), 1);
            assert_int_equal(BIO_write(in, &byte, 1), 1);
        }
        int n = is_asked ? SSL_read(ssl, answer + len, (int)(sizeof(answer) - 1 - len)) : 0;
        len += n > 0 ? (size_t)n : 0;
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    (void)close(fd);
    http_server_free(server);
}

static void garbage_is_ended(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, quick());
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"\0\0\0\0\0\0\0\0\0\0", 10},
        {"\x16\x03\x01\x00\x00\x00\x00\x00\x00\x00", 10},     /* an empty record */
        {"\x16\x03\x01\xff\xff\x01\x00\x40\x00\x03\x03", 11}, /* a record that is too long */
        {"\x16\x03\x01\x02\x00\x01\x01\xff\xff\x03\x03", 11}, /* a ClientHello of 128 KiB */
        {"\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00", 10},     /* a header in pieces */
        {"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11}, /* SSL 2 */
        {"\x15\x03\x01\x00\x02\x02\x28\x15\x03\x01\x00\x02\x02\x28", 14}, /* alerts */
        {"get / http/1.0\r\n\r\n", 18},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int fd = client_connect_tcp(server);
        assert_int_equal(send(fd, rows[i].bytes, rows[i].len, MSG_NOSIGNAL), rows[i].len);
        assert_true(read_raw(fd) < 64); /* an alert at most */
        (void)close(fd);
    }
    assert_lives(server);
    http_server_free(server);
}

/* Each byte of a recorded flight, changed; and what random changes of several find. */
static void changed_flights_are_survived(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, quick());
    struct buf hello = record_hello();
    uint64_t seed = 42;
    for (size_t i = 0; i < hello.len * 2; i++) {
        uint8_t *copy = malloc(hello.len);
        assert_non_null(copy);
        memcpy(copy, hello.ptr, hello.len);
        for (size_t n = 0; n < 1 + i / hello.len * 7; n++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            size_t at = n == 0 ? i % hello.len : (size_t)(seed >> 33) % hello.len;
            copy[at] ^= (uint8_t)(1u << ((seed >> 20) & 7));
        }
        int fd = client_connect_tcp(server);
        (void)send(fd, copy, hello.len, MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR); /* so that nobody waits for a deadline */
        (void)read_raw(fd);
        (void)close(fd);
        free(copy);
    }
    assert_lives(server);
    wait_until(http_server_counts(server).connections == 0);
    buf_release(&hello);
    http_server_free(server);
}

/* A client whose `nth` byte is changed on its way: what the server makes of the rest of the
 * handshake, and of a request, when it is not what was sent. True if it was answered. */
static bool talk_changed(const struct http_server *server, SSL_CTX *context, size_t nth)
{
    int fd = client_connect_tcp(server);
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    char answer[4096] = "";
    uint8_t piece[4096];
    size_t sent = 0;
    bool is_asked = false;
    ssize_t n = 1;
    while (n > 0 && strstr(answer, "hello\n") == NULL) {
        ERR_clear_error();
        if (SSL_do_handshake(ssl) == 1 && !is_asked) {
            is_asked = SSL_write(ssl, HELLO, (int)strlen(HELLO)) > 0;
        }
        int count = BIO_read(out, piece, sizeof(piece));
        if (count > 0 && nth >= sent && nth < sent + (size_t)count) {
            piece[nth - sent] ^= 0x10;
        }
        sent += count > 0 ? (size_t)count : 0;
        n = count > 0 ? send(fd, piece, (size_t)count, MSG_NOSIGNAL) : 0;
        if (count <= 0) {
            n = recv(fd, piece, sizeof(piece), 0);
            (void)BIO_write(in, piece, n > 0 ? (int)n : 0);
        }
        int got = is_asked ? SSL_read(ssl, answer, sizeof(answer) - 1) : 0;
        answer[got > 0 ? got : 0] = '\0';
    }
    SSL_free(ssl);
    (void)close(fd);
    return strstr(answer, "hello\n") != NULL;
}

static void a_byte_changed_anywhere_is_survived(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_options options = quick();
    options.head_ms = 100; /* of a length that became larger the rest never comes */
    struct http_server *server = start_with(&tls, options);
    SSL_CTX *context = client_context(&made.alice);
    assert_true(talk_changed(server, context, SIZE_MAX));
    for (size_t nth = 0; nth < 800; nth += 3) {
        /* Some bytes mean nothing: the version of a record, the session id that 1.3 ignores. */
        (void)talk_changed(server, context, nth);
    }
    assert_lives(server);
    wait_until(http_server_counts(server).connections == 0);
    SSL_CTX_free(context);
    http_server_free(server);
}

/* Bytes changed under the encryption of a request. */
static void a_broken_record_ends_the_connection(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, quick());
    SSL_CTX *context = client_context(NULL);
    int fd = connect_with(server, context);
    client_send(fd, "POST /events HTTP/1.1\r\n" HOST "Content-Length: 300\r\n\r\nabc");
    wait_until(app.body_bytes == 3);
    assert_int_equal(send(fd, "\x17\x03\x03\x00\x20garbage garbage garbage garbage!", 37,
                          MSG_NOSIGNAL),
                     37);
    char *answer = client_read_all(fd, NULL);
    assert_string_equal(answer, "");
    wait_until(app.aborts == 1);
    assert_int_equal(http_server_counts(server).tls_failed, 1);
    free(answer);
    client_close(fd);
    SSL_CTX_free(context);
    http_server_free(server);
}

/* Updates of keys ask for answers: a client that reads none of them must not fill our memory. */
static void a_flood_of_key_updates_is_ended(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_options options = quick();
    options.idle_ms = 3000;
    struct http_server *server = start_with(&tls, options);
    SSL_CTX *context = client_context(NULL);
    int fd = connect_with(server, context);
    SSL *ssl = test_tls.sessions[fd];
    bool is_ended = false;
    for (int i = 0; i < 2000000 && !is_ended; i++) {
        (void)SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
        is_ended = SSL_do_handshake(ssl) != 1;
    }
    assert_true(is_ended);
    assert_lives(server);
    client_close(fd);
    SSL_CTX_free(context);
    http_server_free(server);
}

/* OpenSSL refuses to write to whoever tails. */
static void send_in_vain(struct http_task *task)
{
    struct http_request *request = app.stream;
    UNUSED(task);
    exchange_of(request)->conn->tls->is_failed = true;
    assert_int_equal(http_stream_send(request, SLICE("data: 2\n\n")), ERR_GONE);
    app.stream = NULL;
    http_stream_end(request);
    app.ends++;
}

static void a_send_that_fails_says_so_and_nobody_else_does(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, quick());
    SSL_CTX *context = client_context(NULL);
    int fd = connect_with(server, context);
    client_send(fd, "GET /tail HTTP/1.1\r\n" HOST "\r\n");
    free(client_read_until(fd, "data: 1\n\n", 1));
    wait_until(app.stream != NULL);
    struct http_task task = {.run = send_in_vain};
    http_post(app.stream->loop, &task);
    wait_until(app.ends == 1);
    assert_int_equal(app.aborts, 0);
    client_close(fd);
    SSL_CTX_free(context);
    http_server_free(server);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_has_the_deadline_of_a_head),
        cmocka_unit_test(a_byte_at_a_time_is_the_same),
        cmocka_unit_test(garbage_is_ended),
        cmocka_unit_test(changed_flights_are_survived),
        cmocka_unit_test(a_byte_changed_anywhere_is_survived),
        cmocka_unit_test(a_broken_record_ends_the_connection),
        cmocka_unit_test(a_flood_of_key_updates_is_ended),
        cmocka_unit_test(a_send_that_fails_says_so_and_nobody_else_does),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
