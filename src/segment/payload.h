/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * payload - event_data and event_metadata of a segment, byte for byte: zstd frames of a few rows
 * each, with a dictionary made of the segment's own rows (docs/format/segment.md).
 *
 * A frame is small, so that one event costs little to read, and the dictionary gives back what
 * small frames lose. The frame's checksum tells damage from content.
 *
 * Threads: a writer and a reader belong to one each; struct payload may be shared.
 */

#include <stdatomic.h>

#include "columns/rows.h"
#include "segment/sections.h"

#define PAYLOAD_FRAME_ROWS_MAX 64u
/* A frame ends with the row that reaches so many bytes, uncompressed. */
#define PAYLOAD_FRAME_BYTES ((size_t)128 * 1024)
/* What a reader takes for possible. */
#define PAYLOAD_FRAME_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* ---- Writing ---- */

/*
 * The dictionary for the rows of `source` that are not in `gone` (NULL: none): what is common in a
 * sample of them. Empty when they have too little. Only reads rows that stay, so that nothing
 * erased lives on in it. CORRUPT; IO: an event, which `diag` names, cannot be read.
 */
enum err payload_train(struct rows_reader *source, const struct row_set *gone, struct buf *out,
                       struct diag *diag);

struct payload_writer;

/* Writes the section of frames, which must have been begun, as rows are added. `dictionary` may be
 * empty; `level` is zstd's. */
struct payload_writer *payload_writer_new(struct sections_writer *file, slice dictionary,
                                          int level);
void payload_writer_free(struct payload_writer *writer);
DEFINE_OWNED(payload_writer);

/* The next row; empty slices are absent. IO; FULL; CORRUPT: it has a line feed, which JSON without
 * white space has not; LIMIT: it is larger than a frame may be. */
enum err payload_add(struct payload_writer *writer, slice data, slice metadata, struct diag *diag);
/* After the last row. Appends the index of the frames to `index`. */
enum err payload_end(struct payload_writer *writer, struct buf *index, struct diag *diag);

/* ---- Reading ---- */

struct payload {
    slice frames;
    slice index;      /* of each frame: where it is, its first row */
    slice dictionary; /* may be empty */
    uint32_t row_count;
    _Atomic(void *) prepared; /* the dictionary as zstd wants it, once a reader needed it */
};

/* Whether the shape is possible: to be asked once, before a reader is made. */
bool payload_is_sound(const struct payload *payload);
/* Whether the frames lie one behind the other, with nothing before, between or behind them. Reads
 * them, but for what is compressed. */
bool payload_is_packed(const struct payload *payload);
void payload_release(struct payload *payload); /* the prepared dictionary */

struct payload_reader;
struct payload_reader *payload_reader_new(struct payload *payload); /* never NULL */
void payload_reader_free(struct payload_reader *reader);
DEFINE_OWNED(payload_reader);

/* The slices live until the next call. CORRUPT. */
enum err payload_read(struct payload_reader *reader, uint32_t row, slice *data, slice *metadata);
