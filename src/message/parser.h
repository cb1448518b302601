/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * parser - one HTTP/1.1 request, taken apart strictly (RFC 9112 without its tolerances).
 *
 * What another program in front of us could read differently is refused: bare CR or LF, folded
 * lines, space before a colon, two lengths, a length and a coding, trailers, absolute targets.
 * The table of refusals is in docs/adr/0003-own-http-front.md and in parser_test.c.
 *
 *     head  = request-line *( field-line CRLF ) CRLF     http_parse_head(), until DONE
 *     body  = by Content-Length, or chunked              http_parse_body(), until END
 *
 * The result does not depend on how the bytes were split. Nothing is copied or allocated: spans
 * are offsets from the first byte of the request, so the bytes may move between calls.
 *
 * Threads: one owner at a time.
 */

#include "message/words.h"

#define HTTP_FIELDS_MAX          100
#define HTTP_CHUNK_EXT_BYTES_MAX 128

struct http_span {
    uint16_t at;
    uint16_t len;
};

struct http_field {
    struct http_span name;
    struct http_span value; /* without the white space around it */
};

/* Each at most 32,767, so that a span reaches everything. */
struct http_head_limits {
    uint32_t line_bytes_max;   /* request line with its CRLF: 414 */
    uint32_t fields_bytes_max; /* all field lines with theirs: 431 */
    uint32_t fields_max;       /* at most HTTP_FIELDS_MAX: 431 */
};

enum http_parse {
    HTTP_PARSE_MORE, /* everything given was looked at; more bytes are needed */
    HTTP_PARSE_DONE, /* head: it is complete */
    HTTP_PARSE_DATA, /* body: a piece of it */
    HTTP_PARSE_END,  /* body: it is complete */
    HTTP_PARSE_BAD,  /* refused: see `status` and `why`; the connection has no future */
};

struct http_parser {
    /* Valid after DONE. */
    enum http_method method;
    uint8_t version_minor; /* 1 or 0 */
    struct http_span target;
    uint32_t field_count;
    bool has_length;
    bool is_chunked;
    bool keep_alive;       /* what the client wishes, its version considered */
    bool expects_continue; /* and a body follows, and the version is 1.1 */
    uint64_t content_length;

    /* Valid after BAD. */
    int status;
    const char *why; /* one sentence, no full stop */

    /* The parser's own. */
    const struct http_head_limits *limits;
    uint32_t line_start; /* first byte of the line that is not yet complete */
    uint32_t scanned;    /* up to here there is no line feed after line_start */
    uint32_t fields_start;
    uint32_t seen; /* which of the framing fields came already */
    uint8_t body_state;
    uint8_t size_digits;
    uint8_t ext_bytes;
    uint8_t ext_state;
    uint64_t left; /* of the body, or of the chunk */

    struct http_field fields[HTTP_FIELDS_MAX]; /* the first field_count are set */
};

/* Ready for a request. `limits` outlives the parser. */
void http_parser_init(struct http_parser *parser, const struct http_head_limits *limits);

/* `bytes` is what is known of the request from its first byte on; after MORE call again with the
 * same bytes and more behind them. DONE sets *used_out to the length of the head. */
enum http_parse http_parse_head(struct http_parser *parser, slice bytes, size_t *used_out);

/* After DONE. Eats from the front of *bytes: DATA with a piece in *data_out (a part of *bytes, not
 * empty), MORE when all is eaten, END with what follows the request left in *bytes. */
enum http_parse http_parse_body(struct http_parser *parser, slice *bytes, slice *data_out);

/* Whether a body of at least one byte may follow the head. */
bool http_parser_has_body(const struct http_parser *parser);
