/* SPDX-License-Identifier: Apache-2.0 */
/* Every row is fed whole, byte by byte, and cut in two at every position: one result. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/test.h"
#include "message/parser.h"

static const struct http_head_limits limits = {.line_bytes_max = 8192,
                                               .fields_bytes_max = 16384,
                                               .fields_max = 100};

struct row {
    const char *name;
    const char *bytes;
    size_t len;         /* 0: strlen */
    int status;         /* 0: accepted */
    const char *target; /* of an accepted one */
    const char *body;
    const char *rest; /* what follows it */
};

struct outcome {
    enum http_parse last;
    int status;
    char target[64];
    struct buf body;
    size_t used;
};

/* Gives the parser `parts` of the bytes, each up to cuts[i]. */
static void feed(slice bytes, const size_t *cuts, size_t cut_count, struct outcome *out)
{
    struct http_parser parser;
    http_parser_init(&parser, &limits);
    buf_init(&out->body, MIB(1));
    size_t head = 0;
    size_t at = 0;
    for (size_t i = 0; i < cut_count; i++) {
        slice seen = {bytes.ptr, cuts[i]};
        if (head == 0) {
            out->last = http_parse_head(&parser, seen, &head);
            at = head;
        }
        if (out->last == HTTP_PARSE_BAD) {
            break;
        }
        slice piece = {bytes.ptr + at, cuts[i] - at};
        while (head > 0) {
            slice data = {0};
            out->last = http_parse_body(&parser, &piece, &data);
            buf_append(&out->body, data);
            if (out->last != HTTP_PARSE_DATA) {
                break;
            }
        }
        at = head > 0 ? cuts[i] - piece.len : at;
        if (out->last == HTTP_PARSE_END || out->last == HTTP_PARSE_BAD) {
            break;
        }
    }
    out->used = at;
    out->status = out->last == HTTP_PARSE_BAD ? parser.status : 0;
    (void)snprintf(out->target, sizeof(out->target), "%.*s", head > 0 ? parser.target.len : 0,
                   head > 0 ? (const char *)bytes.ptr + parser.target.at : "");
}

static void check(const struct row *row, slice bytes, const size_t *cuts, size_t cut_count)
{
    struct outcome out = {0};
    feed(bytes, cuts, cut_count, &out);
    assert_int_equal(out.status, row->status);
    if (row->status == 0) {
        assert_int_equal(out.last, HTTP_PARSE_END);
        assert_string_equal(out.target, row->target);
        assert_slice_equal(buf_slice(&out.body), row->body);
        slice rest = {bytes.ptr + out.used, bytes.len - out.used};
        slice whole_rest = slice_from_cstr(row->rest != NULL ? row->rest : "");
        assert_true(rest.len <= whole_rest.len);
    }
    buf_release(&out.body);
}

static void row_is_judged_however_it_is_split(void **state)
{
    const struct row *row = *state;
    size_t len = row->len > 0 ? row->len : strlen(row->bytes);
    uint8_t *copy = malloc(len); /* exact, so that a byte too many is found */
    size_t *cuts = malloc(len * sizeof(*cuts));
    assert_true(copy != NULL && cuts != NULL);
    memcpy(copy, row->bytes, len);
    slice bytes = {copy, len};
    for (size_t cut = 1; cut <= len; cut++) {
        check(row, bytes, (size_t[]){cut, len}, 2);
        cuts[cut - 1] = cut;
    }
    check(row, bytes, cuts, len);
    free(cuts);
    free(copy);
}

#define HOST "Host: h\r\n"
#define GET  "GET / HTTP/1.1\r\n" HOST
#define POST "POST /e HTTP/1.1\r\n" HOST
#define CHUNKED                                                                                    \
    POST "Transfer-Encoding: chunked\r\n"                                                          \
         "\r\n"
#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

static const struct row rows[] = {
    /* Accepted. */
    {"a GET", GET "\r\n", .target = "/", .body = ""},
    {"a query", "GET /a?b=%20c HTTP/1.1\r\n" HOST "\r\n", .target = "/a?b=%20c", .body = ""},
    {"an asterisk", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", .target = "*", .body = ""},
    {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", .target = "/", .body = ""},
    {"a body by length", POST "Content-Length: 5\r\n\r\nhello", .target = "/e", .body = "hello"},
    {"leading zeros", POST "Content-Length: 0005\r\n\r\nhello", .target = "/e", .body = "hello"},
    {"no body", POST "Content-Length: 0\r\n\r\n", .target = "/e", .body = ""},
    {"chunks", CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", .target = "/e",
     .body = "hello world"},
    {"chunk extensions", CHUNKED "5;c;a=b\r\nhello\r\n0;x\r\n\r\n", .target = "/e",
     .body = "hello"},
    {"upper and lower hexadecimal", CHUNKED "00a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
     .target = "/e", .body = "01234567890123456789"},
    {"a second request behind", GET "\r\nGET / HTTP/1.1\r\n", .target = "/", .body = "",
     .rest = "GET / HTTP/1.1\r\n"},
    {"tabs and spaces around a value", GET "A: \t b \t \r\n\r\n", .target = "/", .body = ""},
    {"an empty value", GET "A:\r\n\r\n", .target = "/", .body = ""},
    {"bytes above ASCII in a value", GET "A: \xc3\xa9\r\n\r\n", .target = "/", .body = ""},
    {"an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", .target = "/", .body = ""},

    /* The table of HTTP.md. */
    {"garbage", "\x16\x03\x01\x02garbage\r\n\r\n", .status = 400},
    {"garbage in letters", "GARBAGE\r\n\r\n", .status = 400},
    {"version 9.9", "GET / HTTP/9.9\r\n" HOST "\r\n", .status = 505},
    {"HTTP/0.9", "GET /\r\n\r\n", .status = 400},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", .status = 400},
    {"two lengths", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", .status = 400},
    {"length and chunked", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     .status = 400},
    {"chunked and length", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
     .status = 400},
    {"length -1", POST "Content-Length: -1\r\n\r\n", .status = 400},
    {"length +2", POST "Content-Length: +2\r\n\r\nab", .status = 400},
    {"length 2x", POST "Content-Length: 2x\r\n\r\nab", .status = 400},
    {"length 2^64+2", POST "Content-Length: 18446744073709551618\r\n\r\nab", .status = 413},
    {"chunk zz", CHUNKED "zz\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"chunk overflow", CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n", .status = 413},
    {"coding xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n", .status = 501},
    {"coding chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n",
     .status = 501},
    {"a space before the colon", GET "A : b\r\n\r\n", .status = 400},
    {"a space before the colon of the length", POST "Content-Length : 5\r\n\r\nhello",
     .status = 400},
    {"a folded line", GET "A: b\r\n c\r\n\r\n", .status = 400},
    {"NUL in a value", GET "A: b\0c\r\n\r\n", sizeof(GET "A: b\0c\r\n\r\n") - 1, .status = 400},
    {"bare CR in a value", GET "A: b\rc\r\n\r\n", .status = 400},
    {"bare LF", "GET / HTTP/1.1\nHost: h\n\n", .status = 400},
    {"bare LF after a field", GET "A: b\nC: d\r\n\r\n", .status = 400},
    {"a line without colon", GET "nocolon\r\n\r\n", .status = 400},
    {"a control character in the target", "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", .status = 400},
    {"POST without length", POST "\r\n", .status = 411},
    {"a method in lower case", "get / HTTP/1.1\r\n" HOST "\r\n", .status = 501},

    /* More of the kind. */
    {"two Hosts", GET HOST "\r\n", .status = 400},
    {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .status = 400},
    {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .status = 400},
    {"a Host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", .status = 400},
    {"the same length twice", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
     .status = 400},
    {"a list of lengths", POST "Content-Length: 5, 5\r\n\r\nhello", .status = 400},
    {"an empty length", POST "Content-Length:\r\n\r\n", .status = 400},
    {"a length and a tab", POST "Content-Length: 5 \t\r\n\r\nhello", .status = 400},
    {"a coding and a tab", POST "Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", .status = 400},
    {"a length in hexadecimal", POST "Content-Length: 0x5\r\n\r\nhello", .status = 400},
    {"two codings", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     .status = 400},
    {"a coding in capitals", POST "Transfer-Encoding: Chunked\r\n\r\n", .status = 501},
    {"an empty coding", POST "Transfer-Encoding:\r\n\r\n", .status = 501},
    {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .status = 400},
    {"PUT without length", "PUT / HTTP/1.1\r\n" HOST "\r\n", .status = 411},
    {"an empty line first", "\r\n" GET "\r\n", .status = 400},
    {"an absolute target", "GET http://h/ HTTP/1.1\r\n" HOST "\r\n", .status = 400},
    {"an authority as target", "CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n", .status = 501},
    {"an asterisk for GET", "GET * HTTP/1.1\r\n" HOST "\r\n", .status = 400},
    {"a fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", .status = 400},
    {"bytes above ASCII in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", .status = 400},
    {"two spaces before the target", "GET  / HTTP/1.1\r\n" HOST "\r\n", .status = 400},
    {"two spaces before the version", "GET /  HTTP/1.1\r\n" HOST "\r\n", .status = 400},
    {"a space behind the version", "GET / HTTP/1.1 \r\n" HOST "\r\n", .status = 400},
    {"a tab in the request line", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", .status = 400},
    {"version 1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", .status = 505},
    {"version 2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .status = 505},
    {"version 1.10", "GET / HTTP/1.10\r\n" HOST "\r\n", .status = 400},
    {"version in lower case", "GET / http/1.1\r\n" HOST "\r\n", .status = 400},
    {"a name with a space", GET "A b: c\r\n\r\n", .status = 400},
    {"an empty name", GET ": c\r\n\r\n", .status = 400},
    {"a folded first line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", .status = 400},
    {"DEL in a value", GET "A: \x7f\r\n\r\n", .status = 400},
    {"CR CR LF", GET "A: b\r\r\n\r\n", .status = 400},
    {"another expectation", POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", .status = 417},
    {"trailers", CHUNKED "0\r\nA: b\r\n\r\n", .status = 400},
    {"a chunk without size", CHUNKED "\r\nhello\r\n", .status = 400},
    {"a chunk with a sign", CHUNKED "+5\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"a chunk with 0x", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"a chunk with a space", CHUNKED "5 \r\nhello\r\n0\r\n\r\n", .status = 400},
    {"a chunk that ends with LF", CHUNKED "5\nhello\r\n0\r\n\r\n", .status = 400},
    {"a chunk longer than it says", CHUNKED "4\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"chunk data that ends with LF", CHUNKED "5\r\nhello\n0\r\n\r\n", .status = 400},
    {"a control character in an extension", CHUNKED "5;\x01\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"a quoted extension", CHUNKED "5;a=\"b\"\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"an extension with spaces", CHUNKED "5; a\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"an extension behind a value", CHUNKED "5;a=b;c\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"an extension without name", CHUNKED "5;\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"an extension without value", CHUNKED "5;a=\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"a long extension", CHUNKED "5;" X64 X64 "\r\nhello\r\n0\r\n\r\n", .status = 400},
    {"a bare LF in an extension", CHUNKED "5;a\nhello\r\n0\r\n\r\n", .status = 400},
};

/* ---- Limits, which need longer requests ---- */

struct limit_row {
    const char *name;
    const char *before;
    const char *repeated;
    size_t count;
    const char *after;
    int status;
};

static const struct limit_row limit_rows[] = {
    {"a request line of 8 KiB", "GET /", "x", 8192 - 16, " HTTP/1.1\r\n" HOST "\r\n", 0},
    {"and a byte", "GET /", "x", 8192 - 15, " HTTP/1.1\r\n" HOST "\r\n", 414},
    {"a target of 100 KB", "GET /", "x", 100000, " HTTP/1.1\r\n" HOST "\r\n", 414},
    {"a target of 100 KB without end", "GET /", "x", 100000, "", 414},
    {"a method of 100 KB", "", "X", 100000, " / HTTP/1.1\r\n" HOST "\r\n", 414},
    {"fields of 16 KiB", GET "A: ", "x", 16384 - 9 - 7, "\r\n\r\n", 0},
    {"and one byte more", GET "A: ", "x", 16384 - 9 - 6, "\r\n\r\n", 431},
    {"a header of 100 KB", GET "A: ", "x", 100000, "\r\n\r\n", 431},
    {"100 lines", GET, "A: b\r\n", 99, "\r\n", 0},
    {"101 lines", GET, "A: b\r\n", 100, "\r\n", 431},
    {"5,000 lines", GET, "A: b\r\n", 5000, "\r\n", 431},
};

static void limit_is_kept_however_it_is_split(void **state)
{
    const struct limit_row *row = *state;
    struct buf text = BUF_INIT(MIB(1));
    buf_append_cstr(&text, row->before);
    for (size_t i = 0; i < row->count; i++) {
        buf_append_cstr(&text, row->repeated);
    }
    buf_append_cstr(&text, row->after);
    size_t steps[] = {1, 7, 1000, text.len};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        size_t *cuts = calloc(text.len, sizeof(*cuts));
        assert_non_null(cuts);
        size_t n = 0;
        for (size_t at = steps[i]; at < text.len; at += steps[i]) {
            cuts[n++] = at;
        }
        cuts[n++] = text.len;
        struct outcome out = {0};
        feed(buf_slice(&text), cuts, n, &out);
        assert_int_equal(out.status, row->status);
        buf_release(&out.body);
        free(cuts);
    }
    buf_release(&text);
}

struct wish_row {
    const char *name;
    const char *bytes;
    bool keep_alive;
    bool expects_continue;
};

static const struct wish_row wish_rows[] = {
    {"1.1 stays", GET "\r\n", true, false},
    {"1.1 with close", GET "Connection: close\r\n\r\n", false, false},
    {"close in a list", GET "Connection: x , CLOSE\r\n\r\n", false, false},
    {"close and keep-alive", GET "Connection: close\r\nConnection: keep-alive\r\n\r\n", false,
     false},
    {"1.0 ends", "GET / HTTP/1.0\r\n\r\n", false, false},
    {"1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true, false},
    {"an expectation", POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", true, true},
    {"an expectation without body", POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", true,
     false},
    {"an expectation in 1.0",
     "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", false, false},
};

static void wishes_are_understood(void **state)
{
    const struct wish_row *row = *state;
    struct http_parser parser;
    http_parser_init(&parser, &limits);
    size_t used = 0;
    assert_int_equal(http_parse_head(&parser, slice_from_cstr(row->bytes), &used), HTTP_PARSE_DONE);
    assert_int_equal(parser.keep_alive, row->keep_alive);
    assert_int_equal(parser.expects_continue, row->expects_continue);
}

static void fields_are_spans(void **state)
{
    UNUSED(state);
    const char *text = "GET / HTTP/1.1\r\nHost: h\r\nX-A:  b c \r\n\r\n";
    struct http_parser parser;
    http_parser_init(&parser, &limits);
    size_t used = 0;
    assert_int_equal(http_parse_head(&parser, slice_from_cstr(text), &used), HTTP_PARSE_DONE);
    assert_int_equal(used, 39);
    assert_int_equal(parser.field_count, 2);
    assert_int_equal(parser.fields[1].name.at, 25);
    assert_int_equal(parser.fields[1].name.len, 3);
    assert_int_equal(parser.fields[1].value.at, 31);
    assert_int_equal(parser.fields[1].value.len, 3);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(rows) + COUNT_OF(limit_rows) + COUNT_OF(wish_rows) + 1];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tests[n++] = (struct CMUnitTest){.name = rows[i].name,
                                         .test_func = row_is_judged_however_it_is_split,
                                         .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    for (size_t i = 0; i < COUNT_OF(limit_rows); i++) {
        tests[n++] = (struct CMUnitTest){.name = limit_rows[i].name,
                                         .test_func = limit_is_kept_however_it_is_split,
                                         .initial_state = (void *)(uintptr_t)&limit_rows[i]};
    }
    for (size_t i = 0; i < COUNT_OF(wish_rows); i++) {
        tests[n++] = (struct CMUnitTest){.name = wish_rows[i].name,
                                         .test_func = wishes_are_understood,
                                         .initial_state = (void *)(uintptr_t)&wish_rows[i]};
    }
    tests[n++] = (struct CMUnitTest){.name = "fields are spans", .test_func = fields_are_spans};
    return _cmocka_run_group_tests("parser", tests, n, NULL, NULL);
}
