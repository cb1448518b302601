/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ledger - the embedded event store: one directory, one process, one log that proves itself.
 *
 *   append -> queue -> sequencer: identity, seq, WAL frame, sync, tree, publish, done
 *                         |-> sealer: full segments to disk, groups, WAL recycling
 *                         '-> notary: signed checkpoints
 *
 * Acknowledged means synced: `done` is called after the frame is on disk and in the tree. What the
 * disk holds is laid down in docs/format.md.
 *
 * Threads: open and close from one; all else through store.h from any. The ledger has three
 * threads of its own: sequencer, sealer, notary; for each segment the sealer starts a fourth.
 */

#include "columns/rows.h"
#include "store/store.h"

struct ledger;

struct ledger_options {
    slice origin;                    /* of a new log; empty: one is made up */
    uint64_t queue_bytes_max;        /* batches waiting for the sequencer; 0: 64 MiB */
    uint64_t wal_file_bytes;         /* 0: 64 MiB; below 32 MiB the largest batches are LIMIT */
    uint64_t cache_bytes_max;        /* rows of unsealed segments kept in memory; 0: 96 MiB */
    uint64_t reserve_bytes;          /* below this much free disk appends are FULL; 0: none */
    uint32_t reserve_percent;        /* likewise, of the file system */
    uint32_t checkpoint_interval_ms; /* 0: 1,000 */
    uint32_t cosign_interval_ms;     /* 0: 60,000; a cosignature is renewed, also when idle */
    bool buffered_wal;               /* never O_DIRECT */
    bool no_cosigner;                /* checkpoints carry the log's signature alone */
    /* Called once, on a thread of the ledger, when a write or sync failed: nothing more will be
     * acknowledged, and the process should end. NULL: abort(). */
    void (*on_fatal)(void *context, const struct diag *diag);
    void *fatal_context;
};

/*
 * Opens or creates the ledger under `data_path` and recovers it. On OK the caller owns *out.
 * CONFLICT: another process has it (diag names it). CORRUPT: damage other than a torn tail, with
 * file and offset; nothing was changed. FULL, IO.
 */
enum err ledger_open(const char *data_path, const struct ledger_options *options,
                     struct ledger **out, struct diag *diag);

/* Finishes what is queued, signs a checkpoint that covers everything, and lets go of the
 * directory. */
void ledger_close(struct ledger *ledger);
static inline void ledger_free(struct ledger *ledger)
{
    ledger_close(ledger);
}
DEFINE_OWNED(ledger);

struct store *ledger_store(struct ledger *ledger);

/* Other reserves than those it was opened with, from now on. Any thread. */
void ledger_set_reserve(struct ledger *ledger, uint64_t bytes, uint32_t percent);

/* Informs whoever meets our LOCK: "pid 12 listen 127.0.0.1:8090". IO. */
enum err ledger_describe(struct ledger *ledger, slice text, struct diag *diag);

/*
 * Erases rows: what they say is gone from every file when this returns; their leaf hashes stay,
 * so that every proof of a remaining event stays valid. `choose` is asked for each segment and
 * adds the rows to erase to *set (rows of [first_seq, first_seq + count)). A segment whose rows
 * are all erased is unlinked, but for its hashes. May be killed at any instruction and run again.
 * Blocks; one at a time (BUSY). Counts what was newly erased in *erased_out. CORRUPT, FULL, IO.
 */
typedef enum err (*ledger_choose_fn)(void *context, const struct rows *rows, struct row_set *set);
enum err ledger_erase(struct ledger *ledger, ledger_choose_fn choose, void *context,
                      uint64_t *erased_out, struct diag *diag);

/* Waits until every full segment is sealed and its WAL retired; for tests and tools. */
void ledger_settle(struct ledger *ledger);
