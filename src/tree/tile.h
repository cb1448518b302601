/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tile - paths and contents of the tiled log API (c2sp.org/tlog-tiles). Threads: any.
 */

#include "base/buf.h"
#include "tree/merkle.h"

#define TILE_WIDTH 256

struct tile {
    bool is_entries; /* /tile/entries/<N>; level is 0 */
    unsigned level;  /* 0..63 */
    uint64_t index;
    unsigned width; /* 1..256 */
};

/* Parses what follows "/tile/": "0/x001/234", "entries/000.p/7". INVALID. */
enum err tile_parse(slice path, struct tile *out);
void tile_format(const struct tile *tile, struct buf *out); /* the same text */

/* Whether a tree of `size` leaves has this tile: so many of its hashes, at least. */
bool tile_exists(const struct tile *tile, uint64_t size);

/* Appends `width` hashes of a hash tile that exists. Nothing is appended when `node` answers an
 * error, which comes back, and when they do not fit: LIMIT. */
enum err tile_write_hashes(const struct tile *tile, merkle_node_fn node, void *context,
                           struct buf *out);
/* Appends one entry of a bundle: uint16 big-endian length and bytes, or nothing when they do not
 * fit, which the buf remembers. `entry` is below 65,536 bytes. */
void tile_write_entry(slice entry, struct buf *out);
