/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * segment_file - what a segment file consists of (docs/format/segment.md), for those who write,
 * read and verify one. Nobody else includes it.
 */

#include "columns/bloom.h"
#include "columns/dictionary.h"
#include "segment/payload.h"
#include "segment/sections.h"
#include "segment/segment.h"

extern const struct sections_format segment_format;

enum segment_section {
    SEGMENT_TEXT = 1,    /* of a field: codes, dictionary */
    SEGMENT_NUMBERS = 2, /* of a field */
    SEGMENT_IDS = 3,
    SEGMENT_PAYLOAD = 4,
    SEGMENT_PAYLOAD_INDEX = 5,
    SEGMENT_PAYLOAD_DICTIONARY = 6,
    SEGMENT_BLOOM = 7,
    SEGMENT_TILE_ROOTS = 8,
    SEGMENT_ERASED = 9, /* which rows, and their leaf hashes */
};

/* The fixed part of the footer. */
enum {
    SEGMENT_HEAD_FIRST_SEQ = 0,
    SEGMENT_HEAD_COUNT = 8,
    SEGMENT_HEAD_ERASED = 12,
    SEGMENT_HEAD_TIME_MIN = 16,
    SEGMENT_HEAD_TIME_MAX = 24,
    SEGMENT_HEAD_RECORDED_MIN = 32,
    SEGMENT_HEAD_RECORDED_MAX = 40,
    SEGMENT_HEAD_FLAGS = 48,
    SEGMENT_HEAD_ZERO = 52,
    SEGMENT_HEAD_ROOT = 56,
    SEGMENT_HEAD_BYTES = 88,
};
#define SEGMENT_FLAG_TIME_ORDERED 1u

/* What `b` of a TEXT section says; `a` is the number of values. */
struct segment_text_shape {
    uint32_t width;
    bool has_absent;
    struct dictionary dictionary;
};
uint32_t segment_text_shape_pack(const struct segment_text_shape *shape);
bool segment_text_shape_unpack(uint32_t a, uint32_t b, struct segment_text_shape *out);

void segment_head_put(uint8_t out[SEGMENT_HEAD_BYTES], const struct segment_summary *summary,
                      bool time_ordered);

static inline size_t segment_set_bytes(uint32_t count)
{
    return (size_t)(count + 63) / 64 * sizeof(uint64_t);
}

struct segment_text {
    const uint8_t *codes; /* NULL: no row has the field */
    struct segment_text_shape shape;
};

struct segment {
    struct rows rows; /* first member */
    struct segment_summary summary;
    struct sections sections;
    char name[SECTIONS_NAME_BYTES];
    struct segment_text texts[FIELD_COUNT];
    slice numbers[FIELD_COUNT]; /* ptr NULL: no row has the field */
    slice ids;
    struct bloom bloom;
    struct payload *payload;
    slice tile_roots;
    slice erased_leaves;    /* hashes of erased rows, ascending */
    struct row_set *erased; /* NULL: none */
};

/* How the columns of a segment in a file are asked (segment_rows.c). */
extern const struct rows_ops segment_rows_ops;
