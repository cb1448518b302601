/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * group - the index over 64 sealed segments in a row (4,194,304 events), one file, written once.
 *
 *   ids      sorted (hash of org and event_id) -> position: is this id known, and where
 *   lookups  for each LOOKUP field, sorted (hash of value) -> which of the 64 segments have it, so
 *            that one correlation among thousands of segments costs a few page reads
 *
 * Everything in it is derived from the segments and can be made again. docs/format/segment.md has
 * the bytes.
 *
 * Threads: immutable once open; any.
 */

#include "segment/segment.h"

#define GROUP_SEGMENTS 64u
#define GROUP_ROWS     ((uint64_t)GROUP_SEGMENTS * ROWS_MAX)

struct group;

/* Builds from exactly GROUP_SEGMENTS segments (NULL: gone) and writes durably. IO, FULL, CORRUPT.
 */
enum err group_write(struct segment *const segments[GROUP_SEGMENTS], uint64_t first_seq,
                     const struct dir *dir, const char *name, struct diag *diag);

enum err group_open(const struct dir *dir, const char *name, struct group **out, struct diag *diag);
void group_free(struct group *group);
DEFINE_OWNED(group);

uint64_t group_first_seq(const struct group *group);
/* Bounds of the 48-bit times of the UUIDv7 ids inside; {UINT64_MAX, 0} if there are none. */
void group_v7_bounds(const struct group *group, uint64_t *min_ms, uint64_t *max_ms);

/* Rows (0..GROUP_ROWS-1, ascending) whose id may have this hash; the caller compares the id. */
#define GROUP_FIND_MAX 16
size_t group_find_id(const struct group *group, uint64_t id_hash,
                     uint32_t rows_out[GROUP_FIND_MAX]);
void group_prefetch_id(const struct group *group, uint64_t id_hash);

/* Segments (bits) that may have `value` in LOOKUP field `field`. */
uint64_t group_lookup(const struct group *group, enum field field, slice value);

/* Recomputes everything from the segments and compares. CORRUPT. */
enum err group_verify(const struct group *group, struct segment *const segments[GROUP_SEGMENTS],
                      struct diag *diag);
