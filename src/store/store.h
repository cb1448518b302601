/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * store - the contract that every event store keeps: what the rest of the house sees.
 *
 *   append   a batch goes in whole or not at all; `done` is called once it is durable, in the
 *            tree, and found by the next query. Nothing left of this call says "stored".
 *   scan     events that match a filter, in time order or in seq order, from a position
 *   count    matching events by the values of fields and by time bucket
 *   prove    tree nodes, entries, checkpoint
 *
 * A snapshot is a size: everything below it, as it was, whatever arrives meanwhile.
 * Threads: any, unless a line says otherwise.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"
#include "filter/filter.h"
#include "store/batch.h"
#include "tree/checkpoint.h"
#include "tree/tile.h"

struct store;

/* ---- In ---- */

/*
 * Queues `batch`. OK: it belongs to the store until `done` was called, on the store's own thread
 * (which must not be kept: hand over and return). BUSY: the queue is full, FULL: the disk's reserve
 * is reached, LIMIT: it fits into no file; nothing happened and `done` will not be called.
 * Results given to `done`: OK, CONFLICT, FULL, IO.
 */
enum err store_append(struct store *store, struct batch *batch, struct diag *diag);

/* ---- Out ---- */

enum store_order {
    STORE_TIME_DESC, /* event_timestamp, then seq, newest first */
    STORE_TIME_ASC,
    STORE_SEQ_ASC,
    STORE_SEQ_DESC,
};

/* Where a scan stands: just behind this event. */
struct store_position {
    int64_t time_us;
    uint64_t seq;
};

struct store_scan_options {
    slice org; /* only this organisation; empty: every one */
    const struct filter *filter;
    enum store_order order;
    uint64_t size; /* snapshot; UINT64_MAX: what is committed now */
    bool has_after;
    struct store_position after;
};

struct store_event {
    struct event event; /* views: valid until the next call with this scan */
    uint64_t seq;
};

struct store_scan;
/* The scan borrows filter and org. */
enum err store_scan_open(struct store *store, const struct store_scan_options *options,
                         struct store_scan **out, struct diag *diag);
/* OK with *out NULL at the end. May block on disk. One thread at a time. CORRUPT, IO. */
enum err store_scan_next(struct store_scan *scan, const struct store_event **out,
                         struct diag *diag);
void store_scan_free(struct store_scan *scan);
DEFINE_OWNED(store_scan);

/* One event. GONE: erased. NOT_FOUND also past `org`. The views live in `arena`. */
enum err store_get(struct store *store, uint64_t seq, slice org, struct arena *arena,
                   struct store_event *out, struct diag *diag);
/* The seqs of an event_id in `org` (more than one only beyond the identity window), ascending. */
#define STORE_ID_SEQS_MAX 16
enum err store_find_id(struct store *store, const struct uuid *id, slice org,
                       uint64_t seqs_out[STORE_ID_SEQS_MAX], size_t *count_out, struct diag *diag);

/* Groups and counts, without touching a line where columns suffice. */
#define STORE_GROUP_FIELDS_MAX 2
struct store_count_options {
    slice org;
    const struct filter *filter;
    uint64_t size;
    enum field group_by[STORE_GROUP_FIELDS_MAX];
    size_t group_count;
    int64_t interval_us; /* 0: no time buckets */
    size_t groups_max;   /* LIMIT past this many distinct groups */
};
struct store_group {
    slice values[STORE_GROUP_FIELDS_MAX]; /* ptr NULL: absent */
    int64_t bucket_us;                    /* start of the bucket, 0 without interval */
    uint64_t count;
};
/* Groups live in `arena`, in no particular order. */
enum err store_count(struct store *store, const struct store_count_options *options,
                     struct arena *arena, struct store_group **out, size_t *count_out,
                     struct diag *diag);

/* Committed size: every seq below is durable and findable. Grows, never shrinks. */
uint64_t store_size(const struct store *store);
/* Waits until store_size() > size, or `timeout_ms`; for followers that may block. */
uint64_t store_wait(struct store *store, uint64_t size, uint32_t timeout_ms);
/* Calls `fn` on the store's thread after each commit; the listener must be quick.
 * One listener; a second call replaces it. */
typedef void (*store_commit_fn)(void *context, uint64_t size);
void store_on_commit(struct store *store, store_commit_fn fn, void *context);

/* ---- Proofs ---- */

/* Tree nodes by level and index, as merkle_node_fn. GONE inside erased data. */
enum err store_node(void *store, unsigned level, uint64_t index, struct merkle_hash *out);
/* Appends the entry bundle of a tile. GONE; NOT_FOUND past the size. */
enum err store_entries(struct store *store, const struct tile *tile, struct buf *out,
                       struct diag *diag);
/* The newest signed checkpoint: appends the note; its size to *size_out. */
enum err store_checkpoint(struct store *store, struct buf *note_out, uint64_t *size_out,
                          struct diag *diag);
/* Waits until a checkpoint covers `size` leaves; BUSY after `timeout_ms`. */
enum err store_wait_checkpoint(struct store *store, uint64_t size, uint32_t timeout_ms);

#define STORE_KEYS_MAX 16
struct store_key {
    struct note_verifier verifier;
    int64_t created_us;
    int64_t retires_us; /* 0: signs until further notice; past: kept to verify what it signed */
};
struct store_identity {
    char origin[NOTE_NAME_BYTES_MAX + 1];
    struct store_key keys[STORE_KEYS_MAX]; /* the newest log key first, cosigners last */
    size_t key_count;
};
void store_identity(struct store *store, struct store_identity *out);
/* A new log key signs from now on, beside the present one until `overlap_us` have passed.
 * CONFLICT while an earlier overlap lasts; LIMIT past STORE_KEYS_MAX; IO. */
enum err store_rotate_key(struct store *store, int64_t overlap_us, struct diag *diag);

struct store_figures {
    uint64_t events, segments, segment_bytes, wal_bytes, wal_files, queue_bytes, commits,
        commit_us_total, fsync_us_max, checkpoint_size, duplicates, conflicts, sealing,
        sealed_behind; /* of the segments that were sealed, those begun in the background */
    uint64_t disk_free_bytes, disk_total_bytes;
    bool writable; /* false below the disk reserve */
};
void store_figures(struct store *store, struct store_figures *out);
