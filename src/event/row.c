/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stored row (docs/format/event.md):
 *
 *     u64 LE   set of stored numbers (fields.def) that are present
 *     then, for each of them in ascending order:
 *       UUID               16 bytes
 *       TIME               8 bytes LE, microseconds since 1970
 *       INTEGER            varint
 *       BOOLEAN            1 byte, 0 or 1
 *       all others         varint of the length, bytes
 *
 * varint: seven bits a byte, low ones first, the top bit says that more follow; the shortest form.
 */
#include "codec/time.h"
#include "codec/wire.h"
#include "event/event.h"
#include "event/stored.h"

enum {
    MASK_BYTES = 8,
    FIXED_BYTES_MAX = 16,
};

/* ---- Writing ---- */

static inline bool is_text(enum field_type type)
{
    return type == TYPE_TEXT || type == TYPE_ADDRESS || type == TYPE_CHOICE || type == TYPE_JSON;
}

static inline uint8_t *put_value(uint8_t *p, enum field_type type, const union value *value)
{
    switch (type) {
    case TYPE_UUID:
        memcpy(p, value->uuid.bytes, sizeof(value->uuid.bytes));
        return p + sizeof(value->uuid.bytes);
    case TYPE_TIME:
        wire_put_u64le(p, (uint64_t)value->number);
        return p + sizeof(uint64_t);
    case TYPE_INTEGER:
        return p + wire_put_varint(p, (uint64_t)value->number);
    case TYPE_BOOLEAN:
        *p = value->number != 0 ? 1 : 0;
        return p + 1;
    case TYPE_TEXT:
    case TYPE_ADDRESS:
    case TYPE_CHOICE:
    case TYPE_JSON:
        break;
    }
    p += wire_put_varint(p, value->text.len);
    memcpy(p, value->text.ptr, value->text.len);
    return p + value->text.len;
}

void event_write_row(const struct event *event, struct buf *out)
{
    uint64_t stored = 0;
    size_t bytes_max = MASK_BYTES;
    for (uint64_t rest = event->present; rest != 0; rest &= rest - 1) {
        enum field field = (enum field)__builtin_ctzll(rest);
        stored |= UINT64_C(1) << stored_of_field(field);
        bytes_max += FIXED_BYTES_MAX;
        bytes_max += is_text(fields[field].type) ? event->value[field].text.len : 0;
    }
    if (!buf_reserve(out, bytes_max)) {
        return;
    }
    uint8_t *p = out->ptr + out->len + MASK_BYTES;
    wire_put_u64le(p - MASK_BYTES, stored);
    for (uint64_t rest = stored; rest != 0; rest &= rest - 1) {
        enum field field = field_of_stored((unsigned)__builtin_ctzll(rest));
        p = put_value(p, fields[field].type, &event->value[field]);
    }
    out->len = (size_t)(p - out->ptr);
}

/* ---- Reading ---- */

static bool take_u64(slice *rest, uint64_t *out)
{
    slice bytes = {0};
    if (!wire_take_bytes(rest, sizeof(*out), &bytes)) {
        return false;
    }
    *out = wire_get_u64le(bytes.ptr);
    return true;
}

static bool take_text(slice *rest, slice *out)
{
    uint64_t len = 0;
    return wire_take_varint(rest, &len) && wire_take_bytes(rest, len, out);
}

/* A number of at most `max`. */
static bool take_number(slice *rest, enum field_type type, uint64_t max, int64_t *out)
{
    uint64_t number = 0;
    bool taken = type == TYPE_TIME ? take_u64(rest, &number) : wire_take_varint(rest, &number);
    if (!taken || number > max) {
        return false;
    }
    *out = (int64_t)number;
    return true;
}

static bool take_value(slice *rest, enum field field, union value *out)
{
    enum field_type type = fields[field].type;
    switch (type) {
    case TYPE_UUID:
        if (rest->len < sizeof(out->uuid.bytes)) {
            return false;
        }
        memcpy(out->uuid.bytes, slice_take(rest, sizeof(out->uuid.bytes)).ptr,
               sizeof(out->uuid.bytes));
        return true;
    case TYPE_TIME:
        return take_number(rest, type, TIME_US_MAX, &out->number);
    case TYPE_INTEGER:
        return take_number(rest, type, fields[field].max, &out->number);
    case TYPE_BOOLEAN:
        return take_number(rest, type, 1, &out->number);
    case TYPE_TEXT:
    case TYPE_ADDRESS:
    case TYPE_CHOICE:
    case TYPE_JSON:
        return take_text(rest, &out->text);
    }
    return false;
}

enum err event_from_row(slice row, struct event *out, struct diag *diag)
{
    slice rest = row;
    uint64_t stored = 0;
    if (!take_u64(&rest, &stored)) {
        return diag_fail(diag, ERR_CORRUPT, "", "the row ends in its set of fields");
    }
    out->present = 0;
    for (; stored != 0; stored &= stored - 1) {
        enum field field = field_of_stored((unsigned)__builtin_ctzll(stored));
        if (field == FIELD_COUNT) {
            return diag_fail(diag, ERR_CORRUPT, "", "the row has field %d, which is unknown",
                             __builtin_ctzll(stored));
        }
        if (!take_value(&rest, field, &out->value[field])) {
            return diag_fail(diag, ERR_CORRUPT, "", "the row breaks off or is damaged in %.*s",
                             SLICE_ARG(fields[field].name));
        }
        out->present |= FIELD_BIT(field);
    }
    if (rest.len != 0) {
        return diag_fail(diag, ERR_CORRUPT, "", "%zu bytes follow the row", rest.len);
    }
    return OK;
}
