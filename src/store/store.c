/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "store/ops.h"

enum err store_append(struct store *store, struct batch *batch, struct diag *diag)
{
    ASSERT(batch->count > 0);
    ASSERT(batch->done != NULL);
    return store->ops->append(store, batch, diag);
}

enum err store_scan_open(struct store *store, const struct store_scan_options *options,
                         struct store_scan **out, struct diag *diag)
{
    TRY(store->ops->scan_open(store, options, out, diag));
    ASSERT((*out)->store == store);
    return OK;
}

enum err store_scan_next(struct store_scan *scan, const struct store_event **out, struct diag *diag)
{
    return scan->store->ops->scan_next(scan, out, diag);
}

void store_scan_free(struct store_scan *scan)
{
    if (scan != NULL) {
        scan->store->ops->scan_free(scan);
    }
}

enum err store_get(struct store *store, uint64_t seq, slice org, struct arena *arena,
                   struct store_event *out, struct diag *diag)
{
    return store->ops->get(store, seq, org, arena, out, diag);
}

enum err store_find_id(struct store *store, const struct uuid *id, slice org,
                       uint64_t seqs_out[STORE_ID_SEQS_MAX], size_t *count_out, struct diag *diag)
{
    return store->ops->find_id(store, id, org, seqs_out, count_out, diag);
}

enum err store_count(struct store *store, const struct store_count_options *options,
                     struct arena *arena, struct store_group **out, size_t *count_out,
                     struct diag *diag)
{
    ASSERT(options->group_count <= STORE_GROUP_FIELDS_MAX);
    return store->ops->count(store, options, arena, out, count_out, diag);
}

uint64_t store_size(const struct store *store)
{
    return store->ops->size(store);
}

uint64_t store_wait(struct store *store, uint64_t size, uint32_t timeout_ms)
{
    return store->ops->wait(store, size, timeout_ms);
}

void store_on_commit(struct store *store, store_commit_fn fn, void *context)
{
    store->ops->on_commit(store, fn, context);
}

enum err store_node(void *store, unsigned level, uint64_t index, struct merkle_hash *out)
{
    struct store *self = store;
    return self->ops->node(self, level, index, out);
}

enum err store_entries(struct store *store, const struct tile *tile, struct buf *out,
                       struct diag *diag)
{
    ASSERT(tile->is_entries);
    return store->ops->entries(store, tile, out, diag);
}

enum err store_checkpoint(struct store *store, struct buf *note_out, uint64_t *size_out,
                          struct diag *diag)
{
    return store->ops->checkpoint(store, note_out, size_out, diag);
}

enum err store_wait_checkpoint(struct store *store, uint64_t size, uint32_t timeout_ms)
{
    return store->ops->wait_checkpoint(store, size, timeout_ms);
}

void store_identity(struct store *store, struct store_identity *out)
{
    store->ops->identity(store, out);
}

enum err store_rotate_key(struct store *store, int64_t overlap_us, struct diag *diag)
{
    return store->ops->rotate_key(store, overlap_us, diag);
}

void store_figures(struct store *store, struct store_figures *out)
{
    store->ops->figures(store, out);
}
