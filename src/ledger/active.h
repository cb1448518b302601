/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * active - the segment that is being filled: its columns in memory, its rows in the WAL.
 *
 * Everything in it is append-only, and what lies below the ledger's committed size never changes:
 * readers need no lock. Erasing rows builds another active segment from the rows that stay.
 * Dictionary values and payloads point into frames that are kept in memory while the budget
 * allows; other payloads are read back from the WAL.
 *
 * Threads: active_add() by the sequencer; active_rows_init() and what it gives by any, for rows
 * below a size that was published after they were added.
 */

#include <stdatomic.h>

#include "columns/rows.h"
#include "wal/wal_window.h"

struct active;

struct active *active_new(uint64_t first_seq, uint64_t hash_seed); /* never NULL; one reference */
struct active *active_ref(struct active *active);
void active_unref(struct active *active); /* NULL is fine; the last one also unuses its WAL files */

uint64_t active_first_seq(const struct active *active);
/* From 1 on, of this process: no two have the same, as addresses and first seqs may. */
uint64_t active_serial(const struct active *active);
uint32_t active_count(const struct active *active); /* as its writer knows it */

/*
 * Adds the next row. `event` is the decoded `row` (or has nothing present, and row.len is 0, for an
 * erased one; only while nobody else can see the segment yet). `stable` says that the row's bytes
 * live as long as the active segment; else what must stay is copied, and they live until the row is
 * located: before that, it is read from there. Where the row is in the WAL is told later, for runs
 * of rows.
 */
void active_add(struct active *active, slice row, bool stable, const struct event *event,
                const struct leaf_hash *leaf);

/* Rows [first, first + n) have their entries in `file`, one behind the other from `at` on; takes a
 * use of the file for the active segment if it has none yet. `stable` is as it was when they were
 * added: unless it is set, they are read from the file from now on. */
void active_locate(struct active *active, uint32_t first, uint32_t n, bool stable,
                   struct wal_file *file, uint64_t at);

/* The same for one row, not stable, whose bytes (behind the head of its entry) are at `at`. */
void active_locate_row(struct active *active, uint32_t row, struct wal_file *file, uint64_t at,
                       uint32_t len);

uint32_t active_row_len(const struct active *active, uint32_t row); /* 0: erased */

/* Keeps memory that rows point into: freed with the active segment. */
void active_keep(struct active *active, void *memory, void (*release)(void *context, void *memory),
                 void *context);

/* Leaf hashes of all rows, and the roots of full tiles. */
const struct leaf_hash *active_leaves(const struct active *active);
void active_set_tile_root(struct active *active, uint32_t tile, const struct leaf_hash *root);
const struct leaf_hash *active_tile_roots(const struct active *active);

/* Rows below `count` as everyone sees them; *out borrows the active segment. */
struct active_rows {
    struct rows rows; /* first member */
    struct active *active;
};
void active_rows_init(struct active *active, uint32_t count, struct active_rows *out);

/* The stored row, through `window` when it must be read back: it lives until that is used again.
 * GONE: erased. CORRUPT, IO. */
enum err active_read_row(const struct active *active, uint32_t row, struct wal_window *window,
                         slice *row_out);
