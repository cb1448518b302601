/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nodes - any node of the tree, from what is stored: leaves are hashed again from their lines, tile
 * roots are in the segments, segment roots and all above them in memory.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "ledger/core.h"

enum {
    UPPER_LEVELS = 48,
};

/* Perfect subtrees of whole segments: level[k] holds the nodes of 2^k segments. */
struct upper_tree {
    struct merkle_hash *level[UPPER_LEVELS];
    size_t count[UPPER_LEVELS];
    size_t capacity[UPPER_LEVELS];
};

struct upper_tree *upper_tree_new(void)
{
    return mem_zeroed(sizeof(struct upper_tree));
}

void upper_tree_free(struct upper_tree *tree)
{
    for (size_t i = 0; tree != NULL && i < UPPER_LEVELS; i++) {
        free(tree->level[i]);
    }
    free(tree);
}

static void add_node(struct upper_tree *tree, size_t level, const struct merkle_hash *hash)
{
    if (tree->count[level] == tree->capacity[level]) {
        tree->capacity[level] = tree->capacity[level] > 0 ? 2 * tree->capacity[level] : 64;
        tree->level[level] = mem_resize(tree->level[level], tree->capacity[level] * sizeof(*hash));
    }
    tree->level[level][tree->count[level]++] = *hash;
}

void upper_tree_append(struct upper_tree *tree, const struct merkle_hash *segment_root)
{
    struct merkle_hash hash = *segment_root;
    for (size_t level = 0; level < UPPER_LEVELS; level++) {
        add_node(tree, level, &hash);
        size_t count = tree->count[level];
        if (count % 2 != 0) {
            return;
        }
        hash = merkle_node(&tree->level[level][count - 2], &tree->level[level][count - 1]);
    }
}

/* ---- Inside one segment ---- */

/* Folds leaves [first, first + count) of one segment; count is a power of two up to 256. */
static enum err fold_leaves(const struct rows *rows, uint32_t first, uint32_t count,
                            struct merkle_hash *out)
{
    struct merkle_hash hashes[ROWS_TILE];
    struct rows_reader *reader = rows->ops->reader_new(rows);
    enum err e = OK;
    for (uint32_t i = 0; i < count && e == OK; i++) {
        struct leaf_hash leaf;
        e = rows->ops->leaf(reader, first + i, &leaf);
        memcpy(hashes[i].bytes, leaf.bytes, sizeof(hashes[i].bytes));
    }
    rows->ops->reader_free(reader);
    TRY(e);
    *out = merkle_fold_perfect(hashes, count);
    return OK;
}

/* Tile roots [first, first + count) of one segment. */
static enum err take_tile_roots(const struct snapshot_view *view, size_t segment_index,
                                uint32_t first, uint32_t count, struct merkle_hash *out)
{
    if (segment_index >= view->sealed_count) {
        for (size_t i = 0; i < view->active_count; i++) {
            struct active *active = view->actives[i].active;
            if (active_first_seq(active) == (uint64_t)segment_index * ROWS_MAX) {
                memcpy(out, active_tile_roots(active) + first, count * sizeof(*out));
                return OK;
            }
        }
        return ERR_INVALID;
    }
    const struct sealed *sealed = &view->sealed[segment_index];
    for (uint32_t i = 0; i < count; i++) {
        if (sealed->segment == NULL) {
            out[i] = sealed->tile_roots[first + i];
        } else {
            TRY(segment_tile_root(sealed->segment, first + i, &out[i]));
        }
    }
    return OK;
}

enum err segment_node(const struct snapshot_view *view, unsigned level, uint64_t index,
                      struct merkle_hash *out)
{
    uint64_t first = index << level;
    size_t segment_index = (size_t)(first / ROWS_MAX);
    uint32_t in_segment = (uint32_t)(first % ROWS_MAX);
    if (level >= ROWS_TILE_LEVEL) {
        struct merkle_hash tiles[ROWS_TILES_MAX];
        uint32_t count = 1u << (level - ROWS_TILE_LEVEL);
        TRY(take_tile_roots(view, segment_index, in_segment / ROWS_TILE, count, tiles));
        *out = merkle_fold_perfect(tiles, count);
        return OK;
    }
    if (segment_index >= view->view.entry_count) {
        return ERR_INVALID;
    }
    const struct rows *rows = view->view.entries[segment_index].rows;
    return rows != NULL ? fold_leaves(rows, in_segment, 1u << level, out) : ERR_GONE;
}

enum err ledger_node(struct store *store, unsigned level, uint64_t index, struct merkle_hash *out)
{
    struct ledger *ledger = (struct ledger *)store;
    uint64_t size = snapshot_size(ledger->snapshot);
    if (level >= 64 || index > (size >> level) || ((index + 1) << level) > size) {
        return ERR_INVALID;
    }
    if (level >= ROWS_LEVEL) {
        mutex_lock(&ledger->tree_lock);
        size_t upper = level - ROWS_LEVEL;
        bool known = upper < UPPER_LEVELS && index < ledger->upper->count[upper];
        if (known) {
            *out = ledger->upper->level[upper][index];
        }
        mutex_unlock(&ledger->tree_lock);
        if (known) {
            return OK;
        }
        if (level > ROWS_LEVEL) { /* the youngest segments below are not sealed yet */
            struct merkle_hash halves[2];
            TRY(ledger_node(store, level - 1, 2 * index, &halves[0]));
            TRY(ledger_node(store, level - 1, 2 * index + 1, &halves[1]));
            *out = merkle_node(&halves[0], &halves[1]);
            return OK;
        }
    }
    OWNED(snapshot_view) view = snapshot_view_open(ledger->snapshot);
    return segment_node(view, level, index, out);
}

/* ---- Entries ---- */

static enum err append_entry(struct rows_reader *reader, uint32_t row, char *scratch,
                             struct buf *line, struct buf *out)
{
    struct event event;
    CLEANUP(buf_release) struct buf entry = BUF_INIT(TLOG_ENTRY_BYTES_MAX);
    TRY(rows_event(reader, row, scratch, &event));
    buf_clear(line);
    event_write_line(&event, line);
    event_write_entry(buf_slice(line), &entry);
    tile_write_entry(buf_slice(&entry), out);
    return buf_check(out);
}

enum err ledger_entries(struct store *store, const struct tile *tile, struct buf *out,
                        struct diag *diag)
{
    struct ledger *ledger = (struct ledger *)store;
    OWNED(snapshot_view) view = snapshot_view_open(ledger->snapshot);
    if (!tile_exists(tile, view->view.size)) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "the log is not that large");
    }
    uint64_t first = tile->index * TILE_WIDTH;
    const struct rows *rows = view->view.entries[first / ROWS_MAX].rows;
    if (rows == NULL) {
        return diag_fail(diag, ERR_GONE, "", "these events were erased");
    }
    CLEANUP(mem_freep) char *scratch = mem_zeroed(ROWS_EVENT_SCRATCH_BYTES);
    CLEANUP(buf_release) struct buf line = BUF_INIT(EVENT_LINE_BYTES_MAX);
    struct rows_reader *reader = rows->ops->reader_new(rows);
    enum err e = OK;
    for (uint32_t i = 0; i < tile->width && e == OK; i++) {
        e = append_entry(reader, (uint32_t)(first % ROWS_MAX) + i, scratch, &line, out);
    }
    rows->ops->reader_free(reader);
    return e == ERR_GONE ? diag_fail(diag, e, "", "some of these events were erased") : e;
}
