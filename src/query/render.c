/* SPDX-License-Identifier: Apache-2.0 */
#include "query/render.h"

#include "codec/hex.h"
#include "json/write.h"

static slice field_name(enum field field)
{
    return fields[field].name;
}

enum err render_fields_parse(slice text, struct render_fields *out, struct diag *diag)
{
    struct render_fields chosen = {.some = true};
    while (text.len > 0) {
        const uint8_t *comma = memchr(text.ptr, ',', text.len);
        slice name = slice_take(&text, comma != NULL ? (size_t)(comma - text.ptr) : text.len);
        (void)slice_take(&text, comma != NULL ? 1 : 0);
        enum field field = FIELD_EVENT_ID;
        if (slice_equal(name, SLICE("seq"))) {
            chosen.seq = true;
        } else if (slice_equal(name, SLICE("leaf_hash"))) {
            chosen.leaf_hash = true;
        } else if (field_find(name, &field)) {
            chosen.fields |= FIELD_BIT(field);
        } else {
            return diag_fail(diag, ERR_INVALID, "fields", "%.*s is not a field of an event",
                             SLICE_ARG(name));
        }
    }
    *out = chosen;
    return OK;
}

static void append_hash(const struct leaf_hash *hash, struct buf *out)
{
    char hex[2 * LEAF_HASH_BYTES];
    hex_encode((slice){hash->bytes, LEAF_HASH_BYTES}, hex);
    buf_append(out, (slice){(const uint8_t *)hex, sizeof(hex)});
}

static void render_some(const struct store_event *event, const struct render_fields *wanted,
                        slice members, struct buf *line, struct buf *out)
{
    const char *comma = "";
    buf_append_byte(out, '{');
    for (uint64_t left = wanted->fields & event->event.present; left != 0; left &= left - 1) {
        enum field field = (enum field)__builtin_ctzll(left);
        buf_append_cstr(out, comma);
        buf_append_byte(out, '"');
        buf_append(out, field_name(field));
        buf_append_cstr(out, "\":");
        event_write_value(&event->event, field, out);
        comma = ",";
    }
    if (wanted->seq) {
        buf_append_cstr(out, comma);
        buf_append_cstr(out, "\"seq\":");
        buf_append_u64(out, event->seq);
        comma = ",";
    }
    if (wanted->leaf_hash) {
        struct leaf_hash hash = event_leaf_hash(buf_slice(line));
        buf_append_cstr(out, comma);
        buf_append_cstr(out, "\"leaf_hash\":\"");
        append_hash(&hash, out);
        buf_append_byte(out, '"');
        comma = ",";
    }
    if (members.len > 0 && comma[0] == '\0') { /* they begin with a comma that is one too many */
        (void)slice_take(&members, 1);
    }
    buf_append(out, members);
    buf_append_byte(out, '}');
}

void render_event(const struct store_event *event, const struct render_fields *wanted,
                  slice members, struct buf *line, struct buf *out)
{
    buf_clear(line);
    event_write_line(&event->event, line);
    ASSERT(!line->failed && line->len > 2);
    if (wanted->some) {
        render_some(event, wanted, members, line, out);
        return;
    }
    struct leaf_hash hash = event_leaf_hash(buf_slice(line));
    buf_append(out, (slice){line->ptr, line->len - 1});
    buf_append_cstr(out, ",\"seq\":");
    buf_append_u64(out, event->seq);
    buf_append_cstr(out, ",\"leaf_hash\":\"");
    append_hash(&hash, out);
    buf_append_byte(out, '"');
    buf_append(out, members);
    buf_append_byte(out, '}');
}

void render_columns(const struct event *event, const struct render_column *columns, size_t count,
                    struct buf *scratch, struct buf *out)
{
    struct json_writer json = json_writer_to(out);
    json_begin_object(&json, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct render_column *column = &columns[i];
        buf_clear(scratch);
        if (!event_has(event, column->field)) {
            json_null(&json, column->name);
            continue;
        }
        event_write_value(event, column->field, scratch);
        if (column->is_text) {
            json_str(&json, column->name, buf_slice(scratch));
        } else {
            json_raw(&json, column->name, buf_slice(scratch));
        }
    }
    json_end_object(&json);
}
