/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/ids.h"

#include "codec/wire.h"

/* Where the ids of a tile are: offset << 2 | form. */
enum form {
    FORM_WHOLE = 0,  /* 16 bytes each */
    FORM_NEAR_0 = 1, /* no distance at all: bytes 6..15 */
    FORM_NEAR_1 = 2, /* i8 distance, bytes 6..15 */
    FORM_NEAR_2 = 3, /* i16 distance, bytes 6..15 */
};

enum {
    WHERE_BYTES = 4,
    FORM_BITS = 2,
    WHOLE_BYTES = 16,
    TAIL_AT = 6, /* the bytes that are no time */
    TAIL_BYTES = WHOLE_BYTES - TAIL_AT,
    US_PER_MS = 1000,
};

static bool is_gone(const struct row_set *gone, uint32_t row)
{
    return gone != NULL && row_set_has(gone, row);
}

/* The distance of a UUIDv7's time from its event's. False: it is none, or too far away. */
static bool distance_of(const struct uuid *id, int64_t time_us, int64_t *out)
{
    if (uuid_version(id) != 7 || time_us < 0) {
        return false;
    }
    *out = (int64_t)uuid_v7_ms(id) - time_us / US_PER_MS;
    return *out >= INT16_MIN && *out <= INT16_MAX;
}

static enum form form_for(int64_t distance)
{
    return distance == 0                                  ? FORM_NEAR_0
           : distance >= INT8_MIN && distance <= INT8_MAX ? FORM_NEAR_1
                                                          : FORM_NEAR_2;
}

static enum form choose_form(const struct uuid *ids, const int64_t *times_us,
                             const struct row_set *gone, uint32_t first, uint32_t n)
{
    enum form form = FORM_NEAR_0;
    for (uint32_t row = first; row < first + n; row++) {
        int64_t distance = 0;
        if (is_gone(gone, row)) {
            continue;
        }
        if (!distance_of(&ids[row], times_us[row], &distance)) {
            return FORM_WHOLE;
        }
        enum form wanted = form_for(distance);
        form = wanted > form ? wanted : form;
    }
    return form;
}

static size_t distance_bytes(enum form form)
{
    return form == FORM_NEAR_0 ? 0 : form == FORM_NEAR_1 ? 1 : 2;
}

static size_t bytes_of(enum form form)
{
    return form == FORM_WHOLE ? WHOLE_BYTES : distance_bytes(form) + TAIL_BYTES;
}

static void write_id(const struct uuid *id, int64_t time_us, enum form form, struct buf *out)
{
    uint8_t distance[2];
    int64_t ms = 0;
    if (form == FORM_WHOLE) {
        buf_append(out, (slice){id->bytes, WHOLE_BYTES});
        return;
    }
    (void)distance_of(id, time_us, &ms);
    wire_put_u16le(distance, (uint16_t)ms);
    buf_append(out, (slice){distance, distance_bytes(form)});
    buf_append(out, (slice){id->bytes + TAIL_AT, TAIL_BYTES});
}

void ids_write(const struct uuid *ids, const int64_t *times_us, const struct row_set *gone,
               uint32_t count, struct buf *out)
{
    static const uint8_t zeros[WHOLE_BYTES];
    size_t start = out->len;
    size_t data_at = start + (size_t)rows_tiles(count) * WHERE_BYTES;
    for (uint32_t tile = 0; tile < rows_tiles(count); tile++) {
        buf_append(out, (slice){zeros, WHERE_BYTES});
    }
    for (uint32_t tile = 0; tile < rows_tiles(count) && !out->failed; tile++) {
        uint32_t first = tile * ROWS_TILE;
        uint32_t n = count - first < ROWS_TILE ? count - first : ROWS_TILE;
        enum form form = choose_form(ids, times_us, gone, first, n);
        wire_put_u32le(out->ptr + start + (size_t)tile * WHERE_BYTES,
                       (uint32_t)(out->len - data_at) << FORM_BITS | (uint32_t)form);
        for (uint32_t row = first; row < first + n; row++) {
            if (is_gone(gone, row)) {
                buf_append(out, (slice){zeros, bytes_of(form)});
            } else {
                write_id(&ids[row], times_us[row], form, out);
            }
        }
    }
}

bool ids_is_sound(slice bytes, uint32_t count)
{
    return bytes.len >= (size_t)rows_tiles(count) * WHERE_BYTES;
}

static uint32_t where_of(slice bytes, uint32_t row)
{
    return wire_get_u32le(bytes.ptr + (size_t)(row / ROWS_TILE) * WHERE_BYTES);
}

static enum form form_of(uint32_t where)
{
    return (enum form)(where & ((1u << FORM_BITS) - 1));
}

bool ids_needs_time(slice bytes, uint32_t row)
{
    return form_of(where_of(bytes, row)) != FORM_WHOLE;
}

static void read_near(const uint8_t *bytes, enum form form, int64_t time_us, struct uuid *out)
{
    int64_t distance = 0;
    if (form == FORM_NEAR_1) {
        distance = ((int64_t)bytes[0] ^ 0x80) - 0x80; /* two's complement */
    } else if (form == FORM_NEAR_2) {
        distance = (int16_t)wire_get_u16le(bytes);
    }
    /* Unsigned, as a damaged time may be anything. */
    uint64_t ms = (uint64_t)(time_us / US_PER_MS) + (uint64_t)distance;
    for (size_t i = 0; i < TAIL_AT; i++) {
        out->bytes[i] = (uint8_t)(ms >> (8 * (TAIL_AT - 1 - i)));
    }
    memcpy(out->bytes + TAIL_AT, bytes + distance_bytes(form), TAIL_BYTES);
}

void ids_read(slice bytes, uint32_t count, uint32_t row, int64_t time_us, struct uuid *out)
{
    ASSERT(row < count);
    size_t heads = (size_t)rows_tiles(count) * WHERE_BYTES;
    uint32_t where = where_of(bytes, row);
    enum form form = form_of(where);
    size_t width = bytes_of(form);
    size_t at = (size_t)(where >> FORM_BITS) + (row % ROWS_TILE) * width;
    *out = (struct uuid){0};
    if (at > bytes.len - heads || bytes.len - heads - at < width) {
        return;
    }
    const uint8_t *from = bytes.ptr + heads + at;
    if (form == FORM_WHOLE) {
        memcpy(out->bytes, from, WHOLE_BYTES);
    } else if (time_us != ROWS_ABSENT) {
        read_near(from, form, time_us, out);
    }
}
