/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/cors.h"
#include "http/test_client.h"

#define HOST "Host: h\r\n"
#define LAST HOST "Connection: close\r\n"

static struct cors cors;

static void hello(struct http_request *request)
{
    http_response_text(request->response, 200, HTTP_TYPE_TEXT, SLICE("hello\n"));
}

static void add_headers(struct http_request *request, void *data)
{
    cors_answer(data, request);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/hello", .blocking = hello},
    {.method = HTTP_POST, .path = "/hello", .blocking = hello},
    {.method = HTTP_GET, .path = "/other", .blocking = hello},
};

/* What is named, what is asked, and what the answer has, or "!" and what it has not. */
struct row {
    const char *name;
    const char *origins;
    const char *request;
    const char *parts[5];
};

#define NAMED     "https://a.example, http://localhost:3000"
#define PREFLIGHT "Access-Control-Request-Method: POST\r\n"
#define FROM_A    "Origin: https://a.example\r\n"

static const struct row rows[] = {
    {"closed",
     "",
     "GET /hello HTTP/1.1\r\n" FROM_A LAST "\r\n",
     {"200 OK", "!Access-Control", "!Vary"}},
    {"closed for a preflight",
     "",
     "OPTIONS /hello HTTP/1.1\r\n" FROM_A PREFLIGHT LAST "\r\n",
     {"204 No Content", "!Access-Control", "!Vary"}},
    {"a named one",
     NAMED,
     "GET /hello HTTP/1.1\r\n" FROM_A LAST "\r\n",
     {"\r\nAccess-Control-Allow-Origin: https://a.example\r\n", "\r\nVary: Origin\r\n",
      "\r\nAccess-Control-Expose-Headers: ", "!Credentials", "!Allow-Methods"}},
    {"the other named one",
     NAMED,
     "GET /hello HTTP/1.1\r\nOrigin: http://localhost:3000\r\n" LAST "\r\n",
     {"\r\nAccess-Control-Allow-Origin: http://localhost:3000\r\n"}},
    {"nobody",
     NAMED,
     "GET /hello HTTP/1.1\r\n" LAST "\r\n",
     {"\r\nVary: Origin\r\n", "!Access-Control"}},
    {"another scheme",
     NAMED,
     "GET /hello HTTP/1.1\r\nOrigin: http://a.example\r\n" LAST "\r\n",
     {"\r\nVary: Origin\r\n", "!Access-Control"}},
    {"another port",
     NAMED,
     "GET /hello HTTP/1.1\r\nOrigin: http://localhost\r\n" LAST "\r\n",
     {"!Access-Control"}},
    {"a part of it",
     NAMED,
     "GET /hello HTTP/1.1\r\nOrigin: https://a.exampl\r\n" LAST "\r\n",
     {"!Access-Control"}},
    {"more than it",
     NAMED,
     "GET /hello HTTP/1.1\r\nOrigin: https://a.example.evil.test\r\n" LAST "\r\n",
     {"!Access-Control"}},
    {"in front of it",
     NAMED,
     "GET /hello HTTP/1.1\r\nOrigin: https://evil-a.example\r\n" LAST "\r\n",
     {"!Access-Control"}},
    {"in capitals",
     NAMED,
     "GET /hello HTTP/1.1\r\nOrigin: https://A.example\r\n" LAST "\r\n",
     {"!Access-Control"}},
    {"null", NAMED, "GET /hello HTTP/1.1\r\nOrigin: null\r\n" LAST "\r\n", {"!Access-Control"}},
    {"an empty one", NAMED, "GET /hello HTTP/1.1\r\nOrigin:\r\n" LAST "\r\n", {"!Access-Control"}},
    {"a preflight",
     NAMED,
     "OPTIONS /hello HTTP/1.1\r\n" FROM_A PREFLIGHT LAST "\r\n",
     {"204 No Content", "\r\nAccess-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n",
      "\r\nAccess-Control-Allow-Headers: ", "\r\nAccess-Control-Max-Age: 600\r\n", "!Credentials"}},
    {"a preflight of another path",
     NAMED,
     "OPTIONS /other HTTP/1.1\r\n" FROM_A PREFLIGHT LAST "\r\n",
     {"\r\nAccess-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"}},
    {"a preflight of a stranger",
     NAMED,
     "OPTIONS /hello HTTP/1.1\r\nOrigin: https://b.example\r\n" PREFLIGHT LAST "\r\n",
     {"204 No Content", "\r\nVary: Origin\r\n", "!Access-Control"}},
    {"OPTIONS that is no preflight",
     NAMED,
     "OPTIONS /hello HTTP/1.1\r\n" FROM_A LAST "\r\n",
     {"\r\nAccess-Control-Allow-Origin: https://a.example\r\n", "!Allow-Methods"}},
    {"an error can be read",
     NAMED,
     "GET /nope HTTP/1.1\r\n" FROM_A LAST "\r\n",
     {"404 Not Found", "\r\nAccess-Control-Allow-Origin: https://a.example\r\n"}},
    {"a head that is refused",
     NAMED,
     "GET / HTTP/9.9\r\n" FROM_A LAST "\r\n",
     {"\r\nVary: Origin\r\n", "!Access-Control"}},
};

static void row_is_answered(void **state)
{
    const struct row *row = *state;
    struct http_server *server = NULL;
    struct http_options options = {.routes = routes, .route_count = COUNT_OF(routes)};
    options.hooks = (struct http_hooks){.before_response = add_headers, .data = &cors};
    assert_int_equal(cors_parse(slice_from_cstr(row->origins), &cors, NULL), OK);
    assert_int_equal(http_server_start(&options, &server, NULL), OK);
    char *answer = client_talk(server, row->request);
    assert_parts(answer, row->parts, COUNT_OF(row->parts));
    free(answer);
    http_server_free(server);
}

static void origins_are_checked(void **state)
{
    UNUSED(state);
    static const char *const wrong[] = {"*",
                                        "null",
                                        "a.example",
                                        "https://",
                                        "https://a.example/",
                                        "https://a.example/path",
                                        "https://*.example",
                                        "https://A.example",
                                        "https://a.example:443",
                                        "http://a.example:80",
                                        "https://a.example:0",
                                        "https://a.example:65536",
                                        "https://a.example:x",
                                        "https://u@a.example",
                                        "ftp://a.example",
                                        "https://[::1",
                                        "https://a.example https://b.example?"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct cors parsed;
        struct diag diag = {0};
        assert_int_equal(cors_parse(slice_from_cstr(wrong[i]), &parsed, &diag), ERR_INVALID);
        assert_true(diag.text[0] != '\0');
    }
    struct cors parsed;
    assert_int_equal(cors_parse(SLICE(" https://a.example:8443,http://[::1]:3000 "), &parsed, NULL),
                     OK);
    assert_int_equal(parsed.count, 2);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(rows) + 1];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = row_is_answered,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    tests[COUNT_OF(rows)] = (struct CMUnitTest)cmocka_unit_test(origins_are_checked);
    return _cmocka_run_group_tests("cors", tests, COUNT_OF(tests), NULL, NULL);
}
