/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * response - status, headers and body of an answer, before it is sent.
 *
 * Date, Content-Length or Transfer-Encoding, Connection and X-Request-Id are the server's; a
 * handler sets the rest.
 *
 * Threads: whoever holds the request.
 */

#include "base/buf.h"
#include "base/slice.h"

#define HTTP_TYPE_JSON    "application/json"
#define HTTP_TYPE_NDJSON  "application/x-ndjson"
#define HTTP_TYPE_PROBLEM "application/problem+json"
#define HTTP_TYPE_TEXT    "text/plain; charset=utf-8"
#define HTTP_TYPE_EVENTS  "text/event-stream"

struct http_response {
    int status;               /* 200 unless set; 204 and 304 have no body */
    const char *content_type; /* a literal; NULL when there is none */
    struct buf body;          /* at most response_bytes_max */
    struct buf headers;       /* complete lines, written by http_response_header() */
};

/* Adds a header line. `name` is ours (a token); a value with control bytes would split the
 * answer: then the line is left out. LIMIT is remembered in headers.failed and becomes 500. */
void http_response_header(struct http_response *response, const char *name, slice value);
void http_response_header_cstr(struct http_response *response, const char *name, const char *value);
void http_response_header_u64(struct http_response *response, const char *name, uint64_t value);

/* Adds header lines that are the program's own text, each ended by CR LF, as they are. */
void http_response_lines(struct http_response *response, slice lines);

/* Sets status and content type and copies `body` into the answer. */
void http_response_text(struct http_response *response, int status, const char *content_type,
                        slice body);

/* Back to an empty 200; memory is kept for the next answer up to a modest size. */
void http_response_reset(struct http_response *response);
