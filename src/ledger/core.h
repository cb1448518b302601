/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * core - what the parts of the ledger share: one struct, each member with its owner.
 * Included by the files of this room that make up the ledger, by nobody else.
 */

#include "identity/identity.h"
#include "ledger/ledger.h"
#include "ledger/roots.h"
#include "ledger/snapshot.h"
#include "notary/notary.h"
#include "os/thread.h"
#include "segment/group.h"
#include "segment/segment.h"
#include "store/ops.h"
#include "wal/wal.h"

struct ledger {
    struct store store; /* first member */
    struct ledger_options options;
    struct dir *data_dir;
    struct dir *dir; /* DATA/ledger */
    struct file *lock;
    uint64_t hash_seed;

    /* Shared; each has its own lock or none. */
    struct snapshot *snapshot;
    struct identity *identity;
    struct notary *notary;
    struct wal *wal;

    /* The queue: under queue_lock. */
    struct mutex queue_lock;
    struct condition queue_filled;
    struct batch *queue_head;
    struct batch **queue_tail;
    uint64_t queue_bytes;
    bool stopping;
    struct sequencer_order *order; /* work other than batches, by an eraser that waits */

    /* The sequencer's own. */
    struct sequencer *sequencer;
    struct thread sequencer_thread;

    /* What is ahead of the sealer: under seal_lock. */
    struct mutex seal_lock;
    struct condition seal_wanted; /* to the sealer */
    struct condition seal_done;   /* from the sealer */
    struct active *seal_queue[SNAPSHOT_ACTIVES_MAX];
    size_t seal_count;
    bool seal_stopping;
    struct mutex group_lock; /* held while a group or a segment of it is rewritten */
    bool seal_paused;        /* an erasure works on what is unsealed */
    bool spare_wanted;       /* the WAL has none, or what found no room is to be tried again */
    bool seal_busy;          /* the sealer works right now */
    bool seal_full;          /* the last segment or index found no room on the disk */
    bool seal_closing;       /* the ledger closes: nobody waits for room any more */
    bool seal_in_bulk;       /* the last one that was queued came in large batches */
    size_t seal_waiters;     /* who waits until all is sealed */
    uint64_t sealed_behind;  /* segments begun in the background */
    _Atomic bool seal_hurry; /* the one in the background is wanted; no lock */
    struct thread sealer_thread;

    /* Followers that wait for commits: under commit_lock. */
    struct mutex commit_lock;
    struct condition committed;
    store_commit_fn commit_fn;
    void *commit_context;

    /* Segment roots and the tree above them: under tree_lock. */
    struct mutex tree_lock;
    struct upper_tree *upper;
    struct merkle_frontier published; /* of the committed size */

    _Atomic bool erasing; /* one at a time */
    _Atomic bool failed;
    _Atomic uint64_t reserve_bytes;
    _Atomic uint32_t reserve_percent;
    _Atomic bool disk_low;
    _Atomic int64_t disk_checked_us;
    _Atomic uint64_t commits, commit_us_total, sync_us_max, duplicates, conflicts;
    _Atomic uint64_t checkpoint_failures;
    bool sequencer_started, sealer_started;
};

/* ---- sequencer.c ---- */
struct sequencer *sequencer_new(struct ledger *ledger, const struct merkle_frontier *frontier);
void sequencer_free(struct sequencer *sequencer);
void sequencer_frontier(const struct sequencer *sequencer, struct merkle_frontier *out);
void sequencer_run(void *arg); /* struct ledger */
enum err sequencer_append(struct store *store, struct batch *batch, struct diag *diag);
/* Replays one row while recovering, before the thread runs. */
void sequencer_replay(struct sequencer *sequencer, slice row, const struct event *event,
                      const struct leaf_hash *leaf);
/* While recovering: full segments go to the sealer's queue, or, when that is long, to disk at
 * once. */
enum err sequencer_seal_replayed(struct sequencer *sequencer, struct diag *diag);
/* The active segment that takes the next row, for recovery to locate rows in. */
struct active *sequencer_active(struct sequencer *sequencer);

/* Runs `fn` on the sequencer between two frames, and waits for it. */
struct sequencer_order {
    enum err (*fn)(struct sequencer *sequencer, void *context, struct diag *diag);
    void *context;
    enum err result;
    struct diag diag;
    bool finished;
};
enum err sequencer_do(struct ledger *ledger,
                      enum err (*fn)(struct sequencer *sequencer, void *context, struct diag *diag),
                      void *context, struct diag *diag);
/* For such an order: exchanges the unsealed active segments for rebuilt ones. */
size_t sequencer_actives(struct sequencer *sequencer, struct active *out[SNAPSHOT_ACTIVES_MAX]);
void sequencer_replace_actives(struct sequencer *sequencer, struct active *const *actives,
                               size_t count);

/* ---- sealer.c ---- */
void sealer_run(void *arg); /* struct ledger */
/* A full and durable segment, borrowed, and how its events came. */
void sealer_queue(struct ledger *ledger, struct active *active, bool in_bulk);
/* Waits while too much is unsealed. FULL: it stays so, and the ledger is closing. */
enum err sealer_throttle(struct ledger *ledger, struct diag *diag);
void sealer_want_spare(struct ledger *ledger);
/* Without room for one it is the next change of files that says so. IO. */
enum err sealer_prepare_spare(struct ledger *ledger, struct diag *diag);
/* Full segments that wait for the sealer or are with it, before appends wait: with two, one fills
 * while one is sealed, and no more rows than those of two segments are in memory. */
#define SEAL_BACKLOG_MAX 2
/* Seals the oldest unsealed segment, on the sealer's thread or on the one that opens the ledger.
 * BUSY: sealing is paused or ends, and the segment is as it was. */
enum err sealer_seal_now(struct ledger *ledger, struct active *active, struct diag *diag);
#define SEGMENT_NAME_BYTES 32
void segment_name(char out[SEGMENT_NAME_BYTES], size_t index);
void group_name(char out[SEGMENT_NAME_BYTES], size_t index);
/* Writes and publishes the index of a group whose 64 segments are there. */
enum err sealer_write_group(struct ledger *ledger, size_t index, struct diag *diag);
/* Publishes a group that is on disk; owns `group`. */
enum err sealer_adopt_group(struct ledger *ledger, size_t index, struct group *group,
                            struct diag *diag);

/* ---- seal_write.c ---- */
/* Makes the file of a full segment, on the sealer's thread or while recovering. BUSY: as above. */
enum err seal_write(struct ledger *ledger, struct active *active, struct segment_summary *out,
                    struct diag *diag);
/* What is made in the background is wanted soon. Any thread. */
void seal_write_hurry(struct ledger *ledger);
/* Rows of the next segment from which on the last one is. */
#define SEAL_HURRY_ROWS (ROWS_MAX / 4 * 3)

/* ---- recover.c ---- */
struct recovered {
    uint64_t size;
    struct merkle_frontier frontier;
    uint64_t last_wal_number;
    bool is_new; /* nothing was there */
};
/* Segments, roots, groups and identity, before the WAL is read. */
enum err recover_segments(struct ledger *ledger, struct recovered *out, struct diag *diag);
/* Replays the WAL behind them through the sequencer. */
enum err recover_wal(struct ledger *ledger, struct recovered *state, struct diag *diag);

/* ---- nodes.c: the tree's inside ---- */
struct upper_tree;
struct upper_tree *upper_tree_new(void);
void upper_tree_free(struct upper_tree *tree);
/* The root of the next segment; under tree_lock once threads run. */
void upper_tree_append(struct upper_tree *tree, const struct merkle_hash *segment_root);
#define TLOG_ENTRY_BYTES_MAX (64 * 1024)
enum err ledger_node(struct store *store, unsigned level, uint64_t index, struct merkle_hash *out);
enum err ledger_entries(struct store *store, const struct tile *tile, struct buf *out,
                        struct diag *diag);
/* A node of one segment, level 0..16, whose rows are all below the view's size. */
enum err segment_node(const struct snapshot_view *view, unsigned level, uint64_t index,
                      struct merkle_hash *out);

/* ---- get.c: single events ---- */
enum err ledger_get(struct store *store, uint64_t seq, slice org, struct arena *arena,
                    struct store_event *out, struct diag *diag);
enum err ledger_find_id(struct store *store, const struct uuid *id, slice org,
                        uint64_t seqs_out[STORE_ID_SEQS_MAX], size_t *count_out, struct diag *diag);

/* Reports a failure that ends the acknowledging, once. */
void ledger_fatal(struct ledger *ledger, const struct diag *diag);
