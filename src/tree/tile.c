/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of the tiled log API, behind "/tile/":
 *
 *   <level>/<index>        a full tile of 256 hashes, each the root of 256^level leaves
 *   <level>/<index>.p/<width>              its first 1..255 hashes
 *   entries/<index>, entries/<index>.p/<width>      the entries under a tile of level 0
 *
 * The level is 0..63. The index is in groups of three digits, of which all but the last have an x
 * in front: 1234067 is x001/x234/067. There is one path for a tile, and no other is read.
 */
#include "tree/tile.h"

#include "codec/wire.h"
#include "tree/lines.h"

enum {
    LEVEL_MAX = 63,
    LEVEL_BITS = 8,       /* of a tile's width */
    HASHED_LEVELS = 8,    /* 256^8 leaves are more than there can be */
    INDEX_GROUPS_MAX = 7, /* 2^64 has 20 digits */
};

static bool take_until_slash(slice *path, slice *part)
{
    const uint8_t *slash = path->len > 0 ? memchr(path->ptr, '/', path->len) : NULL;
    if (slash == NULL) {
        return false;
    }
    *part = slice_take(path, (size_t)(slash - path->ptr));
    (void)slice_take(path, 1);
    return true;
}

static bool take_level(slice *path, struct tile *tile)
{
    slice part = {0};
    uint64_t level = 0;
    if (!take_until_slash(path, &part)) {
        return false;
    }
    if (slice_equal(part, SLICE("entries"))) {
        tile->is_entries = true;
        return true;
    }
    if (!decimal_parse(part, &level) || level > LEVEL_MAX) {
        return false;
    }
    tile->level = (unsigned)level;
    return true;
}

static bool take_group(slice *path, uint64_t *index)
{
    if (path->len < 3) {
        return false;
    }
    slice digits = slice_take(path, 3);
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t byte = digits.ptr[i];
        if (byte < '0' || byte > '9' || __builtin_mul_overflow(*index, 10, index) ||
            __builtin_add_overflow(*index, (uint64_t)(byte - '0'), index)) {
            return false;
        }
    }
    return true;
}

static bool take_index(slice *path, uint64_t *out)
{
    uint64_t index = 0;
    while (slice_take_literal(path, SLICE("x"))) {
        /* A first group of zeros would be a second path for the same tile. */
        if (!take_group(path, &index) || index == 0 || !slice_take_literal(path, SLICE("/"))) {
            return false;
        }
    }
    if (!take_group(path, &index)) {
        return false;
    }
    *out = index;
    return true;
}

enum err tile_parse(slice path, struct tile *out)
{
    struct tile tile = {.width = TILE_WIDTH};
    if (!take_level(&path, &tile) || !take_index(&path, &tile.index)) {
        return ERR_INVALID;
    }
    if (slice_take_literal(&path, SLICE(".p/"))) {
        uint64_t width = 0;
        if (!decimal_parse(path, &width) || width == 0 || width >= TILE_WIDTH) {
            return ERR_INVALID;
        }
        tile.width = (unsigned)width;
    } else if (path.len > 0) {
        return ERR_INVALID;
    }
    *out = tile;
    return OK;
}

void tile_format(const struct tile *tile, struct buf *out)
{
    ASSERT(tile->width >= 1 && tile->width <= TILE_WIDTH);
    ASSERT(tile->level <= (tile->is_entries ? 0 : LEVEL_MAX));
    if (tile->is_entries) {
        buf_append_cstr(out, "entries/");
    } else {
        buf_append_format(out, "%u/", tile->level);
    }

    unsigned groups[INDEX_GROUPS_MAX]; /* the last one first */
    size_t count = 0;
    uint64_t index = tile->index;
    do {
        groups[count++] = (unsigned)(index % 1000);
        index /= 1000;
    } while (index > 0);
    while (count > 1) {
        buf_append_format(out, "x%03u/", groups[--count]);
    }
    buf_append_format(out, "%03u", groups[0]);

    if (tile->width < TILE_WIDTH) {
        buf_append_format(out, ".p/%u", tile->width);
    }
}

bool tile_exists(const struct tile *tile, uint64_t size)
{
    if (tile->level >= HASHED_LEVELS) {
        return false;
    }
    uint64_t hashes = size >> (LEVEL_BITS * tile->level);
    return hashes >= tile->width && tile->index <= (hashes - tile->width) / TILE_WIDTH;
}

enum err tile_write_hashes(const struct tile *tile, merkle_node_fn node, void *context,
                           struct buf *out)
{
    ASSERT(!tile->is_entries);
    ASSERT(tile->level < HASHED_LEVELS);
    ASSERT(tile->width >= 1 && tile->width <= TILE_WIDTH);

    struct merkle_hash hashes[TILE_WIDTH];
    for (unsigned i = 0; i < tile->width; i++) {
        TRY(node(context, LEVEL_BITS * tile->level, tile->index * TILE_WIDTH + i, &hashes[i]));
    }
    buf_append(out, (slice){hashes[0].bytes, tile->width * sizeof(hashes[0])});
    return buf_check(out);
}

void tile_write_entry(slice entry, struct buf *out)
{
    ASSERT(entry.len <= UINT16_MAX);
    uint8_t length[2];
    wire_put_u16be(length, (uint16_t)entry.len);
    if (buf_reserve(out, sizeof(length) + entry.len)) { /* both or neither */
        buf_append(out, (slice){length, sizeof(length)});
        buf_append(out, entry);
    }
}
