/* SPDX-License-Identifier: Apache-2.0 */
#define ZSTD_STATIC_LINKING_ONLY
#include "segment/payload.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "codec/wire.h"

enum { INDEX_ENTRY_BYTES = 8, FIRST_ROW_SHIFT = 48 };

struct payload_reader {
    struct payload *payload;
    ZSTD_DCtx *zstd;
    struct buf raw;
    uint32_t first_row;                              /* of the frame in `raw` */
    uint32_t rows;                                   /* of it; 0: there is none */
    uint32_t starts[2 * PAYLOAD_FRAME_ROWS_MAX + 1]; /* of data and metadata of each row */
};

static uint32_t frame_count(const struct payload *payload)
{
    return (uint32_t)(payload->index.len / INDEX_ENTRY_BYTES);
}

static uint64_t index_entry(const struct payload *payload, uint32_t frame)
{
    return wire_get_u64le(payload->index.ptr + (size_t)frame * INDEX_ENTRY_BYTES);
}

static uint32_t first_row(const struct payload *payload, uint32_t frame)
{
    return frame == frame_count(payload)
               ? payload->row_count
               : (uint32_t)(index_entry(payload, frame) >> FIRST_ROW_SHIFT);
}

static uint64_t offset_of(const struct payload *payload, uint32_t frame)
{
    return frame == frame_count(payload)
               ? payload->frames.len
               : index_entry(payload, frame) & ((UINT64_C(1) << FIRST_ROW_SHIFT) - 1);
}

bool payload_is_sound(const struct payload *payload)
{
    return payload->row_count > 0 && payload->row_count <= ROWS_MAX && payload->index.len > 0 &&
           payload->index.len % INDEX_ENTRY_BYTES == 0 &&
           payload->index.len / INDEX_ENTRY_BYTES <= ROWS_MAX;
}

void payload_release(struct payload *payload)
{
    ZSTD_freeDDict(atomic_load(&payload->prepared));
    atomic_store(&payload->prepared, NULL);
}

struct payload_reader *payload_reader_new(struct payload *payload)
{
    struct payload_reader *reader = mem_zeroed(sizeof(*reader));
    reader->payload = payload;
    buf_init(&reader->raw, PAYLOAD_FRAME_BYTES_MAX);
    return reader;
}

void payload_reader_free(struct payload_reader *reader)
{
    if (reader != NULL) {
        ZSTD_freeDCtx(reader->zstd);
        buf_release(&reader->raw);
        free(reader);
    }
}

/* The first reader prepares the dictionary for all of the segment's; of two at once, one's
 * stays. */
static ZSTD_DDict *dictionary_of(struct payload *payload)
{
    ZSTD_DDict *dictionary = atomic_load_explicit(&payload->prepared, memory_order_acquire);
    if (dictionary != NULL || payload->dictionary.len == 0) {
        return dictionary;
    }
    dictionary = ZSTD_createDDict_byReference(payload->dictionary.ptr, payload->dictionary.len);
    void *expected = NULL;
    if (dictionary != NULL &&
        !atomic_compare_exchange_strong(&payload->prepared, &expected, dictionary)) {
        ZSTD_freeDDict(dictionary);
        dictionary = expected;
    }
    return dictionary;
}

static bool frame_bytes(const struct payload *payload, uint32_t frame, slice *out)
{
    uint64_t from = offset_of(payload, frame);
    uint64_t to = offset_of(payload, frame + 1);
    if (from >= to || to > payload->frames.len) {
        return false;
    }
    *out = (slice){payload->frames.ptr + from, (size_t)(to - from)};
    return true;
}

bool payload_is_packed(const struct payload *payload)
{
    uint64_t at = 0;
    uint32_t row = 0;
    for (uint32_t frame = 0; frame < frame_count(payload); frame++) {
        slice packed = {0};
        if (offset_of(payload, frame) != at || first_row(payload, frame) != row ||
            !frame_bytes(payload, frame, &packed) ||
            ZSTD_findFrameCompressedSize(packed.ptr, packed.len) != packed.len) {
            return false;
        }
        at += packed.len;
        row = first_row(payload, frame + 1);
    }
    return at == payload->frames.len && row == payload->row_count;
}

static bool decompress(struct payload_reader *reader, slice packed)
{
    unsigned long long len = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    buf_clear(&reader->raw);
    if (len > PAYLOAD_FRAME_BYTES_MAX || !buf_reserve(&reader->raw, (size_t)len)) {
        return false; /* errors of zstd are larger than any length */
    }
    if (reader->zstd == NULL) {
        reader->zstd = ZSTD_createDCtx();
        ASSERT(reader->zstd != NULL);
    }
    ZSTD_DDict *dictionary = dictionary_of(reader->payload);
    if (dictionary == NULL && reader->payload->dictionary.len > 0) {
        return false; /* damaged */
    }
    size_t got = ZSTD_decompress_usingDDict(reader->zstd, reader->raw.ptr, (size_t)len, packed.ptr,
                                            packed.len, dictionary);
    if (ZSTD_isError(got)) {
        return false;
    }
    reader->raw.len = got;
    return true;
}

/* Two lines a row. */
static bool find_rows(struct payload_reader *reader, uint32_t rows)
{
    const uint8_t *start = reader->raw.ptr;
    size_t at = 0;
    for (uint32_t i = 0; i < 2 * rows; i++) {
        const uint8_t *end =
            at < reader->raw.len ? memchr(start + at, '\n', reader->raw.len - at) : NULL;
        if (end == NULL) {
            return false;
        }
        reader->starts[i] = (uint32_t)at;
        at = (size_t)(end - start) + 1;
    }
    reader->starts[2 * rows] = (uint32_t)at;
    return at == reader->raw.len;
}

/* The last frame that begins at or before `row`. */
static uint32_t frame_of(const struct payload *payload, uint32_t row)
{
    uint32_t low = 0;
    uint32_t high = frame_count(payload);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (first_row(payload, middle) <= row) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum err load(struct payload_reader *reader, uint32_t row)
{
    const struct payload *payload = reader->payload;
    uint32_t frame = frame_of(payload, row);
    uint32_t first = first_row(payload, frame);
    uint32_t next = first_row(payload, frame + 1);
    slice packed = {0};
    reader->rows = 0;
    if (first > row || next <= row || next - first > PAYLOAD_FRAME_ROWS_MAX ||
        !frame_bytes(payload, frame, &packed) || !decompress(reader, packed) ||
        !find_rows(reader, next - first)) {
        return ERR_CORRUPT;
    }
    reader->first_row = first;
    reader->rows = next - first;
    return OK;
}

enum err payload_read(struct payload_reader *reader, uint32_t row, slice *data, slice *metadata)
{
    ASSERT(row < reader->payload->row_count);
    if (row < reader->first_row || row - reader->first_row >= reader->rows) {
        TRY(load(reader, row));
    }
    const uint32_t *starts = &reader->starts[(size_t)2 * (row - reader->first_row)];
    *data = (slice){reader->raw.ptr + starts[0], starts[1] - starts[0] - 1};
    *metadata = (slice){reader->raw.ptr + starts[1], starts[2] - starts[1] - 1};
    return OK;
}
