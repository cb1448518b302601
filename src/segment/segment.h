/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * segment - 65,536 events in one file that is written once: columns, dictionaries, Bloom filters,
 * compressed payload, and the hashes that tie them to the tree. docs/format/segment.md has the
 * bytes.
 *
 * A segment file is complete or absent: it is written aside, synced, renamed, and its directory
 * synced. It is mapped; nothing is trusted before its bounds were checked, so that a damaged file
 * gives CORRUPT and never a crash.
 *
 * Threads: a struct segment is immutable, any thread may read; see rows.h for readers.
 */

#include "columns/rows.h"
#include "os/file.h"
#include "tree/merkle.h"

struct segment;

struct segment_write_options {
    const struct row_set *erase;    /* rows to leave out, beside those erased already; NULL: none */
    const struct merkle_hash *root; /* what all rows must have; NULL: not known */
    int compression_level;          /* zstd; 0: the default of this build */
};

/* What a written or opened segment is. */
struct segment_summary {
    uint64_t first_seq;
    uint32_t count; /* of a ledger's: ROWS_MAX */
    uint32_t erased;
    uint64_t file_bytes;
    int64_t time_min_us, time_max_us;         /* event_timestamp */
    int64_t recorded_min_us, recorded_max_us; /* recorded_at */
    struct merkle_hash root;                  /* of its `count` leaves */
};

/*
 * Writes the rows of `source` (1..ROWS_MAX; a ledger's segments are full) to `name` in `dir`,
 * durable when it returns. Every derived part is made anew from the rows that stay. CORRUPT when
 * `source` is, or has another root than it must, FULL when the disk is: what had the name before
 * has it still. IO.
 */
enum err segment_write(const struct rows *source, const struct segment_write_options *options,
                       const struct dir *dir, const char *name, struct segment_summary *out,
                       struct diag *diag);

/*
 * The same, by who may have to stop and go on: a writer keeps its place. It borrows `source`, the
 * set and the root of the options, and `dir`; freed before it is done, it leaves nothing of its
 * file.
 * Threads: one at a time, not always the same; while it runs it has a second of its own.
 */
struct segment_writer;
enum err segment_writer_new(const struct rows *source, const struct segment_write_options *options,
                            const struct dir *dir, const char *name, struct segment_writer **out,
                            struct diag *diag);
void segment_writer_free(struct segment_writer *writer);
DEFINE_OWNED(segment_writer);
/* Until the file is durable, or *stop (NULL: never), which is looked at between tiles of rows,
 * between sections, and before the file is synced: then BUSY, and another call goes on. After any
 * other failure it can only be freed. */
enum err segment_writer_run(struct segment_writer *writer, const _Atomic bool *stop,
                            struct segment_summary *out, struct diag *diag);

/* Maps a segment; checks header, footer and section bounds. NOT_FOUND; CORRUPT with file and
 * offset in `diag`; IO. The caller owns *out. */
enum err segment_open(const struct dir *dir, const char *name, struct segment **out,
                      struct diag *diag);
void segment_free(struct segment *segment);
DEFINE_OWNED(segment);

const struct rows *segment_rows(const struct segment *segment);
const struct segment_summary *segment_summary(const struct segment *segment);

/* The root of leaves [256 * tile, 256 * (tile + 1)): an element of a level-1 tile, as stored. */
enum err segment_tile_root(const struct segment *segment, uint32_t tile, struct merkle_hash *out);

/* Re-reads everything: section CRCs, every line rebuilt and hashed against the tile roots and the
 * root, every derived section recomputed and compared. CORRUPT names file, section and offset. */
enum err segment_verify(const struct segment *segment, struct diag *diag);
