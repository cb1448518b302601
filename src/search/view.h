/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * view - the ledger as it was at one moment: an immutable list of rows (sealed segments, segments
 * being sealed, the active one) and the size up to which it may be read.
 *
 * A view is shared by reference count: readers hold one while they look, and what it names stays
 * mapped and in memory until the last of them is done.
 *
 * Threads: any.
 */

#include "columns/rows.h"
#include "segment/group.h"
#include "segment/segment.h"

struct view_entry {
    const struct rows *rows; /* NULL: gone, every row was erased and the file unlinked */
    uint64_t first_seq;
    uint32_t count; /* rows that may be read through this view */
    int64_t time_min_us, time_max_us;
    struct segment *segment; /* NULL: in memory */
};

struct view {
    uint64_t size;
    size_t entry_count;
    const struct view_entry *entries; /* ascending first_seq, 65,536 apart */
    size_t group_count;
    /* groups of 64 segments, by index; NULL where none is yet */
    struct group *const *groups;
};

/* Scans and counts over a view; as store_scan_* and store_count say. `view` is borrowed. */
struct view_scan;
struct store_scan_options;
struct store_count_options;
struct store_event;
struct store_group;

enum err view_scan_open(const struct view *view, const struct store_scan_options *options,
                        struct view_scan **out, struct diag *diag);
enum err view_scan_next(struct view_scan *scan, const struct store_event **out, struct diag *diag);
void view_scan_free(struct view_scan *scan);

enum err view_count(const struct view *view, const struct store_count_options *options,
                    struct arena *arena, struct store_group **out, size_t *count_out,
                    struct diag *diag);
