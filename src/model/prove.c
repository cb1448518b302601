/* SPDX-License-Identifier: Apache-2.0 */
/* The questions of a program to the tree: checkpoint, proofs, entries. */
#include <inttypes.h>

#include "model/run.h"

enum { WAIT_MS = 20000 };

static uint64_t below(struct model_run *run, uint64_t bound)
{
    return random_below(&run->random, bound);
}

/* What a whole segment held may be gone, its leaf hashes too: but not the roots of its tiles. */
static bool may_be_gone(struct model_run *run, uint64_t seq)
{
    uint64_t first = seq / ROWS_MAX * ROWS_MAX;
    return run->model->count >= first + ROWS_MAX &&
           model_erased(run->model, first, first + ROWS_MAX) == ROWS_MAX;
}

static bool open_checkpoint(struct model_run *run, struct checkpoint *head, struct buf *note)
{
    struct store_identity identity;
    struct note_verifier known[STORE_KEYS_MAX];
    struct diag diag = {0};
    uint64_t size = 0;
    if (store_wait_checkpoint(run->store, run->model->count, WAIT_MS) != OK ||
        store_checkpoint(run->store, note, &size, NULL) != OK) {
        return model_differs(run, "there is no checkpoint");
    }
    store_identity(run->store, &identity);
    for (size_t i = 0; i < identity.key_count; i++) {
        known[i] = identity.keys[i].verifier;
    }
    if (checkpoint_open(buf_slice(note), slice_from_cstr(identity.origin), known,
                        identity.key_count, head, &diag) != OK) {
        return model_differs(run, "the checkpoint does not open: %s", diag.text);
    }
    if (head->size != run->model->count || size != head->size) {
        return model_differs(run, "the checkpoint is of %" PRIu64 " events", head->size);
    }
    struct merkle_hash root = model_root(run->model, head->size);
    return merkle_hash_equal(&root, &head->root) ||
           model_differs(run, "the checkpoint has another root");
}

static bool prove_inclusion(struct model_run *run, const struct checkpoint *head, uint64_t seq)
{
    struct merkle_proof proof;
    enum err e = merkle_prove_inclusion(seq, head->size, store_node, run->store, &proof);
    if (e == ERR_GONE && may_be_gone(run, seq)) {
        return true;
    }
    if (e != OK) {
        return model_differs(run, "no proof of event %" PRIu64 ": %s", seq, err_name(e));
    }
    return merkle_verify_inclusion(seq, head->size, &run->model->events[seq].leaf, &proof,
                                   &head->root) ||
           model_differs(run, "the proof of event %" PRIu64 " is wrong", seq);
}

static bool prove_consistency(struct model_run *run, const struct checkpoint *head, uint64_t size)
{
    struct merkle_proof proof;
    struct merkle_hash found;
    struct merkle_hash root = model_root(run->model, size);
    enum err e = merkle_prove_consistency(size, head->size, store_node, run->store, &proof);
    e = e == OK ? merkle_root_at(size, store_node, run->store, &found) : e;
    if (e == ERR_GONE && size % ROWS_TILE != 0 && may_be_gone(run, size)) {
        return true;
    }
    if (e != OK || !merkle_hash_equal(&root, &found)) {
        return model_differs(run, "size %" PRIu64 " has another root: %s", size, err_name(e));
    }
    return merkle_verify_consistency(size, &root, head->size, &head->root, &proof) ||
           model_differs(run, "the proof from size %" PRIu64 " is wrong", size);
}

bool model_ask_proof(struct model_run *run)
{
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    struct checkpoint head = {0};
    model_say(run, "prove %u events and earlier sizes", run->size);
    if (run->model->count == 0) {
        return true;
    }
    if (!open_checkpoint(run, &head, &note)) {
        return false;
    }
    for (uint32_t i = 0; i < run->size; i++) {
        if (!prove_inclusion(run, &head, below(run, head.size)) ||
            !prove_consistency(run, &head, below(run, head.size + 1))) {
            return false;
        }
    }
    return true;
}

bool model_ask_entries(struct model_run *run)
{
    CLEANUP(buf_release) struct buf expected = BUF_INIT(MIB(32));
    CLEANUP(buf_release) struct buf found = BUF_INIT(MIB(32));
    uint64_t tiles = (run->model->count + TILE_WIDTH - 1) / TILE_WIDTH;
    struct tile tile = {.is_entries = true, .index = tiles == 0 ? 0 : below(run, tiles)};
    uint64_t first = tile.index * TILE_WIDTH;
    uint64_t left = run->model->count - first;
    tile.width = (unsigned)below(run, left < TILE_WIDTH ? left + 1 : TILE_WIDTH) + 1;
    model_say(run, "entries of %u events from %" PRIu64, tile.width, first);
    enum err wanted = tile.width > left ? ERR_NOT_FOUND : OK;
    if (wanted == OK && model_erased(run->model, first, first + tile.width) > 0) {
        wanted = ERR_GONE;
    }
    enum err e = store_entries(run->store, &tile, &found, NULL);
    if (e != wanted) {
        return model_differs(run, "%s instead of %s", err_name(e), err_name(wanted));
    }
    for (unsigned i = 0; i < tile.width && e == OK; i++) {
        CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(4));
        CLEANUP(buf_release) struct buf entry = BUF_INIT(MIB(4));
        event_write_line(&run->model->events[first + i].event, &line);
        event_write_entry(buf_slice(&line), &entry);
        tile_write_entry(buf_slice(&entry), &expected);
    }
    return e != OK || slice_equal(buf_slice(&expected), buf_slice(&found)) ||
           model_differs(run, "the entries are others");
}
