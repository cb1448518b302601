/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bloom - a Bloom filter for each tile of a segment, over the tokens of its JSON (filter/tokens.h),
 * all of one size and bit-sliced: a row of 256 bits has the same bit of every tile, so that asking
 * all tiles for a token reads BLOOM_PROBES rows of 32 bytes (docs/format/segment.md).
 *
 *   bloom_build_new .. for each tile: bloom_build_row*, bloom_build_end_tile .. bloom_build_write
 *                   or for each tile: bloom_build_row*, bloom_build_take_tile
 *
 * Threads: a builder belongs to one; reading: any.
 */

#include "base/buf.h"
#include "columns/rows.h"

#define BLOOM_PROBES    7u
#define BLOOM_ROW_BYTES (ROWS_TILES_MAX / 8)
/* A tile of more distinct tokens holds everything. */
#define BLOOM_TILE_TOKENS_MAX 16384u

struct bloom_build;

struct bloom_build *bloom_build_new(void); /* never NULL */
void bloom_build_free(struct bloom_build *build);
DEFINE_OWNED(bloom_build);

void bloom_build_row(struct bloom_build *build, slice data, slice metadata);
void bloom_build_end_tile(struct bloom_build *build);
/* Appends the filter of all tiles; returns how many rows of bits it has. */
uint32_t bloom_build_write(const struct bloom_build *build, struct buf *out);

/* The filter of one tile alone. */
struct bloom_tile {
    uint32_t row_count; /* bits */
    uint64_t bits[];
};

/* Makes it of the rows since the last tile ended, which becomes no tile of this builder: it begins
 * anew. The caller ends it with free(). */
struct bloom_tile *bloom_build_take_tile(struct bloom_build *build);
bool bloom_tile_holds(const struct bloom_tile *tile, uint64_t token);

/* A filter as stored: `row_count` (1 or more) rows of BLOOM_ROW_BYTES. */
struct bloom {
    const uint8_t *bits;
    uint32_t row_count;
    uint32_t probes;
};

/* Clears the bits of those tiles that do not hold `token`. */
void bloom_ask(const struct bloom *bloom, uint64_t token, uint64_t tiles[4]);
