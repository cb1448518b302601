/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head is taken line by line: each byte is looked at once for the line feed, and once more
 * when its line is complete. Fields that frame the message are understood as they pass; the rest
 * are spans.
 *
 *     request-line = method SP target SP "HTTP/1." ("0" / "1") CRLF
 *     field-line   = token ":" OWS *( SP / HTAB / %x21-7E / %x80-FF ) OWS CRLF
 *     chunk        = 1*16HEXDIG *( ";" token ) [ "=" token ] CRLF data CRLF
 *     body         = *chunk "0" [ ext ] CRLF CRLF            (no trailers)
 */
#include "message/parser.h"

#include "base/macros.h"
#include "codec/hex.h"

enum {
    SEEN_HOST = 1 << 0,
    SEEN_LENGTH = 1 << 1,
    SEEN_CODING = 1 << 2,
    SEEN_CLOSE = 1 << 3,
    SEEN_KEEP_ALIVE = 1 << 4,
    SEEN_CONTINUE = 1 << 5,
};

enum body_state {
    BODY_LENGTH,   /* `left` bytes */
    BODY_SIZE,     /* hexadecimal digits of a chunk's size */
    BODY_EXT,      /* its extension, up to CR */
    BODY_SIZE_LF,  /* the line feed behind size and extension */
    BODY_CHUNK,    /* `left` bytes of it */
    BODY_CHUNK_CR, /* CR behind the data */
    BODY_CHUNK_LF, /* LF behind that */
    BODY_LAST_CR,  /* after the chunk of size 0 */
    BODY_LAST_LF,  /* the end */
    BODY_DONE,
};

/* In a chunk extension; a token byte leads from the first of each pair to the second. */
enum ext_state {
    EXT_NAME = 0,
    EXT_IN_NAME = 1,
    EXT_VALUE = 2,
    EXT_IN_VALUE = 3,
};

void http_parser_init(struct http_parser *parser, const struct http_head_limits *limits)
{
    ASSERT(limits->line_bytes_max <= INT16_MAX && limits->fields_bytes_max <= INT16_MAX);
    ASSERT(limits->fields_max <= HTTP_FIELDS_MAX);
    memset(parser, 0, offsetof(struct http_parser, fields));
    parser->limits = limits;
}

static enum http_parse bad(struct http_parser *parser, int status, const char *why)
{
    parser->status = status;
    parser->why = why;
    return HTTP_PARSE_BAD;
}

/* ---- Request line ---- */

static bool is_target(slice text, enum http_method method)
{
    if (text.len == 1 && text.ptr[0] == '*') {
        return method == HTTP_OPTIONS;
    }
    if (text.len == 0 || text.ptr[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || text.ptr[i] == '#') {
            return false;
        }
    }
    return true;
}

static enum http_parse parse_version(struct http_parser *parser, slice text)
{
    if (!slice_take_literal(&text, SLICE("HTTP/")) || text.len != 3 ||
        !byte_is_digit(text.ptr[0]) || text.ptr[1] != '.' || !byte_is_digit(text.ptr[2])) {
        return bad(parser, 400, "the request line does not end with a version");
    }
    if (text.ptr[0] != '1' || text.ptr[2] > '1') {
        return bad(parser, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    parser->version_minor = (uint8_t)(text.ptr[2] - '0');
    return HTTP_PARSE_DONE;
}

static enum http_parse parse_request_line(struct http_parser *parser, slice line)
{
    slice rest = line;
    slice method = slice_take_while(&rest, http_byte_is_token);
    if (method.len == 0 || !slice_take_literal(&rest, SLICE(" "))) {
        return bad(parser, 400, "the request line does not begin with a method and a space");
    }
    const uint8_t *space = rest.len > 0 ? memchr(rest.ptr, ' ', rest.len) : NULL;
    if (space == NULL) {
        return bad(parser, 400, "the request line has no version");
    }
    slice target = slice_take(&rest, (size_t)(space - rest.ptr));
    (void)slice_take(&rest, 1);
    enum http_parse version = parse_version(parser, rest);
    if (version != HTTP_PARSE_DONE) {
        return version;
    }
    if (!http_method_parse(method, &parser->method)) {
        return bad(parser, 501, "this method is not known here");
    }
    if (!is_target(target, parser->method)) {
        return bad(parser, 400, "the target must be a path that begins with / and is ASCII");
    }
    parser->target.at = (uint16_t)(target.ptr - line.ptr);
    parser->target.len = (uint16_t)target.len;
    return HTTP_PARSE_DONE;
}

/* ---- Field lines ---- */

/* Host is not interpreted, but it may not hold what only belongs to other parts of a URI. */
static bool is_host(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        bool is_fine = byte_is_digit(byte) || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z') || strchr("-._~:[]%!$&'()*+;=", byte) != NULL;
        if (!is_fine || byte == '\0') {
            return false;
        }
    }
    return text.len > 0;
}

static enum http_parse understand_host(struct http_parser *parser, slice value)
{
    if ((parser->seen & SEEN_HOST) != 0) {
        return bad(parser, 400, "there is more than one Host");
    }
    if (!is_host(value)) {
        return bad(parser, 400, "Host is not a host with an optional port");
    }
    parser->seen |= SEEN_HOST;
    return HTTP_PARSE_MORE;
}

/* The white space behind `value`, up to the CR of its line, was cut off. Others take spaces there
 * in the fields that frame a message, but no tabs. */
static bool ends_plainly(slice value)
{
    const uint8_t *p = value.ptr + value.len;
    while (*p == ' ') {
        p++;
    }
    return *p == '\r';
}

static enum http_parse understand_length(struct http_parser *parser, slice value)
{
    if ((parser->seen & SEEN_LENGTH) != 0) {
        return bad(parser, 400, "there is more than one Content-Length");
    }
    uint64_t length = 0;
    bool is_huge = false;
    for (size_t i = 0; i < value.len; i++) {
        if (!byte_is_digit(value.ptr[i])) {
            return bad(parser, 400, "Content-Length is not a number in decimal digits");
        }
        is_huge |= __builtin_mul_overflow(length, 10, &length);
        is_huge |= __builtin_add_overflow(length, (uint64_t)(value.ptr[i] - '0'), &length);
    }
    if (value.len == 0) {
        return bad(parser, 400, "Content-Length is empty");
    }
    if (!ends_plainly(value)) {
        return bad(parser, 400, "Content-Length ends with a tab");
    }
    if (is_huge || length > INT64_MAX) {
        return bad(parser, 413, "Content-Length is beyond any limit");
    }
    parser->seen |= SEEN_LENGTH;
    parser->has_length = true;
    parser->content_length = length;
    return HTTP_PARSE_MORE;
}

static enum http_parse understand_coding(struct http_parser *parser, slice value)
{
    if ((parser->seen & SEEN_CODING) != 0) {
        return bad(parser, 400, "there is more than one Transfer-Encoding");
    }
    if (!slice_equal(value, SLICE("chunked"))) {
        return bad(parser, 501, "the only transfer coding known here is chunked");
    }
    if (!ends_plainly(value)) {
        return bad(parser, 400, "Transfer-Encoding ends with a tab");
    }
    parser->seen |= SEEN_CODING;
    parser->is_chunked = true;
    return HTTP_PARSE_MORE;
}

static enum http_parse understand_connection(struct http_parser *parser, slice value)
{
    while (value.len > 0) {
        const uint8_t *comma = memchr(value.ptr, ',', value.len);
        slice option = slice_take(&value, comma != NULL ? (size_t)(comma - value.ptr) : value.len);
        if (comma != NULL) {
            (void)slice_take(&value, 1);
        }
        option = slice_trim(option);
        if (http_name_equal(option, SLICE("close"))) {
            parser->seen |= SEEN_CLOSE;
        } else if (http_name_equal(option, SLICE("keep-alive"))) {
            parser->seen |= SEEN_KEEP_ALIVE;
        }
    }
    return HTTP_PARSE_MORE;
}

static enum http_parse understand_expect(struct http_parser *parser, slice value)
{
    if (!http_name_equal(value, SLICE("100-continue"))) {
        return bad(parser, 417, "the only expectation known here is 100-continue");
    }
    parser->seen |= SEEN_CONTINUE;
    return HTTP_PARSE_MORE;
}

static enum http_parse understand(struct http_parser *parser, slice name, slice value)
{
    switch (name.len) {
    case 4:
        return http_name_equal(name, SLICE("host")) ? understand_host(parser, value)
                                                    : HTTP_PARSE_MORE;
    case 6:
        return http_name_equal(name, SLICE("expect")) ? understand_expect(parser, value)
                                                      : HTTP_PARSE_MORE;
    case 10:
        return http_name_equal(name, SLICE("connection")) ? understand_connection(parser, value)
                                                          : HTTP_PARSE_MORE;
    case 14:
        return http_name_equal(name, SLICE("content-length")) ? understand_length(parser, value)
                                                              : HTTP_PARSE_MORE;
    case 17:
        return http_name_equal(name, SLICE("transfer-encoding")) ? understand_coding(parser, value)
                                                                 : HTTP_PARSE_MORE;
    default:
        return HTTP_PARSE_MORE;
    }
}

static bool byte_is_value(uint8_t byte)
{
    return (byte >= ' ' && byte != 0x7f) || byte == '\t';
}

/* `line` is without its CRLF and begins `at` bytes into the request. */
static enum http_parse parse_field(struct http_parser *parser, slice line, uint32_t at)
{
    if (byte_is_space(line.ptr[0])) {
        return bad(parser, 400, "a header line is folded");
    }
    slice rest = line;
    slice name = slice_take_while(&rest, http_byte_is_token);
    if (name.len == 0 || !slice_take_literal(&rest, SLICE(":"))) {
        return bad(parser, 400, "a header line is not a name, a colon and a value");
    }
    slice_skip_spaces(&rest);
    slice value = slice_take_while(&rest, byte_is_value);
    if (rest.len > 0) {
        return bad(parser, 400, "a header value holds a control character");
    }
    while (value.len > 0 && byte_is_space(value.ptr[value.len - 1])) {
        value.len--;
    }
    if (parser->field_count == parser->limits->fields_max) {
        return bad(parser, 431, "there are too many header lines");
    }
    struct http_field *field = &parser->fields[parser->field_count++];
    field->name = (struct http_span){(uint16_t)at, (uint16_t)name.len};
    field->value =
        (struct http_span){(uint16_t)(at + (uint32_t)(value.ptr - line.ptr)), (uint16_t)value.len};
    return understand(parser, name, value);
}

/* ---- Head ---- */

/* What no single line can tell. */
static enum http_parse finish_head(struct http_parser *parser)
{
    bool is_new = parser->version_minor == 1;
    if (is_new && (parser->seen & SEEN_HOST) == 0) {
        return bad(parser, 400, "Host is missing");
    }
    if (parser->has_length && parser->is_chunked) {
        return bad(parser, 400, "there are both Content-Length and Transfer-Encoding");
    }
    if (parser->is_chunked && !is_new) {
        return bad(parser, 400, "HTTP/1.0 has no Transfer-Encoding");
    }
    bool needs_length =
        parser->method == HTTP_POST || parser->method == HTTP_PUT || parser->method == HTTP_PATCH;
    if (needs_length && !parser->has_length && !parser->is_chunked) {
        return bad(parser, 411,
                   "a request of this method needs Content-Length (0 without a body) or chunks");
    }
    bool has_close = (parser->seen & SEEN_CLOSE) != 0;
    bool has_keep_alive = (parser->seen & SEEN_KEEP_ALIVE) != 0;
    parser->keep_alive = !has_close && (is_new || has_keep_alive);
    parser->expects_continue =
        is_new && (parser->seen & SEEN_CONTINUE) != 0 && http_parser_has_body(parser);
    parser->body_state = parser->is_chunked ? BODY_SIZE : BODY_LENGTH;
    parser->left = parser->is_chunked ? 0 : parser->content_length;
    return HTTP_PARSE_DONE;
}

/* The limit of the part that the line at line_start belongs to; `end` is behind what is known of
 * it. Whether it is passed does not depend on how much came at once. */
static enum http_parse check_size(struct http_parser *parser, size_t end)
{
    if (parser->fields_start == 0) {
        return end > parser->limits->line_bytes_max
                   ? bad(parser, 414, "the request line is too long")
                   : HTTP_PARSE_MORE;
    }
    return end - parser->fields_start > parser->limits->fields_bytes_max
               ? bad(parser, 431, "the header lines are too long")
               : HTTP_PARSE_MORE;
}

/* `line` ends with its line feed. */
static enum http_parse parse_line(struct http_parser *parser, slice line)
{
    if (line.len < 2 || line.ptr[line.len - 2] != '\r') {
        return bad(parser, 400, "a line does not end with CR and LF");
    }
    uint32_t at = parser->line_start;
    line.len -= 2;
    parser->line_start = parser->scanned;
    if (parser->fields_start == 0) {
        parser->fields_start = parser->scanned;
        enum http_parse parsed = parse_request_line(parser, line);
        return parsed == HTTP_PARSE_DONE ? HTTP_PARSE_MORE : parsed;
    }
    return line.len == 0 ? finish_head(parser) : parse_field(parser, line, at);
}

enum http_parse http_parse_head(struct http_parser *parser, slice bytes, size_t *used_out)
{
    if (bytes.len > 0 && (bytes.ptr[0] < 'A' || bytes.ptr[0] > 'z')) {
        return bad(parser, 400, "this is not HTTP"); /* not even a method; TLS, most likely */
    }
    while (parser->scanned < bytes.len) {
        const uint8_t *from = bytes.ptr + parser->scanned;
        const uint8_t *feed = memchr(from, '\n', bytes.len - parser->scanned);
        size_t end = feed != NULL ? (size_t)(feed - bytes.ptr) + 1 : bytes.len;
        if (check_size(parser, end) == HTTP_PARSE_BAD) {
            return HTTP_PARSE_BAD;
        }
        parser->scanned = (uint32_t)end;
        if (feed == NULL) {
            return HTTP_PARSE_MORE;
        }
        slice line = {bytes.ptr + parser->line_start, end - parser->line_start};
        enum http_parse parsed = parse_line(parser, line);
        if (parsed == HTTP_PARSE_DONE) {
            *used_out = end;
        }
        if (parsed != HTTP_PARSE_MORE) {
            return parsed;
        }
    }
    return HTTP_PARSE_MORE;
}

bool http_parser_has_body(const struct http_parser *parser)
{
    return parser->is_chunked || parser->content_length > 0;
}

/* ---- Body ---- */

static enum http_parse step_size(struct http_parser *parser, uint8_t byte)
{
    int digit = hex_digit(byte);
    if (digit >= 0) {
        if (parser->size_digits == 15) {
            return bad(parser, 413, "the size of a chunk is beyond any limit");
        }
        parser->size_digits++;
        parser->left = parser->left * 16 + (uint64_t)digit;
        return HTTP_PARSE_MORE;
    }
    if (parser->size_digits == 0 || (byte != '\r' && byte != ';')) {
        return bad(parser, 400, "the size of a chunk is not a hexadecimal number");
    }
    parser->body_state = byte == '\r' ? BODY_SIZE_LF : BODY_EXT;
    parser->ext_bytes = 1;
    parser->ext_state = EXT_NAME;
    return HTTP_PARSE_MORE;
}

/* Names, the last one with a value or not: only what other parsers read alike (llhttp, for one,
 * takes nothing behind a value). */
static enum http_parse step_ext(struct http_parser *parser, uint8_t byte)
{
    bool is_in_word = parser->ext_state == EXT_IN_NAME || parser->ext_state == EXT_IN_VALUE;
    if (parser->ext_bytes == HTTP_CHUNK_EXT_BYTES_MAX) {
        return bad(parser, 400, "a chunk extension is too long");
    }
    parser->ext_bytes++;
    if (http_byte_is_token(byte)) {
        parser->ext_state |= 1;
    } else if (is_in_word && byte == '\r') {
        parser->body_state = BODY_SIZE_LF;
    } else if (parser->ext_state == EXT_IN_NAME && byte == ';') {
        parser->ext_state = EXT_NAME;
    } else if (parser->ext_state == EXT_IN_NAME && byte == '=') {
        parser->ext_state = EXT_VALUE;
    } else {
        return bad(parser, 400, "a chunk extension is malformed");
    }
    return HTTP_PARSE_MORE;
}

/* A byte that must be `wanted`; then the state is `next`. */
static enum http_parse step_exact(struct http_parser *parser, uint8_t byte, uint8_t wanted,
                                  enum body_state next)
{
    if (byte != wanted) {
        return bad(parser, 400,
                   parser->body_state == BODY_LAST_CR ? "trailers are not taken"
                                                      : "a chunk does not end with CR and LF");
    }
    parser->body_state = (uint8_t)next;
    if (next == BODY_SIZE) {
        parser->size_digits = 0;
        parser->left = 0;
    }
    return HTTP_PARSE_MORE;
}

static enum http_parse step_chunked(struct http_parser *parser, uint8_t byte)
{
    switch ((enum body_state)parser->body_state) {
    case BODY_SIZE:
        return step_size(parser, byte);
    case BODY_EXT:
        return step_ext(parser, byte);
    case BODY_SIZE_LF:
        return step_exact(parser, byte, '\n', parser->left > 0 ? BODY_CHUNK : BODY_LAST_CR);
    case BODY_CHUNK_CR:
        return step_exact(parser, byte, '\r', BODY_CHUNK_LF);
    case BODY_CHUNK_LF:
        return step_exact(parser, byte, '\n', BODY_SIZE);
    case BODY_LAST_CR:
        return step_exact(parser, byte, '\r', BODY_LAST_LF);
    case BODY_LAST_LF:
        return step_exact(parser, byte, '\n', BODY_DONE);
    case BODY_LENGTH:
    case BODY_CHUNK:
    case BODY_DONE:
        break;
    }
    ASSERT(parser->body_state > BODY_DONE); /* these eat no single bytes */
    return HTTP_PARSE_BAD;
}

static enum http_parse take_data(struct http_parser *parser, slice *bytes, slice *data_out)
{
    size_t n = parser->left < bytes->len ? (size_t)parser->left : bytes->len;
    *data_out = slice_take(bytes, n);
    parser->left -= n;
    if (parser->left == 0) {
        parser->body_state = parser->is_chunked ? BODY_CHUNK_CR : BODY_DONE;
    }
    return HTTP_PARSE_DATA;
}

enum http_parse http_parse_body(struct http_parser *parser, slice *bytes, slice *data_out)
{
    for (;;) {
        if (parser->body_state == BODY_DONE ||
            (parser->body_state == BODY_LENGTH && parser->left == 0)) {
            return HTTP_PARSE_END;
        }
        if (bytes->len == 0) {
            return HTTP_PARSE_MORE;
        }
        if (parser->body_state == BODY_LENGTH || parser->body_state == BODY_CHUNK) {
            return take_data(parser, bytes, data_out);
        }
        uint8_t byte = slice_take(bytes, 1).ptr[0];
        if (step_chunked(parser, byte) == HTTP_PARSE_BAD) {
            return HTTP_PARSE_BAD;
        }
    }
}
