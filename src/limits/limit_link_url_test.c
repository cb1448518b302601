/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "limits/limit_link_url.h"

struct url_case {
    const char *name, *text;
    enum err expect;
    const char *host, *user, *password;
    int port, database;
};

static struct url_case cases[] = {
    {"a host", "redis://cache", OK, "cache", "", "", 6379, 0},
    {"a slash", "redis://cache/", OK, "cache", "", "", 6379, 0},
    {"all of it", "redis://al:s%3Acr%40t@cache:7000/3", OK, "cache", "al", "s:cr@t", 7000, 3},
    {"no user", "redis://:secret@10.0.0.1", OK, "10.0.0.1", "", "secret", 6379, 0},
    {"IPv6", "redis://[::1]:6380/1", OK, "::1", "", "", 6380, 1},
    {"TLS", "rediss://cache", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"no scheme", "cache:6379", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"nothing", "", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"no host", "redis://:6379", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"port 0", "redis://cache:0", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"port 65536", "redis://cache:65536", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"no port", "redis://cache:", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"behind the bracket", "redis://[::1]6380", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"open bracket", "redis://[::1", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"a name as database", "redis://cache/main", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"no password", "redis://al@cache", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"an empty password", "redis://al:@cache", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"broken percent", "redis://:a%4@cache", ERR_INVALID, NULL, NULL, NULL, 0, 0},
    {"a NUL", "redis://:a%00b@cache", ERR_INVALID, NULL, NULL, NULL, 0, 0},
};

static void test_url(void **state)
{
    const struct url_case *c = *state;
    struct limit_link_url url = {.port = -1};
    struct diag diag = {0};
    assert_int_equal(limit_link_url_parse(slice_from_cstr(c->text), &url, &diag), c->expect);
    if (c->expect != OK) {
        assert_int_equal(url.port, -1);
        assert_true(diag.text[0] != '\0');
        return;
    }
    assert_string_equal(url.host, c->host);
    assert_string_equal(url.user, c->user);
    assert_string_equal(url.password, c->password);
    assert_int_equal(url.port, c->port);
    assert_int_equal(url.database, c->database);
}

TEST_TABLE(test_url, cases)
