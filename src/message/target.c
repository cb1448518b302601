/* SPDX-License-Identifier: Apache-2.0 */
#include "message/target.h"

#include "base/utf8.h"
#include "codec/hex.h"

/* pchar of RFC 3986, as sent. */
static bool byte_is_path(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("-._~%!$&'()*+,;=:@", byte) != NULL);
}

/* `raw` with %XX resolved, and '+' too if `is_query`; `raw` itself when there is nothing to do. */
static enum err decode(struct arena *arena, slice raw, bool is_query, slice *out,
                       const char **why_out)
{
    bool is_plain = raw.len == 0 || (memchr(raw.ptr, '%', raw.len) == NULL &&
                                     (!is_query || memchr(raw.ptr, '+', raw.len) == NULL));
    if (is_plain) {
        *out = raw;
        return OK;
    }
    uint8_t *bytes = arena_take(arena, raw.len);
    if (bytes == NULL) {
        return ERR_LIMIT;
    }
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        uint8_t byte = raw.ptr[i];
        if (byte == '%') {
            int said = hex_byte((slice){raw.ptr + i + 1, raw.len - i - 1});
            if (said < 0) {
                *why_out = "a % in the target is not followed by two hexadecimal digits";
                return ERR_INVALID;
            }
            byte = (uint8_t)said;
            i += 2;
        } else if (is_query && byte == '+') {
            byte = ' ';
        }
        bytes[len++] = byte;
    }
    *out = (slice){bytes, len};
    if (memchr(bytes, '\0', len) != NULL || !utf8_is_valid(*out)) {
        *why_out = "the target holds an encoded NUL or is not UTF-8";
        return ERR_INVALID;
    }
    return OK;
}

/* Up to `stop`, which is eaten too but not part of the piece. */
static slice take_until(slice *rest, uint8_t stop)
{
    const uint8_t *found = rest->len > 0 ? memchr(rest->ptr, stop, rest->len) : NULL;
    slice piece = slice_take(rest, found != NULL ? (size_t)(found - rest->ptr) : rest->len);
    if (found != NULL) {
        (void)slice_take(rest, 1);
    }
    return piece;
}

static bool is_dots(slice segment)
{
    return slice_equal(segment, SLICE(".")) || slice_equal(segment, SLICE(".."));
}

enum err http_path_split(struct arena *arena, slice path, slice segments[HTTP_SEGMENTS_MAX],
                         size_t *count_out, const char **why_out)
{
    slice rest = path;
    if (!slice_take_literal(&rest, SLICE("/"))) {
        *why_out = "the path does not begin with /";
        return ERR_INVALID;
    }
    size_t count = 0;
    bool has_more = true;
    while (has_more) {
        if (count == HTTP_SEGMENTS_MAX) {
            *why_out = "the path has too many segments";
            return ERR_LIMIT;
        }
        size_t before = rest.len;
        slice raw = take_until(&rest, '/');
        has_more = raw.len < before;
        slice checked = raw;
        if (slice_take_while(&checked, byte_is_path).len != raw.len) {
            *why_out = "the path holds a character that must be encoded";
            return ERR_INVALID;
        }
        TRY(decode(arena, raw, false, &segments[count], why_out));
        if (is_dots(segments[count])) {
            *why_out = "the path has a segment of dots";
            return ERR_INVALID;
        }
        count++;
    }
    *count_out = count;
    return OK;
}

static size_t count_pieces(slice query)
{
    size_t count = 0;
    while (query.len > 0) {
        count += take_until(&query, '&').len > 0 ? 1 : 0;
    }
    return count;
}

enum err http_query_split(struct arena *arena, slice query, const struct http_param **out,
                          size_t *count_out, const char **why_out)
{
    size_t count = count_pieces(query);
    if (count > HTTP_QUERY_PARAMS_MAX) {
        *why_out = "there are too many query parameters";
        return ERR_LIMIT;
    }
    struct http_param *params = NULL;
    if (count > 0) {
        params = arena_take_zeroed(arena, count * sizeof(*params));
        if (params == NULL) {
            return ERR_LIMIT;
        }
    }
    for (size_t i = 0; i < count;) {
        slice value = take_until(&query, '&');
        if (value.len == 0) {
            continue;
        }
        slice name = take_until(&value, '=');
        TRY(decode(arena, name, true, &params[i].name, why_out));
        TRY(decode(arena, value, true, &params[i].value, why_out));
        i++;
    }
    *out = params;
    *count_out = count;
    return OK;
}
