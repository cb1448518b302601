/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ledger/core.h"

struct verification {
    struct dir *data_dir;
    struct dir *dir;
    struct dir_names names;
    struct store_identity identity;
    struct checkpoint checkpoint;
    struct buf note;
    struct roots roots;
    struct merkle_frontier frontier;
    bool root_known; /* the root at the checkpoint's size was passed on the way */
    struct merkle_hash root;
    bool running; /* a server has the directory */
    struct segment *group[GROUP_SEGMENTS];
    struct ledger_verify_result result;
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
};

static void clear_group(struct verification *v)
{
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        segment_free(v->group[i]);
        v->group[i] = NULL;
    }
}

static void verification_release(struct verification *v)
{
    clear_group(v);
    dir_names_release(&v->names);
    roots_release(&v->roots);
    buf_release(&v->note);
    dir_free(v->dir);
    dir_free(v->data_dir);
}

static void tell(struct verification *v)
{
    if (v->progress != NULL) {
        uint64_t total =
            v->checkpoint.size > v->result.events ? v->checkpoint.size : v->result.events;
        v->progress(v->context, v->result.events, total);
    }
}

static void note_root(struct verification *v)
{
    if (v->frontier.size == v->checkpoint.size) {
        v->root = merkle_root(&v->frontier);
        v->root_known = true;
    }
}

static void add_leaf(struct verification *v, const struct leaf_hash *leaf)
{
    struct merkle_hash hash;
    memcpy(hash.bytes, leaf->bytes, sizeof(hash.bytes));
    merkle_append(&v->frontier, &hash);
    note_root(v);
}

/* ---- Who signed what ---- */

/* Notes may have signatures of strangers, but nobody else writes this file: a signature without its
 * key was damaged, or its key was. */
static enum err check_signatures(const struct verification *v, struct diag *diag)
{
    struct note_checked checked = {0};
    struct note_verifier known[STORE_KEYS_MAX];
    size_t lines = 0;
    for (size_t i = 0; i < v->identity.key_count; i++) {
        known[i] = v->identity.keys[i].verifier;
    }
    TRY(note_open(buf_slice(&v->note), known, v->identity.key_count, &checked, diag));
    for (size_t i = checked.text.len + 1; i < v->note.len; i++) {
        lines += v->note.ptr[i] == '\n' ? 1 : 0;
    }
    return lines == checked.verified
               ? OK
               : diag_fail(diag, ERR_CORRUPT, "checkpoint", "%zu signatures, of which %zu verify",
                           lines, checked.verified);
}

static enum err read_head(struct verification *v, slice vkey, struct diag *diag)
{
    TRY(notary_read_identity(v->data_dir, &v->identity, diag));
    if (vkey.len > 0) {
        v->identity.key_count = 1;
        TRY(note_verifier_parse(vkey, &v->identity.keys[0].verifier, diag));
    }
    enum err e = notary_read_stored(v->data_dir, &v->identity, &v->checkpoint, &v->note, diag);
    if (e == ERR_NOT_FOUND) {
        return diag_fail(diag, ERR_CORRUPT, "checkpoint", "is missing");
    }
    TRY(e);
    TRY(vkey.len == 0 ? check_signatures(v, diag) : OK);
    v->result.checkpoint_size = v->checkpoint.size;
    (void)snprintf(v->result.origin, sizeof(v->result.origin), "%s", v->identity.origin);
    note_root(v); /* a log that is still empty */
    return OK;
}

/* A lock that another process holds means that it runs; anything else does not matter here. */
static void look_for_server(struct verification *v)
{
    OWNED(file) lock = NULL;
    if (dir_has(v->data_dir, "LOCK")) {
        v->running =
            dir_lock(v->data_dir, "LOCK", SLICE("verifying\n"), &lock, NULL) == ERR_CONFLICT;
    }
}

/* ---- Segments ---- */

/* The checkpoint's size lies inside this segment: leaves up to it, one by one, on a copy. */
static enum err root_inside(struct verification *v, const struct segment *segment)
{
    const struct rows *rows = segment_rows(segment);
    struct merkle_frontier frontier = v->frontier;
    uint32_t wanted = (uint32_t)(v->checkpoint.size - frontier.size);
    uint32_t row = 0;
    for (; row + ROWS_TILE <= wanted; row += ROWS_TILE) {
        struct merkle_hash tile;
        TRY(segment_tile_root(segment, row / ROWS_TILE, &tile));
        merkle_append_subtree(&frontier, ROWS_TILE_LEVEL, &tile);
    }
    struct rows_reader *reader = rows->ops->reader_new(rows);
    enum err e = OK;
    for (; row < wanted && e == OK; row++) {
        struct leaf_hash leaf;
        struct merkle_hash hash;
        e = rows->ops->leaf(reader, row, &leaf);
        memcpy(hash.bytes, leaf.bytes, sizeof(hash.bytes));
        merkle_append(&frontier, &hash);
    }
    rows->ops->reader_free(reader);
    TRY(e);
    v->root = merkle_root(&frontier);
    v->root_known = true;
    return OK;
}

static bool checkpoint_is_inside(const struct verification *v)
{
    return v->checkpoint.size > v->frontier.size &&
           v->checkpoint.size < v->frontier.size + ROWS_MAX;
}

static void add_subtree(struct verification *v, const struct merkle_hash *root)
{
    merkle_append_subtree(&v->frontier, ROWS_LEVEL, root);
    v->result.segments++;
    v->result.events += ROWS_MAX;
    note_root(v);
    tell(v);
}

static enum err verify_segment(struct verification *v, size_t index, const char *name,
                               struct diag *diag)
{
    OWNED(segment) segment = NULL;
    TRY(segment_open(v->dir, name, &segment, diag));
    const struct segment_summary *summary = segment_summary(segment);
    if (summary->first_seq != (uint64_t)index * ROWS_MAX || summary->count != ROWS_MAX) {
        return diag_fail(diag, ERR_CORRUPT, name, "does not hold the events of its name");
    }
    TRY(segment_verify(segment, diag));
    if (checkpoint_is_inside(v)) {
        TRY(root_inside(v, segment));
    }
    v->result.erased += summary->erased;
    struct merkle_hash root = summary->root;
    v->group[index % GROUP_SEGMENTS] = MOVE(segment);
    add_subtree(v, &root);
    return OK;
}

static enum err add_gone(struct verification *v, const struct roots_entry *entry, struct diag *diag)
{
    struct merkle_hash folded[ROWS_TILES_MAX];
    if (checkpoint_is_inside(v)) {
        return diag_fail(diag, ERR_CORRUPT, "checkpoint", "ends inside events that are gone");
    }
    memcpy(folded, entry->tile_roots, sizeof(folded));
    struct merkle_hash root = merkle_fold_perfect(folded, ROWS_TILES_MAX);
    v->result.erased += ROWS_MAX;
    add_subtree(v, &root);
    return OK;
}

static enum err verify_group(struct verification *v, size_t index, struct diag *diag)
{
    char name[SEGMENT_NAME_BYTES];
    OWNED(group) group = NULL;
    group_name(name, index);
    enum err e = group_open(v->dir, name, &group, diag);
    if (e == ERR_NOT_FOUND) { /* a crash came before it; the next start makes it */
        return OK;
    }
    TRY(e);
    if (group_first_seq(group) != (uint64_t)index * GROUP_ROWS) {
        return diag_fail(diag, ERR_CORRUPT, name, "does not index the events of its name");
    }
    return group_verify(group, v->group, diag);
}

static enum err verify_segments(struct verification *v, struct diag *diag)
{
    TRY(roots_read(v->dir, &v->roots, diag));
    for (size_t index = 0;; index++) {
        char name[SEGMENT_NAME_BYTES];
        segment_name(name, index);
        const struct roots_entry *gone = roots_find(&v->roots, index);
        if (gone != NULL) {
            TRY(add_gone(v, gone, diag));
        } else if (dir_has(v->dir, name)) {
            TRY(verify_segment(v, index, name, diag));
        } else {
            return OK;
        }
        if ((index + 1) % GROUP_SEGMENTS == 0) {
            TRY(verify_group(v, index / GROUP_SEGMENTS, diag));
            clear_group(v);
        }
    }
}

/* ---- The WAL ---- */

static enum err verify_row(struct verification *v, slice row, const struct leaf_hash *leaf,
                           struct buf *line, const char *name, uint64_t at, struct diag *diag)
{
    if (row.len > 0) {
        struct event event;
        struct leaf_hash hash;
        if (event_from_row(row, &event, NULL) != OK || event_leaf(&event, line, &hash) != OK) {
            return diag_fail(diag, ERR_CORRUPT, name, "offset %llu: not a row",
                             (unsigned long long)at);
        }
        if (memcmp(hash.bytes, leaf->bytes, sizeof(hash.bytes)) != 0) {
            return diag_fail(diag, ERR_CORRUPT, name,
                             "offset %llu: event %llu does not have its leaf hash",
                             (unsigned long long)at, (unsigned long long)v->frontier.size);
        }
    } else {
        v->result.erased++;
    }
    add_leaf(v, leaf);
    v->result.events++;
    return OK;
}

static enum err verify_frame(struct verification *v, const struct wal_frame *frame,
                             struct buf *line, const char *name, struct diag *diag)
{
    slice rest = frame->body;
    for (uint32_t i = 0; i < frame->count; i++) {
        struct leaf_hash leaf;
        slice row = {0};
        uint64_t at = frame->body_at + (uint64_t)(rest.ptr - frame->body.ptr);
        if (wal_take_row(&rest, &leaf, &row) != OK) {
            return diag_fail(diag, ERR_CORRUPT, name, "offset %llu: a row is cut short",
                             (unsigned long long)at);
        }
        uint64_t seq = frame->first_seq + i;
        if (seq < v->result.segments * ROWS_MAX) {
            continue; /* sealed since */
        }
        if (seq != v->frontier.size) {
            return diag_fail(diag, ERR_CORRUPT, name,
                             "offset %llu: event %llu expected, %llu found", (unsigned long long)at,
                             (unsigned long long)v->frontier.size, (unsigned long long)seq);
        }
        TRY(verify_row(v, row, &leaf, line, name, at, diag));
    }
    if (rest.len != 0) {
        return diag_fail(diag, ERR_CORRUPT, name, "offset %llu: bytes behind the last row",
                         (unsigned long long)frame->body_at);
    }
    if (!slice_is_zero(frame->padding)) {
        return diag_fail(diag, ERR_CORRUPT, name, "offset %llu: strange bytes behind the frame",
                         (unsigned long long)(frame->body_at + frame->body.len));
    }
    return OK;
}

static enum err verify_wal_file(struct verification *v, const char *name, uint64_t number,
                                uint64_t *superseded_from, struct diag *diag)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(EVENT_LINE_BYTES_MAX);
    OWNED(wal_reader) reader = NULL;
    TRY(wal_reader_open(v->dir, name, &reader, diag));
    if (wal_reader_number(reader) != number) {
        return diag_fail(diag, ERR_CORRUPT, name, "offset 16: says number %llu",
                         (unsigned long long)wal_reader_number(reader));
    }
    if (!wal_reader_head_is_clean(reader)) {
        return diag_fail(diag, ERR_CORRUPT, name, "offset 64: strange bytes behind the header");
    }
    if (superseded_from != NULL) { /* only asked which files count */
        uint64_t from = wal_reader_supersedes(reader);
        *superseded_from = from;
        return OK;
    }
    for (;;) {
        struct wal_frame frame;
        TRY(wal_reader_next(reader, &frame, diag));
        if (frame.count == 0) {
            tell(v);
            return OK;
        }
        TRY(verify_frame(v, &frame, &line, name, diag));
    }
}

static enum err verify_wal(struct verification *v, struct diag *diag)
{
    uint64_t from = 0;
    uint64_t to = 0;
    for (size_t i = 0; i < v->names.count; i++) {
        uint64_t number = 0;
        uint64_t superseded = 0;
        if (wal_parse_name(v->names.names[i], &number)) {
            TRY(verify_wal_file(v, v->names.names[i], number, &superseded, diag));
            from = superseded != 0 ? superseded : from;
            to = superseded != 0 ? number : to;
        }
    }
    for (size_t i = 0; i < v->names.count; i++) {
        uint64_t number = 0;
        if (wal_parse_name(v->names.names[i], &number) && (number < from || number >= to)) {
            TRY(verify_wal_file(v, v->names.names[i], number, NULL, diag));
        }
    }
    return OK;
}

/* ---- All of it ---- */

static enum err compare_head(struct verification *v, struct diag *diag)
{
    if (v->running && !v->root_known) {
        v->result.unchecked = v->checkpoint.size - v->frontier.size;
        return OK;
    }
    if (!v->root_known) {
        return diag_fail(diag, ERR_CORRUPT, "checkpoint",
                         "%llu events were signed, only %llu are there",
                         (unsigned long long)v->checkpoint.size,
                         (unsigned long long)v->frontier.size);
    }
    if (!merkle_hash_equal(&v->root, &v->checkpoint.root)) {
        return diag_fail(diag, ERR_CORRUPT, "checkpoint",
                         "the first %llu events have another root than the one that was signed",
                         (unsigned long long)v->checkpoint.size);
    }
    return OK;
}

static enum err verify_all(struct verification *v, slice vkey, struct diag *diag)
{
    look_for_server(v);
    TRY(read_head(v, vkey, diag));
    TRY(dir_list(v->dir, &v->names, diag));
    TRY(verify_segments(v, diag));
    if (v->running) {
        /* Files are retired and frames written under our eyes: what cannot be read now is left
         * out, and said to be. */
        enum err e = verify_wal(v, NULL);
        UNUSED(e);
    } else {
        TRY(verify_wal(v, diag));
    }
    return compare_head(v, diag);
}

enum err ledger_verify(const char *data_path, slice vkey,
                       void (*progress)(void *context, uint64_t done, uint64_t total),
                       void *context, struct ledger_verify_result *out, struct diag *diag)
{
    struct verification v = {.note = BUF_INIT(NOTE_BYTES_MAX),
                             .progress = progress,
                             .context = context};
    enum err e = dir_open(data_path, false, &v.data_dir, diag);
    if (e == OK) {
        e = dir_open_in(v.data_dir, "ledger", false, &v.dir, diag);
    }
    if (e == OK) {
        e = verify_all(&v, vkey, diag);
    }
    verification_release(&v);
    TRY(e);
    *out = v.result;
    return OK;
}
