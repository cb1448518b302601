/* SPDX-License-Identifier: Apache-2.0 */
/* However the bytes of a request are split, it is taken apart in the same way; and what was taken
 * apart can be decoded without reading beside it. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "message/parser.h"
#include "message/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_head_limits limits = {.line_bytes_max = 512,
                                               .fields_bytes_max = 1024,
                                               .fields_max = 16};

struct outcome {
    struct http_parser parser;
    enum http_parse last;
    size_t head;
    size_t used;
    struct buf body;
};

static void take_body(struct outcome *out, slice piece)
{
    size_t given = piece.len;
    do {
        slice data = {0};
        size_t before = piece.len;
        out->last = http_parse_body(&out->parser, &piece, &data);
        ASSERT(piece.len <= before);
        ASSERT(out->last != HTTP_PARSE_DATA || data.len > 0);
        buf_append(&out->body, data);
    } while (out->last == HTTP_PARSE_DATA);
    out->used += given - piece.len;
}

/* `seed` 0: all at once. */
static void parse(slice bytes, uint32_t seed, struct outcome *out)
{
    http_parser_init(&out->parser, &limits);
    buf_init(&out->body, bytes.len + 1);
    out->last = HTTP_PARSE_MORE;
    size_t known = 0;
    while (known < bytes.len && out->last != HTTP_PARSE_BAD && out->last != HTTP_PARSE_END) {
        seed = seed * 1664525 + 1013904223;
        size_t step = seed % 7 == 0 ? seed % 97 + 1 : seed % 5 + 1;
        known = seed == 1013904223 || known + step > bytes.len ? bytes.len : known + step;
        if (out->head == 0) {
            out->last = http_parse_head(&out->parser, (slice){bytes.ptr, known}, &out->head);
            ASSERT(out->head <= known);
            out->used = out->head;
        }
        if (out->head > 0) {
            take_body(out, (slice){bytes.ptr + out->used, known - out->used});
        }
    }
    ASSERT(out->used <= bytes.len);
}

static void compare(const struct outcome *a, const struct outcome *b)
{
    ASSERT(a->last == b->last);
    ASSERT(a->parser.status == b->parser.status);
    ASSERT(a->head == b->head);
    ASSERT(slice_equal(buf_slice(&a->body), buf_slice(&b->body)));
    if (a->last == HTTP_PARSE_BAD) {
        return;
    }
    ASSERT(a->used == b->used);
    ASSERT(a->parser.field_count == b->parser.field_count);
    ASSERT(a->parser.keep_alive == b->parser.keep_alive);
    for (size_t i = 0; i < a->parser.field_count; i++) {
        ASSERT(memcmp(&a->parser.fields[i], &b->parser.fields[i], sizeof(struct http_field)) == 0);
    }
}

static void decode(slice bytes, const struct http_parser *parser)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(65536);
    slice path = {bytes.ptr + parser->target.at, parser->target.len};
    slice segments[HTTP_SEGMENTS_MAX];
    const struct http_param *params = NULL;
    size_t count = 0;
    const char *why = NULL;
    const uint8_t *mark = memchr(path.ptr, '?', path.len);
    slice query = {0};
    if (mark != NULL) {
        query = (slice){mark + 1, path.len - (size_t)(mark - path.ptr) - 1};
        path.len = (size_t)(mark - path.ptr);
    }
    if (http_path_split(&arena, path, segments, &count, &why) == OK) {
        ASSERT(count >= 1 && count <= HTTP_SEGMENTS_MAX);
        for (size_t i = 0; i < count; i++) {
            ASSERT(segments[i].len == 0 || memchr(segments[i].ptr, 0, segments[i].len) == NULL);
        }
    }
    if (http_query_split(&arena, query, &params, &count, &why) == OK) {
        ASSERT(count <= HTTP_QUERY_PARAMS_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice bytes = {data, size};
    struct outcome whole = {0};
    parse(bytes, 0, &whole);
    for (uint32_t seed = 1; seed < 6; seed++) {
        struct outcome split = {0};
        parse(bytes, seed, &split);
        compare(&whole, &split);
        buf_release(&split.body);
    }
    if (whole.head > 0) {
        decode(bytes, &whole.parser);
    }
    buf_release(&whole.body);
    return 0;
}
