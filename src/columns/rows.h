/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rows - up to 65,536 events in a row of seqs, seen as columns: what the active segment in memory
 * and a sealed segment on disk both look like to those who search them.
 *
 *   text columns    a dictionary of distinct values and a code for each row
 *   numbers         64-bit integers, ROWS_ABSENT where there is none
 *   ids             one UUID a row
 *   payload         event_data and event_metadata, byte for byte
 *
 * An erased row keeps its place and its leaf hash, and nothing else: it matches no filter.
 *
 * Threads: a struct rows is immutable (what an active segment holds below `count` never changes),
 * any thread may read. A reader (struct rows_reader) belongs to one thread.
 */

#include "base/err.h"
#include "base/slice.h"
#include "event/event.h"

#define ROWS_MAX       65536u
#define ROWS_TILE      256u /* rows of a tile; a full segment has 256 tiles */
#define ROWS_TILES_MAX (ROWS_MAX / ROWS_TILE)
#define ROWS_ABSENT    INT64_MIN

/* Tiles and full segments are perfect subtrees of the tree, of so many levels. */
#define ROWS_TILE_LEVEL 8
#define ROWS_LEVEL      16
static_assert(1u << ROWS_TILE_LEVEL == ROWS_TILE && 1u << ROWS_LEVEL == ROWS_MAX, "");

/* The tiles of `count` rows; the last may be short. */
static inline uint32_t rows_tiles(uint32_t count)
{
    return (count + ROWS_TILE - 1) / ROWS_TILE;
}

/* A set of rows. */
#define ROW_SET_WORDS (ROWS_MAX / 64)
struct row_set {
    uint64_t words[ROW_SET_WORDS];
};

enum rows_code_width {
    ROWS_CODE_CONSTANT = 0,
    ROWS_CODE_U8 = 1,
    ROWS_CODE_U16 = 2,
    ROWS_CODE_U32 = 4
};

/* TEXT, ADDRESS and CHOICE fields, and parent_event_id (UUID, as its 36-character text). */
struct rows_text_column {
    const void *codes; /* [count] of `width` bytes; CONSTANT: every row has code 0 */
    enum rows_code_width width;
    bool has_absent; /* code 0 is "absent" and value v has code v + 1; else code v */
    bool is_sorted;  /* values ascend as bytes compare */
    uint32_t value_count;
    const struct rows_ops *ops; /* with `owner`: how a value is fetched */
    const void *owner;
    enum field field;
};

struct rows;
struct rows_reader;

struct rows_ops {
    /* False when no row has the field. */
    bool (*text_column)(const struct rows *rows, enum field field, struct rows_text_column *out);
    /* Distinct value `index`; `scratch` is used where values are stored packed. */
    slice (*text_value)(const struct rows_text_column *column, uint32_t index, char *scratch);
    /* Values of rows [first, first + n) of a TIME, INTEGER or BOOLEAN field. False: all absent. */
    bool (*numbers)(const struct rows *rows, enum field field, uint32_t first, uint32_t n,
                    int64_t *out);
    void (*id)(const struct rows *rows, uint32_t row, struct uuid *out);
    /* May decompress or read; the slices live until the next call with this reader. Empty:
     * absent. */
    enum err (*payload)(struct rows_reader *reader, uint32_t row, slice *data, slice *metadata);
    /* Leaf hash: of a stored row it may have to be recomputed from the line. */
    enum err (*leaf)(struct rows_reader *reader, uint32_t row, struct leaf_hash *out);
    /* Tiles whose Bloom filter may hold `token`: clears the bits of the others. 256 bits. */
    void (*bloom)(const struct rows *rows, uint64_t token, uint64_t tiles[4]);
    struct rows_reader *(*reader_new)(const struct rows *rows);
    void (*reader_free)(struct rows_reader *reader);
};

#define ROWS_TEXT_SCRATCH_BYTES 512 /* packed values are shorter than this as text */

struct rows {
    const struct rows_ops *ops;
    uint64_t first_seq;
    uint32_t count;
    int64_t time_min_us, time_max_us; /* of event_timestamp, over rows that are not erased */
    bool time_ordered;                /* event_timestamp never goes back from row to row */
    const struct row_set *erased;     /* NULL: none */
};

/* First member of every implementation's reader. */
struct rows_reader {
    const struct rows *rows;
};

static inline bool row_set_has(const struct row_set *set, uint32_t row)
{
    return (set->words[row / 64] >> (row % 64) & 1) != 0;
}

static inline void row_set_add(struct row_set *set, uint32_t row)
{
    set->words[row / 64] |= UINT64_C(1) << (row % 64);
}

/*
 * The whole event of a row. Texts point into the columns, the reader, or `scratch` (at least
 * ROWS_EVENT_SCRATCH_BYTES), and live until the next call with either. GONE if erased; CORRUPT; IO.
 */
#define ROWS_EVENT_SCRATCH_BYTES (16 * 1024)
enum err rows_event(struct rows_reader *reader, uint32_t row, char *scratch, struct event *out);
/* The same with those fields alone that are in `wanted` (FIELD_BITs), for who only asks a
 * filter. */
enum err rows_event_fields(struct rows_reader *reader, uint32_t row, uint64_t wanted, char *scratch,
                           struct event *out);
