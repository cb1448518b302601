/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "http/route.h"

static void handler(struct http_request *request)
{
    UNUSED(request);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/", .blocking = handler},
    {.method = HTTP_GET, .path = "/events", .blocking = handler},
    {.method = HTTP_POST, .path = "/events", .blocking = handler},
    {.method = HTTP_GET, .path = "/events/{id}", .blocking = handler},
    {.method = HTTP_POST, .path = "/events/batch", .blocking = handler},
    {.method = HTTP_GET, .path = "/events/{id}/proof", .blocking = handler},
    {.method = HTTP_GET, .path = "/{kind}/{id}", .blocking = handler},
    {.method = HTTP_GET, .path = "/health/", .blocking = handler},
    {.method = HTTP_GET, .path = "/tile/{rest...}", .blocking = handler},
    {.method = HTTP_GET, .path = "/tile/entries/{rest...}", .blocking = handler},
};

struct row {
    const char *name;
    enum http_method method;
    const char *target;
    enum err result;
    const char *path;  /* of the resource's route; NULL: no such path */
    const char *value; /* of its first parameter */
    const char *allow;
};

static struct row rows[] = {
    {"the root", HTTP_GET, "/", OK, "/", NULL, "GET, HEAD, OPTIONS"},
    {"a literal", HTTP_POST, "/events", OK, "/events", NULL, "GET, HEAD, POST, OPTIONS"},
    {"HEAD is GET", HTTP_HEAD, "/events?x", OK, "/events", NULL, "GET, HEAD, POST, OPTIONS"},
    {"another method", HTTP_PUT, "/events", OK, "", NULL, "GET, HEAD, POST, OPTIONS"},
    {"a parameter", HTTP_GET, "/events/7", OK, "/events/{id}", "7", "GET, HEAD, OPTIONS"},
    {"a literal before a parameter", HTTP_POST, "/events/batch", OK, "/events/batch", NULL,
     "POST, OPTIONS"},
    {"an encoded literal", HTTP_POST, "/events/%62atch", OK, "/events/batch", NULL,
     "POST, OPTIONS"},
    {"a parameter in the middle", HTTP_GET, "/events/a%2Fb/proof", OK, "/events/{id}/proof", "a/b",
     "GET, HEAD, OPTIONS"},
    {"two parameters", HTTP_GET, "/rules/7", OK, "/{kind}/{id}", "rules", "GET, HEAD, OPTIONS"},
    {"a slash at the end", HTTP_GET, "/health/", OK, "/health/", NULL, "GET, HEAD, OPTIONS"},
    {"a slash too many", HTTP_GET, "/events/", OK, NULL, NULL, NULL},
    {"an empty segment", HTTP_GET, "//events", OK, NULL, NULL, NULL},
    {"a rest of one", HTTP_GET, "/tile/0", OK, "/tile/{rest...}", "0", "GET, HEAD, OPTIONS"},
    {"a rest of three", HTTP_GET, "/tile/0/x001/002", OK, "/tile/{rest...}", "0/x001/002",
     "GET, HEAD, OPTIONS"},
    {"the longer literal before a rest", HTTP_GET, "/tile/entries/x001/002", OK,
     "/tile/entries/{rest...}", "x001/002", "GET, HEAD, OPTIONS"},
    {"too long", HTTP_GET, "/events/7/proof/x", OK, NULL, NULL, NULL},
    {"a bad escape", HTTP_GET, "/events/%", ERR_INVALID, NULL, NULL, NULL},
    {"an escape cut off", HTTP_GET, "/events/%4", ERR_INVALID, NULL, NULL, NULL},
    {"an overlong encoding", HTTP_GET, "/events/%c0%af", ERR_INVALID, NULL, NULL, NULL},
    {"a surrogate", HTTP_GET, "/events/%ed%a0%80", ERR_INVALID, NULL, NULL, NULL},
    {"a backslash", HTTP_GET, "/events/a\\b", ERR_INVALID, NULL, NULL, NULL},
    {"dots", HTTP_GET, "/events/../x", ERR_INVALID, NULL, NULL, NULL},
    {"a bad escape in the query", HTTP_GET, "/events?a=%g0", ERR_INVALID, NULL, NULL, NULL},
};

static void row_is_found(void **state)
{
    const struct row *row = *state;
    OWNED(http_router) router = NULL;
    assert_int_equal(http_router_new(routes, COUNT_OF(routes), &router, NULL), OK);
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(65536);
    slice target = slice_from_cstr(row->target);
    struct http_request request = {.method = row->method, .arena = &arena, .target = target};
    const uint8_t *mark = memchr(target.ptr, '?', target.len);
    request.path = (slice){target.ptr, mark != NULL ? (size_t)(mark - target.ptr) : target.len};
    const struct http_resource *resource = NULL;
    const char *why = NULL;
    assert_int_equal(http_router_find(router, &request, &resource, &why), row->result);
    if (row->allow == NULL) {
        assert_null(resource);
        return;
    }
    assert_non_null(resource);
    assert_string_equal(http_resource_allow(resource), row->allow);
    assert_string_equal(request.route != NULL ? request.route->path : "", row->path);
    if (row->value != NULL) {
        assert_slice_equal(request.path_params[0].value, row->value);
    }
}

TEST_TABLE(row_is_found, rows)
