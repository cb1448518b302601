/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/bloom_live.h"

#include <stdatomic.h>
#include <stdlib.h>

struct maker {
    const struct rows *rows;
    struct bloom_build *build; /* NULL until it is needed */
    struct rows_reader *reader;
};

/* NULL: a payload could not be read. */
static struct bloom_tile *make_tile(struct maker *maker, uint32_t tile)
{
    const struct rows_ops *ops = maker->rows->ops;
    if (maker->build == NULL) {
        maker->build = bloom_build_new();
        maker->reader = ops->reader_new(maker->rows);
    }
    bool is_whole = true;
    for (uint32_t row = tile * ROWS_TILE; row < (tile + 1) * ROWS_TILE && is_whole; row++) {
        slice data = {0};
        slice metadata = {0};
        enum err e = ops->payload(maker->reader, row, &data, &metadata);
        is_whole = e == OK || e == ERR_GONE;
        bloom_build_row(maker->build, data, metadata);
    }
    struct bloom_tile *made = bloom_build_take_tile(maker->build);
    if (!is_whole) {
        free(made);
        return NULL;
    }
    return made;
}

/* What is there by now, ours or another reader's. */
static const struct bloom_tile *publish(struct bloom_tile *_Atomic *place, struct bloom_tile *made)
{
    struct bloom_tile *there = NULL;
    if (made == NULL || atomic_compare_exchange_strong(place, &there, made)) {
        return made;
    }
    free(made);
    return there;
}

void bloom_live_ask(struct bloom_live *live, const struct rows *rows, uint64_t token,
                    uint64_t tiles[4])
{
    struct maker maker = {.rows = rows};
    for (uint32_t tile = 0; tile < rows->count / ROWS_TILE; tile++) {
        uint64_t bit = UINT64_C(1) << (tile % 64);
        if ((tiles[tile / 64] & bit) == 0) {
            continue;
        }
        const struct bloom_tile *filter =
            atomic_load_explicit(&live->tiles[tile], memory_order_acquire);
        if (filter == NULL) {
            filter = publish(&live->tiles[tile], make_tile(&maker, tile));
        }
        if (filter != NULL && !bloom_tile_holds(filter, token)) {
            tiles[tile / 64] &= ~bit;
        }
    }
    if (maker.reader != NULL) {
        rows->ops->reader_free(maker.reader);
    }
    bloom_build_free(maker.build);
}

void bloom_live_release(struct bloom_live *live)
{
    for (uint32_t tile = 0; tile < ROWS_TILES_MAX; tile++) {
        free(atomic_load_explicit(&live->tiles[tile], memory_order_relaxed));
    }
}
