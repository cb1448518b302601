/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of a server's answers: headers, 410, shapes of errors, and what all of it costs. */
#include "gate/auth.h"
#include "gate/legacy.h"
#include "gate/negotiate.h"
#include "http/test_client.h"

#define CHANGED .changes = {"something"}

/* 3.0 is current: 1.0 was removed by it, 2.0 is deprecated by 2.1. */
static const struct version_entry entries[] = {
    {.name = "3.0", .released = "2027-03-01", CHANGED},
    {.name = "2.1", .released = "2026-01-10", CHANGED},
    {.name = "2.0",
     .released = "2025-01-10",
     .life = {NULL, "2.1", "2026-01-10", "2027-12-31", "4.0", NULL},
     CHANGED},
    {.name = "1.0",
     .released = "2023-01-10",
     .life = {NULL, "2.0", "2025-01-10", "2026-02-01", "3.0", NULL},
     CHANGED},
};
static const struct version_table table = {entries, COUNT_OF(entries)};

static const struct version_life removed = {NULL,         "2.0", "2025-01-10",
                                            "2026-02-01", "3.0", "/api/new"};
static const struct version_life going = {NULL,         "2.1", "2026-01-10",
                                          "2027-06-30", "4.0", "/api/new"};
static const struct version_life later = {.introduced = "2.1"};
static const struct api_route plain_route;
static const struct api_route removed_route = {.life = &removed};
static const struct api_route going_route = {.life = &going};
static const struct api_route later_route = {.life = &later};
static const struct api_route detail_route = {.legacy = &legacy_detail};
static const struct api_route status_route = {.legacy =
                                                  &(const struct legacy){.errors = LEGACY_STATUS}};

static struct api api;

static void hello(struct http_request *request)
{
    http_response_text(request->response, 200, HTTP_TYPE_TEXT, SLICE("hello\n"));
}

static void fails(struct http_request *request)
{
    const struct diag diag = {"/limit", "expected \"less\""};
    api_fail(request, ERR_INVALID, &diag);
}

static void too_large(struct http_request *request)
{
    static const uint8_t bytes[4096];
    request->response->content_type = HTTP_TYPE_TEXT;
    for (int i = 0; i < 32; i++) {
        buf_append(&request->response->body, (slice){bytes, sizeof(bytes)});
    }
}

/* All that a request pays for its version, many times. */
static void measure(struct http_request *request)
{
    enum { TIMES = 200000 };
    struct http_response scratch = {.headers = BUF_INIT(KIB(64)), .status = 200};
    struct http_response *response = request->response;
    request->response = &scratch;
    int64_t began_us = clock_monotonic_us();
    for (int i = 0; i < TIMES; i++) {
        buf_clear(&scratch.headers);
        assert_int_equal(api_version_pass(request, &api), HTTP_PASS_ON);
        legacy_adapt_problem(&api, request);
        api_version_headers(api.versions, request);
        (void)api_version_note(api.versions, request);
    }
    int64_t took_us = clock_monotonic_us() - began_us;
    buf_release(&scratch.headers);
    request->response = response;
    http_response_header_u64(response, "X-Nanoseconds", (uint64_t)took_us * 1000 / TIMES);
    http_response_text(response, 200, HTTP_TYPE_TEXT, SLICE("measured\n"));
}

#define ROUTE(its_path, handler, its_data)                                                         \
    {                                                                                              \
        .method = HTTP_GET, .path = (its_path), .blocking = (handler),                             \
        .data = (void *)(uintptr_t) & (its_data)                                                   \
    }
static const struct http_route routes[] = {
    ROUTE("/api/hello", hello, plain_route),
    ROUTE("/api/fails", fails, plain_route),
    ROUTE("/api/old", hello, removed_route),
    ROUTE("/api/going", hello, going_route),
    ROUTE("/api/later", hello, later_route),
    ROUTE("/api/large", too_large, plain_route),
    ROUTE("/api/measure", measure, plain_route),
    ROUTE("/api/item/{id}", hello, plain_route),
    ROUTE("/other", hello, plain_route),
    ROUTE("/other/fails", fails, plain_route),
    ROUTE("/seed/detail", fails, detail_route),
    ROUTE("/seed/status", fails, status_route),
    {.method = HTTP_POST,
     .path = "/api/post",
     .blocking = hello,
     .body_bytes_max = 10,
     .data = (void *)(uintptr_t)&plain_route},
};

/* As auth.c does it, without keys: X-Who is the key, and X-Default the organisation's version. */
static enum http_pass identify(struct http_request *request, void *data)
{
    struct caller *caller = arena_take_zeroed(request->arena, sizeof(*caller));
    assert_non_null(caller);
    caller->api = data;
    (void)http_header(request, "x-who", &caller->key_id);
    (void)http_header(request, "x-default", &caller->version_default);
    request->caller = caller;
    if (slice_equal(caller->key_id, SLICE("nobody"))) {
        http_problem(request, 401, "the key is not known here");
        return HTTP_PASS_ANSWER;
    }
    return HTTP_PASS_ON;
}

static const struct http_middleware chain[] = {{api_version_pass, NULL}, {identify, NULL}};

static void before(struct http_request *request, void *data)
{
    UNUSED(data);
    legacy_adapt_problem(&api, request);
    api_version_headers(api.versions, request);
}

static void behind(const struct http_request *request, const struct http_outcome *outcome,
                   void *data)
{
    UNUSED(data);
    UNUSED(outcome);
    (void)api_version_note(api.versions, request);
}

static struct http_server *start(const struct version_table *versions)
{
    struct http_server *server = NULL;
    const struct http_options options = {
        .routes = routes,
        .route_count = COUNT_OF(routes),
        .middleware = chain,
        .middleware_count = COUNT_OF(chain),
        .middleware_data = &api,
        .hooks = {.before_response = before, .on_response = behind, .data = &api},
        .response_bytes_max = KIB(64),
    };
    assert_int_equal(api_versions_new(versions, routes, COUNT_OF(routes), &api.versions, NULL), OK);
    assert_int_equal(http_server_start(&options, &server, NULL), OK);
    return server;
}

static void stop(struct http_server *server)
{
    http_server_free(server);
    api_versions_free(api.versions);
    api.versions = NULL;
}

/* ---- Rows: what is asked, and what the answer has, or "!" and what it has not ---- */

struct row {
    const char *name;
    const char *head; /* without the last lines */
    const char *parts[7];
};

#define SUPPORTED         "\r\nX-API-Supported-Versions: 3.0, 2.1, 2.0\r\n"
#define ASKS(path, lines) "GET " path " HTTP/1.1\r\n" lines

static const struct row rows[] = {
    {"VER-02: headers of a success",
     ASKS("/api/hello", ""),
     {" 200 OK", "\r\nX-API-Version: 3.0\r\n", SUPPORTED, "\r\nVary: Accept-Version", "!Deprecat",
      "!Sunset"}},
    {"VER-02: headers of 404",
     ASKS("/api/nothing", ""),
     {" 404 ", "\r\nX-API-Version: 3.0\r\n", SUPPORTED}},
    {"VER-02: headers of 405",
     "DELETE /api/hello HTTP/1.1\r\n",
     {" 405 ", "\r\nX-API-Version: 3.0\r\n", SUPPORTED}},
    {"VER-02: headers of OPTIONS",
     "OPTIONS /api/hello HTTP/1.1\r\n",
     {" 204 ", "\r\nX-API-Version: 3.0\r\n", SUPPORTED}},
    {"VER-02: headers of HEAD",
     "HEAD /api/hello HTTP/1.1\r\n",
     {" 200 ", "\r\nX-API-Version: 3.0\r\n", SUPPORTED}},
    {"VER-02: headers of 400", ASKS("/api/fails", ""), {" 400 ", "X-API-Version: 3.0", SUPPORTED}},
    {"VER-02: headers of a path that cannot be read",
     ASKS("/api/item/%zz", ""),
     {" 400 ", "X-API-Version: 3.0", SUPPORTED}},
    {"VER-02: headers of 401",
     ASKS("/api/hello", "X-Who: nobody\r\n"),
     {" 401 ", "X-API-Version: 3.0", SUPPORTED}},
    {"VER-02: headers of 413",
     "POST /api/post HTTP/1.1\r\nContent-Length: 70000\r\n",
     {" 413 ", "X-API-Version: 3.0", SUPPORTED}},
    {"VER-02: headers of an answer that is too large",
     ASKS("/api/large", ""),
     {" 500 ", "X-API-Version: 3.0", SUPPORTED}},
    {"VER-02: a path that is written with escapes",
     ASKS("/%61pi/hello", ""),
     {" 200 ", "X-API-Version: 3.0"}},
    {"VER-02: none on other paths", ASKS("/other", ""), {" 200 ", "!X-API-", "!Vary"}},
    {"VER-02: none on other paths, whatever is asked for",
     ASKS("/other", "Accept-Version: 2.0\r\n"),
     {" 200 ", "!X-API-", "!Deprecat", "!Sunset"}},
    {"VER-02: none on unknown other paths", ASKS("/nothing", ""), {" 404 ", "!X-API-"}},
    {"VER-02: /apis is another path", ASKS("/apis/x", ""), {" 404 ", "!X-API-"}},
    {"VER-01: in capitals and small letters",
     ASKS("/api/hello", "ACCEPT-version: 2.1\r\n"),
     {"X-API-Version: 2.1\r\n", "!X-API-Deprecated"}},
    {"VER-01: Accept-Version beats the others",
     ASKS("/api/hello?api_version=3.0", "X-API-Version: 3.0\r\nAccept-Version: 2.1\r\n"),
     {"X-API-Version: 2.1\r\n"}},
    {"VER-01: X-API-Version beats the query",
     ASKS("/api/hello?api_version=3.0", "X-API-Version: 2.1\r\n"),
     {"X-API-Version: 2.1\r\n"}},
    {"VER-01: an empty Accept-Version is none",
     ASKS("/api/hello", "Accept-Version:\r\nX-API-Version: 2.1\r\n"),
     {"X-API-Version: 2.1\r\n"}},
    {"VER-01: the query beats the default",
     ASKS("/api/hello?api_version=2.1", ""),
     {"X-API-Version: 2.1\r\n"}},
    {"VER-01: the query of a path that there is not",
     ASKS("/api/nothing?api_version=2.1", ""),
     {"X-API-Version: 2.1\r\n"}},
    {"VER-01: the organisation's default",
     ASKS("/api/hello", "X-Default: 2.1\r\n"),
     {"X-API-Version: 2.1\r\n"}},
    {"VER-04: one that is not served",
     ASKS("/api/hello", "Accept-Version: 17.4\r\n"),
     {" 200 ", "X-API-Version: 3.0\r\n", SUPPORTED, "!Deprecat"}},
    {"VER-04: one that was removed",
     ASKS("/api/hello", "Accept-Version: 1.0\r\n"),
     {" 200 ", "X-API-Version: 3.0\r\n", "!Deprecat"}},
    {"VER-04: it is not repeated",
     ASKS("/api/hello", "Accept-Version: <script>\r\n"),
     {" 200 ", "X-API-Version: 3.0\r\n", "!script"}},
    {"VER-05: a deprecated version",
     ASKS("/api/hello", "Accept-Version: 2.0\r\n"),
     {"\r\nX-API-Version: 2.0\r\n",
      "\r\nX-API-Deprecated: Deprecated in version 2.1, will be removed in 4.0\r\n",
      "\r\nX-API-Sunset: 2027-12-31\r\n", "\r\nDeprecation: @1768003200\r\n",
      "\r\nSunset: Fri, 31 Dec 2027 00:00:00 GMT\r\n",
      "\r\nLink: </docs/migrate-2.0-to-2.1>; rel=\"deprecation\", </docs/versions>; "
      "rel=\"sunset\"\r\n"}},
    {"VER-05: a deprecated route",
     ASKS("/api/going", ""),
     {"\r\nX-API-Version: 3.0\r\n",
      "\r\nX-API-Deprecated: Deprecated in version 2.1, will be removed in 4.0\r\n",
      "\r\nX-API-Sunset: 2027-06-30\r\n", "\r\nDeprecation: @1768003200\r\n",
      "\r\nSunset: Wed, 30 Jun 2027 00:00:00 GMT\r\n",
      "</api/new>; rel=\"successor-version\"\r\n"}},
    {"VER-05: of two ends the first is told",
     ASKS("/api/going", "Accept-Version: 2.0\r\n"),
     {"X-API-Version: 2.0\r\n", "X-API-Sunset: 2027-06-30\r\n", "!2027-12-31"}},
    {"VER-06: a removed route",
     ASKS("/api/old", ""),
     {" 410 Gone", "application/problem+json", "\"title\":\"Endpoint removed\"",
      "\"removed_in\":\"3.0\"", "\"removal_date\":\"2026-02-01\"", "\"current_version\":\"3.0\"",
      "X-API-Version: 3.0\r\n"}},
    {"VER-06: whatever version is asked for, and without a key",
     ASKS("/api/old", "Accept-Version: 2.0\r\nX-Who: nobody\r\n"),
     {" 410 Gone", "X-API-Version: 2.0\r\n", "use /api/new"}},
    {"VER-06: nothing else is known of it",
     ASKS("/api/old", ""),
     {"!hello", "\"successor\":\"/api/new\""}},
    {"VER-09: a route that came later",
     ASKS("/api/later", "Accept-Version: 2.0\r\n"),
     {" 200 ", "X-API-Version: 2.1\r\n", "!Deprecat"}},
    {"VER-09: and in a later version",
     ASKS("/api/later", "Accept-Version: 3.0\r\n"),
     {"X-API-Version: 3.0\r\n"}},
    {"VER-12: a seed's path has its error, whatever is asked for",
     ASKS("/seed/detail", "Accept-Version: 3.0\r\n"),
     {" 400 ", "\r\nContent-Type: application/json\r\n",
      "{\"detail\":{\"error\":\"Bad Request\",\"message\":\"expected \\\"less\\\"\"",
      "\"pointer\":\"/limit\"}}", "!about:blank"}},
    {"VER-12: another seed's path",
     ASKS("/seed/status", ""),
     {" 400 ", "{\"status\":\"error\",\"message\":\"expected \\\"less\\\"\",\"correlation_id\":\"",
      "!\"title\""}},
    {"VER-12: other paths have problem documents",
     ASKS("/other/fails", "Accept-Version: 2.0\r\n"),
     {" 400 ", "application/problem+json"}},
};

static void check(const struct version_table *versions, const struct row *row)
{
    struct http_server *server = start(versions);
    char request[1024];
    (void)snprintf(request, sizeof(request), "%sHost: x\r\nConnection: close\r\n\r\n", row->head);
    char *answer = client_talk(server, request);
    for (size_t i = 0; i < COUNT_OF(row->parts) && row->parts[i] != NULL; i++) {
        if (row->parts[i][0] != '!') {
            assert_contains(answer, row->parts[i]);
        } else if (strstr(answer, row->parts[i] + 1) != NULL) {
            fail_msg("\"%s\" is in:\n%s", row->parts[i] + 1, answer);
        }
    }
    free(answer);
    stop(server);
}

static void row_is_answered(void **state)
{
    check(&table, *state);
}

/* ---- Version 1.0, of which errors differ: in a table where it is served ---- */

static const struct version_entry old_entries[] = {
    {.name = "3.0", .released = "2027-03-01", CHANGED},
    {.name = "2.1", .released = "2026-01-10", CHANGED},
    {.name = "2.0", .released = "2025-01-10", CHANGED},
    {.name = "1.0",
     .released = "2023-01-10",
     .life = {NULL, "2.0", "2025-01-10", "2028-02-01", "4.0", NULL},
     CHANGED},
};
static const struct version_table old_table = {old_entries, COUNT_OF(old_entries)};

static void VER_12_errors_of_1_0(void **state)
{
    UNUSED(state);
    static const struct row errors[] = {
        {"410 with the body of the seed",
         ASKS("/api/old", "Accept-Version: 1.0\r\n"),
         {" 410 Gone", "\r\nContent-Type: application/json\r\n",
          "{\"error\":\"Endpoint removed\",\"message\":\"this endpoint was removed in version 3.0",
          "\"removed_in\":\"3.0\",\"removal_date\":\"2026-02-01\",\"current_version\":\"3.0\"",
          "!\"title\""}},
        {"400",
         ASKS("/api/fails?api_version=1.0", ""),
         {"{\"error\":\"Bad Request\",\"message\":\"expected \\\"less\\\"\",\"correlation_id\":\"",
          "\"pointer\":\"/limit\"}"}},
        {"404 of the server",
         ASKS("/api/no", "X-API-Version: 1.0\r\n"),
         {"{\"error\":\"Not Found\""}},
        {"401",
         ASKS("/api/hello", "Accept-Version: 1\r\nX-Who: nobody\r\n"),
         {" 401 ", "{\"error\":\"Unauthorized\""}},
        {"413",
         "POST /api/post HTTP/1.1\r\nContent-Length: 70000\r\nAccept-Version: 1.0\r\n",
         {" 413 ", "{\"error\":\""}},
        {"HEAD has no body",
         "HEAD /api/fails HTTP/1.1\r\nAccept-Version: 1.0\r\n",
         {" 400 ", "!{"}},
        {"the organisation's default",
         ASKS("/api/fails", "X-Default: 1.0\r\n"),
         {"X-API-Version: 1.0\r\n", "{\"error\":"}},
    };
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        check(&old_table, &errors[i]);
    }
}

/* ---- The start ---- */

static void VER_13_a_route_that_breaks_the_policy_stops_the_start(void **state)
{
    UNUSED(state);
    static const struct version_life hasty = {NULL, "2.1", "2026-01-10", "2026-12-31", "4.0", NULL};
    static const struct api_route hasty_route = {.life = &hasty};
    static const struct http_route bad[] = {ROUTE("/api/hello", hello, plain_route),
                                            ROUTE("/api/hasty", hello, hasty_route)};
    struct api_versions *none = NULL;
    struct diag diag = {0};
    assert_int_equal(api_versions_new(&table, bad, COUNT_OF(bad), &none, &diag), ERR_INVALID);
    assert_string_equal(diag.where, "/api/hasty");
    assert_null(none);
    const struct version_table reversed = {&entries[2], 0};
    assert_int_equal(api_versions_new(&reversed, bad, 1, &none, &diag), ERR_INVALID);
}

/* ---- Counting, cost ---- */

static void VER_10_each_request_is_counted_once(void **state)
{
    UNUSED(state);
    static struct version_usage_row counted[VERSION_USAGE_ROWS_MAX];
    struct http_server *server = start(&table);
    static const char *const requests[] = {ASKS("/api/hello", "X-Who: alice\r\n"),
                                           ASKS("/api/large", "X-Who: alice\r\n"),
                                           ASKS("/api/fails?api_version=2.0", "X-Who: alice\r\n"),
                                           ASKS("/other", "X-Who: alice\r\n"),
                                           ASKS("/api/nothing", "X-Who: alice\r\n")};
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        char request[256];
        (void)snprintf(request, sizeof(request), "%sHost: x\r\nConnection: close\r\n\r\n",
                       requests[i]);
        free(client_talk(server, request));
    }
    http_server_stop(server);
    size_t count = version_usage_read(api.versions->usage, counted);
    assert_int_equal(count, 3);
    assert_string_equal(counted[2].key_id, "alice");
    assert_int_equal(counted[2].requests[0], 2);
    assert_int_equal(counted[2].requests[2], 1);
    assert_int_equal(counted[0].requests[0], 1); /* nothing is known of who asks for nothing */
    struct buf text = BUF_INIT(KIB(64));
    api_version_metrics(api.versions, &text);
    assert_contains(buf_cstr(&text), "cairn_api_requests_total{version=\"2.0\",key=\"alice\"} 1\n");
    buf_release(&text);
    stop(server);
}

static void VER_08_it_costs_little(void **state)
{
    UNUSED(state);
    struct http_server *server = start(&old_table);
    char *answer =
        client_talk(server, ASKS("/api/measure",
                                 "Host: x\r\nConnection: close\r\nUser-Agent: a client\r\n"
                                 "Accept: */*\r\nAccept-Encoding: gzip\r\nX-Who: alice\r\n"
                                 "Authorization: Bearer something\r\nAccept-Version: 1.0\r\n"
                                 "Content-Type: application/json\r\n\r\n"));
    const char *at = strstr(answer, "X-Nanoseconds: ");
    assert_non_null(at);
    unsigned long nanoseconds = strtoul(at + strlen("X-Nanoseconds: "), NULL, 10);
    print_message("# negotiation, headers and counting: %lu ns a request\n", nanoseconds);
    assert_true(nanoseconds > 0 && nanoseconds < 1000000); /* the seed's limit is 1 ms */
    free(answer);
    stop(server);
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(VER_12_errors_of_1_0),
        cmocka_unit_test(VER_13_a_route_that_breaks_the_policy_stops_the_start),
        cmocka_unit_test(VER_10_each_request_is_counted_once),
        cmocka_unit_test(VER_08_it_costs_little),
    };
    struct CMUnitTest tests[COUNT_OF(rows) + COUNT_OF(plain)];
    memcpy(tests, plain, sizeof(plain));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tests[COUNT_OF(plain) + i] =
            (struct CMUnitTest){.name = rows[i].name,
                                .test_func = row_is_answered,
                                .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    return _cmocka_run_group_tests("negotiate", tests, COUNT_OF(tests), NULL, NULL);
}
