/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever our parser accepts, llhttp in strict mode accepts too, and understands the same: method,
 * target, header fields, body. Two parsers that agree leave no room to smuggle. */
/* Both name the methods HTTP_GET and so on. */
#define HTTP_DELETE  LLHTTP_DELETE
#define HTTP_GET     LLHTTP_GET
#define HTTP_HEAD    LLHTTP_HEAD
#define HTTP_POST    LLHTTP_POST
#define HTTP_PUT     LLHTTP_PUT
#define HTTP_OPTIONS LLHTTP_OPTIONS
#define HTTP_PATCH   LLHTTP_PATCH
#include <llhttp.h>
#undef HTTP_DELETE
#undef HTTP_GET
#undef HTTP_HEAD
#undef HTTP_POST
#undef HTTP_PUT
#undef HTTP_OPTIONS
#undef HTTP_PATCH

#include "base/buf.h"
#include "base/check.h"
#include "message/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_head_limits limits = {.line_bytes_max = 8192,
                                               .fields_bytes_max = 16384,
                                               .fields_max = 100};

/* What was understood: the head as text (one value a line), and the body. */
struct message {
    struct buf head;
    struct buf body;
    bool is_complete;
};

static int on_head_bytes(llhttp_t *parser, const char *at, size_t len)
{
    struct message *message = parser->data;
    buf_append(&message->head, (slice){(const uint8_t *)at, len});
    return 0;
}

static int on_piece_end(llhttp_t *parser)
{
    struct message *message = parser->data;
    buf_append_byte(&message->head, '\n');
    return 0;
}

static int on_value_end(llhttp_t *parser)
{
    struct message *message = parser->data;
    /* llhttp leaves trailing white space in a value. */
    while (message->head.len > 0 && byte_is_space(message->head.ptr[message->head.len - 1])) {
        message->head.len--;
    }
    return on_piece_end(parser);
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct message *message = parser->data;
    buf_append(&message->body, (slice){(const uint8_t *)at, len});
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    struct message *message = parser->data;
    message->is_complete = true;
    return HPE_PAUSED;
}

static void ask_llhttp(slice bytes, llhttp_t *parser, struct message *out)
{
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_url = on_head_bytes;
    settings.on_url_complete = on_piece_end;
    settings.on_header_field = on_head_bytes;
    settings.on_header_field_complete = on_piece_end;
    settings.on_header_value = on_head_bytes;
    settings.on_header_value_complete = on_value_end;
    settings.on_body = on_body;
    settings.on_message_complete = on_complete;
    llhttp_init(parser, HTTP_REQUEST, &settings);
    parser->data = out;
    (void)llhttp_execute(parser, (const char *)bytes.ptr, bytes.len);
}

static void append_span(struct buf *out, slice bytes, struct http_span span)
{
    buf_append(out, (slice){bytes.ptr + span.at, span.len});
    buf_append_byte(out, '\n');
}

/* False when ours does not accept the whole of it. */
static bool ask_ours(slice bytes, struct http_parser *parser, struct message *out)
{
    size_t head = 0;
    http_parser_init(parser, &limits);
    if (http_parse_head(parser, bytes, &head) != HTTP_PARSE_DONE) {
        return false;
    }
    append_span(&out->head, bytes, parser->target);
    for (size_t i = 0; i < parser->field_count; i++) {
        append_span(&out->head, bytes, parser->fields[i].name);
        append_span(&out->head, bytes, parser->fields[i].value);
    }
    slice rest = {bytes.ptr + head, bytes.len - head};
    slice data = {0};
    enum http_parse parsed = http_parse_body(parser, &rest, &data);
    while (parsed == HTTP_PARSE_DATA) {
        buf_append(&out->body, data);
        parsed = http_parse_body(parser, &rest, &data);
    }
    return parsed == HTTP_PARSE_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice bytes = {data, size};
    struct message ours = {.head = BUF_INIT(2 * size + 512), .body = BUF_INIT(size + 1)};
    struct message theirs = {.head = BUF_INIT(2 * size + 512), .body = BUF_INIT(size + 1)};
    struct http_parser parser;
    llhttp_t llhttp;
    if (ask_ours(bytes, &parser, &ours)) {
        ask_llhttp(bytes, &llhttp, &theirs);
        ASSERT(theirs.is_complete);
        ASSERT(strcmp(llhttp_method_name((llhttp_method_t)llhttp.method),
                      http_method_name(parser.method)) == 0);
        ASSERT(llhttp.http_major == 1 && llhttp.http_minor == parser.version_minor);
        ASSERT(slice_equal(buf_slice(&ours.head), buf_slice(&theirs.head)));
        ASSERT(slice_equal(buf_slice(&ours.body), buf_slice(&theirs.body)));
    }
    buf_release(&ours.head);
    buf_release(&ours.body);
    buf_release(&theirs.head);
    buf_release(&theirs.body);
    return 0;
}
