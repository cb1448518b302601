/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/segment.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "columns/column.h"
#include "columns/ids.h"
#include "columns/numbers.h"
#include "columns/row_set.h"
#include "event/stored.h"
#include "segment/segment_file.h"

static enum err damaged(const struct segment *segment, const struct section *section,
                        const char *what, struct diag *diag)
{
    return diag_fail(diag, ERR_CORRUPT, segment->name, "at byte %llu: %s",
                     (unsigned long long)section->offset, what);
}

static enum err read_head(struct segment *segment, struct diag *diag)
{
    const uint8_t *head = segment->sections.head.ptr;
    struct segment_summary *summary = &segment->summary;
    uint32_t flags = wire_get_u32le(head + SEGMENT_HEAD_FLAGS);
    *summary = (struct segment_summary){
        .first_seq = wire_get_u64le(head + SEGMENT_HEAD_FIRST_SEQ),
        .count = wire_get_u32le(head + SEGMENT_HEAD_COUNT),
        .erased = wire_get_u32le(head + SEGMENT_HEAD_ERASED),
        .file_bytes = segment->sections.file.len,
        .time_min_us = (int64_t)wire_get_u64le(head + SEGMENT_HEAD_TIME_MIN),
        .time_max_us = (int64_t)wire_get_u64le(head + SEGMENT_HEAD_TIME_MAX),
        .recorded_min_us = (int64_t)wire_get_u64le(head + SEGMENT_HEAD_RECORDED_MIN),
        .recorded_max_us = (int64_t)wire_get_u64le(head + SEGMENT_HEAD_RECORDED_MAX),
    };
    memcpy(summary->root.bytes, head + SEGMENT_HEAD_ROOT, MERKLE_HASH_BYTES);
    if (summary->count == 0 || summary->count > ROWS_MAX || summary->erased > summary->count) {
        return diag_fail(diag, ERR_CORRUPT, segment->name, "in the footer: %u rows, %u erased",
                         summary->count, summary->erased);
    }
    segment->rows = (struct rows){
        .ops = &segment_rows_ops,
        .first_seq = summary->first_seq,
        .count = summary->count,
        .time_min_us = summary->time_min_us,
        .time_max_us = summary->time_max_us,
        .time_ordered = (flags & SEGMENT_FLAG_TIME_ORDERED) != 0,
    };
    return OK;
}

static enum err add_text(struct segment *segment, const struct section *section, enum field field,
                         slice bytes, struct diag *diag)
{
    struct segment_text text = {0};
    if (!segment_text_shape_unpack(section->a, section->b, &text.shape)) {
        return damaged(segment, section, "a column of no known shape", diag);
    }
    size_t codes = (size_t)segment->summary.count * text.shape.width;
    if (bytes.len < codes) {
        return damaged(segment, section, "a column with too few codes", diag);
    }
    text.codes = bytes.ptr;
    text.shape.dictionary.bytes = (slice){bytes.ptr + codes, bytes.len - codes};
    if (!dictionary_is_sound(&text.shape.dictionary)) {
        return damaged(segment, section, "a dictionary of the wrong length", diag);
    }
    segment->texts[field] = text;
    return OK;
}

static enum err add_numbers(struct segment *segment, const struct section *section,
                            enum field field, slice bytes, struct diag *diag)
{
    if (!numbers_is_sound(bytes, segment->summary.count)) {
        return damaged(segment, section, "a column that is too short", diag);
    }
    segment->numbers[field] = bytes;
    return OK;
}

static enum err add_bloom(struct segment *segment, const struct section *section, slice bytes,
                          struct diag *diag)
{
    if (section->a == 0 || section->b == 0 || section->b > 64 ||
        bytes.len != (size_t)section->a * BLOOM_ROW_BYTES) {
        return damaged(segment, section, "a Bloom filter of the wrong length", diag);
    }
    segment->bloom = (struct bloom){bytes.ptr, section->a, section->b};
    return OK;
}

static enum err add_erased(struct segment *segment, const struct section *section, slice bytes,
                           struct diag *diag)
{
    uint32_t count = segment->summary.count;
    size_t set_bytes = segment_set_bytes(count);
    if (bytes.len != set_bytes + (size_t)segment->summary.erased * LEAF_HASH_BYTES ||
        segment->erased != NULL) {
        return damaged(segment, section, "erased rows of the wrong number", diag);
    }
    struct row_set all;
    segment->erased = mem_zeroed(sizeof(*segment->erased));
    for (size_t i = 0; i < set_bytes / sizeof(uint64_t); i++) {
        segment->erased->words[i] = wire_get_u64le(bytes.ptr + i * sizeof(uint64_t));
    }
    row_set_fill(&all, count);
    row_set_and(segment->erased, &all);
    if (row_set_count(segment->erased) != segment->summary.erased) {
        return damaged(segment, section, "erased rows of the wrong number", diag);
    }
    segment->erased_leaves = (slice){bytes.ptr + set_bytes, bytes.len - set_bytes};
    segment->rows.erased = segment->erased;
    return OK;
}

/* Sections of kinds and fields that a later version added are left alone. */
static enum err add_section(struct segment *segment, const struct section *section,
                            struct diag *diag)
{
    slice bytes = sections_bytes(&segment->sections, section);
    enum field field = field_of_stored(section->field);
    switch (section->kind) {
    case SEGMENT_TEXT:
        return field < FIELD_COUNT && field_is_text_column(field)
                   ? add_text(segment, section, field, bytes, diag)
                   : OK;
    case SEGMENT_NUMBERS:
        return field < FIELD_COUNT && field_is_number_column(field)
                   ? add_numbers(segment, section, field, bytes, diag)
                   : OK;
    case SEGMENT_IDS:
        segment->ids = bytes;
        return OK;
    case SEGMENT_PAYLOAD:
        segment->payload->frames = bytes;
        return OK;
    case SEGMENT_PAYLOAD_INDEX:
        segment->payload->index = bytes;
        return OK;
    case SEGMENT_PAYLOAD_DICTIONARY:
        segment->payload->dictionary = bytes;
        return OK;
    case SEGMENT_BLOOM:
        return add_bloom(segment, section, bytes, diag);
    case SEGMENT_TILE_ROOTS:
        segment->tile_roots = bytes;
        return OK;
    case SEGMENT_ERASED:
        return add_erased(segment, section, bytes, diag);
    default:
        return OK;
    }
}

static enum err check_complete(const struct segment *segment, struct diag *diag)
{
    uint32_t count = segment->summary.count;
    const char *missing = NULL;
    if (!ids_is_sound(segment->ids, count)) {
        missing = "ids";
    } else if (!payload_is_sound(segment->payload)) {
        missing = "payload";
    } else if (segment->bloom.bits == NULL) {
        missing = "Bloom filters";
    } else if (segment->tile_roots.len != (size_t)rows_tiles(count) * MERKLE_HASH_BYTES) {
        missing = "tile roots";
    } else if (segment->summary.erased > 0 && segment->erased == NULL) {
        missing = "erased rows";
    }
    return missing == NULL ? OK
                           : diag_fail(diag, ERR_CORRUPT, segment->name,
                                       "the %s are missing or too short", missing);
}

enum err segment_open(const struct dir *dir, const char *name, struct segment **out,
                      struct diag *diag)
{
    OWNED(file) file = NULL;
    slice bytes = {0};
    TRY(file_open(dir, name, FILE_READ, &file, diag));
    TRY(file_map(file, &bytes, diag));
    OWNED(segment) segment = mem_zeroed(sizeof(*segment));
    segment->payload = mem_zeroed(sizeof(*segment->payload));
    segment->sections.file = bytes;
    (void)snprintf(segment->name, sizeof(segment->name), "%s", name);
    TRY(sections_parse(bytes, &segment_format, name, &segment->sections, diag));
    TRY(read_head(segment, diag));
    segment->payload->row_count = segment->summary.count;
    for (uint32_t i = 0; i < segment->sections.count; i++) {
        struct section section = sections_get(&segment->sections, i);
        TRY(add_section(segment, &section, diag));
    }
    TRY(check_complete(segment, diag));
    *out = MOVE(segment);
    return OK;
}

void segment_free(struct segment *segment)
{
    if (segment == NULL) {
        return;
    }
    payload_release(segment->payload);
    free(segment->payload);
    free(segment->erased);
    file_unmap(segment->sections.file);
    free(segment);
}

const struct rows *segment_rows(const struct segment *segment)
{
    return &segment->rows;
}

const struct segment_summary *segment_summary(const struct segment *segment)
{
    return &segment->summary;
}

enum err segment_tile_root(const struct segment *segment, uint32_t tile, struct merkle_hash *out)
{
    if (tile >= rows_tiles(segment->summary.count)) {
        return ERR_NOT_FOUND;
    }
    memcpy(out->bytes, segment->tile_roots.ptr + (size_t)tile * MERKLE_HASH_BYTES,
           MERKLE_HASH_BYTES);
    return OK;
}
