/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/rows_memory.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "columns/bloom_live.h"
#include "columns/column.h"

enum { SLOTS = 2 * ROWS_MAX };

struct memory_column {
    uint32_t *codes; /* 0: absent */
    slice *values;
    char *texts; /* of UUIDs */
    uint32_t value_count;
};

struct rows_memory {
    struct rows rows; /* first member */
    const struct event *events;
    struct leaf_hash *leaves;
    struct memory_column columns[FIELD_COUNT];
    struct row_set erased;
    struct bloom_live *bloom;
};

static const struct rows_memory *memory_of(const struct rows *rows)
{
    return (const struct rows_memory *)rows;
}

static bool has(const struct rows_memory *memory, uint32_t row, enum field field)
{
    bool is_gone = memory->rows.erased != NULL && row_set_has(memory->rows.erased, row);
    return !is_gone && event_has(&memory->events[row], field);
}

static slice text_of(const struct rows_memory *memory, uint32_t row, enum field field)
{
    const struct memory_column *column = &memory->columns[field];
    const union value *value = &memory->events[row].value[field];
    if (fields[field].type != TYPE_UUID) {
        return value->text;
    }
    char *text = column->texts + (size_t)row * UUID_TEXT_BYTES;
    uuid_format(&value->uuid, text);
    return (slice){(const uint8_t *)text, UUID_TEXT_BYTES};
}

static uint32_t code_of(struct memory_column *column, slice text, uint32_t *slots)
{
    size_t slot = (size_t)(hash_bytes(text, 0) % SLOTS);
    while (slots[slot] != 0) {
        if (slice_equal(column->values[slots[slot] - 1], text)) {
            return slots[slot];
        }
        slot = (slot + 1) % SLOTS;
    }
    column->values[column->value_count++] = text;
    slots[slot] = column->value_count;
    return column->value_count;
}

static void add_column(struct rows_memory *memory, enum field field)
{
    struct memory_column *column = &memory->columns[field];
    uint32_t count = memory->rows.count;
    CLEANUP(mem_freep) uint32_t *slots = mem_array(SLOTS, sizeof(*slots));
    column->codes = mem_array(count, sizeof(*column->codes));
    column->values = mem_array(count, sizeof(*column->values));
    column->texts = mem_array(count, UUID_TEXT_BYTES);
    for (uint32_t row = 0; row < count; row++) {
        if (has(memory, row, field)) {
            column->codes[row] = code_of(column, text_of(memory, row, field), slots);
        }
    }
}

static void add_leaves(struct rows_memory *memory)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(EVENT_LINE_BYTES_MAX);
    memory->leaves = mem_array(memory->rows.count, sizeof(*memory->leaves));
    for (uint32_t row = 0; row < memory->rows.count; row++) {
        ASSERT(event_leaf(&memory->events[row], &line, &memory->leaves[row]) == OK);
    }
}

static void add_times(struct rows_memory *memory)
{
    struct rows *rows = &memory->rows;
    int64_t last = INT64_MIN;
    rows->time_min_us = INT64_MAX;
    rows->time_max_us = INT64_MIN;
    rows->time_ordered = true;
    for (uint32_t row = 0; row < rows->count; row++) {
        if (has(memory, row, FIELD_EVENT_TIMESTAMP)) {
            int64_t time_us = memory->events[row].value[FIELD_EVENT_TIMESTAMP].number;
            rows->time_min_us = time_us < rows->time_min_us ? time_us : rows->time_min_us;
            rows->time_max_us = time_us > rows->time_max_us ? time_us : rows->time_max_us;
            rows->time_ordered = rows->time_ordered && time_us >= last;
            last = time_us;
        }
    }
}

/* ---- As rows ---- */

static slice text_value(const struct rows_text_column *column, uint32_t index, char *scratch)
{
    UNUSED(scratch);
    return ((const struct memory_column *)column->owner)->values[index];
}

static bool text_column(const struct rows *rows, enum field field, struct rows_text_column *out)
{
    const struct memory_column *column = &memory_of(rows)->columns[field];
    if (column->value_count == 0) {
        return false;
    }
    *out = (struct rows_text_column){
        .codes = column->codes,
        .width = ROWS_CODE_U32,
        .has_absent = true,
        .value_count = column->value_count,
        .ops = rows->ops,
        .owner = column,
        .field = field,
    };
    return true;
}

static bool numbers(const struct rows *rows, enum field field, uint32_t first, uint32_t n,
                    int64_t *out)
{
    const struct rows_memory *memory = memory_of(rows);
    for (uint32_t i = 0; i < n; i++) {
        out[i] = has(memory, first + i, field) ? memory->events[first + i].value[field].number
                                               : ROWS_ABSENT;
    }
    return true;
}

static void id(const struct rows *rows, uint32_t row, struct uuid *out)
{
    *out = (struct uuid){0};
    if (has(memory_of(rows), row, FIELD_EVENT_ID)) {
        *out = memory_of(rows)->events[row].value[FIELD_EVENT_ID].uuid;
    }
}

static enum err payload(struct rows_reader *reader, uint32_t row, slice *data, slice *metadata)
{
    const struct rows_memory *memory = memory_of(reader->rows);
    const union value *value = memory->events[row].value;
    *data = has(memory, row, FIELD_EVENT_DATA) ? value[FIELD_EVENT_DATA].text : (slice){0};
    *metadata =
        has(memory, row, FIELD_EVENT_METADATA) ? value[FIELD_EVENT_METADATA].text : (slice){0};
    return OK;
}

static enum err leaf(struct rows_reader *reader, uint32_t row, struct leaf_hash *out)
{
    *out = memory_of(reader->rows)->leaves[row];
    return OK;
}

static void bloom(const struct rows *rows, uint64_t token, uint64_t tiles[4])
{
    bloom_live_ask(memory_of(rows)->bloom, rows, token, tiles);
}

static struct rows_reader *reader_new(const struct rows *rows)
{
    struct rows_reader *reader = mem_zeroed(sizeof(*reader));
    reader->rows = rows;
    return reader;
}

static void reader_free(struct rows_reader *reader)
{
    free(reader);
}

static const struct rows_ops memory_ops = {
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

struct rows *rows_memory_new(const struct event *events, uint32_t count, uint64_t first_seq,
                             const struct row_set *erased)
{
    ASSERT(count > 0 && count <= ROWS_MAX);
    struct rows_memory *memory = mem_zeroed(sizeof(*memory));
    memory->events = events;
    memory->bloom = mem_zeroed(sizeof(*memory->bloom));
    memory->rows = (struct rows){.ops = &memory_ops, .first_seq = first_seq, .count = count};
    if (erased != NULL) {
        memory->erased = *erased;
        memory->rows.erased = &memory->erased;
    }
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (field_is_text_column((enum field)i)) {
            add_column(memory, (enum field)i);
        }
    }
    add_leaves(memory);
    add_times(memory);
    return &memory->rows;
}

void rows_memory_free(struct rows *rows)
{
    struct rows_memory *memory = (struct rows_memory *)rows;
    if (memory == NULL) {
        return;
    }
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        free(memory->columns[i].codes);
        free(memory->columns[i].values);
        free(memory->columns[i].texts);
    }
    bloom_live_release(memory->bloom);
    free(memory->bloom);
    free(memory->leaves);
    free(memory);
}
