/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/rewrite.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "os/clock.h"

enum {
    REWRITE_BODY_BYTES = 4 * 1024 * 1024,
    SCATTERED_FILES = 6, /* spares and the one that is begun next included */
};

void unsealed_list(struct ledger *ledger, struct sequencer *sequencer, struct unsealed *out)
{
    *out = (struct unsealed){0};
    mutex_lock(&ledger->seal_lock);
    memcpy(out->old, ledger->seal_queue, ledger->seal_count * sizeof(struct active *));
    out->count = ledger->seal_count;
    mutex_unlock(&ledger->seal_lock);
    out->count += sequencer_actives(sequencer, out->old + out->count);
    out->sets = mem_array(out->count, sizeof(*out->sets));
    out->places = mem_array(out->count * ROWS_MAX, sizeof(*out->places));
}

/* The new file in the making, and the columns that go with it. */
struct rebuild {
    struct wal_rewrite *rewrite;
    uint8_t *frame;
    size_t body_len;
    uint64_t frame_first_seq;
    uint32_t frame_count;
    struct active *fresh;
    uint32_t *row_at; /* of the rows in the frame: offset of the row in the body */
    uint64_t *places; /* of all rows of the segment: offset in the file */
    uint32_t done;    /* rows of the segment whose place is known */
};

static enum err flush_frame(struct rebuild *rebuild, struct diag *diag)
{
    uint64_t body_at = 0;
    if (rebuild->frame_count == 0) {
        return OK;
    }
    const struct wal_frame_info info = {
        .body_len = rebuild->body_len,
        .first_seq = rebuild->frame_first_seq,
        .count = rebuild->frame_count,
        .commit_us = clock_now_us(),
    };
    TRY(wal_rewrite_frame(rebuild->rewrite, rebuild->frame, &info, &body_at, diag));
    for (uint32_t i = 0; i < rebuild->frame_count; i++) {
        rebuild->places[rebuild->done++] = body_at + rebuild->row_at[i];
    }
    rebuild->frame_first_seq += rebuild->frame_count;
    rebuild->frame_count = 0;
    rebuild->body_len = 0;
    return OK;
}

static enum err keep_row(struct rebuild *rebuild, const struct active *old, uint32_t row,
                         bool erase, struct wal_window *window, struct diag *diag)
{
    slice bytes = {0};
    struct event event = {0};
    const struct leaf_hash *leaf = &active_leaves(old)[row];
    enum err e = erase ? ERR_GONE : active_read_row(old, row, window, &bytes);
    if (e != OK && e != ERR_GONE) {
        return diag_fail(diag, e, "wal", "a row cannot be read back");
    }
    TRY(bytes.len > 0 ? event_from_row(bytes, &event, diag) : OK);
    size_t needed = wal_frame_bytes(rebuild->body_len + WAL_ENTRY_HEAD_BYTES + bytes.len);
    if (needed > REWRITE_BODY_BYTES) {
        TRY(flush_frame(rebuild, diag)); /* one large row may still be more than that */
    }
    uint8_t *entry = rebuild->frame + WAL_FRAME_HEAD_BYTES + rebuild->body_len;
    wire_put_u32le(entry, (uint32_t)bytes.len);
    memcpy(entry + 4, leaf->bytes, LEAF_HASH_BYTES);
    if (bytes.len > 0) {
        memcpy(entry + WAL_ENTRY_HEAD_BYTES, bytes.ptr, bytes.len);
    }
    rebuild->row_at[rebuild->frame_count++] = (uint32_t)(rebuild->body_len + WAL_ENTRY_HEAD_BYTES);
    rebuild->body_len += WAL_ENTRY_HEAD_BYTES + bytes.len;
    active_add(rebuild->fresh, bytes, false, &event, leaf);
    return OK;
}

/* What the rows that stay take in the new file, padding of every frame included. */
static uint64_t rewritten_bytes(const struct active *old, const struct row_set *set)
{
    uint64_t bytes = 2 * (uint64_t)WAL_FRAME_ALIGN;
    for (uint32_t row = 0; row < active_count(old); row++) {
        uint32_t len = row_set_has(set, row) ? 0 : active_row_len(old, row);
        bytes += WAL_ENTRY_HEAD_BYTES + (uint64_t)len;
    }
    uint64_t frames = bytes / (REWRITE_BODY_BYTES / 2) + 2;
    bytes += frames * 2 * WAL_FRAME_ALIGN;
    return (bytes + WAL_FRAME_ALIGN - 1) / WAL_FRAME_ALIGN * WAL_FRAME_ALIGN;
}

bool unsealed_is_scattered(const struct ledger *ledger, const struct unsealed *unsealed)
{
    struct wal_figures figures;
    uint64_t needed = 0;
    for (size_t i = 0; i < unsealed->count; i++) {
        needed += rewritten_bytes(unsealed->old[i], &unsealed->sets[i]);
    }
    wal_figures(ledger->wal, &figures);
    return figures.bytes > 2 * needed + SCATTERED_FILES * ledger->options.wal_file_bytes;
}

static enum err rewrite_rows(struct rebuild *rebuild, const struct active *old,
                             const struct row_set *set, struct diag *diag)
{
    CLEANUP(wal_window_release) struct wal_window window;
    wal_window_init(&window);
    rebuild->done = 0;
    rebuild->frame_first_seq = active_first_seq(old);
    for (uint32_t row = 0; row < active_count(old); row++) {
        TRY(keep_row(rebuild, old, row, row_set_has(set, row), &window, diag));
    }
    TRY(flush_frame(rebuild, diag));
    for (uint32_t tile = 0; tile < active_count(old) / ROWS_TILE; tile++) {
        active_set_tile_root(rebuild->fresh, tile, &active_tile_roots(old)[tile]);
    }
    return OK;
}

void unsealed_release(struct unsealed *unsealed)
{
    for (size_t i = 0; i < unsealed->count; i++) {
        active_unref(unsealed->fresh[i]);
    }
    free(unsealed->sets);
    free(unsealed->places);
}

static enum err rebuild_all(struct ledger *ledger, struct unsealed *unsealed, struct diag *diag)
{
    CLEANUP(mem_freep) uint8_t *frame = mem_pages(WAL_FRAME_BYTES_MAX);
    CLEANUP(mem_freep) uint32_t *row_at = mem_array(ROWS_MAX, sizeof(*row_at));
    OWNED(wal_rewrite) rewrite = NULL;
    uint64_t bytes = WAL_FRAME_ALIGN;
    for (size_t i = 0; i < unsealed->count; i++) {
        bytes += rewritten_bytes(unsealed->old[i], &unsealed->sets[i]);
    }
    TRY(wal_rewrite_begin(ledger->wal, wal_lowest(ledger->wal), bytes, &rewrite, diag));
    for (size_t i = 0; i < unsealed->count; i++) {
        unsealed->fresh[i] = active_new(active_first_seq(unsealed->old[i]), ledger->hash_seed);
        struct rebuild rebuild = {
            .rewrite = rewrite,
            .frame = frame,
            .fresh = unsealed->fresh[i],
            .row_at = row_at,
            .places = unsealed->places + i * ROWS_MAX,
        };
        TRY(rewrite_rows(&rebuild, unsealed->old[i], &unsealed->sets[i], diag));
    }
    struct wal_file *file = NULL;
    enum err e = wal_rewrite_commit(rewrite, &file, diag);
    if (e != OK && e != ERR_FULL) {
        /* The new file may count from the next start on, and what would be
         * written into the old ones from now on would not. */
        if (ledger->sequencer_started) {
            ledger_fatal(ledger, diag);
        }
    }
    TRY(e);
    unsealed->wal_number = file->number;
    for (size_t i = 0; i < unsealed->count; i++) {
        for (uint32_t row = 0; row < active_count(unsealed->fresh[i]); row++) {
            active_locate_row(unsealed->fresh[i], row, file, unsealed->places[i * ROWS_MAX + row],
                              active_row_len(unsealed->fresh[i], row));
        }
    }
    wal_file_unuse(file);
    return OK;
}

/* Everyone who knows the old columns gets the new ones; the sealer is paused. */
static void exchange(struct ledger *ledger, struct sequencer *sequencer,
                     const struct unsealed *unsealed)
{
    mutex_lock(&ledger->seal_lock);
    for (size_t i = 0; i < ledger->seal_count; i++) {
        active_unref(ledger->seal_queue[i]);
        ledger->seal_queue[i] = active_ref(unsealed->fresh[i]);
    }
    size_t queued = ledger->seal_count;
    mutex_unlock(&ledger->seal_lock);
    sequencer_replace_actives(sequencer, unsealed->fresh + queued, unsealed->count - queued);
    snapshot_replace_actives(ledger->snapshot, unsealed->fresh, unsealed->count);
}

enum err unsealed_rewrite(struct ledger *ledger, struct sequencer *sequencer,
                          struct unsealed *unsealed, struct diag *diag)
{
    TRY(rebuild_all(ledger, unsealed, diag));
    exchange(ledger, sequencer, unsealed);
    return OK;
}
