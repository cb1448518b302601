/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ops - what a backend provides so that store.h works: one table of functions, by name.
 *
 * A backend embeds `struct store` as the first member of its own handle.
 */

#include "store/store.h"

struct store_ops {
    enum err (*append)(struct store *store, struct batch *batch, struct diag *diag);
    enum err (*scan_open)(struct store *store, const struct store_scan_options *options,
                          struct store_scan **out, struct diag *diag);
    enum err (*scan_next)(struct store_scan *scan, const struct store_event **out,
                          struct diag *diag);
    void (*scan_free)(struct store_scan *scan);
    enum err (*get)(struct store *store, uint64_t seq, slice org, struct arena *arena,
                    struct store_event *out, struct diag *diag);
    enum err (*find_id)(struct store *store, const struct uuid *id, slice org,
                        uint64_t seqs_out[STORE_ID_SEQS_MAX], size_t *count_out, struct diag *diag);
    enum err (*count)(struct store *store, const struct store_count_options *options,
                      struct arena *arena, struct store_group **out, size_t *count_out,
                      struct diag *diag);
    uint64_t (*size)(const struct store *store);
    uint64_t (*wait)(struct store *store, uint64_t size, uint32_t timeout_ms);
    void (*on_commit)(struct store *store, store_commit_fn fn, void *context);
    enum err (*node)(struct store *store, unsigned level, uint64_t index, struct merkle_hash *out);
    enum err (*entries)(struct store *store, const struct tile *tile, struct buf *out,
                        struct diag *diag);
    enum err (*checkpoint)(struct store *store, struct buf *note_out, uint64_t *size_out,
                           struct diag *diag);
    enum err (*wait_checkpoint)(struct store *store, uint64_t size, uint32_t timeout_ms);
    void (*identity)(struct store *store, struct store_identity *out);
    enum err (*rotate_key)(struct store *store, int64_t overlap_us, struct diag *diag);
    void (*figures)(struct store *store, struct store_figures *out);
};

struct store {
    const struct store_ops *ops;
};

/* First member of every backend's scan. */
struct store_scan {
    struct store *store;
};
