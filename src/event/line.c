/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical line. Room for the whole line is reserved once, as if nothing needed an escape;
 * only a text that does takes the long road.
 */
#include "codec/time.h"
#include "event/event.h"
#include "json/bytes.h"
#include "json/json.h"

enum { MEMBER_BYTES_MAX = 80 }; /* comma, name, colon, quotes, and a value that is no text */

static size_t format_number(uint64_t number, char *out)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(out, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}

static slice format_value(const union value *value, enum field_type type,
                          char scratch[FIELD_TEXT_BYTES_MAX])
{
    size_t len = 0;
    switch (type) {
    case TYPE_UUID:
        uuid_format(&value->uuid, scratch);
        len = UUID_TEXT_BYTES;
        break;
    case TYPE_TIME:
        time_format_rfc3339(value->number, scratch);
        len = TIME_TEXT_BYTES;
        break;
    case TYPE_INTEGER:
        len = format_number((uint64_t)value->number, scratch);
        break;
    case TYPE_BOOLEAN:
        len = value->number != 0 ? 4 : 5;
        memcpy(scratch, value->number != 0 ? "true" : "false", len);
        break;
    case TYPE_TEXT:
    case TYPE_ADDRESS:
    case TYPE_CHOICE:
    case TYPE_JSON:
        return value->text;
    }
    return (slice){(const uint8_t *)scratch, len};
}

slice event_value_text(const struct event *event, enum field field,
                       char scratch[FIELD_TEXT_BYTES_MAX])
{
    ASSERT(event_has(event, field));
    return format_value(&event->value[field], fields[field].type, scratch);
}

static inline bool is_bare(enum field_type type)
{
    return type == TYPE_INTEGER || type == TYPE_BOOLEAN || type == TYPE_JSON;
}

void event_write_value(const struct event *event, enum field field, struct buf *out)
{
    char scratch[FIELD_TEXT_BYTES_MAX];
    slice text = event_value_text(event, field, scratch);
    if (is_bare(fields[field].type)) {
        buf_append(out, text);
    } else {
        json_quote(out, text);
    }
}

enum { PREFIX_BYTES_MAX = 32 };

/* ,"name": as it stands before a value. All have one size, so that copying one is two moves. */
struct prefix {
    uint8_t bytes[PREFIX_BYTES_MAX];
    size_t len;
};

static const struct prefix prefixes[FIELD_COUNT] = {
#define FIELD(id, stored, name, type, max, flags, other_names)                                     \
    [FIELD_##id] = {",\"" name "\":", sizeof(",\"" name "\":") - 1},
#include "event/fields.def"
#undef FIELD
};

#define FIELD(id, stored, name, type, max, flags, other_names)                                     \
    static_assert(sizeof(",\"" name "\":") <= PREFIX_BYTES_MAX, "room for a member is bounded");
#include "event/fields.def"
#undef FIELD

static inline bool is_text(enum field_type type)
{
    return type == TYPE_TEXT || type == TYPE_ADDRESS || type == TYPE_CHOICE || type == TYPE_JSON;
}

/* Room for the members from `rest` on, if no text needs an escape, and for the last bracket. */
static size_t members_bytes(const struct event *event, uint64_t rest)
{
    size_t bytes = 2;
    for (; rest != 0; rest &= rest - 1) {
        enum field field = (enum field)__builtin_ctzll(rest);
        bytes += MEMBER_BYTES_MAX;
        bytes += is_text(fields[field].type) ? event->value[field].text.len : 0;
    }
    return bytes;
}

/* Short texts are copied as two pieces that overlap: calling memcpy() costs more than copying. */
static inline uint8_t *put(uint8_t *p, slice bytes)
{
    if (bytes.len > 32 || bytes.len < 8) {
        memcpy(p, bytes.ptr, bytes.len);
    } else if (bytes.len >= 16) {
        memcpy(p, bytes.ptr, 16);
        memcpy(p + bytes.len - 16, bytes.ptr + bytes.len - 16, 16);
    } else {
        memcpy(p, bytes.ptr, 8);
        memcpy(p + bytes.len - 8, bytes.ptr + bytes.len - 8, 8);
    }
    return p + bytes.len;
}

static inline uint8_t *put_quoted(uint8_t *p, slice text)
{
    *p++ = '"';
    p = put(p, text);
    *p++ = '"';
    return p;
}

/* A member whose value needs no escape, into room that is there. NULL if it does. */
static uint8_t *put_member(uint8_t *p, const struct event *event, enum field field)
{
    const union value *value = &event->value[field];
    enum field_type type = fields[field].type;
    char scratch[FIELD_TEXT_BYTES_MAX];
    slice text = format_value(value, type, scratch);
    if (is_text(type) && type != TYPE_JSON && json_has_escaped(text)) {
        return NULL;
    }
    memcpy(p, prefixes[field].bytes, PREFIX_BYTES_MAX); /* what is too much is written over */
    p += prefixes[field].len;
    return is_bare(type) ? put(p, text) : put_quoted(p, text);
}

void event_write_line(const struct event *event, struct buf *out)
{
    size_t start = out->len;
    if (!buf_reserve(out, members_bytes(event, event->present))) {
        return;
    }
    for (uint64_t rest = event->present; rest != 0; rest &= rest - 1) {
        enum field field = (enum field)__builtin_ctzll(rest);
        uint8_t *end = put_member(out->ptr + out->len, event, field);
        if (end != NULL) {
            out->len = (size_t)(end - out->ptr);
            continue;
        }
        buf_append(out, (slice){prefixes[field].bytes, prefixes[field].len});
        event_write_value(event, field, out);
        if (!buf_reserve(out, members_bytes(event, rest & (rest - 1)))) {
            return;
        }
    }
    if (out->len == start) {
        out->ptr[out->len++] = '{';
    }
    out->ptr[start] = '{'; /* where the comma of the first member stands */
    out->ptr[out->len++] = '}';
}
