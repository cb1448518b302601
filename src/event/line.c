/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical line. Room for the whole line is reserved once, as if nothing needed an escape;
 * only a text that does goes through the slow road.
 */
#include "codec/json.h"
#include "codec/time.h"
#include "event/event.h"

enum { MEMBER_BYTES_MAX = 64 }; /* comma, name, colon, quotes, and a value that is no text */

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

static size_t line_bytes(const struct event *event)
{
    size_t bytes = 2;
    for (uint64_t rest = event->present; rest != 0; rest &= rest - 1) {
        enum field field = (enum field)__builtin_ctzll(rest);
        enum field_type type = fields[field].type;
        bool is_text =
            type == TYPE_TEXT || type == TYPE_ADDRESS || type == TYPE_CHOICE || type == TYPE_JSON;
        bytes += MEMBER_BYTES_MAX + (is_text ? event->value[field].text.len : 0);
    }
    return bytes;
}

void event_write_line(const struct event *event, struct buf *out)
{
    if (!buf_reserve(out, line_bytes(event))) {
        return;
    }
    uint8_t opener = '{';
    for (uint64_t rest = event->present; rest != 0; rest &= rest - 1) {
        enum field field = (enum field)__builtin_ctzll(rest);
        buf_append_byte(out, opener);
        buf_append_byte(out, '"');
        buf_append(out, fields[field].name);
        buf_append(out, SLICE("\":"));
        event_write_value(event, field, out);
        opener = ',';
    }
    if (opener == '{') {
        buf_append_byte(out, '{');
    }
    buf_append_byte(out, '}');
}
