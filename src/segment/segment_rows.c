/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "columns/ids.h"
#include "columns/numbers.h"
#include "columns/row_set.h"
#include "segment/segment_file.h"

static_assert((int)DICTIONARY_SCRATCH_BYTES <= (int)ROWS_TEXT_SCRATCH_BYTES, "values fit scratch");

struct segment_reader {
    struct rows_reader base; /* first member */
    struct payload_reader *payload;
    struct buf line;
    char *scratch; /* for rows_event(), once a leaf is asked for */
};

static const struct segment *segment_of(const struct rows *rows)
{
    return (const struct segment *)rows;
}

static slice text_value(const struct rows_text_column *column, uint32_t index, char *scratch)
{
    const struct segment_text *text = column->owner;
    return dictionary_value(&text->shape.dictionary, index, scratch);
}

static bool text_column(const struct rows *rows, enum field field, struct rows_text_column *out)
{
    const struct segment_text *text = &segment_of(rows)->texts[field];
    if (text->codes == NULL) {
        return false;
    }
    *out = (struct rows_text_column){
        .codes = text->codes,
        .width = (enum rows_code_width)text->shape.width,
        .has_absent = text->shape.has_absent,
        .is_sorted = true,
        .value_count = text->shape.dictionary.count,
        .ops = rows->ops,
        .owner = text,
        .field = field,
    };
    return true;
}

static bool numbers(const struct rows *rows, enum field field, uint32_t first, uint32_t n,
                    int64_t *out)
{
    slice column = segment_of(rows)->numbers[field];
    if (column.ptr == NULL) {
        return false;
    }
    numbers_read(column, rows->count, first, n, out);
    return true;
}

static void id(const struct rows *rows, uint32_t row, struct uuid *out)
{
    const struct segment *segment = segment_of(rows);
    int64_t time_us = ROWS_ABSENT;
    if (ids_needs_time(segment->ids, row)) {
        (void)numbers(rows, FIELD_EVENT_TIMESTAMP, row, 1, &time_us);
    }
    ids_read(segment->ids, rows->count, row, time_us, out);
}

static enum err payload(struct rows_reader *reader, uint32_t row, slice *data, slice *metadata)
{
    struct segment_reader *self = (struct segment_reader *)reader;
    if (self->payload == NULL) {
        self->payload = payload_reader_new(segment_of(reader->rows)->payload);
    }
    return payload_read(self->payload, row, data, metadata);
}

static void erased_leaf(const struct segment *segment, uint32_t row, struct leaf_hash *out)
{
    uint32_t rank = 0;
    for (uint32_t word = 0; word < row / 64; word++) {
        rank += (uint32_t)__builtin_popcountll(segment->erased->words[word]);
    }
    uint64_t before = segment->erased->words[row / 64] & ((UINT64_C(1) << (row % 64)) - 1);
    rank += (uint32_t)__builtin_popcountll(before);
    memcpy(out->bytes, segment->erased_leaves.ptr + (size_t)rank * LEAF_HASH_BYTES,
           LEAF_HASH_BYTES);
}

static enum err leaf(struct rows_reader *reader, uint32_t row, struct leaf_hash *out)
{
    struct segment_reader *self = (struct segment_reader *)reader;
    const struct segment *segment = segment_of(reader->rows);
    struct event event;
    if (segment->erased != NULL && row_set_has(segment->erased, row)) {
        erased_leaf(segment, row, out);
        return OK;
    }
    if (self->scratch == NULL) {
        self->scratch = mem_resize(NULL, ROWS_EVENT_SCRATCH_BYTES);
    }
    TRY(rows_event(reader, row, self->scratch, &event));
    enum err e = event_leaf(&event, &self->line, out);
    return e == ERR_LIMIT ? ERR_CORRUPT : e; /* no event is that long */
}

static void bloom(const struct rows *rows, uint64_t token, uint64_t tiles[4])
{
    bloom_ask(&segment_of(rows)->bloom, token, tiles);
}

static struct rows_reader *reader_new(const struct rows *rows)
{
    struct segment_reader *reader = mem_zeroed(sizeof(*reader));
    reader->base.rows = rows;
    buf_init(&reader->line, EVENT_LINE_BYTES_MAX);
    return &reader->base;
}

static void reader_free(struct rows_reader *reader)
{
    struct segment_reader *self = (struct segment_reader *)reader;
    if (self != NULL) {
        payload_reader_free(self->payload);
        buf_release(&self->line);
        free(self->scratch);
        free(self);
    }
}

const struct rows_ops segment_rows_ops = {
    .text_column = text_column,
    .text_value = text_value,
    .numbers = numbers,
    .id = id,
    .payload = payload,
    .leaf = leaf,
    .bloom = bloom,
    .reader_new = reader_new,
    .reader_free = reader_free,
};
