/* SPDX-License-Identifier: Apache-2.0 */
#include "http/forwarded.h"

#include "http/exchange.h"

enum {
    LINES_MAX = 16, /* of X-Forwarded-For; the last of more */
};

/* ---- One place of the list ---- */

/* ":8080" or nothing. */
static bool is_port(slice text)
{
    if (text.len == 0) {
        return true;
    }
    bool has_colon = slice_take_literal(&text, SLICE(":"));
    slice digits = slice_take_while(&text, byte_is_digit);
    return has_colon && digits.len > 0 && digits.len <= 5 && text.len == 0;
}

/* An address, or with a port: "1.2.3.4:80", "[::1]:80", "[::1]". */
static bool parse_place(slice text, uint8_t out[16])
{
    slice host = text;
    slice rest = {0};
    if (slice_take_literal(&text, SLICE("["))) {
        const uint8_t *close = text.len > 0 ? memchr(text.ptr, ']', text.len) : NULL;
        if (close == NULL) {
            return false;
        }
        host = slice_take(&text, (size_t)(close - text.ptr));
        (void)slice_take(&text, 1);
        bool is_v6 = host.len > 0 && memchr(host.ptr, ':', host.len) != NULL;
        return is_v6 && is_port(text) && http_address_parse(host, out);
    }
    const uint8_t *colon = memchr(text.ptr, ':', text.len);
    bool has_one =
        colon != NULL && memchr(colon + 1, ':', text.len - 1 - (size_t)(colon - text.ptr)) == NULL;
    if (has_one) {
        host = slice_take(&text, (size_t)(colon - text.ptr));
        rest = text;
    }
    return is_port(rest) && http_address_parse(host, out);
}

/* ---- The list, from its end ---- */

/* Takes what is behind the last comma, and the comma. */
static slice take_last(slice *line)
{
    size_t at = line->len;
    while (at > 0 && line->ptr[at - 1] != ',') {
        at--;
    }
    slice last = {line->ptr + at, line->len - at};
    line->len = at > 0 ? at - 1 : 0;
    return slice_trim(last);
}

/* False when the search ends. */
static bool search_line(const struct http_networks *trusted, slice line, uint8_t client[16])
{
    while (line.len > 0) {
        slice place = take_last(&line);
        uint8_t address[16];
        if (place.len == 0) {
            continue;
        }
        if (!parse_place(place, address)) {
            return false;
        }
        memcpy(client, address, sizeof(address));
        if (!http_networks_have(trusted, address)) {
            return false;
        }
    }
    return true;
}

void http_forwarded_client(const struct http_networks *trusted, const uint8_t peer[16],
                           const slice *lines, size_t count, uint8_t client_out[16])
{
    uint8_t client[16];
    memcpy(client, peer, sizeof(client));
    bool goes_on = http_networks_have(trusted, peer);
    for (size_t i = count; i > 0 && goes_on; i--) {
        goes_on = search_line(trusted, lines[i - 1], client);
    }
    memcpy(client_out, client, sizeof(client));
}

/* ---- The middleware ---- */

/* The last LINES_MAX lines of that name, in order. */
static size_t find_lines(const struct http_request *request, slice lines[LINES_MAX])
{
    size_t count = 0;
    struct http_param field = {0};
    for (size_t i = 0; http_header_at(request, i, &field); i++) {
        if (!http_name_equal(field.name, SLICE("x-forwarded-for"))) {
            continue;
        }
        if (count == LINES_MAX) {
            memmove(lines, lines + 1, (LINES_MAX - 1) * sizeof(lines[0]));
            count--;
        }
        lines[count++] = field.value;
    }
    return count;
}

/* What the proxy that speaks to us said last. */
static bool find_https(const struct http_request *request)
{
    struct http_param field = {0};
    bool is_https = false;
    for (size_t i = 0; http_header_at(request, i, &field); i++) {
        if (http_name_equal(field.name, SLICE("x-forwarded-proto"))) {
            is_https = http_name_equal(take_last(&field.value), SLICE("https"));
        }
    }
    return is_https;
}

enum http_pass http_forwarded(struct http_request *request, void *data)
{
    UNUSED(data);
    struct exchange *exchange = exchange_of(request);
    if (!exchange->conn->is_trusted) {
        return HTTP_PASS_ON;
    }
    slice lines[LINES_MAX];
    uint8_t client[16];
    size_t count = find_lines(request, lines);
    const struct http_networks *trusted = exchange->loop->server->options.trusted_proxies;
    http_forwarded_client(trusted, exchange->conn->address, lines, count, client);
    request->is_https = request->is_https || find_https(request);
    if (memcmp(client, exchange->conn->address, sizeof(client)) != 0) {
        http_address_format(client, exchange->peer);
        request->peer = slice_from_cstr(exchange->peer);
        request->peer_port = 0;
        request->is_forwarded = true;
        request->peer_certificate = NULL; /* that is the proxy's */
    }
    if (!exchange_join(exchange, client)) {
        http_response_header_u64(request->response, "Retry-After", 5);
        http_problem(request, 503, "this address has as many requests under way as it may");
        return HTTP_PASS_ANSWER;
    }
    return HTTP_PASS_ON;
}
