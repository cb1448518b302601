/* SPDX-License-Identifier: Apache-2.0 */
#include <cairn/client.h>
#include <time.h>

#include "client/test_server.h"

#define PROBLEM "application/problem+json"
#define ID1     "0190a5b2-7c3d-7abc-8def-0123456789ab"

static struct cairn_client *connect_to(const struct test_server *server, const char *key)
{
    struct cairn_options options = {.server = server->address,
                                    .key = key,
                                    .timeout_ms = 5000,
                                    .retries = 2};
    struct cairn_client *client = NULL;
    assert_int_equal(cairn_client_new(&options, &client), CAIRN_OK);
    return client;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, text);
    }
}

static void test_send_gives_an_id_and_reads_the_receipt(void **state)
{
    UNUSED(state);
    const char *answers[] = {ANSWER("201 Created", "application/json",
                                    "{\"event_id\":\"" ID1 "\",\"seq\":7,\"leaf_hash\":\"ab\"}"),
                             ANSWER("200 OK", "application/json",
                                    "{\"event_id\":\"" ID1 "\",\"seq\":7,\"duplicate\":true}")};
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, "k1");
    struct cairn_receipt receipt;

    const char plain[] = "{\"event_type\":\"a.b\"}";
    assert_int_equal(cairn_send(client, plain, strlen(plain), &receipt), CAIRN_OK);
    assert_int_equal(receipt.seq, 7);
    assert_string_equal(receipt.event_id, ID1);
    assert_string_equal(receipt.leaf_hash, "ab");
    assert_false(receipt.duplicate);

    const char named[] = "{\"event_id\":\"" ID1 "\",\"event_type\":\"a.b\"}";
    assert_int_equal(cairn_send(client, named, strlen(named), &receipt), CAIRN_OK);
    assert_true(receipt.duplicate);

    assert_int_equal(cairn_send(client, "[1]", 3, &receipt), CAIRN_INVALID);
    assert_int_equal(cairn_send(client, "{} {}", 5, &receipt), CAIRN_INVALID);
    assert_has(cairn_client_problem(client)->detail, "one JSON object");

    assert_int_equal(strncmp(test_body(&server, 0), "{\"event_id\":\"", 13), 0);
    assert_has(test_body(&server, 0), "\",\"event_type\":\"a.b\"}\n");
    assert_has(server.requests[0], "Authorization: Bearer k1\r\n");
    assert_has(server.requests[0], "POST /api/v1/audit/events HTTP/1.1\r\n");
    assert_string_equal(test_body(&server, 1),
                        "{\"event_id\":\"" ID1 "\",\"event_type\":\"a.b\"}\n");
    cairn_client_free(client);
    test_server_stop(&server);
}

static void test_statuses_become_results(void **state)
{
    UNUSED(state);
    static const char *const statuses[] = {"400 x", "401 x", "403 x", "404 x",
                                           "409 x", "410 x", "413 x", "507 x"};
    static const enum cairn_result expect[] = {CAIRN_INVALID,   CAIRN_DENIED,   CAIRN_DENIED,
                                               CAIRN_NOT_FOUND, CAIRN_CONFLICT, CAIRN_GONE,
                                               CAIRN_LIMIT,     CAIRN_FULL};
    const char *answers[COUNT_OF(statuses)];
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        char head[128];
        (void)snprintf(head, sizeof(head),
                       "HTTP/1.1 %s\r\nContent-Type: " PROBLEM "\r\nConnection: close\r\n",
                       statuses[i]);
        answers[i] = test_answer(head, "{\"title\":\"T\",\"detail\":\"D\",\"request_id\":\"r\","
                                       "\"errors\":[{\"index\":2,\"pointer\":\"/a\","
                                       "\"detail\":\"is wrong\"}]}");
    }
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, NULL);
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        char *text = NULL;
        assert_int_equal(cairn_event(client, "x/y", 1, &text, NULL), expect[i]);
        assert_null(text);
        const struct cairn_problem *problem = cairn_client_problem(client);
        assert_string_equal(problem->detail, "is wrong");
        assert_string_equal(problem->pointer, "/a");
        assert_int_equal(problem->event, 3);
        assert_string_equal(problem->request_id, "r");
    }
    assert_has(server.requests[0], "GET /api/v1/audit/events/x%2Fy?raw=1 HTTP/1.1\r\n");
    assert_null(strstr(server.requests[0], "Authorization"));
    cairn_client_free(client);
    test_server_stop(&server);
}

static void write_events(struct cairn_stream *stream, size_t count, enum cairn_result expect)
{
    for (size_t i = 0; i < count; i++) {
        char event[64];
        int len = snprintf(event, sizeof(event), "{\"event_id\":\"%zu\",\n\"n\":1}", i);
        assert_int_equal(cairn_stream_write(stream, event, (size_t)len), expect);
    }
}

static void test_stream_resumes_behind_what_is_durable(void **state)
{
    UNUSED(state);
    const char *answers[] = {
        ANSWER("503 x", PROBLEM "\r\nRetry-After: 0",
               "{\"detail\":\"full\",\"line\":2,\"count\":1,\"first_seq\":10,\"last_seq\":10,"
               "\"duplicates\":0}"),
        NULL, /* the connection breaks, nobody knows */
        ANSWER("201 x", "application/json",
               "{\"count\":1,\"first_seq\":12,\"last_seq\":12,\"duplicates\":1}")};
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, NULL);
    struct cairn_stream *stream = NULL;
    assert_int_equal(cairn_stream_open(client, NULL, &stream), CAIRN_OK);
    write_events(stream, 3, CAIRN_OK);
    assert_int_equal(cairn_stream_flush(stream), CAIRN_OK);
    assert_int_equal(cairn_stream_done(stream), 3);
    struct cairn_counts counts = cairn_stream_counts(stream);
    assert_int_equal(counts.stored, 2);
    assert_int_equal(counts.duplicates, 1);
    assert_int_equal(counts.first_seq, 10);
    assert_int_equal(counts.last_seq, 12);
    assert_string_equal(test_body(&server, 0), "{\"event_id\":\"0\", \"n\":1}\n"
                                               "{\"event_id\":\"1\", \"n\":1}\n"
                                               "{\"event_id\":\"2\", \"n\":1}\n");
    assert_string_equal(test_body(&server, 1), "{\"event_id\":\"1\", \"n\":1}\n"
                                               "{\"event_id\":\"2\", \"n\":1}\n");
    assert_string_equal(test_body(&server, 2), test_body(&server, 1));
    cairn_stream_free(stream);
    cairn_client_free(client);
    test_server_stop(&server);
}

static void test_stream_waits_as_long_as_the_server_asks(void **state)
{
    UNUSED(state);
    const char *answers[] = {ANSWER("429 x", PROBLEM "\r\nRetry-After: 1", "{}"),
                             ANSWER("201 x", "application/json", "{\"count\":1}"),
                             ANSWER("429 x", PROBLEM "\r\nRetry-After: 61", "{}")};
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, NULL);
    struct cairn_stream *stream = NULL;
    assert_int_equal(cairn_stream_open(client, NULL, &stream), CAIRN_OK);
    write_events(stream, 1, CAIRN_OK);
    struct timespec before, after;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    assert_int_equal(cairn_stream_flush(stream), CAIRN_OK);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    assert_true(
        (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 1000);
    write_events(stream, 1, CAIRN_OK); /* nobody wants to wait a minute and more: it is told */
    assert_int_equal(cairn_stream_flush(stream), CAIRN_LIMIT);
    assert_int_equal(cairn_client_problem(client)->retry_after_s, 61);
    cairn_stream_free(stream);
    cairn_client_free(client);
    test_server_stop(&server);
}

static void test_an_event_that_is_too_large_is_not_sent(void **state)
{
    UNUSED(state);
    enum { BYTES = 2 * 1024 * 1024 + 1 };
    struct cairn_options options = {.server = "127.0.0.1:1"};
    struct cairn_client *client = NULL;
    struct cairn_receipt receipt;
    char *event = malloc(BYTES);
    assert_non_null(event);
    memset(event, ' ', BYTES);
    event[0] = '{';
    event[BYTES - 1] = '}';
    assert_int_equal(cairn_client_new(&options, &client), CAIRN_OK);
    assert_int_equal(cairn_send(client, event, BYTES, &receipt), CAIRN_LIMIT);
    assert_has(cairn_client_problem(client)->detail, "2 MiB");
    cairn_client_free(client);
    free(event);
}

static void test_stream_stops_at_a_refused_event(void **state)
{
    UNUSED(state);
    const char *answers[] = {ANSWER(
        "400 x", PROBLEM,
        "{\"line\":2,\"count\":1,\"first_seq\":0,\"last_seq\":0,\"duplicates\":0,"
        "\"errors\":[{\"index\":1,\"pointer\":\"/event_type\",\"detail\":\"is missing\"}]}")};
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, NULL);
    struct cairn_stream *stream = NULL;
    assert_int_equal(cairn_stream_open(client, NULL, &stream), CAIRN_OK);
    write_events(stream, 3, CAIRN_OK);
    assert_int_equal(cairn_stream_flush(stream), CAIRN_INVALID);
    assert_int_equal(cairn_stream_done(stream), 1);
    assert_int_equal(cairn_client_problem(client)->event, 2);
    assert_string_equal(cairn_client_problem(client)->pointer, "/event_type");
    assert_int_equal(cairn_stream_flush(stream), CAIRN_INVALID);
    assert_has(cairn_client_problem(client)->detail, "failed before");
    cairn_stream_free(stream);
    cairn_client_free(client);
    test_server_stop(&server);
}

struct refusals {
    uint64_t events[4];
    size_t count;
};

static void on_refused(void *context, uint64_t event, const char *pointer, const char *detail)
{
    struct refusals *refusals = context;
    assert_string_equal(pointer, "/p");
    assert_string_equal(detail, "no");
    refusals->events[refusals->count++] = event;
}

static void test_stream_leaves_refused_events_out(void **state)
{
    UNUSED(state);
    const char *answers[] = {
        ANSWER("207 x", "application/json",
               "{\"count\":1,\"first_seq\":0,\"last_seq\":0,\"duplicates\":0,"
               "\"errors\":[{\"index\":1,\"pointer\":\"/p\",\"detail\":\"no\"}]}"),
        ANSWER("207 x", "application/json",
               "{\"count\":0,\"duplicates\":0,\"errors_total\":7,"
               "\"errors\":[{\"index\":0,\"pointer\":\"/p\",\"detail\":\"no\"}]}"),
        ANSWER("201 x", "application/json", "{\"event_id\":\"" ID1 "\",\"seq\":9}"),
        ANSWER("200 x", "application/json", "{\"seq\":3,\"duplicate\":true}")};
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, NULL);
    struct refusals refusals = {0};
    struct cairn_send_options options = {.skip_refused = 1,
                                         .backfill = 1,
                                         .on_refused = on_refused,
                                         .context = &refusals};
    struct cairn_stream *stream = NULL;
    assert_int_equal(cairn_stream_open(client, &options, &stream), CAIRN_OK);
    write_events(stream, 2, CAIRN_OK);
    assert_int_equal(cairn_stream_flush(stream), CAIRN_OK);
    write_events(stream, 1, CAIRN_OK);
    assert_int_equal(cairn_stream_flush(stream), CAIRN_OK);
    assert_int_equal(refusals.count, 2);
    assert_int_equal(refusals.events[0], 2);
    assert_int_equal(refusals.events[1], 3);
    assert_int_equal(cairn_stream_counts(stream).refused, 8);
    for (int i = 0; i < 2; i++) { /* one event alone is answered with its receipt */
        write_events(stream, 1, CAIRN_OK);
        assert_int_equal(cairn_stream_flush(stream), CAIRN_OK);
    }
    assert_int_equal(cairn_stream_counts(stream).stored, 2);
    assert_int_equal(cairn_stream_counts(stream).duplicates, 1);
    assert_int_equal(cairn_stream_counts(stream).last_seq, 9);
    assert_has(server.requests[0], "?on_error=skip&backfill=1 HTTP/1.1");
    cairn_stream_free(stream);
    cairn_client_free(client);
    test_server_stop(&server);
}

static long give_once(void *context, char *buffer, size_t size)
{
    const char **text = context;
    size_t len = strlen(*text);
    assert_true(len <= size);
    memcpy(buffer, *text, len);
    *text += len;
    return (long)len;
}

static void test_upload_goes_in_pieces(void **state)
{
    UNUSED(state);
    const char *answers[] = {ANSWER("201 x", "application/json",
                                    "{\"count\":2,\"first_seq\":4,\"last_seq\":5,"
                                    "\"duplicates\":0}")};
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, NULL);
    struct cairn_send_options options = {.format = "cloudtrail"};
    struct cairn_counts counts;
    const char *text = "{\"Records\":[]}";
    assert_int_equal(cairn_upload(client, &options, give_once, &text, &counts), CAIRN_OK);
    assert_int_equal(counts.stored, 2);
    assert_int_equal(counts.last_seq, 5);
    assert_has(server.requests[0], "POST /api/v1/ingest/cloudtrail HTTP/1.1");
    assert_has(server.requests[0], "e\r\n{\"Records\":[]}\r\n0\r\n");
    cairn_client_free(client);
    test_server_stop(&server);
}

struct seen {
    char text[512];
    size_t stop_after;
    size_t count;
};

static int on_event(void *context, const char *json, size_t len)
{
    struct seen *seen = context;
    size_t at = strlen(seen->text);
    (void)snprintf(seen->text + at, sizeof(seen->text) - at, "%.*s;", (int)len, json);
    seen->count++;
    return seen->count == seen->stop_after;
}

static void test_query_follows_pages(void **state)
{
    UNUSED(state);
    const char *answers[] = {
        ANSWER("200 x", "application/json",
               "{\"data\":[{\"a\":123456789012345678901234567890},\n{\"b\":\n[1,\"]\"]}],"
               "\"page\":{\"limit\":3,\"has_more\":true,\"next_cursor\":\"c/1\",\"total\":9}}"),
        ANSWER("200 x", "application/json",
               "{\"page\":{\"has_more\":true,\"next_cursor\":\"c2\"},\"data\":[{\"c\":1},{}]}")};
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, NULL);
    struct seen seen = {0};
    struct cairn_query query = {.filter = "a=\"b c\"", .limit = 3, .want_total = 1};
    uint64_t total = 0;
    assert_int_equal(cairn_query(client, &query, on_event, &seen, &total), CAIRN_OK);
    assert_string_equal(seen.text,
                        "{\"a\":123456789012345678901234567890};{\"b\": [1,\"]\"]};{\"c\":1};");
    assert_int_equal(total, 9);
    assert_has(server.requests[0], "?q=a%3D%22b%20c%22&total=exact&limit=3 ");
    assert_has(server.requests[1], "&limit=1&cursor=c%2F1 ");
    cairn_client_free(client);
    test_server_stop(&server);
}

static void test_query_stops_and_refuses_strange_answers(void **state)
{
    UNUSED(state);
    const char *answers[] = {ANSWER("200 x", "application/json", "{\"data\":[{},{}]}"),
                             ANSWER("200 x", "text/html", "<html>")};
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, NULL);
    struct seen seen = {.stop_after = 1};
    struct cairn_query query = {0};
    assert_int_equal(cairn_query(client, &query, on_event, &seen, NULL), CAIRN_STOPPED);
    assert_string_equal(seen.text, "{};");
    assert_int_equal(cairn_query(client, &query, on_event, &seen, NULL), CAIRN_SERVER);
    cairn_client_free(client);
    test_server_stop(&server);
}

static int on_tail(void *context, const char *id, const char *json, size_t len)
{
    struct seen *seen = context;
    size_t at = strlen(seen->text);
    (void)snprintf(seen->text + at, sizeof(seen->text) - at, "%s=%.*s;", id, (int)len, json);
    seen->count++;
    return seen->count == seen->stop_after;
}

static void test_tail_resumes(void **state)
{
    UNUSED(state);
    const char *answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 10\n: hello\n\nid: "
        "5\ndata: "
        "{\"a\":1}\n\nid: 6\ndata: {\"half",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nid: 6\ndata: {}\n\nid: 7\ndata: "
        "{}\n\n"};
    struct test_server server;
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_client *client = connect_to(&server, NULL);
    struct seen seen = {.stop_after = 3};
    assert_int_equal(cairn_tail(client, NULL, "4", on_tail, &seen), CAIRN_STOPPED);
    assert_string_equal(seen.text, "5={\"a\":1};6={};7={};");
    assert_has(server.requests[0], "Last-Event-ID: 4\r\n");
    assert_has(server.requests[1], "Last-Event-ID: 6\r\n");
    cairn_client_free(client);
    test_server_stop(&server);
}

static void test_what_cannot_be_a_server_is_refused(void **state)
{
    UNUSED(state);
    static const char *const servers[] = {"", "ftp://a", "http://a b", "http://u:p@h", "a\nb"};
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        struct cairn_options options = {.server = servers[i]};
        struct cairn_client *client = NULL;
        assert_int_equal(cairn_client_new(&options, &client), CAIRN_INVALID);
    }
    struct cairn_options options = {.key = "a\r\nX: y"};
    struct cairn_client *client = NULL;
    assert_int_equal(cairn_client_new(&options, &client), CAIRN_INVALID);
    cairn_client_free(NULL);
}

static void test_nobody_listens(void **state)
{
    UNUSED(state);
    struct cairn_options options = {.server = "127.0.0.1:1"};
    struct cairn_client *client = NULL;
    assert_int_equal(cairn_client_new(&options, &client), CAIRN_OK);
    char *text = NULL;
    assert_int_equal(cairn_health(client, &text, NULL), CAIRN_UNREACHABLE);
    assert_has(cairn_client_problem(client)->detail, "cannot reach http://127.0.0.1:1");
    cairn_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_send_gives_an_id_and_reads_the_receipt),
        cmocka_unit_test(test_statuses_become_results),
        cmocka_unit_test(test_stream_resumes_behind_what_is_durable),
        cmocka_unit_test(test_stream_waits_as_long_as_the_server_asks),
        cmocka_unit_test(test_an_event_that_is_too_large_is_not_sent),
        cmocka_unit_test(test_stream_stops_at_a_refused_event),
        cmocka_unit_test(test_stream_leaves_refused_events_out),
        cmocka_unit_test(test_upload_goes_in_pieces),
        cmocka_unit_test(test_query_follows_pages),
        cmocka_unit_test(test_query_stops_and_refuses_strange_answers),
        cmocka_unit_test(test_tail_resumes),
        cmocka_unit_test(test_what_cannot_be_a_server_is_refused),
        cmocka_unit_test(test_nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
