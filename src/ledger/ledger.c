/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ledger.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ledger/core.h"
#include "ledger/rewrite.h"
#include "os/clock.h"
#include "os/random.h"

#define LOCK_NAME "LOCK"

enum { DISK_CHECK_US = 500 * 1000 };

void ledger_fatal(struct ledger *ledger, const struct diag *diag)
{
    if (atomic_exchange(&ledger->failed, true)) {
        return;
    }
    mutex_lock(&ledger->seal_lock);
    condition_broadcast(&ledger->seal_done);
    mutex_unlock(&ledger->seal_lock);
    if (ledger->options.on_fatal == NULL) {
        abort();
    }
    ledger->options.on_fatal(ledger->options.fatal_context, diag);
}

/* ---- What the store's contract asks for, where it is simple ---- */

static uint64_t get_size(const struct store *store)
{
    return snapshot_size(((const struct ledger *)store)->snapshot);
}

static uint64_t wait_for(struct store *store, uint64_t size, uint32_t timeout_ms)
{
    struct ledger *ledger = (struct ledger *)store;
    int64_t until_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    mutex_lock(&ledger->commit_lock);
    while (snapshot_size(ledger->snapshot) <= size) {
        int64_t left_us = until_us - clock_monotonic_us();
        if (left_us <= 0) {
            break;
        }
        (void)condition_wait_us(&ledger->committed, &ledger->commit_lock, left_us);
    }
    mutex_unlock(&ledger->commit_lock);
    return snapshot_size(ledger->snapshot);
}

static void set_on_commit(struct store *store, store_commit_fn fn, void *context)
{
    struct ledger *ledger = (struct ledger *)store;
    mutex_lock(&ledger->commit_lock);
    ledger->commit_fn = fn;
    ledger->commit_context = context;
    mutex_unlock(&ledger->commit_lock);
}

static enum err get_checkpoint(struct store *store, struct buf *note_out, uint64_t *size_out,
                               struct diag *diag)
{
    UNUSED(diag); /* there always is one */
    return notary_checkpoint(((struct ledger *)store)->notary, note_out, size_out);
}

static enum err wait_for_checkpoint(struct store *store, uint64_t size, uint32_t timeout_ms)
{
    return notary_wait(((struct ledger *)store)->notary, size, timeout_ms);
}

static void get_identity(struct store *store, struct store_identity *out)
{
    notary_identity(((struct ledger *)store)->notary, out);
}

static enum err rotate_key(struct store *store, int64_t overlap_us, struct diag *diag)
{
    return notary_rotate(((struct ledger *)store)->notary, overlap_us, diag);
}

/* At most twice a second, by whoever comes first. */
static void check_disk(struct ledger *ledger)
{
    int64_t now_us = clock_monotonic_us();
    int64_t last_us = atomic_load_explicit(&ledger->disk_checked_us, memory_order_relaxed);
    if (now_us - last_us < DISK_CHECK_US ||
        !atomic_compare_exchange_strong(&ledger->disk_checked_us, &last_us, now_us)) {
        return;
    }
    uint64_t free_bytes = 0;
    uint64_t total_bytes = 0;
    if (dir_space(ledger->dir, &free_bytes, &total_bytes, NULL) == OK) {
        uint64_t share = total_bytes / 100 * atomic_load(&ledger->reserve_percent);
        uint64_t reserve_bytes = atomic_load(&ledger->reserve_bytes);
        atomic_store(&ledger->disk_low, free_bytes < reserve_bytes || free_bytes < share);
    }
}

void ledger_set_reserve(struct ledger *ledger, uint64_t bytes, uint32_t percent)
{
    atomic_store(&ledger->reserve_bytes, bytes);
    atomic_store(&ledger->reserve_percent, percent);
    atomic_store(&ledger->disk_checked_us, 0); /* the next append looks again */
    check_disk(ledger);
}

static enum err append(struct store *store, struct batch *batch, struct diag *diag)
{
    check_disk((struct ledger *)store);
    return sequencer_append(store, batch, diag);
}

static void add_segment_figures(const struct snapshot_view *view, struct store_figures *out)
{
    for (size_t i = 0; i < view->sealed_count; i++) {
        if (view->sealed[i].segment != NULL) {
            out->segments++;
            out->segment_bytes += segment_summary(view->sealed[i].segment)->file_bytes;
        }
    }
}

static void get_figures(struct store *store, struct store_figures *out)
{
    struct ledger *ledger = (struct ledger *)store;
    struct wal_figures wal;
    wal_figures(ledger->wal, &wal);
    *out = (struct store_figures){
        .events = snapshot_size(ledger->snapshot),
        .wal_bytes = wal.bytes,
        .wal_files = wal.files,
        .commits = atomic_load(&ledger->commits),
        .commit_us_total = atomic_load(&ledger->commit_us_total),
        .fsync_us_max = atomic_load(&ledger->sync_us_max),
        .checkpoint_size = notary_signed_size(ledger->notary),
        .duplicates = atomic_load(&ledger->duplicates),
        .conflicts = atomic_load(&ledger->conflicts),
        .writable = !atomic_load(&ledger->disk_low) && !atomic_load(&ledger->failed),
    };
    mutex_lock(&ledger->queue_lock);
    out->queue_bytes = ledger->queue_bytes;
    mutex_unlock(&ledger->queue_lock);
    mutex_lock(&ledger->seal_lock);
    out->sealing = ledger->seal_count;
    out->sealed_behind = ledger->sealed_behind;
    mutex_unlock(&ledger->seal_lock);
    OWNED(snapshot_view) view = snapshot_view_open(ledger->snapshot);
    add_segment_figures(view, out);
    enum err e = dir_space(ledger->dir, &out->disk_free_bytes, &out->disk_total_bytes, NULL);
    UNUSED(e); /* zeros say that it is not known */
}

/* ---- Scans: a view, and the scan over it ---- */

struct ledger_scan {
    struct store_scan base; /* first member */
    struct snapshot_view *view;
    struct view_scan *scan;
};

static void scan_free(struct store_scan *scan)
{
    struct ledger_scan *self = (struct ledger_scan *)scan;
    view_scan_free(self->scan);
    snapshot_view_free(self->view);
    free(self);
}

static enum err scan_open(struct store *store, const struct store_scan_options *options,
                          struct store_scan **out, struct diag *diag)
{
    struct ledger_scan *scan = mem_zeroed(sizeof(*scan));
    scan->base.store = store;
    scan->view = snapshot_view_open(((struct ledger *)store)->snapshot);
    enum err e = view_scan_open(&scan->view->view, options, &scan->scan, diag);
    if (e != OK) {
        scan_free(&scan->base);
        return e;
    }
    *out = &scan->base;
    return OK;
}

static enum err scan_next(struct store_scan *scan, const struct store_event **out,
                          struct diag *diag)
{
    return view_scan_next(((struct ledger_scan *)scan)->scan, out, diag);
}

static enum err count_groups(struct store *store, const struct store_count_options *options,
                             struct arena *arena, struct store_group **out, size_t *count_out,
                             struct diag *diag)
{
    OWNED(snapshot_view) view = snapshot_view_open(((struct ledger *)store)->snapshot);
    return view_count(&view->view, options, arena, out, count_out, diag);
}

static const struct store_ops ledger_ops = {
    .append = append,
    .scan_open = scan_open,
    .scan_next = scan_next,
    .scan_free = scan_free,
    .get = ledger_get,
    .find_id = ledger_find_id,
    .count = count_groups,
    .size = get_size,
    .wait = wait_for,
    .on_commit = set_on_commit,
    .node = ledger_node,
    .entries = ledger_entries,
    .checkpoint = get_checkpoint,
    .wait_checkpoint = wait_for_checkpoint,
    .identity = get_identity,
    .rotate_key = rotate_key,
    .figures = get_figures,
};

struct store *ledger_store(struct ledger *ledger)
{
    return &ledger->store;
}

enum err ledger_describe(struct ledger *ledger, slice text, struct diag *diag)
{
    TRY(file_write_at(ledger->lock, 0, text, diag));
    return file_truncate(ledger->lock, text.len, diag);
}

/* ---- Opening and closing ---- */

static void set_defaults(struct ledger_options *options)
{
    options->queue_bytes_max = options->queue_bytes_max > 0 ? options->queue_bytes_max : MIB(64);
    options->wal_file_bytes =
        options->wal_file_bytes > 0 ? options->wal_file_bytes : WAL_FILE_BYTES;
    options->cache_bytes_max = options->cache_bytes_max > 0 ? options->cache_bytes_max : MIB(96);
}

static struct ledger *ledger_new(const struct ledger_options *options)
{
    struct ledger *ledger = mem_zeroed(sizeof(*ledger));
    ledger->store.ops = &ledger_ops;
    ledger->options = *options;
    set_defaults(&ledger->options);
    atomic_store(&ledger->reserve_bytes, options->reserve_bytes);
    atomic_store(&ledger->reserve_percent, options->reserve_percent);
    ledger->hash_seed = random_u64();
    ledger->queue_tail = &ledger->queue_head;
    ledger->snapshot = snapshot_new();
    ledger->upper = upper_tree_new();
    mutex_init(&ledger->queue_lock);
    mutex_init(&ledger->seal_lock);
    mutex_init(&ledger->commit_lock);
    mutex_init(&ledger->tree_lock);
    mutex_init(&ledger->group_lock);
    condition_init(&ledger->queue_filled);
    condition_init(&ledger->seal_wanted);
    condition_init(&ledger->seal_done);
    condition_init(&ledger->committed);
    return ledger;
}

static void head_to_sign(void *context, uint64_t *size, struct merkle_hash *root)
{
    struct ledger *ledger = context;
    mutex_lock(&ledger->tree_lock);
    struct merkle_frontier frontier = ledger->published;
    mutex_unlock(&ledger->tree_lock);
    *size = frontier.size;
    *root = merkle_root(&frontier);
}

static void checkpoint_failed(void *context, const struct diag *diag)
{
    UNUSED(diag);
    /* Events are safe and the next interval tries again; who waits for a receipt gets a 503. */
    struct ledger *ledger = context;
    atomic_fetch_add(&ledger->checkpoint_failures, 1);
}

/* The stored head must be one that this tree has had. */
static enum err check_stored_checkpoint(struct ledger *ledger, const struct recovered *state,
                                        struct diag *diag)
{
    struct store_identity identity;
    struct checkpoint stored;
    struct merkle_hash root;
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    notary_identity(ledger->notary, &identity);
    enum err e = notary_read_stored(ledger->data_dir, &identity, &stored, &note, diag);
    if (e == ERR_NOT_FOUND && state->size == 0) {
        return OK;
    }
    if (e == ERR_NOT_FOUND) {
        return diag_fail(diag, ERR_CORRUPT, "checkpoint", "is missing, though there are events");
    }
    TRY(e);
    if (stored.size > state->size) {
        return diag_fail(diag, ERR_CORRUPT, "checkpoint",
                         "%llu events were signed, only %llu are there",
                         (unsigned long long)stored.size, (unsigned long long)state->size);
    }
    TRY(merkle_root_at(stored.size, store_node, &ledger->store, &root));
    if (!merkle_hash_equal(&root, &stored.root)) {
        return diag_fail(diag, ERR_CORRUPT, "checkpoint",
                         "the first %llu events have another root than the one that was signed",
                         (unsigned long long)stored.size);
    }
    return OK;
}

static enum err open_notary(struct ledger *ledger, const struct recovered *state, struct diag *diag)
{
    const struct notary_options options = {
        .origin = ledger->options.origin,
        .interval_ms = ledger->options.checkpoint_interval_ms,
        .cosign_interval_ms = ledger->options.cosign_interval_ms,
        .no_cosigner = ledger->options.no_cosigner,
        .head = head_to_sign,
        .failed = checkpoint_failed,
        .context = ledger,
    };
    bool is_new = state->is_new && !dir_has(ledger->data_dir, "checkpoint");
    return notary_open(ledger->data_dir, &options, is_new, &ledger->notary, diag);
}

/* Each start begins a file of the WAL: after many, what they left is brought together. */
static enum err gather_wal(struct ledger *ledger, struct diag *diag)
{
    CLEANUP(unsealed_release) struct unsealed unsealed;
    unsealed_list(ledger, ledger->sequencer, &unsealed);
    return unsealed_is_scattered(ledger, &unsealed)
               ? unsealed_rewrite(ledger, ledger->sequencer, &unsealed, diag)
               : OK;
}

static enum err load(struct ledger *ledger, struct diag *diag)
{
    struct recovered state = {0};
    ledger->identity = identity_new(0, random_u64());
    TRY(recover_segments(ledger, &state, diag));
    TRY(open_notary(ledger, &state, diag));
    const struct wal_options wal_options = {.file_bytes = ledger->options.wal_file_bytes,
                                            .direct = !ledger->options.buffered_wal};
    TRY(wal_open(ledger->dir, &wal_options, state.last_wal_number, &ledger->wal, diag));
    ledger->sequencer = sequencer_new(ledger, &state.frontier);
    TRY(recover_wal(ledger, &state, diag));
    sequencer_frontier(ledger->sequencer, &ledger->published);
    snapshot_commit(ledger->snapshot, state.size);
    TRY(check_stored_checkpoint(ledger, &state, diag));
    TRY(gather_wal(ledger, diag));
    TRY(wal_retire(ledger->wal, diag));
    return OK;
}

static enum err start_threads(struct ledger *ledger, struct diag *diag)
{
    TRY(notary_start(ledger->notary, diag));
    TRY(thread_start(&ledger->sealer_thread, "sealer", sealer_run, ledger, diag));
    ledger->sealer_started = true;
    TRY(thread_start(&ledger->sequencer_thread, "sequencer", sequencer_run, ledger, diag));
    ledger->sequencer_started = true;
    return OK;
}

enum err ledger_open(const char *data_path, const struct ledger_options *options,
                     struct ledger **out, struct diag *diag)
{
    OWNED(ledger) ledger = ledger_new(options);
    TRY(dir_open(data_path, true, &ledger->data_dir, diag));
    TRY(dir_lock(ledger->data_dir, LOCK_NAME, SLICE("starting\n"), &ledger->lock, diag));
    TRY(dir_open_in(ledger->data_dir, "ledger", true, &ledger->dir, diag));
    TRY(load(ledger, diag));
    TRY(start_threads(ledger, diag));
    *out = MOVE(ledger);
    return OK;
}

static void stop_sequencer(struct ledger *ledger)
{
    mutex_lock(&ledger->queue_lock);
    ledger->stopping = true;
    condition_broadcast(&ledger->queue_filled);
    mutex_unlock(&ledger->queue_lock);
    mutex_lock(&ledger->seal_lock);
    ledger->seal_closing = true;
    condition_broadcast(&ledger->seal_done);
    mutex_unlock(&ledger->seal_lock);
    if (ledger->sequencer_started) {
        thread_join(&ledger->sequencer_thread);
    }
}

static void stop_sealer(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    ledger->seal_stopping = true;
    seal_write_hurry(ledger);
    condition_broadcast(&ledger->seal_wanted);
    mutex_unlock(&ledger->seal_lock);
    if (ledger->sealer_started) {
        thread_join(&ledger->sealer_thread);
    }
    for (size_t i = 0; i < ledger->seal_count; i++) {
        active_unref(ledger->seal_queue[i]); /* the next start replays them */
    }
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    stop_sequencer(ledger);
    stop_sealer(ledger);
    notary_stop(ledger->notary);
    notary_free(ledger->notary);
    sequencer_free(ledger->sequencer);
    snapshot_free(ledger->snapshot); /* before the WAL, whose files its segments use */
    wal_free(ledger->wal);
    identity_free(ledger->identity);
    upper_tree_free(ledger->upper);
    mutex_release(&ledger->queue_lock);
    mutex_release(&ledger->seal_lock);
    mutex_release(&ledger->commit_lock);
    mutex_release(&ledger->tree_lock);
    mutex_release(&ledger->group_lock);
    condition_release(&ledger->queue_filled);
    condition_release(&ledger->seal_wanted);
    condition_release(&ledger->seal_done);
    condition_release(&ledger->committed);
    dir_free(ledger->dir);
    file_free(ledger->lock);
    dir_free(ledger->data_dir);
    free(ledger);
}
