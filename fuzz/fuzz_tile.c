/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of tiles: what is read is written again, byte for byte, and never reaches past the tree. */
#include "base/macros.h"
#include "tree/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t sizes[] = {0, 1, 255, 256, 70000, UINT64_C(1) << 32, UINT64_MAX};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice path = {data, size};
    struct tile tile = {0};
    CLEANUP(buf_release) struct buf again = BUF_INIT(64);
    if (tile_parse(path, &tile) != OK) {
        return 0;
    }
    tile_format(&tile, &again);
    ASSERT(slice_equal(buf_slice(&again), path));
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        if (tile_exists(&tile, sizes[i])) {
            __uint128_t end = ((__uint128_t)tile.index * TILE_WIDTH + tile.width)
                              << (8 * tile.level);
            ASSERT(end <= sizes[i]);
        }
    }
    return 0;
}
