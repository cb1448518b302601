/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/numbers.h"

#include "codec/wire.h"

/* Head of a tile: i64 base, u32 offset of its differences, u8 width, u8 1 if some are absent. */
enum {
    HEAD_BASE = 0,
    HEAD_OFFSET = 8,
    HEAD_WIDTH = 12,
    HEAD_HAS_ABSENT = 13,
    HEAD_BYTES = 16,
};

struct tile_shape {
    int64_t base;
    uint8_t width; /* 0, 1, 2, 4, 8 */
    bool has_absent;
};

static uint8_t width_of(uint64_t largest)
{
    return largest == 0            ? 0
           : largest <= UINT8_MAX  ? 1
           : largest <= UINT16_MAX ? 2
           : largest <= UINT32_MAX ? 4
                                   : 8;
}

/* With absent numbers, 0 says so and differences are one larger. */
static struct tile_shape shape_of(const int64_t *numbers, uint32_t n)
{
    int64_t min = INT64_MAX;
    int64_t max = INT64_MIN;
    struct tile_shape shape = {0};
    for (uint32_t i = 0; i < n; i++) {
        if (numbers[i] == ROWS_ABSENT) {
            shape.has_absent = true;
        } else {
            min = numbers[i] < min ? numbers[i] : min;
            max = numbers[i] > max ? numbers[i] : max;
        }
    }
    if (max == INT64_MIN) { /* all are absent */
        return shape;
    }
    shape.base = min;
    shape.width = width_of((uint64_t)max - (uint64_t)min + (shape.has_absent ? 1 : 0));
    return shape;
}

static void put_difference(uint8_t *out, uint8_t width, uint64_t difference)
{
    for (uint8_t i = 0; i < width; i++) {
        out[i] = (uint8_t)(difference >> (8 * i));
    }
}

static void write_differences(const int64_t *numbers, uint32_t n, const struct tile_shape *shape,
                              struct buf *out)
{
    uint8_t bytes[ROWS_TILE * 8];
    for (uint32_t i = 0; i < n; i++) {
        uint64_t difference = 0;
        if (numbers[i] != ROWS_ABSENT) {
            difference = (uint64_t)numbers[i] - (uint64_t)shape->base + (shape->has_absent ? 1 : 0);
        }
        put_difference(bytes + (size_t)i * shape->width, shape->width, difference);
    }
    buf_append(out, (slice){bytes, (size_t)n * shape->width});
}

void numbers_write(const int64_t *numbers, uint32_t count, struct buf *out)
{
    size_t heads_at = out->len;
    size_t data_at = heads_at + (size_t)rows_tiles(count) * HEAD_BYTES;
    for (uint32_t tile = 0; tile < rows_tiles(count); tile++) {
        buf_append(out, (slice){(const uint8_t[HEAD_BYTES]){0}, HEAD_BYTES});
    }
    for (uint32_t tile = 0; tile < rows_tiles(count) && !out->failed; tile++) {
        uint32_t first = tile * ROWS_TILE;
        uint32_t n = count - first < ROWS_TILE ? count - first : ROWS_TILE;
        struct tile_shape shape = shape_of(numbers + first, n);
        uint8_t *head = out->ptr + heads_at + (size_t)tile * HEAD_BYTES;
        wire_put_u64le(head + HEAD_BASE, (uint64_t)shape.base);
        wire_put_u32le(head + HEAD_OFFSET, (uint32_t)(out->len - data_at));
        head[HEAD_WIDTH] = shape.width;
        head[HEAD_HAS_ABSENT] = shape.has_absent ? 1 : 0;
        write_differences(numbers + first, n, &shape, out);
    }
}

bool numbers_is_sound(slice bytes, uint32_t count)
{
    return bytes.len >= (size_t)rows_tiles(count) * HEAD_BYTES;
}

static void read_u8(const uint8_t *from, uint32_t n, uint64_t base, int64_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (int64_t)(base + from[i]);
    }
}

static void read_u16(const uint8_t *from, uint32_t n, uint64_t base, int64_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (int64_t)(base + wire_get_u16le(from + (size_t)2 * i));
    }
}

static void read_u32(const uint8_t *from, uint32_t n, uint64_t base, int64_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (int64_t)(base + wire_get_u32le(from + (size_t)4 * i));
    }
}

static void read_u64(const uint8_t *from, uint32_t n, uint64_t base, int64_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (int64_t)(base + wire_get_u64le(from + (size_t)8 * i));
    }
}

static void fill(int64_t *out, uint32_t n, int64_t number)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = number;
    }
}

static void read_width(const uint8_t *from, uint8_t width, uint32_t n, uint64_t base, int64_t *out)
{
    switch (width) {
    case 0:
        fill(out, n, (int64_t)base);
        break;
    case 1:
        read_u8(from, n, base, out);
        break;
    case 2:
        read_u16(from, n, base, out);
        break;
    case 4:
        read_u32(from, n, base, out);
        break;
    default:
        read_u64(from, n, base, out);
        break;
    }
}

/* Numbers [from, from + n) of one tile of `tile_count`. */
static void read_tile(slice data, const uint8_t *head, uint32_t tile_count, uint32_t from,
                      uint32_t n, int64_t *out)
{
    uint64_t base = wire_get_u64le(head + HEAD_BASE);
    uint32_t offset = wire_get_u32le(head + HEAD_OFFSET);
    uint8_t width = head[HEAD_WIDTH];
    bool has_absent = head[HEAD_HAS_ABSENT] != 0;
    bool is_width = width == 0 || width == 1 || width == 2 || width == 4 || width == 8;
    if (!is_width || offset > data.len || (size_t)tile_count * width > data.len - offset) {
        fill(out, n, ROWS_ABSENT);
        return;
    }
    /* Absent is 0, so what is stored lies one above the base; base - 1 itself is never a number. */
    base -= has_absent ? 1 : 0;
    read_width(data.ptr + offset + (size_t)from * width, width, n, base, out);
    for (uint32_t i = 0; i < n && has_absent; i++) {
        out[i] = (uint64_t)out[i] == base ? ROWS_ABSENT : out[i];
    }
}

void numbers_read(slice bytes, uint32_t count, uint32_t first, uint32_t n, int64_t *out)
{
    ASSERT(first <= count && n <= count - first);
    size_t heads = (size_t)rows_tiles(count) * HEAD_BYTES;
    slice data = {bytes.ptr + heads, bytes.len - heads};
    while (n > 0) {
        uint32_t tile = first / ROWS_TILE;
        uint32_t in_tile = first % ROWS_TILE;
        uint32_t tile_count =
            count - tile * ROWS_TILE < ROWS_TILE ? count - tile * ROWS_TILE : ROWS_TILE;
        uint32_t part = tile_count - in_tile < n ? tile_count - in_tile : n;
        read_tile(data, bytes.ptr + (size_t)tile * HEAD_BYTES, tile_count, in_tile, part, out);
        first += part;
        n -= part;
        out += part;
    }
}
