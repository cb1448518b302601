/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * snapshot - what the ledger consists of right now: sealed segments, active ones, groups, and the
 * committed size. Readers take a view of it (view.h) and give it back.
 *
 * The list of sealed segments is immutable and replaced as a whole when one is sealed or erased;
 * what nobody looks at any more is freed with its last view.
 *
 * Threads: any, unless a line says otherwise.
 */

#include "ledger/active.h"
#include "search/view.h"

struct snapshot;

/* One segment of 65,536 rows: sealed, or gone (`segment` NULL) with what remains of it. */
struct sealed {
    struct segment *segment;
    struct merkle_hash root;
    const struct merkle_hash *tile_roots; /* of a gone segment: ROWS_TILES_MAX; else NULL */
};

struct snapshot *snapshot_new(void);           /* never NULL; empty */
void snapshot_free(struct snapshot *snapshot); /* every view must have been given back */

/* Sets segments [first, first + count), behind those that are there or in their places; owns what
 * it is given. One call replaces the list once, however many they are. */
void snapshot_set_segments(struct snapshot *snapshot, size_t first, const struct sealed *sealed,
                           size_t count);
/* Adds the index over segments [64 * index, 64 * index + 64); owns it. */
void snapshot_set_group(struct snapshot *snapshot, size_t index, struct group *group);

/* Adds an active segment behind all others; takes a reference of its own. */
void snapshot_add_active(struct snapshot *snapshot, struct active *active);
/* The oldest active segment was sealed, and is set as such already: lets go of it. */
void snapshot_drop_oldest_active(struct snapshot *snapshot);
/* Exchanges all active segments at once, after an erasure. */
void snapshot_replace_actives(struct snapshot *snapshot, struct active *const *actives,
                              size_t count);
#define SNAPSHOT_ACTIVES_MAX 8
size_t snapshot_sealed_count(struct snapshot *snapshot);
size_t snapshot_group_count(struct snapshot *snapshot);

/* Committed size: by the sequencer. Everything below it must have been added before. */
void snapshot_commit(struct snapshot *snapshot, uint64_t size);
uint64_t snapshot_size(const struct snapshot *snapshot);

/* A view of now; what it points to stays valid with it. */
struct snapshot_view {
    struct view view;
    struct snapshot_list *list;
    struct active_rows actives[SNAPSHOT_ACTIVES_MAX];
    size_t active_count;
    const struct sealed *sealed; /* [sealed_count] */
    size_t sealed_count;
};
struct snapshot_view *snapshot_view_open(struct snapshot *snapshot);
void snapshot_view_free(struct snapshot_view *view);
DEFINE_OWNED(snapshot_view);
