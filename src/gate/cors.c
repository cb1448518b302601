/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/cors.h"

#include "message/response.h"

#define SCHEME_MARK "://"

/* What a page may send, beyond what every page may. */
static const char request_headers[] =
    "Accept-Version, Authorization, Content-Encoding, Content-Type, Idempotency-Key, If-Match, "
    "If-None-Match, Last-Event-ID, X-API-Key, X-API-Version, X-Correlation-ID, X-Request-Id";
/* What it may read. */
static const char answer_headers[] =
    "Deprecation, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Sunset, "
    "X-API-Deprecated, X-API-Sunset, X-API-Supported-Versions, X-API-Version, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id";
static const char preflight_s[] = "600";

/* ---- Origins ---- */

static bool byte_is_between(uint8_t byte)
{
    return byte == ' ' || byte == ',' || byte == '\t';
}

static bool byte_is_of_origin(uint8_t byte)
{
    return !byte_is_between(byte);
}

static bool byte_is_of_host(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '.' ||
           byte == '-' || byte == '_';
}

static bool byte_is_of_v6(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'f') || (byte >= '0' && byte <= '9') || byte == ':' ||
           byte == '.';
}

static bool take_host(slice *rest)
{
    if (!slice_take_literal(rest, SLICE("["))) {
        return slice_take_while(rest, byte_is_of_host).len > 0;
    }
    return slice_take_while(rest, byte_is_of_v6).len > 0 && slice_take_literal(rest, SLICE("]"));
}

/* ":8443", but not the port that browsers leave out. */
static bool is_port(slice rest, bool is_https)
{
    uint64_t port = 0;
    if (rest.len == 0) {
        return true;
    }
    bool is_number = slice_take_literal(&rest, SLICE(":")) && rest.len > 0 && rest.ptr[0] != '0' &&
                     slice_parse_u64(rest, &port) && port <= UINT16_MAX;
    return is_number && port != (is_https ? 443u : 80u);
}

static bool is_origin(slice text)
{
    slice rest = text;
    bool is_https = slice_take_literal(&rest, SLICE("https" SCHEME_MARK));
    bool has_scheme = is_https || slice_take_literal(&rest, SLICE("http" SCHEME_MARK));
    return has_scheme && text.len <= CORS_ORIGIN_BYTES_MAX && take_host(&rest) &&
           is_port(rest, is_https);
}

enum err cors_parse(slice text, struct cors *out, struct diag *diag)
{
    struct cors parsed = {0};
    (void)slice_take_while(&text, byte_is_between);
    while (text.len > 0) {
        slice origin = slice_take_while(&text, byte_is_of_origin);
        if (parsed.count == CORS_ORIGINS_MAX) {
            return diag_fail(diag, ERR_LIMIT, "", "more than %d origins", CORS_ORIGINS_MAX);
        }
        if (!is_origin(origin)) {
            return diag_fail(diag, ERR_INVALID, "",
                             "%.*s is no origin as browsers send it, such as https://a.example or "
                             "http://localhost:3000",
                             (int)origin.len, (const char *)origin.ptr);
        }
        parsed.origins[parsed.count++] = origin;
        (void)slice_take_while(&text, byte_is_between);
    }
    *out = parsed;
    return OK;
}

static bool is_named(const struct cors *cors, slice origin)
{
    for (size_t i = 0; i < cors->count; i++) {
        if (slice_equal(cors->origins[i], origin)) {
            return true;
        }
    }
    return false;
}

/* ---- Answers ---- */

static void allow(struct http_request *request, slice origin)
{
    struct http_response *response = request->response;
    slice asked = {0};
    http_response_header(response, "Access-Control-Allow-Origin", origin);
    if (request->allow == NULL) {
        http_response_header_cstr(response, "Access-Control-Expose-Headers", answer_headers);
        return;
    }
    if (http_header(request, "access-control-request-method", &asked)) {
        http_response_header_cstr(response, "Access-Control-Allow-Methods", request->allow);
        http_response_header_cstr(response, "Access-Control-Allow-Headers", request_headers);
        http_response_header_cstr(response, "Access-Control-Max-Age", preflight_s);
    }
}

void cors_answer(const struct cors *cors, struct http_request *request)
{
    slice origin = {0};
    if (cors->count == 0) {
        return;
    }
    /* Also where there is none: a cache must not hand this answer to a page. */
    http_response_header_cstr(request->response, "Vary", "Origin");
    if (http_header(request, "origin", &origin) && is_named(cors, origin)) {
        allow(request, origin);
    }
}
