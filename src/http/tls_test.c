/* SPDX-License-Identifier: Apache-2.0 */
/* What TLS itself promises: who is let in, what is refused, what a hostile peer costs. */
#include <signal.h>
#include <sys/wait.h>

#define TEST_OVER_TLS
#include "http/test_app.h"
#include "os/tempdir.h"

#define HOST "Host: h\r\n"
#define LAST HOST "Connection: close\r\n"
#define HELLO "GET /hello HTTP/1.1\r\n" LAST "\r\n"

/* Certificates that are the same for all tests, and files of them for the openssl command. */
static struct {
    struct tempdir dir;
    struct test_certificate ca, other_ca;
    struct test_certificate own, expired, elsewhere, next;
    struct test_certificate alice, mallory, late;
} made;

static void make(struct test_certificate *out, const char *name,
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

static int set_up(void **state)
{
    UNUSED(state);
    const struct test_certificate_options plain = {0};
    const struct test_certificate_options past = {.begins_s = -7200, .ends_s = -3600};
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

static int tear_down(void **state)
{
    UNUSED(state);
    struct test_certificate *all[] = {&made.ca,        &made.other_ca, &made.own,
                                      &made.expired,   &made.elsewhere, &made.next,
                                      &made.alice,     &made.mallory,   &made.late};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        test_certificate_release(all[i]);
    }
    test_tls_release();
    tempdir_release(&made.dir);
    return 0;
}

static struct http_server *start_with(const struct http_tls_options *tls,
                                      struct http_options options)
{
    options.tls = tls;
    return app_start(options);
}

static struct http_tls_options usual(void)
{
    return (struct http_tls_options){.certificate = made.own.certificate_pem,
                                     .key = made.own.key_pem};
}

/* ---- The openssl and curl commands ---- */

/* Runs a shell line in the directory of the certificates; its output, which the caller frees. */
static char *run_line(const char *line, int *status_out)
{
    char whole[2048];
    struct buf out = BUF_INIT(MIB(1));
    (void)snprintf(whole, sizeof(whole), "cd %s && (%s) 2>&1", made.dir.path, line);
    FILE *pipe = popen(whole, "r"); /* NOLINT(cert-env33-c): a test's own line */
    assert_non_null(pipe);
    assert_true(buf_reserve(&out, KIB(256)));
    out.len = fread(out.ptr, 1, KIB(256) - 1, pipe);
    *status_out = pclose(pipe);
    buf_append_byte(&out, '\0');
    return (char *)out.ptr;
}

struct peer_row {
    const char *name;
    struct test_certificate *shown; /* by the server */
    enum http_tls_client client;
    enum http_tls_version version_min;
    const char *line; /* %u is the port */
    bool is_fine;
    const char *says;
};

#define CURL "curl -s -S -m 10 --noproxy '*' "
#define URL  " https://localhost:%u/hello"
/* A session that ends when the server ends it. */
#define S_CLIENT                                                                                   \
    "printf 'GET /hello HTTP/1.1\\r\\n" "Host: h\\r\\nConnection: close\\r\\n\\r\\n' | "          \
    "timeout 10 openssl s_client -ign_eof -servername localhost "              \
    "-verify_return_error -CAfile ca.pem -connect 127.0.0.1:%u "

static struct peer_row peer_rows[] = {
    {"curl is answered", &made.own, 0, 0, CURL "--cacert ca.pem" URL, true, "hello"},
    {"curl over 1.2", &made.own, 0, 0, CURL "--tls-max 1.2 --cacert ca.pem" URL, true, "hello"},
    {"curl over 1.3", &made.own, 0, HTTP_TLS_1_3, CURL "--cacert ca.pem" URL, true, "hello"},
    {"1.2 where 1.3 is the least", &made.own, 0, HTTP_TLS_1_3,
     CURL "--tls-max 1.2 --cacert ca.pem" URL, false, ""},
    {"a CA that is not known", &made.own, 0, 0, CURL "--cacert other_ca.pem" URL, false, "certificate"},
    {"a certificate of another host", &made.elsewhere, 0, 0, CURL "--cacert ca.pem" URL, false,
     "localhost"},
    {"an expired certificate", &made.expired, 0, 0, CURL "--cacert ca.pem" URL, false, "expired"},
    {"openssl s_client", &made.own, 0, 0, S_CLIENT, true, "hello"},
    {"TLS 1.1", &made.own, 0, 0, S_CLIENT "-tls1_1 -cipher ALL@SECLEVEL=0", false,
     "alert protocol version"},
    {"TLS 1.0", &made.own, 0, 0, S_CLIENT "-tls1 -cipher ALL@SECLEVEL=0", false,
     "alert protocol version"},
    {"CBC", &made.own, 0, 0, S_CLIENT "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", false,
     "alert handshake failure"},
    {"only h2", &made.own, 0, 0, S_CLIENT "-alpn h2", false, "no application protocol"},
    {"h2 or http/1.1", &made.own, 0, 0, S_CLIENT "-alpn h2,http/1.1", true, "hello"},
    {"no client certificate where one is needed", &made.own, HTTP_TLS_CLIENT_REQUIRED, 0,
     CURL "--cacert ca.pem" URL, false, ""},
    {"one that is known", &made.own, HTTP_TLS_CLIENT_REQUIRED, 0,
     CURL "--cacert ca.pem --cert alice.pem --key alice.key" URL, true, "hello"},
    {"one that is known, over 1.2", &made.own, HTTP_TLS_CLIENT_REQUIRED, 0,
     CURL "--tls-max 1.2 --cacert ca.pem --cert alice.pem --key alice.key" URL, true, "hello"},
    {"one of another CA", &made.own, HTTP_TLS_CLIENT_REQUIRED, 0,
     CURL "--cacert ca.pem --cert mallory.pem --key mallory.key" URL, false, ""},
    {"an expired one", &made.own, HTTP_TLS_CLIENT_REQUIRED, 0,
     CURL "--cacert ca.pem --cert late.pem --key late.key" URL, false, ""},
    {"none where one is optional", &made.own, HTTP_TLS_CLIENT_OPTIONAL, 0,
     CURL "--cacert ca.pem" URL, true, "hello"},
    {"a wrong one where one is optional", &made.own, HTTP_TLS_CLIENT_OPTIONAL, 0,
     CURL "--cacert ca.pem --cert mallory.pem --key mallory.key" URL, false, ""},
    {"curl by plain HTTP", &made.own, 0, 0, CURL "-i http://localhost:%u/hello", true,
     "400 Bad Request"},
    {"and is told what to do", &made.own, 0, 0, CURL "http://localhost:%u/hello", true,
     "This port speaks HTTPS"},
    {"a session is resumed", &made.own, 0, 0,
     S_CLIENT "-tls1_2 -sess_out s.pem > first; " S_CLIENT "-tls1_2 -sess_in s.pem", true,
     "Reused, TLSv1.2"},
    {"over 1.3 too", &made.own, 0, 0,
     S_CLIENT "-sess_out s.pem > first; " S_CLIENT "-sess_in s.pem", true, "Reused, TLSv1.3"},
};

static void peer_is_met(void **state)
{
    const struct peer_row *row = *state;
    struct http_tls_options tls = {.certificate = row->shown->certificate_pem,
                                   .key = row->shown->key_pem,
                                   .client_ca = made.ca.certificate_pem,
                                   .client_mode = row->client,
                                   .version_min = row->version_min};
    struct http_server *server = start_with(&tls, (struct http_options){0});
    char line[1024];
    unsigned port = http_server_port(server);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(line, sizeof(line), row->line, port, port);
#pragma GCC diagnostic pop
    int status = 0;
    char *said = run_line(line, &status);
    if (row->is_fine != (strstr(said, "hello\n") != NULL) && strstr(row->says, "hello") != NULL) {
        print_error("%s\n", said);
        fail();
    }
    assert_contains(said, row->says);
    if (!row->is_fine) {
        assert_null(strstr(said, "hello\n"));
    }
    free(said);
    http_server_free(server);
}

/* ---- Clients of our own ---- */

/* A context that knows our CA; `who` may be NULL. */
static SSL_CTX *client_context(const struct test_certificate *who)
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

static int connect_with(const struct http_server *server, SSL_CTX *context)
{
    SSL_CTX *before = test_tls.context;
    test_tls.context = context;
    int fd = client_connect_tcp(server);
    test_tls_connect(fd);
    test_tls.context = before;
    return fd;
}

static char *talk_with(const struct http_server *server, SSL_CTX *context, const char *text)
{
    int fd = connect_with(server, context);
    client_send(fd, text);
    char *answer = client_read_all(fd, NULL);
    client_close(fd);
    return answer;
}

static void a_request_knows_its_certificate(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    tls.client_ca = made.ca.certificate_pem;
    tls.client_mode = HTTP_TLS_CLIENT_OPTIONAL;
    struct http_server *server = start_with(&tls, (struct http_options){0});
    struct http_certificate known;
    http_certificate_describe(made.alice.x509, &known);
    SSL_CTX *alice = client_context(&made.alice);
    char *answer = talk_with(server, alice, "GET /who HTTP/1.1\r\n" LAST "\r\n");
    assert_contains(answer, "https CN=alice ");
    assert_contains(answer, known.fingerprint);
    free(answer);
    SSL_CTX *nobody = client_context(NULL);
    answer = talk_with(server, nobody, "GET /who HTTP/1.1\r\n" LAST "\r\n");
    assert_contains(answer, "https nobody");
    free(answer);
    SSL_CTX_free(alice);
    SSL_CTX_free(nobody);
    http_server_free(server);
}

/* The CN of the certificate that a new connection is shown. */
static void assert_shows(const struct http_server *server, const char *name)
{
    SSL_CTX *context = client_context(NULL);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    int fd = client_connect_tcp(server);
    SSL *ssl = SSL_new(context);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    assert_int_equal(SSL_connect(ssl), 1);
    struct http_certificate shown;
    http_certificate_describe(SSL_get0_peer_certificate(ssl), &shown);
    assert_contains(shown.subject, name);
    SSL_free(ssl);
    SSL_CTX_free(context);
    (void)close(fd);
}

static void a_reload_shows_the_new_and_keeps_the_old(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, (struct http_options){0});
    SSL_CTX *context = client_context(NULL);
    int old = connect_with(server, context);
    assert_shows(server, "CN=localhost");

    tls = (struct http_tls_options){.certificate = made.next.certificate_pem,
                                    .key = made.next.key_pem};
    struct diag diag = {0};
    assert_int_equal(http_server_reload_tls(server, &tls, &diag), OK);
    assert_shows(server, "CN=next");
    client_send(old, HELLO); /* the old one lives on */
    char *answer = client_read_all(old, NULL);
    assert_contains(answer, "hello\n");
    free(answer);
    client_close(old);

    struct http_certificate now;
    assert_int_equal(http_server_certificate(server, &now), OK);
    assert_string_equal(now.subject, "CN=next");
    assert_true(now.expires_us > clock_now_us());
    SSL_CTX_free(context);
    http_server_free(server);
}

struct bad_row {
    const char *name;
    struct http_tls_options options;
    const char *where;
    const char *says;
};

static void bad_files_leave_the_old(void **state)
{
    UNUSED(state);
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/absent.pem", made.dir.path);
    test_write_file(made.dir.path, "empty.pem", "");
    char empty[300];
    (void)snprintf(empty, sizeof(empty), "%s/empty.pem", made.dir.path);
    const char *own = made.own.certificate_pem;
    const char *key = made.own.key_pem;
    const struct bad_row rows[] = {
        {"absent", {path, key, NULL, 0, 0}, "absent.pem", ""},
        {"a directory", {made.dir.path, key, NULL, 0, 0}, "", ""},
        {"no name", {"", key, NULL, 0, 0}, "certificate", "no file"},
        {"empty", {empty, key, NULL, 0, 0}, "certificate", "PEM"},
        {"a key for a certificate", {key, key, NULL, 0, 0}, "certificate", "PEM"},
        {"a certificate for a key", {own, own, NULL, 0, 0}, "key", "PEM"},
        {"another's key", {own, made.next.key_pem, NULL, 0, 0}, "key", "mismatch"},
        {"no CA for clients", {own, key, NULL, HTTP_TLS_CLIENT_REQUIRED, 0}, "client_ca", "no CA"},
        {"an empty CA", {own, key, empty, HTTP_TLS_CLIENT_REQUIRED, 0}, "client_ca", "PEM"},
        {"cut off", {"-----BEGIN CERTIFICATE-----\nMIIB", key, NULL, 0, 0}, "certificate", ""},
    };
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, (struct http_options){0});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct diag diag = {0};
        assert_int_not_equal(http_server_reload_tls(server, &rows[i].options, &diag), OK);
        assert_true(diag.text[0] != '\0');
        assert_contains(diag.where, rows[i].where);
        assert_contains(diag.text, rows[i].says);
        assert_shows(server, "CN=localhost");
    }
    http_server_free(server);
}

static void files_are_read_by_path(void **state)
{
    UNUSED(state);
    char certificate[300];
    char key[300];
    (void)snprintf(certificate, sizeof(certificate), "%s/localhost.pem", made.dir.path);
    (void)snprintf(key, sizeof(key), "%s/localhost.key", made.dir.path);
    struct http_tls_options tls = {.certificate = certificate, .key = key};
    struct http_server *server = start_with(&tls, (struct http_options){0});
    assert_shows(server, "CN=localhost");
    http_server_free(server);
}

/* ---- Reloads under load ---- */

static struct {
    struct http_server *server;
    SSL_CTX *context;
    _Atomic bool is_over;
    _Atomic int answered;
} load;

static void *ask_again_and_again(void *unused)
{
    UNUSED(unused);
    while (!load.is_over) {
        char *answer = talk_with(load.server, load.context, HELLO);
        assert_contains(answer, "hello\n");
        load.answered++;
        free(answer);
    }
    return NULL;
}

static void reloads_under_load_lose_nothing(void **state)
{
    UNUSED(state);
    struct http_tls_options both[2] = {
        usual(), {.certificate = made.next.certificate_pem, .key = made.next.key_pem}};
    load.server = start_with(&both[0], (struct http_options){.loops = 2});
    load.context = client_context(NULL);
    pthread_t asker;
    assert_int_equal(pthread_create(&asker, NULL, ask_again_and_again, NULL), 0);
    for (int i = 0; i < 100 || load.answered < 50; i++) {
        struct diag diag = {0};
        assert_int_equal(http_server_reload_tls(load.server, &both[i % 2], &diag), OK);
        (void)usleep(2000);
    }
    load.is_over = true;
    assert_int_equal(pthread_join(asker, NULL), 0);
    assert_int_equal(http_server_counts(load.server).tls_failed, 0);
    SSL_CTX_free(load.context);
    http_server_free(load.server);
}

/* ---- Hostile peers ---- */

/* What a client sends first, to a server that never answers: made with memory BIOs. */
static struct buf record_hello(void)
{
    struct buf hello = BUF_INIT(KIB(64));
    SSL_CTX *context = client_context(NULL);
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    (void)SSL_set_tlsext_host_name(ssl, "localhost");
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
                          MSG_NOSIGNAL), 37);
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

static void an_end_is_told(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, (struct http_options){0});
    SSL_CTX *context = client_context(NULL);
    int fd = connect_with(server, context);
    client_send(fd, HELLO);
    free(client_read_all(fd, NULL));
    assert_true((SSL_get_shutdown(test_tls.sessions[fd]) & SSL_RECEIVED_SHUTDOWN) != 0);
    client_close(fd);

    /* A broken stream must not look whole. */
    fd = connect_with(server, context);
    client_send(fd, "GET /export?bytes=1&broken HTTP/1.0\r\n\r\n");
    free(client_read_all(fd, NULL));
    assert_false((SSL_get_shutdown(test_tls.sessions[fd]) & SSL_RECEIVED_SHUTDOWN) != 0);
    client_close(fd);
    SSL_CTX_free(context);
    http_server_free(server);
}

static void an_end_behind_pipelined_requests_waits_for_them(void **state)
{
    UNUSED(state);
    struct http_tls_options tls = usual();
    struct http_server *server = start_with(&tls, (struct http_options){0});
    SSL_CTX *context = client_context(NULL);
    int fd = connect_with(server, context);
    client_send(fd, "POST /events HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
                    "GET /things/2 HTTP/1.1\r\n" HOST "\r\nGET /things/3 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(client_half_close(fd), 0);
    char *answer = client_read_all(fd, NULL);
    assert_contains(answer, "{\"bytes\": 3}");
    assert_contains(answer, "id=2.");
    assert_contains(answer, "id=3.");
    free(answer);
    client_close(fd);
    SSL_CTX_free(context);
    http_server_free(server);
}

static void tickets_change_and_are_forgotten(void **state)
{
    UNUSED(state);
    struct http_tls_options options = usual();
    struct http_tls *tls = NULL;
    struct diag diag = {0};
    assert_int_equal(http_tls_new(&options, &tls, &diag), OK);
    SSL *ssl = SSL_new(tls->context);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);
    uint8_t first[16], second[16], third[16], iv[16];
    const int64_t hour_us = INT64_C(3600) * 1000000;
    assert_int_equal(http_tls_ticket(ssl, first, iv, cipher, mac, 1), 1);
    assert_int_equal(http_tls_ticket(ssl, first, iv, cipher, mac, 0), 2);
    tls->ticket_keys[0].made_us -= hour_us;
    assert_int_equal(http_tls_ticket(ssl, second, iv, cipher, mac, 1), 1);
    assert_memory_not_equal(first, second, 16);
    assert_int_equal(http_tls_ticket(ssl, first, iv, cipher, mac, 0), 2);
    tls->ticket_keys[1].made_us -= hour_us;
    assert_int_equal(http_tls_ticket(ssl, first, iv, cipher, mac, 0), 0);
    assert_int_equal(http_tls_ticket(ssl, second, iv, cipher, mac, 0), 2);
    tls->ticket_keys[0].made_us -= 2 * hour_us; /* nobody came for long */
    assert_int_equal(http_tls_ticket(ssl, second, iv, cipher, mac, 0), 0);
    assert_int_equal(http_tls_ticket(ssl, third, iv, cipher, mac, 1), 1);
    EVP_MAC_CTX_free(mac);
    EVP_MAC_free(hmac);
    EVP_CIPHER_CTX_free(cipher);
    SSL_free(ssl);
    http_tls_unref(tls);
}

static void a_plain_server_reloads_nothing(void **state)
{
    UNUSED(state);
    struct http_server *server = NULL;
    struct http_options options = {0};
    struct http_tls_options tls = usual();
    struct http_certificate none;
    assert_int_equal(http_server_start(&options, &server, NULL), OK);
    assert_int_equal(http_server_reload_tls(server, &tls, NULL), ERR_INVALID);
    assert_int_equal(http_server_certificate(server, &none), ERR_NOT_FOUND);
    http_server_free(server);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_request_knows_its_certificate),
        cmocka_unit_test(a_reload_shows_the_new_and_keeps_the_old),
        cmocka_unit_test(bad_files_leave_the_old),
        cmocka_unit_test(files_are_read_by_path),
        cmocka_unit_test(reloads_under_load_lose_nothing),
        cmocka_unit_test(a_handshake_has_the_deadline_of_a_head),
        cmocka_unit_test(a_byte_at_a_time_is_the_same),
        cmocka_unit_test(garbage_is_ended),
        cmocka_unit_test(changed_flights_are_survived),
        cmocka_unit_test(a_broken_record_ends_the_connection),
        cmocka_unit_test(a_flood_of_key_updates_is_ended),
        cmocka_unit_test(an_end_is_told),
        cmocka_unit_test(an_end_behind_pipelined_requests_waits_for_them),
        cmocka_unit_test(tickets_change_and_are_forgotten),
        cmocka_unit_test(a_plain_server_reloads_nothing),
    };
    struct CMUnitTest tests[COUNT_OF(peer_rows) + COUNT_OF(others)];
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < COUNT_OF(peer_rows); i++) {
        tests[i] = (struct CMUnitTest){.name = peer_rows[i].name,
                                       .test_func = peer_is_met,
                                       .initial_state = &peer_rows[i]};
    }
    memcpy(tests + COUNT_OF(peer_rows), others, sizeof(others));
    return _cmocka_run_group_tests("tls", tests, COUNT_OF(tests), set_up, tear_down);
}
