/* SPDX-License-Identifier: Apache-2.0 */
#include "message/response.h"

#include "message/words.h"

enum {
    KEPT_BYTES_MAX = 16 * 1024, /* of a buffer, from one answer to the next */
};

static bool is_value(slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t byte = value.ptr[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

void http_response_header(struct http_response *response, const char *name, slice value)
{
    slice token = slice_from_cstr(name);
    slice checked = token;
    ASSERT(token.len > 0 && slice_take_while(&checked, http_byte_is_token).len == token.len);
    if (!is_value(value)) {
        return;
    }
    buf_append(&response->headers, token);
    buf_append(&response->headers, SLICE(": "));
    buf_append(&response->headers, value);
    buf_append(&response->headers, SLICE("\r\n"));
}

void http_response_header_cstr(struct http_response *response, const char *name, const char *value)
{
    http_response_header(response, name, slice_from_cstr(value));
}

void http_response_header_u64(struct http_response *response, const char *name, uint64_t value)
{
    char digits[24];
    struct buf text = {.ptr = (uint8_t *)digits, .capacity = sizeof(digits), .max = sizeof(digits)};
    buf_append_u64(&text, value);
    http_response_header(response, name, buf_slice(&text));
}

void http_response_lines(struct http_response *response, slice lines)
{
    ASSERT(lines.len >= 2 && lines.ptr[lines.len - 1] == '\n' && lines.ptr[lines.len - 2] == '\r');
    buf_append(&response->headers, lines);
}

void http_response_text(struct http_response *response, int status, const char *content_type,
                        slice body)
{
    response->status = status;
    response->content_type = content_type;
    buf_clear(&response->body);
    buf_append(&response->body, body);
}

static void clear_or_release(struct buf *buf)
{
    if (buf->capacity > KEPT_BYTES_MAX) {
        buf_release(buf);
    } else {
        buf_clear(buf);
    }
}

void http_response_reset(struct http_response *response)
{
    response->status = 200;
    response->content_type = NULL;
    clear_or_release(&response->body);
    clear_or_release(&response->headers);
}
