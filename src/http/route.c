/* SPDX-License-Identifier: Apache-2.0 */
#include "http/route.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
    PARAMS_MAX = 8,
};

struct segment {
    slice text; /* the literal, or the name of the parameter */
    bool is_param;
    bool is_rest;
};

struct http_resource {
    struct http_resource *next; /* of the same hash, or of the list of templates */
    slice path;
    const struct http_route *by_method[HTTP_METHODS];
    struct segment segments[HTTP_SEGMENTS_MAX];
    size_t segment_count;
    size_t param_count;
    char allow[64];
};

struct http_router {
    struct http_resource **slots; /* of paths without parameters; a power of two */
    size_t slot_count;
    struct http_resource *templates; /* most literal first */
};

/* ---- Building ---- */

static bool parse_segment(slice text, struct segment *out)
{
    bool opens = text.len > 0 && text.ptr[0] == '{';
    if (!opens) {
        out->text = text;
        return text.len == 0 ||
               (memchr(text.ptr, '{', text.len) == NULL && memchr(text.ptr, '}', text.len) == NULL);
    }
    if (text.len < 3 || text.ptr[text.len - 1] != '}') {
        return false;
    }
    slice name = {text.ptr + 1, text.len - 2};
    out->is_param = true;
    if (name.len > 3 && memcmp(name.ptr + name.len - 3, "...", 3) == 0) {
        out->is_rest = true;
        name.len -= 3;
    }
    out->text = name;
    return true;
}

static bool parse_template(struct http_resource *resource)
{
    slice rest = resource->path;
    while (slice_take_literal(&rest, SLICE("/"))) {
        const uint8_t *slash = rest.len > 0 ? memchr(rest.ptr, '/', rest.len) : NULL;
        slice text = slice_take(&rest, slash != NULL ? (size_t)(slash - rest.ptr) : rest.len);
        bool is_full = resource->segment_count == HTTP_SEGMENTS_MAX;
        struct segment segment = {0};
        if (is_full || !parse_segment(text, &segment) || (segment.is_rest && rest.len > 0)) {
            return false;
        }
        resource->param_count += segment.is_param ? 1 : 0;
        resource->segments[resource->segment_count++] = segment;
    }
    return rest.len == 0 && resource->segment_count > 0 && resource->param_count <= PARAMS_MAX;
}

static struct http_resource **slot_of(const struct http_router *router, slice path)
{
    return &router->slots[hash_bytes(path, 0) & (router->slot_count - 1)];
}

static struct http_resource *find_exact(const struct http_router *router, slice path)
{
    struct http_resource *resource = *slot_of(router, path);
    while (resource != NULL && !slice_equal(resource->path, path)) {
        resource = resource->next;
    }
    return resource;
}

static struct http_resource *find_template(const struct http_router *router, slice path)
{
    struct http_resource *resource = router->templates;
    while (resource != NULL && !slice_equal(resource->path, path)) {
        resource = resource->next;
    }
    return resource;
}

/* Positive when `a` is to be tried before `b`: at the first segment that differs in kind the
 * literal one goes first, and one part before a rest. */
static int compare_templates(const struct http_resource *a, const struct http_resource *b)
{
    for (size_t i = 0; i < a->segment_count && i < b->segment_count; i++) {
        int rank_a = a->segments[i].is_rest ? 0 : a->segments[i].is_param ? 1 : 2;
        int rank_b = b->segments[i].is_rest ? 0 : b->segments[i].is_param ? 1 : 2;
        if (rank_a != rank_b) {
            return rank_a - rank_b;
        }
    }
    return 0;
}

static void insert_template(struct http_router *router, struct http_resource *resource)
{
    struct http_resource **at = &router->templates;
    while (*at != NULL && compare_templates(resource, *at) <= 0) {
        at = &(*at)->next;
    }
    resource->next = *at;
    *at = resource;
}

static enum err add_resource(struct http_router *router, slice path, struct http_resource **out,
                             struct diag *diag)
{
    struct http_resource *resource = mem_zeroed(sizeof(*resource));
    resource->path = path;
    if (!parse_template(resource)) {
        free(resource);
        return diag_fail(diag, ERR_INVALID, "routes", "%.*s is not a path", SLICE_ARG(path));
    }
    if (resource->param_count > 0) {
        insert_template(router, resource);
    } else {
        struct http_resource **slot = slot_of(router, path);
        resource->next = *slot;
        *slot = resource;
    }
    *out = resource;
    return OK;
}

static enum err add_route(struct http_router *router, const struct http_route *route,
                          struct diag *diag)
{
    slice path = slice_from_cstr(route->path);
    bool has_one_handler = (route->blocking != NULL) != (route->parked != NULL);
    bool is_ours = route->method == HTTP_OPTIONS || route->method == HTTP_HEAD;
    if (!has_one_handler || is_ours) {
        return diag_fail(diag, ERR_INVALID, "routes",
                         "%s %s needs one handler and a method of its own",
                         http_method_name(route->method), route->path);
    }
    struct http_resource *resource = find_exact(router, path);
    if (resource == NULL) {
        resource = find_template(router, path);
    }
    if (resource == NULL) {
        TRY(add_resource(router, path, &resource, diag));
    }
    ASSERT(resource != NULL);
    if (resource->by_method[route->method] != NULL) {
        return diag_fail(diag, ERR_INVALID, "routes", "%s %s is there twice",
                         http_method_name(route->method), route->path);
    }
    resource->by_method[route->method] = route;
    if (route->method == HTTP_GET) {
        resource->by_method[HTTP_HEAD] = route;
    }
    return OK;
}

static void list_own_methods(struct http_resource *resource)
{
    struct buf out = {.ptr = (uint8_t *)resource->allow,
                      .capacity = sizeof(resource->allow) - 1,
                      .max = sizeof(resource->allow) - 1};
    for (size_t i = 0; i < HTTP_METHODS; i++) {
        if (resource->by_method[i] != NULL || i == HTTP_OPTIONS) {
            buf_append_cstr(&out, out.len > 0 ? ", " : "");
            buf_append_cstr(&out, http_method_name((enum http_method)i));
        }
    }
    ASSERT(!out.failed);
}

static void list_methods(struct http_resource *resource)
{
    while (resource != NULL) {
        list_own_methods(resource);
        resource = resource->next;
    }
}

static void list_all_methods(struct http_router *router)
{
    for (size_t i = 0; i < router->slot_count; i++) {
        list_methods(router->slots[i]);
    }
    list_methods(router->templates);
}

enum err http_router_new(const struct http_route *routes, size_t count, struct http_router **out,
                         struct diag *diag)
{
    OWNED(http_router) router = mem_zeroed(sizeof(*router));
    router->slot_count = 16;
    while (router->slot_count < 2 * count) {
        router->slot_count *= 2;
    }
    router->slots = mem_array(router->slot_count, sizeof(struct http_resource *));
    for (size_t i = 0; i < count; i++) {
        TRY(add_route(router, &routes[i], diag));
    }
    list_all_methods(router);
    *out = MOVE(router);
    return OK;
}

static void free_list(struct http_resource *resource)
{
    while (resource != NULL) {
        struct http_resource *next = resource->next;
        free(resource);
        resource = next;
    }
}

void http_router_free(struct http_router *router)
{
    if (router == NULL) {
        return;
    }
    for (size_t i = 0; i < router->slot_count; i++) {
        free_list(router->slots[i]);
    }
    free_list(router->templates);
    free(router->slots);
    free(router);
}

/* ---- Finding ---- */

static bool matches(const struct http_resource *resource, const slice *segments, size_t count)
{
    for (size_t i = 0; i < resource->segment_count; i++) {
        const struct segment *wanted = &resource->segments[i];
        if (i >= count) {
            return false;
        }
        if (wanted->is_rest) {
            return true;
        }
        bool fits = wanted->is_param ? segments[i].len > 0 : slice_equal(wanted->text, segments[i]);
        if (!fits) {
            return false;
        }
    }
    return resource->segment_count == count;
}

static slice join_rest(struct arena *arena, const slice *segments, size_t count)
{
    size_t len = count - 1;
    for (size_t i = 0; i < count; i++) {
        len += segments[i].len;
    }
    uint8_t *bytes = arena_take(arena, len + 1);
    if (bytes == NULL) {
        return (slice){0};
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            bytes[at++] = '/';
        }
        if (segments[i].len > 0) {
            memcpy(bytes + at, segments[i].ptr, segments[i].len);
        }
        at += segments[i].len;
    }
    return (slice){bytes, at};
}

static enum err bind_params(const struct http_resource *resource, const slice *segments,
                            size_t count, struct http_request *request)
{
    struct http_param *params =
        arena_take_zeroed(request->arena, resource->param_count * sizeof(*params));
    if (params == NULL) {
        return ERR_LIMIT;
    }
    size_t n = 0;
    for (size_t i = 0; i < resource->segment_count; i++) {
        const struct segment *segment = &resource->segments[i];
        if (segment->is_param) {
            slice value =
                segment->is_rest ? join_rest(request->arena, segments + i, count - i) : segments[i];
            if (value.ptr == NULL) {
                return ERR_LIMIT;
            }
            params[n++] = (struct http_param){segment->text, value};
        }
    }
    request->path_params = params;
    request->path_param_count = n;
    return OK;
}

/* Literal paths may be sent encoded ("/%61"): then the segments are compared. */
static const struct http_resource *find_literal(const struct http_router *router,
                                                const slice *segments, size_t count)
{
    for (size_t i = 0; i < router->slot_count; i++) {
        for (const struct http_resource *r = router->slots[i]; r != NULL; r = r->next) {
            if (matches(r, segments, count)) {
                return r;
            }
        }
    }
    return NULL;
}

static enum err find_resource(const struct http_router *router, struct http_request *request,
                              const struct http_resource **out, const char **why_out)
{
    *out = find_exact(router, request->path);
    if (*out != NULL) {
        return OK;
    }
    slice segments[HTTP_SEGMENTS_MAX];
    size_t count = 0;
    TRY(http_path_split(request->arena, request->path, segments, &count, why_out));
    if (memchr(request->path.ptr, '%', request->path.len) != NULL) {
        *out = find_literal(router, segments, count);
    }
    if (*out != NULL) {
        return OK;
    }
    const struct http_resource *resource = router->templates;
    while (resource != NULL && !matches(resource, segments, count)) {
        resource = resource->next;
    }
    *out = resource;
    return resource != NULL ? bind_params(resource, segments, count, request) : OK;
}

enum err http_router_find(const struct http_router *router, struct http_request *request,
                          const struct http_resource **resource_out, const char **why_out)
{
    *why_out = "the target is too large";
    slice query = request->target;
    (void)slice_take(&query, request->path.len);
    if (slice_take_literal(&query, SLICE("?"))) {
        TRY(http_query_split(request->arena, query, &request->query, &request->query_count,
                             why_out));
    }
    TRY(find_resource(router, request, resource_out, why_out));
    if (*resource_out != NULL) {
        request->route = (*resource_out)->by_method[request->method];
    }
    return OK;
}

const char *http_resource_allow(const struct http_resource *resource)
{
    return resource->allow;
}
