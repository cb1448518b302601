/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover - from what is on disk to a ledger that can go on.
 *
 * Segments are complete or absent. Behind them the WAL is replayed row by row into active
 * segments, as if it were written now. A torn tail is cut by not being replayed; a gap, a frame
 * in the wrong place, a segment that is missing are refused, with file and offset, before
 * anything was changed.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "columns/codes.h"
#include "ledger/core.h"

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t suffix_len = strlen(suffix);
    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

/* Leftovers of files that were written aside when the process ended. */
static enum err remove_leftovers(const struct dir *dir, const struct dir_names *names,
                                 struct diag *diag)
{
    for (size_t i = 0; i < names->count; i++) {
        if (has_suffix(names->names[i], ".tmp")) {
            TRY(dir_remove(dir, names->names[i], diag));
        }
    }
    return OK;
}

/* ---- Segments ---- */

/* What was found so far; the list of segments is made of it at once, not anew for each. */
struct found {
    struct sealed *sealed;
    size_t count, capacity;
};

static void found_release(struct found *found)
{
    for (size_t i = 0; i < found->count; i++) {
        segment_free(found->sealed[i].segment);
    }
    free(found->sealed);
}

static void found_add(struct found *found, struct ledger *ledger, const struct sealed *sealed,
                      struct recovered *out)
{
    if (found->count == found->capacity) {
        found->capacity = found->capacity > 0 ? 2 * found->capacity : 64;
        found->sealed = mem_resize(found->sealed, found->capacity * sizeof(*found->sealed));
    }
    found->sealed[found->count++] = *sealed;
    upper_tree_append(ledger->upper, &sealed->root);
    merkle_append_subtree(&out->frontier, ROWS_LEVEL, &sealed->root);
}

static void found_publish(struct found *found, struct ledger *ledger)
{
    if (found->count > 0) {
        snapshot_set_segments(ledger->snapshot, 0, found->sealed, found->count);
    }
    found->count = 0; /* they are the snapshot's now */
}

static enum err add_segment(struct found *found, struct ledger *ledger, const char *name,
                            struct recovered *out, struct diag *diag)
{
    OWNED(segment) segment = NULL;
    TRY(segment_open(ledger->dir, name, &segment, diag));
    const struct segment_summary *summary = segment_summary(segment);
    if (summary->first_seq != (uint64_t)found->count * ROWS_MAX || summary->count != ROWS_MAX) {
        return diag_fail(diag, ERR_CORRUPT, name, "holds events %llu and on, not those of its name",
                         (unsigned long long)summary->first_seq);
    }
    struct merkle_hash root = summary->root;
    const struct sealed sealed = {.segment = MOVE(segment), .root = root};
    found_add(found, ledger, &sealed, out);
    return OK;
}

static void add_gone(struct found *found, struct ledger *ledger, const struct roots_entry *entry,
                     struct recovered *out)
{
    struct merkle_hash folded[ROWS_TILES_MAX];
    memcpy(folded, entry->tile_roots, sizeof(folded));
    const struct sealed sealed = {.root = merkle_fold_perfect(folded, ROWS_TILES_MAX),
                                  .tile_roots = entry->tile_roots};
    found_add(found, ledger, &sealed, out);
}

static enum err check_no_more_segments(const struct dir_names *names, size_t count,
                                       struct diag *diag)
{
    char expected[SEGMENT_NAME_BYTES];
    segment_name(expected, count);
    for (size_t i = 0; i < names->count; i++) {
        if (has_suffix(names->names[i], ".seg") && strcmp(names->names[i], expected) > 0) {
            return diag_fail(diag, ERR_CORRUPT, expected, "is missing, though %s is there",
                             names->names[i]);
        }
    }
    return OK;
}

static enum err open_segments(struct ledger *ledger, const struct dir_names *names,
                              struct recovered *out, struct diag *diag)
{
    CLEANUP(roots_release) struct roots roots = {0};
    CLEANUP(found_release) struct found found = {0};
    TRY(roots_read(ledger->dir, &roots, diag));
    for (;;) {
        char name[SEGMENT_NAME_BYTES];
        segment_name(name, found.count);
        const struct roots_entry *gone = roots_find(&roots, found.count);
        if (gone != NULL) {
            add_gone(&found, ledger, gone, out);
            TRY(dir_remove(ledger->dir, name, diag)); /* the erasure had come that far */
        } else if (dir_has(ledger->dir, name)) {
            TRY(add_segment(&found, ledger, name, out, diag));
        } else {
            break;
        }
    }
    TRY(check_no_more_segments(names, found.count, diag));
    found_publish(&found, ledger); /* while `roots` lives, whose hashes it copies */
    return OK;
}

/* ---- Identity ---- */

static slice org_of_row(const struct rows_text_column *column, uint32_t row, char *scratch)
{
    uint32_t code = code_of_row(column, row);
    code -= column->has_absent ? 1 : 0; /* wraps when absent, and is then no value */
    return code < column->value_count ? column->ops->text_value(column, code, scratch) : (slice){0};
}

static void learn_ids(struct ledger *ledger, const struct rows *rows)
{
    struct rows_text_column orgs;
    char scratch[ROWS_TEXT_SCRATCH_BYTES];
    if (!rows->ops->text_column(rows, FIELD_ORG, &orgs)) {
        return;
    }
    for (uint32_t row = 0; row < rows->count; row++) {
        struct uuid id;
        if (rows->erased != NULL && row_set_has(rows->erased, row)) {
            continue;
        }
        rows->ops->id(rows, row, &id);
        identity_add(ledger->identity, event_id_hash(org_of_row(&orgs, row, scratch), &id), &id,
                     rows->first_seq + row);
    }
}

/* An index is derived: one that is missing is made again. One that is damaged is told, as all
 * damage is; whoever has seen it may remove it. */
static enum err open_groups(struct ledger *ledger, struct diag *diag)
{
    size_t sealed = snapshot_sealed_count(ledger->snapshot);
    size_t groups = sealed / GROUP_SEGMENTS;
    for (size_t i = 0; i < groups; i++) {
        char name[SEGMENT_NAME_BYTES];
        OWNED(group) group = NULL;
        group_name(name, i);
        enum err e = group_open(ledger->dir, name, &group, diag);
        if (e == ERR_NOT_FOUND) {
            TRY(sealer_write_group(ledger, i, diag));
            continue;
        }
        TRY(e);
        if (group_first_seq(group) != (uint64_t)i * GROUP_ROWS) {
            return diag_fail(diag, ERR_CORRUPT, name, "does not index the events of its name");
        }
        TRY(sealer_adopt_group(ledger, i, MOVE(group), diag));
    }
    OWNED(snapshot_view) view = snapshot_view_open(ledger->snapshot);
    for (size_t i = groups * GROUP_SEGMENTS; i < sealed; i++) {
        if (view->view.entries[i].rows != NULL) {
            learn_ids(ledger, view->view.entries[i].rows);
        }
    }
    return OK;
}

enum err recover_segments(struct ledger *ledger, struct recovered *out, struct diag *diag)
{
    CLEANUP(dir_names_release) struct dir_names names = {0};
    TRY(dir_sync(ledger->dir, diag)); /* what is relied on below must not go with the power */
    TRY(dir_list(ledger->dir, &names, diag));
    TRY(open_segments(ledger, &names, out, diag));
    TRY(remove_leftovers(ledger->dir, &names, diag));
    TRY(open_groups(ledger, diag));
    out->size = out->frontier.size;
    out->is_new = out->size == 0;
    for (size_t i = 0; i < names.count; i++) {
        uint64_t number = 0;
        if (wal_parse_name(names.names[i], &number)) {
            out->last_wal_number = number > out->last_wal_number ? number : out->last_wal_number;
            out->is_new = false;
        }
    }
    return OK;
}

/* ---- The WAL ---- */

/* One file of the WAL on the way in. */
struct replay {
    struct ledger *ledger;
    struct recovered *state;
    uint64_t sealed_size;
    const char *name;
    struct wal_file *file;
};

static enum err replay_row(struct replay *replay, slice row, const struct leaf_hash *leaf,
                           uint64_t at, struct diag *diag)
{
    struct event event = {0};
    struct sequencer *sequencer = replay->ledger->sequencer;
    if (row.len > 0 && (event_from_row(row, &event, NULL) != OK ||
                        !event_has(&event, FIELD_EVENT_ID) || !event_has(&event, FIELD_ORG))) {
        return diag_fail(diag, ERR_CORRUPT, replay->name, "offset %llu: not a row",
                         (unsigned long long)at);
    }
    struct active *active = sequencer_active(sequencer);
    sequencer_replay(sequencer, row, &event, leaf);
    active_locate_row(active, active_count(active) - 1, replay->file, at, (uint32_t)row.len);
    replay->state->size++;
    if (active_count(active) == ROWS_MAX) {
        return sequencer_seal_replayed(sequencer, diag);
    }
    return OK;
}

static enum err replay_frame(struct replay *replay, const struct wal_frame *frame,
                             struct diag *diag)
{
    slice rest = frame->body;
    uint64_t end = frame->first_seq + frame->count;
    if (end <= replay->sealed_size) {
        return OK; /* in a segment already */
    }
    bool continues =
        frame->first_seq == replay->state->size ||
        (frame->first_seq < replay->sealed_size && replay->state->size == replay->sealed_size);
    if (!continues) {
        return diag_fail(diag, ERR_CORRUPT, replay->name,
                         "offset %llu: event %llu expected, %llu found",
                         (unsigned long long)frame->body_at - WAL_FRAME_HEAD_BYTES,
                         (unsigned long long)replay->state->size,
                         (unsigned long long)frame->first_seq);
    }
    for (uint32_t i = 0; i < frame->count; i++) {
        struct leaf_hash leaf;
        slice row = {0};
        if (wal_take_row(&rest, &leaf, &row) != OK) {
            return diag_fail(diag, ERR_CORRUPT, replay->name, "offset %llu: a row is cut short",
                             (unsigned long long)frame->body_at);
        }
        uint64_t at = frame->body_at + (uint64_t)(rest.ptr - frame->body.ptr) - row.len;
        if (frame->first_seq + i >= replay->sealed_size) {
            TRY(replay_row(replay, row, &leaf, at, diag));
        }
    }
    return OK;
}

static enum err replay_file(struct replay *replay, struct wal_reader *reader, struct diag *diag)
{
    for (;;) {
        struct wal_frame frame;
        TRY(wal_reader_next(reader, &frame, diag));
        if (frame.count == 0) {
            return OK;
        }
        TRY(replay_frame(replay, &frame, diag));
    }
}

static enum err replay_named(struct ledger *ledger, struct recovered *state, uint64_t sealed_size,
                             const char *name, struct diag *diag)
{
    OWNED(wal_reader) reader = NULL;
    TRY(wal_reader_open(ledger->dir, name, &reader, diag));
    struct replay replay = {.ledger = ledger,
                            .state = state,
                            .sealed_size = sealed_size,
                            .name = name};
    TRY(wal_adopt(ledger->wal, wal_reader_number(reader), &replay.file, diag));
    enum err e = replay_file(&replay, reader, diag);
    wal_file_unuse(replay.file); /* the segments that need it hold uses of their own */
    return e;
}

/* Which files count: none that a later rewrite supersedes. */
static enum err superseded_below(struct ledger *ledger, const struct dir_names *names,
                                 uint64_t *from, uint64_t *to, struct diag *diag)
{
    *from = *to = 0;
    for (size_t i = 0; i < names->count; i++) {
        uint64_t number = 0;
        if (!wal_parse_name(names->names[i], &number)) {
            continue;
        }
        OWNED(wal_reader) reader = NULL;
        TRY(wal_reader_open(ledger->dir, names->names[i], &reader, diag));
        if (wal_reader_number(reader) != number) {
            return diag_fail(diag, ERR_CORRUPT, names->names[i], "offset 16: says number %llu",
                             (unsigned long long)wal_reader_number(reader));
        }
        if (wal_reader_supersedes(reader) != 0) {
            *from = wal_reader_supersedes(reader);
            *to = number;
        }
    }
    return OK;
}

enum err recover_wal(struct ledger *ledger, struct recovered *state, struct diag *diag)
{
    CLEANUP(dir_names_release) struct dir_names names = {0};
    uint64_t sealed_size = state->size;
    uint64_t from = 0;
    uint64_t to = 0;
    TRY(dir_list(ledger->dir, &names, diag));
    TRY(superseded_below(ledger, &names, &from, &to, diag));
    if (to != 0) { /* an erasure may have been cut before it had overwritten all */
        wal_condemn(ledger->wal, to);
    }
    for (size_t i = 0; i < names.count; i++) {
        uint64_t number = 0;
        if (!wal_parse_name(names.names[i], &number)) {
            continue;
        }
        if (number >= from && number < to) {
            struct wal_file *old = NULL;
            TRY(wal_adopt(ledger->wal, number, &old, diag));
            wal_file_unuse(old); /* so it is overwritten, and becomes a spare */
            continue;
        }
        TRY(replay_named(ledger, state, sealed_size, names.names[i], diag));
    }
    bool is_purged = true; /* nobody reads yet */
    return to != 0 ? wal_purge(ledger->wal, &is_purged, diag) : OK;
}
