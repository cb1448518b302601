/* SPDX-License-Identifier: Apache-2.0 */
/* What clients do that are slow, gone, greedy or too many. */
#include <sys/resource.h>
#include <zlib.h>

#include "http/test_app.h"

#define HOST "Host: h\r\n"

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    client_close(fd);
}

static size_t resident_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*s %zu", &pages), 1);
    (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static struct http_options quick(void)
{
    return (struct http_options){.head_ms = 300,
                                 .body_ms = 300,
                                 .body_rate = 1000000,
                                 .idle_ms = 500,
                                 .write_ms = 400,
                                 .linger_ms = 100,
                                 .tick_ms = 20};
}

/* ---- Deadlines ---- */

struct drip_row {
    const char *name;
    const char *begin;
    const char *drip; /* again and again */
    const char *answer;
};

static const struct drip_row drip_rows[] = {
    {"silence is ended", "", "", ""},
    {"a dripping head is ended", "GET /hello HTTP/1.1\r\n", "A: b\r\n", "408 Request Timeout"},
    {"a dripping request line is ended", "GET /", "x", "408 Request Timeout"},
    {"a dripping body is ended", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n",
     "x", "408 Request Timeout"},
    {"a dripping body of a parked request is ended",
     "POST /events HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n",
     "408 Request Timeout"},
};

static void deadline_is_absolute(void **state)
{
    const struct drip_row *row = *state;
    struct http_server *server = app_start(quick());
    int fd = client_connect(server);
    int64_t start_us = clock_monotonic_us();
    client_send(fd, row->begin);
    while (!client_comes(fd, 10)) {
        (void)client_send_some(fd, row->drip, strlen(row->drip));
    }
    int64_t took_us = clock_monotonic_us() - start_us;
    char *answer = client_read_all(fd, NULL);
    assert_contains(answer, row->answer);
    assert_true(took_us > 250000 && took_us < 3000000);
    free(answer);
    client_close(fd);
    http_server_free(server);
}

static void an_idle_connection_is_ended_later(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start(quick());
    int fd = client_connect(server);
    client_send(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    free(client_read_until(fd, "hello\n", 1));
    int64_t start_us = clock_monotonic_us();
    char byte = 0;
    assert_int_equal(client_read(fd, &byte, 1), 0);
    assert_true(clock_monotonic_us() - start_us > 450000);
    client_close(fd);
    http_server_free(server);
}

static void a_client_that_does_not_read_is_ended(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start(quick());
    int fd = client_connect(server);
    client_send(fd, "GET /export?bytes=100000000 HTTP/1.1\r\n" HOST "\r\n");
    wait_until(app.ends == 1);
    assert_true(app.written < 50000000);
    client_close(fd);
    http_server_free(server);
}

/* ---- Clients that leave ---- */

static void resets_while_pending_are_survived(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    enum { CLIENTS = 500 };
    for (int i = 0; i < CLIENTS; i++) {
        int fd = client_connect(server);
        client_send(fd, "POST /held HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
        wait_until(app_held_count() == (size_t)i + 1);
        reset(fd);
    }
    wait_until(app.aborts == CLIENTS);
    assert_int_equal(app.abort_why, HTTP_ABORT_PEER);
    assert_int_equal(app.outcomes, 0); /* the handler still holds them */
    app_release_held();
    wait_until(app.outcomes == CLIENTS);
    char *answer = client_talk(server, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_contains(answer, "hello");
    free(answer);
    http_server_free(server);
}

static void a_client_that_leaves_in_its_body_is_told_to_the_handler(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    int fd = client_connect(server);
    client_send(fd, "POST /events HTTP/1.1\r\n" HOST "Content-Length: 300\r\n\r\nabc");
    wait_until(app.body_bytes == 3);
    client_close(fd);
    wait_until(app.aborts == 1 && app.outcomes == 1);
    assert_int_equal(app.last_status, 0);
    http_server_free(server);
}

static void a_client_may_leave_while_a_middleware_waits(void **state)
{
    static const char *const requests[] = {
        "GET /hello HTTP/1.1\r\n" HOST "X-Api-Key: slow\r\n\r\n",
        "POST /events HTTP/1.1\r\n" HOST "X-Api-Key: slow\r\nContent-Length: 9\r\n\r\n",
        "GET /tail HTTP/1.1\r\n" HOST "X-Api-Key: slow-bad\r\n\r\n",
    };
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    int before = app.asked;
    int outcomes = app.outcomes;
    int aborts = app.aborts;
    app_set_gate(true);
    for (int i = 0; i < (int)COUNT_OF(requests); i++) {
        int fd = client_connect(server);
        client_send(fd, requests[i]);
        app_wait_asked(before + i + 1);
        reset(fd);
    }
    while (http_server_counts(server).connections > 0) {
        (void)poll(NULL, 0, 1);
    }
    app_set_gate(false);
    while (app.outcomes < outcomes + (int)COUNT_OF(requests)) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(app.last_status, 0);
    assert_int_equal(app.aborts, aborts); /* the handlers never heard of them */
    http_server_free(server);
}

static void a_writer_whose_client_left_ends(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    int fd = client_connect(server);
    client_send(fd, "GET /export?bytes=1000000000 HTTP/1.1\r\n" HOST "\r\n");
    char byte = 0;
    assert_int_equal(client_read(fd, &byte, 1), 1);
    reset(fd);
    wait_until(app.ends == 1 && app.outcomes == 1);
    http_server_free(server);
}

static void a_broken_stream_shows(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    char *answer = client_talk(server, "GET /export?bytes=1&broken HTTP/1.1\r\n" HOST "\r\n");
    assert_null(strstr(answer, "0\r\n\r\n"));
    free(answer);
    http_server_free(server);
}

/* ---- Much ---- */

static void much_goes_through_little_memory(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    int fd = client_connect(server);
    client_send(fd, "POST /events HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    static char chunk[65536 + 7];
    memcpy(chunk, "10000\r\n", 7);
    size_t before = resident_bytes();
    for (int i = 0; i < 1024; i++) {
        client_send_bytes(fd, chunk, sizeof(chunk));
        client_send(fd, "\r\n");
    }
    size_t after = resident_bytes();
    client_send(fd, "0\r\n\r\n");
    free(client_read_until(fd, "{\"bytes\": 67108864}", 1));
#if !defined(__SANITIZE_ADDRESS__) || !defined(TEST_OVER_TLS) /* ASan keeps freed records a while */
    assert_true(after < before + MIB(16));
#else
    UNUSED(before);
    UNUSED(after);
#endif
    client_close(fd);
    http_server_free(server);
}

static void a_long_export_waits_for_its_reader(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    int fd = client_connect(server);
    client_send(fd, "GET /export?bytes=50000000 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    (void)usleep(200000);
    uint64_t ahead = app.written; /* in socket buffers and ours */
    assert_true(ahead < 20000000);
    static uint8_t piece[65536];
    size_t total = 0;
    ssize_t n = 0;
    while ((n = client_read(fd, piece, sizeof(piece))) > 0) {
        total += (size_t)n;
    }
    assert_int_equal(n, 0);
    assert_true(total > 50000000 && total < 50200000);
    assert_int_equal(app.written, 50000000);
    client_close(fd);
    http_server_free(server);
}

static size_t gzip(const uint8_t *bytes, size_t len, uint8_t *out, size_t out_max)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)bytes;
    z.avail_in = (unsigned)len;
    z.next_out = out;
    z.avail_out = (unsigned)out_max;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t used = z.total_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
    return used;
}

struct gzip_row {
    const char *name;
    const char *path;
    size_t bytes;
    size_t cut; /* bytes left out at the end */
    const char *answer;
};

static const struct gzip_row gzip_rows[] = {
    {"a gzip body is expanded", "/echo", 1000, 0, "X-Bytes: 1000"},
    {"a gzip body is expanded to the limit", "/echo", 65536, 0, "X-Bytes: 65536"},
    {"and not beyond", "/echo", 65537, 0, "413 Content Too Large"},
    {"a bomb is refused", "/echo", 20000000, 0, "413 Content Too Large"},
    {"a gzip body is expanded for a parked handler", "/events", 20000000, 0,
     "{\"bytes\": 20000000}"},
    {"and for one that pauses", "/slow", 20000000, 0, "{\"bytes\": 20000000}"},
    {"a bomb for a parked handler is refused", "/events", 67108865, 0, "413 Content Too Large"},
    {"a gzip body that is cut off", "/echo", 1000, 4, "400 Bad Request"},
};

static void gzip_row_is_answered(void **state)
{
    const struct gzip_row *row = *state;
    struct http_server *server = app_start((struct http_options){0});
    uint8_t *plain = calloc(1, row->bytes);
    uint8_t *packed = malloc(MIB(1));
    assert_true(plain != NULL && packed != NULL);
    size_t len = gzip(plain, row->bytes, packed, MIB(1)) - row->cut;
    char head[256];
    (void)snprintf(head, sizeof(head),
                   "POST %s HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Encoding: gzip\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   row->path, len);
    int fd = client_connect(server);
    client_send(fd, head);
    client_send_bytes(fd, packed, len);
    char *answer = client_read_all(fd, NULL);
    assert_contains(answer, row->answer);
    free(answer);
    free(plain);
    free(packed);
    client_close(fd);
    http_server_free(server);
}

/* ---- Many ---- */

static void a_thousand_idle_connections_are_cheap(void **state)
{
    UNUSED(state);
    enum { CLIENTS = 1000 };
    struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    struct http_server *server = app_start((struct http_options){0});
    int *fds = calloc(CLIENTS, sizeof(*fds));
    assert_non_null(fds);
    size_t before = resident_bytes();
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_connect(server);
        client_send(fds[i], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        free(client_read_until(fds[i], "hello\n", 1));
    }
    size_t after = resident_bytes();
    print_message("# %zu bytes for an idle connection\n", (after - before) / CLIENTS);
    assert_int_equal(http_server_counts(server).connections, CLIENTS);
    int64_t start_us = clock_monotonic_us();
    http_server_stop(server);
    assert_true(clock_monotonic_us() - start_us < 1000000);
    for (int i = 0; i < CLIENTS; i++) {
        client_close(fds[i]);
    }
    free(fds);
    http_server_free(server);
}

static void too_many_connections_are_told(void **state)
{
    UNUSED(state);
    struct http_server *server =
        app_start((struct http_options){.connections_max = 8, .connections_per_address_max = 4});
    int fds[4];
    for (int i = 0; i < 4; i++) {
        fds[i] = client_connect(server);
        client_send(fds[i], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        free(client_read_until(fds[i], "hello\n", 1));
    }
    int fd = client_connect(server);
    char *answer = client_read_all(fd, NULL);
#if defined(TEST_OVER_TLS)
    assert_string_equal(answer, ""); /* a handshake only to refuse is what a full server spares */
#else
    assert_contains(answer, "503 Service Unavailable");
    assert_contains(answer, "Retry-After: 5");
#endif
    free(answer);
    client_close(fd);
    client_close(fds[0]);
    wait_until(http_server_counts(server).connections == 3);
    answer = client_talk(server, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_contains(answer, "hello");
    free(answer);
    for (int i = 1; i < 4; i++) {
        client_close(fds[i]);
    }
    http_server_free(server);
}

/* ---- Behind a proxy ---- */

static void a_proxy_brings_many_but_each_only_so_many(void **state)
{
    UNUSED(state);
    struct http_networks trusted;
    assert_int_equal(http_networks_parse(SLICE("127.0.0.0/8"), &trusted, NULL), OK);
    struct http_server *server = app_start(
        (struct http_options){.connections_per_address_max = 2, .trusted_proxies = &trusted});
    int fds[6];
    for (int i = 0; i < 6; i++) { /* two for each of three clients */
        char text[256];
        (void)snprintf(text, sizeof(text),
                       "POST /held HTTP/1.1\r\n" HOST "Content-Length: 0\r\n"
                       "X-Forwarded-For: 6.6.6.6, 192.0.2.%d\r\n\r\n",
                       i % 3);
        fds[i] = client_connect(server);
        client_send(fds[i], text);
    }
    wait_until(app_held_count() == 6);
    char *answer = client_talk(server, "GET /who HTTP/1.1\r\n" HOST "Connection: close\r\n"
                                       "X-Forwarded-For: 192.0.2.1\r\n\r\n");
    assert_contains(answer, "503 Service Unavailable");
    assert_contains(answer, "Retry-After: 5");
    free(answer);
    answer = client_talk(server, "GET /who HTTP/1.1\r\n" HOST "Connection: close\r\n"
                                 "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
    assert_contains(answer, "https nobody from 192.0.2.7.");
    free(answer);
    reset(fds[1]); /* whoever leaves is no longer counted, although a handler holds it */
    wait_until(app.aborts == 1);
    answer = client_talk(server, "GET /who HTTP/1.1\r\n" HOST "Connection: close\r\n"
                                 "X-Forwarded-For: 192.0.2.1\r\n\r\n");
    assert_contains(answer, "from 192.0.2.1.");
    free(answer);
    app_release_held();
    for (int i = 0; i < 6; i++) {
        if (i != 1) {
            client_close(fds[i]);
        }
    }
    http_server_free(server);
}

static void a_stranger_is_not_believed(void **state)
{
    UNUSED(state);
    struct http_networks trusted;
    assert_int_equal(http_networks_parse(SLICE("10.0.0.0/8"), &trusted, NULL), OK);
    struct http_server *server = app_start((struct http_options){.trusted_proxies = &trusted});
    char *answer = client_talk(server, "GET /who HTTP/1.1\r\n" HOST "Connection: close\r\n"
                                       "X-Forwarded-For: 192.0.2.1\r\n\r\n");
    assert_contains(answer, "nobody from 127.0.0.1.");
    free(answer);
    http_server_free(server);
}

/* ---- Streams and stopping ---- */

static void a_slow_reader_of_a_stream_is_closed(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    int fd = client_connect(server);
    client_send(fd, "GET /tail HTTP/1.1\r\n" HOST "\r\n");
    free(client_read_until(fd, "data: 1\n\n", 1));
    wait_until(app.stream != NULL);
    struct http_request *request = app.stream;
    struct http_task flood = {.run = app_flood};
    http_post(request->loop, &flood);
    wait_until(app.ends == 1);
    assert_int_equal(app.aborts, 0);
    client_close(fd);
    http_server_free(server);
}

static void a_reader_that_leaves_ends_its_stream(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    int fd = client_connect(server);
    client_send(fd, "GET /tail HTTP/1.1\r\n" HOST "\r\n");
    free(client_read_until(fd, "data: 1\n\n", 1));
    client_close(fd);
    wait_until(app.aborts == 1);
    assert_int_equal(app.abort_why, HTTP_ABORT_PEER);
    http_server_free(server);
}

static void *stop_it(void *server)
{
    http_server_stop(server);
    return NULL;
}

static void stop_waits_for_what_is_pending(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){0});
    int fd = client_connect(server);
    int tail = client_connect(server);
    client_send(fd, "POST /held HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    client_send(tail, "GET /tail HTTP/1.1\r\n" HOST "\r\n");
    free(client_read_until(tail, "data: 1\n\n", 1));
    wait_until(app_held_count() == 1);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_it, server), 0);
    char *end = client_read_all(tail, NULL); /* a stream ends at once, and well */
    assert_contains(end, "0\r\n\r\n");
    free(end);
    app_release_held();
    char *answer = client_read_all(fd, NULL);
    assert_contains(answer, "{\"bytes\": 3}");
    assert_contains(answer, "Connection: close");
    free(answer);
    client_close(fd);
    client_close(tail);
    wait_until(http_server_counts(server).pool_threads == 0); /* who watches it may ask meanwhile */
    assert_int_equal(pthread_join(stopper, NULL), 0);
    assert_int_equal(http_server_counts(server).pool_busy, 0);
    http_server_free(server);
}

static void stop_has_a_hard_limit(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){.stop_ms = 200});
    int fd = client_connect(server);
    client_send(fd, "POST /held HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    wait_until(app_held_count() == 1);
    int64_t start_us = clock_monotonic_us();
    http_server_stop(server);
    int64_t took_us = clock_monotonic_us() - start_us;
    assert_true(took_us > 150000 && took_us < 3000000);
    assert_int_equal(app.aborts, 1);
    app_release_held(); /* its memory is still there */
    client_close(fd);
    http_server_free(server);
}

static void loops_share_a_port(void **state)
{
    UNUSED(state);
    struct http_server *server = app_start((struct http_options){.loops = 3});
    for (int i = 0; i < 50; i++) {
        char *answer = client_talk(server, "POST /events HTTP/1.1\r\n" HOST "Connection: close\r\n"
                                           "Content-Length: 3\r\n\r\nabc");
        assert_contains(answer, "{\"bytes\": 3}");
        free(answer);
    }
    http_server_free(server);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(an_idle_connection_is_ended_later),
        cmocka_unit_test(a_client_that_does_not_read_is_ended),
        cmocka_unit_test(resets_while_pending_are_survived),
        cmocka_unit_test(a_client_that_leaves_in_its_body_is_told_to_the_handler),
        cmocka_unit_test(a_client_may_leave_while_a_middleware_waits),
        cmocka_unit_test(a_writer_whose_client_left_ends),
        cmocka_unit_test(a_broken_stream_shows),
        cmocka_unit_test(much_goes_through_little_memory),
        cmocka_unit_test(a_long_export_waits_for_its_reader),
        cmocka_unit_test(a_thousand_idle_connections_are_cheap),
        cmocka_unit_test(too_many_connections_are_told),
        cmocka_unit_test(a_proxy_brings_many_but_each_only_so_many),
        cmocka_unit_test(a_stranger_is_not_believed),
        cmocka_unit_test(a_slow_reader_of_a_stream_is_closed),
        cmocka_unit_test(a_reader_that_leaves_ends_its_stream),
        cmocka_unit_test(stop_waits_for_what_is_pending),
        cmocka_unit_test(stop_has_a_hard_limit),
        cmocka_unit_test(loops_share_a_port),
    };
    struct CMUnitTest tests[COUNT_OF(drip_rows) + COUNT_OF(gzip_rows) + COUNT_OF(others)];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(drip_rows); i++) {
        tests[n++] = (struct CMUnitTest){.name = drip_rows[i].name,
                                         .test_func = deadline_is_absolute,
                                         .initial_state = (void *)(uintptr_t)&drip_rows[i]};
    }
    for (size_t i = 0; i < COUNT_OF(gzip_rows); i++) {
        tests[n++] = (struct CMUnitTest){.name = gzip_rows[i].name,
                                         .test_func = gzip_row_is_answered,
                                         .initial_state = (void *)(uintptr_t)&gzip_rows[i]};
    }
    memcpy(tests + n, others, sizeof(others));
    return _cmocka_run_group_tests("robust", tests, COUNT_OF(tests), NULL, NULL);
}
