/* SPDX-License-Identifier: Apache-2.0 */
/*
 * erase - taking rows away and leaving their hashes.
 *
 * Sealed segments are written anew without the rows, under the same name; a segment with nothing
 * left goes once its tile roots are safe in `roots`. Rows that are only in the WAL go by writing
 * one new WAL file that supersedes the others, between two frames of the sequencer, and by
 * building the columns in memory from it. Old WAL files are overwritten with zeros as soon as no
 * reader needs them.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "columns/row_set.h"
#include "ledger/core.h"
#include "ledger/rewrite.h"

enum { READERS_POLL_US = 2000 };

struct erasure {
    struct ledger *ledger;
    ledger_choose_fn choose;
    void *context;
    uint64_t erased;
};

/* Asks for the rows to erase: only ones that are there and not erased yet. */
static enum err choose_rows(struct erasure *erasure, const struct rows *rows, struct row_set *set,
                            uint32_t *count)
{
    *set = (struct row_set){0};
    TRY(erasure->choose(erasure->context, rows, set));
    for (uint32_t row = 0; row < ROWS_MAX; row += 64) {
        uint64_t there = rows->count >= row + 64 ? UINT64_MAX
                         : rows->count > row     ? (UINT64_C(1) << (rows->count - row)) - 1
                                                 : 0;
        uint64_t gone = rows->erased != NULL ? rows->erased->words[row / 64] : 0;
        set->words[row / 64] &= there & ~gone;
    }
    *count = row_set_count(set);
    return OK;
}

/* ---- Sealed segments ---- */

static enum err unlink_segment(struct ledger *ledger, const struct segment *segment, size_t index,
                               const char *name, struct diag *diag)
{
    CLEANUP(roots_release) struct roots roots = {0};
    struct roots_entry entry = {.index = index};
    struct merkle_hash folded[ROWS_TILES_MAX];
    for (uint32_t tile = 0; tile < ROWS_TILES_MAX; tile++) {
        TRY(segment_tile_root(segment, tile, &entry.tile_roots[tile]));
    }
    memcpy(folded, entry.tile_roots, sizeof(folded));
    struct merkle_hash root = merkle_fold_perfect(folded, ROWS_TILES_MAX);
    if (!merkle_hash_equal(&root, &segment_summary(segment)->root)) {
        return diag_fail(diag, ERR_CORRUPT, name, "its tile roots have another root than it says");
    }
    TRY(roots_read(ledger->dir, &roots, diag));
    TRY(roots_add(&roots, ledger->dir, &entry, diag));
    TRY(dir_remove(ledger->dir, name, diag));
    TRY(dir_sync(ledger->dir, diag));
    const struct sealed gone = {.root = segment_summary(segment)->root,
                                .tile_roots = entry.tile_roots};
    snapshot_set_segments(ledger->snapshot, index, &gone, 1);
    return OK;
}

static enum err rewrite_segment(struct ledger *ledger, const struct segment *segment, size_t index,
                                const char *name, const struct row_set *set, struct diag *diag)
{
    struct segment_summary summary;
    const struct segment_write_options options = {.erase = set,
                                                  .root = &segment_summary(segment)->root};
    TRY(segment_write(segment_rows(segment), &options, ledger->dir, name, &summary, diag));
    OWNED(segment) fresh = NULL;
    TRY(segment_open(ledger->dir, name, &fresh, diag));
    const struct sealed sealed = {.segment = MOVE(fresh), .root = summary.root};
    snapshot_set_segments(ledger->snapshot, index, &sealed, 1);
    return OK;
}

/* The index over a segment that is about to change goes first: after a crash in between, the next
 * start makes it anew, and nobody would if it were there. */
static enum err drop_group_file(struct ledger *ledger, size_t index, struct diag *diag)
{
    char name[SEGMENT_NAME_BYTES];
    group_name(name, index / GROUP_SEGMENTS);
    if (!dir_has(ledger->dir, name)) {
        return OK;
    }
    TRY(dir_remove(ledger->dir, name, diag));
    return dir_sync(ledger->dir, diag);
}

/* Under group_lock, so that the sealer makes no index of the segment as it was meanwhile. */
static enum err change_segment(struct ledger *ledger, const struct segment *segment, size_t index,
                               const struct row_set *set, uint32_t count, struct diag *diag)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, index);
    TRY(drop_group_file(ledger, index, diag));
    return count + segment_summary(segment)->erased == ROWS_MAX
               ? unlink_segment(ledger, segment, index, name, diag)
               : rewrite_segment(ledger, segment, index, name, set, diag);
}

static enum err erase_in_segment(struct erasure *erasure, const struct segment *segment,
                                 size_t index, bool *changed, struct diag *diag)
{
    struct row_set set;
    uint32_t count = 0;
    TRY(choose_rows(erasure, segment_rows(segment), &set, &count));
    *changed = count > 0;
    if (count == 0) {
        return OK;
    }
    mutex_lock(&erasure->ledger->group_lock);
    enum err e = change_segment(erasure->ledger, segment, index, &set, count, diag);
    mutex_unlock(&erasure->ledger->group_lock);
    TRY(e);
    erasure->erased += count;
    return OK;
}

/* The indexes over changed segments are made anew, also one that was written meanwhile. */
static enum err rewrite_group(struct ledger *ledger, size_t group, struct diag *diag)
{
    size_t end = (group + 1) * GROUP_SEGMENTS;
    bool is_full = snapshot_sealed_count(ledger->snapshot) >= end;
    return is_full ? sealer_write_group(ledger, group, diag) : OK;
}

static enum err erase_sealed(struct erasure *erasure, struct diag *diag)
{
    OWNED(snapshot_view) view = snapshot_view_open(erasure->ledger->snapshot);
    bool group_changed = false;
    for (size_t i = 0; i < view->sealed_count; i++) {
        bool changed = false;
        if (view->sealed[i].segment != NULL) {
            TRY(erase_in_segment(erasure, view->sealed[i].segment, i, &changed, diag));
        }
        group_changed = group_changed || changed;
        bool group_ends = (i + 1) % GROUP_SEGMENTS == 0 || i + 1 == view->sealed_count;
        if (group_ends && group_changed) {
            TRY(rewrite_group(erasure->ledger, i / GROUP_SEGMENTS, diag));
            group_changed = false;
        }
    }
    return OK;
}

/* ---- Unsealed rows, on the sequencer's thread ---- */

/*
 * On the sequencer's thread, between two frames. The WAL is written anew in any case: its files
 * hold rows of sealed segments, too, which are about to go, or went when an earlier try was cut
 * short.
 */
static enum err erase_unsealed(struct sequencer *sequencer, void *context, struct diag *diag)
{
    struct erasure *erasure = context;
    CLEANUP(unsealed_release) struct unsealed unsealed;
    uint64_t chosen = 0;
    unsealed_list(erasure->ledger, sequencer, &unsealed);
    for (size_t i = 0; i < unsealed.count; i++) {
        struct active_rows rows;
        uint32_t count = 0;
        active_rows_init(unsealed.old[i], active_count(unsealed.old[i]), &rows);
        TRY(choose_rows(erasure, &rows.rows, &unsealed.sets[i], &count));
        chosen += count;
    }
    TRY(unsealed_rewrite(erasure->ledger, sequencer, &unsealed, diag));
    wal_condemn(erasure->ledger->wal, unsealed.wal_number);
    erasure->erased += chosen;
    return OK;
}

/* ---- Around both ---- */

/* Holds the sealer, so that no row moves from one half to the other meanwhile. */
static void pause_sealer(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    ledger->seal_paused = true;
    seal_write_hurry(ledger);
    condition_broadcast(&ledger->seal_done); /* the sequencer need not wait for it now */
    while (ledger->seal_busy) {
        condition_wait(&ledger->seal_done, &ledger->seal_lock);
    }
    mutex_unlock(&ledger->seal_lock);
}

static void resume_sealer(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    ledger->seal_paused = false;
    condition_broadcast(&ledger->seal_wanted);
    mutex_unlock(&ledger->seal_lock);
}

/* Overwrites what the WAL held before, as soon as the last reader of it is done. */
static enum err purge_wal(struct ledger *ledger, struct diag *diag)
{
    bool done = false;
    for (;;) {
        TRY(wal_purge(ledger->wal, &done, diag));
        if (done) {
            return OK;
        }
        (void)usleep(READERS_POLL_US);
    }
}

/*
 * Unsealed rows first, while nothing is sealed: what is sealed afterwards has lost them already,
 * so that the sealer may go on while the segments that were there are gone through.
 */
static enum err erase_all(struct erasure *erasure, struct diag *diag)
{
    struct ledger *ledger = erasure->ledger;
    pause_sealer(ledger);
    enum err e = sequencer_do(ledger, erase_unsealed, erasure, diag);
    resume_sealer(ledger);
    TRY(e);
    TRY(erase_sealed(erasure, diag));
    return purge_wal(ledger, diag);
}

enum err ledger_erase(struct ledger *ledger, ledger_choose_fn choose, void *context,
                      uint64_t *erased_out, struct diag *diag)
{
    struct erasure erasure = {.ledger = ledger, .choose = choose, .context = context};
    if (atomic_exchange(&ledger->erasing, true)) {
        return diag_fail(diag, ERR_BUSY, "", "another erasure is running");
    }
    enum err e = erase_all(&erasure, diag);
    atomic_store(&ledger->erasing, false);
    TRY(e);
    *erased_out = erasure.erased;
    return OK;
}
