/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bloom_live - Bloom filters of rows that are still in memory: one for each tile, made from its
 * payloads by the first reader who asks, when the tile is full. Writing pays nothing for them, and
 * of two readers who make the same one both have the same bits.
 *
 * Threads: any may ask at once; release when nobody can any more.
 */

#include "columns/bloom.h"

struct bloom_live {
    struct bloom_tile *_Atomic tiles[ROWS_TILES_MAX]; /* NULL: not made yet */
};

/* Clears the bits of full tiles of `rows` that do not hold `token`. The rows are always those of
 * this filter; a tile whose payloads cannot be read may hold everything. */
void bloom_live_ask(struct bloom_live *live, const struct rows *rows, uint64_t token,
                    uint64_t tiles[4]);

void bloom_live_release(struct bloom_live *live);
