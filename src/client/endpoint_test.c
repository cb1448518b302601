/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "client/endpoint.h"

/* `url`: what is made of the text; NULL: it is refused. */
struct endpoint_case {
    const char *name;
    const char *text;
    const char *url;
    bool is_loopback;
};

static struct endpoint_case cases[] = {
    {"host and port", "127.0.0.1:8090", "http://127.0.0.1:8090", true},
    {"a host alone", "audit.example.com", "http://audit.example.com:80", false},
    {"https", "https://audit.example.com", "https://audit.example.com:443", false},
    {"slashes at the end", "http://h:1//", "http://h:1", false},
    {"a path", "https://h:1/cairn/", "https://h:1/cairn", false},
    {"IPv6", "http://[::1]:8090", "http://[::1]:8090", true},
    {"IPv6 written otherwise", "[0:0:0:0:0:0:0:1]:1", "http://[0:0:0:0:0:0:0:1]:1", true},
    {"another IPv6", "[2001:db8::1]", "http://[2001:db8::1]:80", false},
    {"localhost", "LocalHost:1", "http://LocalHost:1", true},
    {"all of 127", "127.255.0.9:1", "http://127.255.0.9:1", true},
    {"a name that begins like localhost", "localhost.example.com:1",
     "http://localhost.example.com:1", false},
    {"a name that begins like 127", "127.example.com:1", "http://127.example.com:1", false},
    {"a loopback in the path", "http://h/://127.0.0.1", "http://h:80/://127.0.0.1", false},
    {"a private address", "10.0.0.1:1", "http://10.0.0.1:1", false},

    {"nothing", "", NULL, false},
    {"a scheme alone", "http://", NULL, false},
    {"a scheme and slashes", "http:////", NULL, false},
    {"a scheme and a path", "https:///api", NULL, false},
    {"a port alone", ":8090", NULL, false},
    {"a scheme and a port", "http://:8090", NULL, false},
    {"a slash", "/", NULL, false},
    {"empty brackets", "http://[]:1", NULL, false},
    {"brackets that do not close", "http://[::1", NULL, false},
    {"something behind the brackets", "[::1]x:1", NULL, false},
    {"a colon without a port", "h:", NULL, false},
    {"a port that is no number", "h:http", NULL, false},
    {"a port that is too large", "h:65536", NULL, false},
    {"a port of many digits", "h:00000000000000000001", NULL, false},
    {"IPv6 without brackets", "::1:8090", NULL, false},
    {"another scheme", "ftp://h", NULL, false},
    {"a user", "http://u@h", NULL, false},
    {"a query", "http://h?x", NULL, false},
    {"a space", "h 1", NULL, false},
    {"a line feed", "h\n", NULL, false},
};

static void test_addresses(void **state)
{
    const struct endpoint_case *c = *state;
    char *url = NULL;
    assert_int_equal(endpoint_url(c->text, &url), c->url != NULL ? CAIRN_OK : CAIRN_INVALID);
    if (c->url == NULL) {
        assert_null(url);
        return;
    }
    struct endpoint endpoint;
    assert_string_equal(url, c->url);
    assert_true(endpoint_parse(slice_from_cstr(url), &endpoint));
    assert_int_equal(endpoint_is_loopback(&endpoint), c->is_loopback);
    free(url);
}

struct same_case {
    const char *given, *own;
    bool is_same;
};

static void test_the_same_server(void **state)
{
    UNUSED(state);
    static const struct same_case rows[] = {
        {"127.0.0.1:80", "http://127.0.0.1", true},
        {"http://localhost:1", "127.0.0.1:1", true},
        {"https://LOCALHOST:1/", "https://[::1]:1", true},
        {"h.example:1", "H.example:1", true},
        {"localhost:1", "10.0.0.1:1", false},
        {"127.0.0.1:1", "127.0.0.2:1", false},
        {"127.0.0.1:1", "127.0.0.1:2", false},
        {"127.0.0.1:1", "https://127.0.0.1:1", false},
        {"localhost.example.com:1", "127.0.0.1:1", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct endpoint given, own;
        assert_true(endpoint_parse(slice_from_cstr(rows[i].given), &given));
        assert_true(endpoint_parse(slice_from_cstr(rows[i].own), &own));
        assert_int_equal(endpoint_is(&given, &own), rows[i].is_same);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 1];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tests[i] = (struct CMUnitTest){.name = cases[i].name,
                                       .test_func = test_addresses,
                                       .initial_state = &cases[i]};
    }
    tests[COUNT_OF(cases)] = (struct CMUnitTest)cmocka_unit_test(test_the_same_server);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
