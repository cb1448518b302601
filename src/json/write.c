/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"

#include "codec/hex.h"
#include "codec/time.h"
#include "json/json.h"

struct json_writer json_writer_to(struct buf *out)
{
    ASSERT(out != NULL);
    return (struct json_writer){.out = out};
}

/* The comma and the name that stand before a value. */
static void before_value(struct json_writer *writer, const char *key)
{
    if (writer->has_key) {
        ASSERT(key == NULL);
        writer->has_key = false;
        return;
    }
    if (writer->needs_comma) {
        buf_append_byte(writer->out, ',');
    }
    bool in_object = writer->depth > 0 && writer->closers[writer->depth - 1] == '}';
    ASSERT(in_object == (key != NULL));
    if (key != NULL) {
        buf_append_byte(writer->out, '"');
        buf_append_cstr(writer->out, key);
        buf_append(writer->out, SLICE("\":"));
    }
    writer->needs_comma = true;
}

static void begin(struct json_writer *writer, const char *key, char opener, char closer)
{
    before_value(writer, key);
    ASSERT(writer->depth < JSON_WRITE_DEPTH_MAX);
    buf_append_byte(writer->out, (uint8_t)opener);
    writer->closers[writer->depth++] = closer;
    writer->needs_comma = false;
}

static void end(struct json_writer *writer)
{
    buf_append_byte(writer->out, (uint8_t)writer->closers[--writer->depth]);
    writer->needs_comma = true;
}

void json_begin_object(struct json_writer *writer, const char *key)
{
    begin(writer, key, '{', '}');
}

void json_begin_array(struct json_writer *writer, const char *key)
{
    begin(writer, key, '[', ']');
}

void json_end_object(struct json_writer *writer)
{
    ASSERT(writer->depth > 0 && !writer->has_key);
    ASSERT(writer->closers[writer->depth - 1] == '}');
    end(writer);
}

void json_end_array(struct json_writer *writer)
{
    ASSERT(writer->depth > 0);
    ASSERT(writer->closers[writer->depth - 1] == ']');
    end(writer);
}

void json_key(struct json_writer *writer, slice name)
{
    ASSERT(writer->depth > 0 && writer->closers[writer->depth - 1] == '}' && !writer->has_key);
    if (writer->needs_comma) {
        buf_append_byte(writer->out, ',');
    }
    json_quote(writer->out, name);
    buf_append_byte(writer->out, ':');
    writer->needs_comma = true;
    writer->has_key = true;
}

void json_str(struct json_writer *writer, const char *key, slice text)
{
    before_value(writer, key);
    json_quote(writer->out, text);
}

void json_cstr(struct json_writer *writer, const char *key, const char *text)
{
    json_str(writer, key, slice_from_cstr(text));
}

void json_u64(struct json_writer *writer, const char *key, uint64_t number)
{
    before_value(writer, key);
    buf_append_u64(writer->out, number);
}

void json_i64(struct json_writer *writer, const char *key, int64_t number)
{
    before_value(writer, key);
    buf_append_i64(writer->out, number);
}

void json_bool(struct json_writer *writer, const char *key, bool truth)
{
    before_value(writer, key);
    buf_append_cstr(writer->out, truth ? "true" : "false");
}

void json_hex(struct json_writer *writer, const char *key, slice bytes)
{
    struct buf *out = writer->out;
    before_value(writer, key);
    buf_append_byte(out, '"');
    if (buf_reserve(out, 2 * bytes.len)) {
        hex_encode(bytes, (char *)out->ptr + out->len);
        out->len += 2 * bytes.len;
    }
    buf_append_byte(out, '"');
}

void json_time(struct json_writer *writer, const char *key, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(us, text);
    json_str(writer, key, (slice){(const uint8_t *)text, sizeof(text)});
}

void json_raw(struct json_writer *writer, const char *key, slice json)
{
    before_value(writer, key);
    buf_append(writer->out, json);
}

enum err json_end(struct json_writer *writer)
{
    ASSERT(!writer->has_key);
    while (writer->depth > 0) {
        end(writer);
    }
    return buf_check(writer->out);
}
