/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * write - JSON out, into a buf. Commas and closing brackets are its business; the first error
 * sticks and json_end() tells it, so that a handler checks once.
 *
 *   struct json_writer w = json_writer_to(&buf);
 *   json_begin_object(&w, NULL);
 *   json_u64(&w, "seq", seq);
 *   TRY(json_end(&w));             closes what is open
 *
 * `key` is the member's name inside an object (plain ASCII that needs no escapes) and NULL inside
 * an array, at the top, or behind json_key(). Nesting beyond JSON_WRITE_DEPTH_MAX is a bug.
 *
 * Threads: one owner at a time.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define JSON_WRITE_DEPTH_MAX 32

struct json_writer {
    struct buf *out; /* borrowed */
    uint32_t depth;
    bool needs_comma;
    bool has_key; /* json_key() was called, its value was not */
    char closers[JSON_WRITE_DEPTH_MAX];
};

struct json_writer json_writer_to(struct buf *out);

void json_begin_object(struct json_writer *writer, const char *key);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer, const char *key);
void json_end_array(struct json_writer *writer);

/* The name of the next value, for names that are data: any UTF-8. */
void json_key(struct json_writer *writer, slice name);

void json_str(struct json_writer *writer, const char *key, slice text); /* UTF-8 */
void json_cstr(struct json_writer *writer, const char *key, const char *text);
void json_u64(struct json_writer *writer, const char *key, uint64_t number);
void json_i64(struct json_writer *writer, const char *key, int64_t number);
void json_bool(struct json_writer *writer, const char *key, bool truth);
void json_hex(struct json_writer *writer, const char *key, slice bytes); /* lower case */
void json_raw(struct json_writer *writer, const char *key, slice json);  /* valid JSON */
/* RFC 3339, of microseconds since 1970. */
void json_time(struct json_writer *writer, const char *key, int64_t us);

/* Closes what is open. LIMIT when the buf did not suffice. */
enum err json_end(struct json_writer *writer);

/* Inline, because jansson has a symbol of this name. */
static inline void json_null(struct json_writer *writer, const char *key)
{
    json_raw(writer, key, SLICE("null"));
}

/* 0: null. */
static inline void json_time_or_null(struct json_writer *writer, const char *key, int64_t us)
{
    if (us == 0) {
        json_null(writer, key);
    } else {
        json_time(writer, key, us);
    }
}
