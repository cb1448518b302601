/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * notary - the log's name, its keys, and the checkpoints it signs.
 *
 *   DATA/origin            the name of the log, one line
 *   DATA/keys/<id>.key     a signing key (0600): type, name, times, seed (docs/format.md)
 *   DATA/checkpoint        the newest signed tree head
 *
 * Only durable sizes are signed. A checkpoint is written aside, synced and renamed before anyone
 * sees it, so that the log never shows a head that it could forget. A cosigner renews its dated
 * signature also when nothing happens, so that silence is dated.
 *
 * Threads: open and close from one; the rest from any. One thread of its own signs.
 */

#include "os/file.h"
#include "store/store.h"

struct notary;

struct notary_options {
    slice origin; /* of a new log */
    uint32_t interval_ms, cosign_interval_ms;
    bool no_cosigner;
    /* What to sign: the committed size and its root. Called on the notary's thread. */
    void (*head)(void *context, uint64_t *size, struct merkle_hash *root);
    void (*failed)(void *context, const struct diag *diag); /* a checkpoint cannot be written */
    void *context;
};

/* Reads or makes origin and keys. `is_new`: the ledger is empty and has no checkpoint, so they
 * may be made; else their absence is CORRUPT. FULL, IO. */
enum err notary_open(const struct dir *data_dir, const struct notary_options *options, bool is_new,
                     struct notary **out, struct diag *diag);
/* Checks the stored checkpoint's signatures and reads its head; NOT_FOUND: there is none.
 * CORRUPT. */
enum err notary_read_stored(const struct dir *data_dir, const struct store_identity *identity,
                            struct checkpoint *out, struct buf *note, struct diag *diag);

/* Signs now, then as options say. */
enum err notary_start(struct notary *notary, struct diag *diag);
/* Signs what is not yet signed, and ends the thread. */
void notary_stop(struct notary *notary);
void notary_free(struct notary *notary);

/* The committed size grew to this; cheap. */
void notary_wake(struct notary *notary, uint64_t size);

enum err notary_checkpoint(struct notary *notary, struct buf *note_out, uint64_t *size_out);
uint64_t notary_signed_size(struct notary *notary);
/* BUSY after `timeout_ms`. Somebody waiting makes the notary sign at once. */
enum err notary_wait(struct notary *notary, uint64_t size, uint32_t timeout_ms);

void notary_identity(struct notary *notary, struct store_identity *out);
enum err notary_rotate(struct notary *notary, int64_t overlap_us, struct diag *diag);

/* Origin and keys as a reader without the right to sign sees them; for offline verification. */
enum err notary_read_identity(const struct dir *data_dir, struct store_identity *out,
                              struct diag *diag);
