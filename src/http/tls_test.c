/* SPDX-License-Identifier: Apache-2.0 */
/* What TLS itself promises: who is let in and who is not, renewal, ends, tickets. */
#include <sys/wait.h>

#include "http/conn_tls.h"
#include "http/tls_support.h"

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
    "printf 'GET /hello HTTP/1.1\\r\\n"                                                            \
    "Host: h\\r\\nConnection: close\\r\\n\\r\\n' | "                                               \
    "timeout 10 openssl s_client -ign_eof -servername localhost "                                  \
    "-verify_return_error -CAfile ca.pem -connect 127.0.0.1:%u "

static struct peer_row peer_rows[] = {
    {"curl is answered", &made.own, 0, 0, CURL "--cacert ca.pem" URL, true, "hello"},
    {"curl over 1.2", &made.own, 0, 0, CURL "--tls-max 1.2 --cacert ca.pem" URL, true, "hello"},
    {"curl over 1.3", &made.own, 0, HTTP_TLS_1_3, CURL "--cacert ca.pem" URL, true, "hello"},
    {"1.2 where 1.3 is the least", &made.own, 0, HTTP_TLS_1_3,
     CURL "--tls-max 1.2 --cacert ca.pem" URL, false, ""},
    {"a CA that is not known", &made.own, 0, 0, CURL "--cacert other_ca.pem" URL, false,
     "certificate"},
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
        {"no name of a file", {"..", key, NULL, 0, 0}, "..", "not the name"},
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
    struct http_tls_options both[2] = {usual(),
                                       {.certificate = made.next.certificate_pem,
                                        .key = made.next.key_pem}};
    load.server = start_with(&both[0], (struct http_options){.loops = 2});
    load.context = client_context(NULL);
    pthread_t asker = 0;
    assert_int_equal(pthread_create(&asker, NULL, ask_again_and_again, NULL), 0);
    for (int i = 0; i < 300 || load.answered < 50; i++) {
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

/* ---- Ends ---- */

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

/* ---- Tickets ---- */

static void tickets_change_and_are_forgotten(void **state)
{
    UNUSED(state);
    struct http_tls_options options = usual();
    struct http_tls *tls = NULL;
    struct diag diag = {0};
    assert_int_equal(http_tls_new(&options, conn_tls_bio(), &tls, &diag), OK);
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
        cmocka_unit_test(an_end_is_told),
        cmocka_unit_test(an_end_behind_pipelined_requests_waits_for_them),
        cmocka_unit_test(tickets_change_and_are_forgotten),
        cmocka_unit_test(a_plain_server_reloads_nothing),
    };
    struct CMUnitTest tests[COUNT_OF(peer_rows) + COUNT_OF(others)];
    for (size_t i = 0; i < COUNT_OF(peer_rows); i++) {
        tests[i] = (struct CMUnitTest){.name = peer_rows[i].name,
                                       .test_func = peer_is_met,
                                       .initial_state = &peer_rows[i]};
    }
    memcpy(tests + COUNT_OF(peer_rows), others, sizeof(others));
    return _cmocka_run_group_tests("tls", tests, COUNT_OF(tests), set_up, tear_down);
}
