/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealer - writes full segments to disk, beside the sequencer.
 *
 * A segment is sealed when its file is durable and in the list of segments; then the columns in
 * memory and the WAL files that only it used are let go. After every 64th the index of the group
 * is made. Any of it may be cut off at any instruction: the rows are in the WAL until the segment
 * is durable. Each step that is done is done once, also when the next one finds the disk full.
 */
#include <stdio.h>

#include "base/mem.h"
#include "ledger/core.h"

enum { ROOM_WAIT_US = 1000 * 1000 }; /* until a full disk is tried again */

void segment_name(char out[SEGMENT_NAME_BYTES], size_t index)
{
    (void)snprintf(out, SEGMENT_NAME_BYTES, "%012llu.seg", (unsigned long long)index);
}

void group_name(char out[SEGMENT_NAME_BYTES], size_t index)
{
    (void)snprintf(out, SEGMENT_NAME_BYTES, "%012llu.idx", (unsigned long long)index);
}

void sealer_queue(struct ledger *ledger, struct active *active, bool in_bulk)
{
    mutex_lock(&ledger->seal_lock);
    ASSERT(ledger->seal_count < SNAPSHOT_ACTIVES_MAX);
    ledger->seal_queue[ledger->seal_count++] = active_ref(active);
    ledger->seal_in_bulk = in_bulk;
    if (ledger->seal_count > 1) {
        seal_write_hurry(ledger);
    }
    condition_broadcast(&ledger->seal_wanted);
    mutex_unlock(&ledger->seal_lock);
}

enum err sealer_throttle(struct ledger *ledger, struct diag *diag)
{
    mutex_lock(&ledger->seal_lock);
    bool is_hopeless = ledger->seal_full && ledger->seal_closing;
    while (ledger->seal_count >= SEAL_BACKLOG_MAX && !is_hopeless &&
           !(ledger->seal_paused && !ledger->seal_busy) && !atomic_load(&ledger->failed)) {
        condition_wait(&ledger->seal_done, &ledger->seal_lock);
        is_hopeless = ledger->seal_full && ledger->seal_closing;
    }
    is_hopeless = is_hopeless && ledger->seal_count >= SEAL_BACKLOG_MAX;
    mutex_unlock(&ledger->seal_lock);
    return is_hopeless ? diag_fail(diag, ERR_FULL, "", "there is no room to seal what is stored")
                       : OK;
}

/* The newest recorded_at of a group, for the identity window. */
static int64_t recorded_max(const struct snapshot_view *view, size_t first)
{
    int64_t max_us = 0;
    for (size_t i = first; i < first + GROUP_SEGMENTS; i++) {
        const struct segment *segment = view->sealed[i].segment;
        if (segment != NULL && segment_summary(segment)->recorded_max_us > max_us) {
            max_us = segment_summary(segment)->recorded_max_us;
        }
    }
    return max_us;
}

enum err sealer_adopt_group(struct ledger *ledger, size_t index, struct group *group,
                            struct diag *diag)
{
    char name[SEGMENT_NAME_BYTES];
    OWNED(group) for_queries = group;
    OWNED(group) for_identity = NULL; /* a mapping of its own, which no view can outlive */
    OWNED(snapshot_view) view = snapshot_view_open(ledger->snapshot);
    group_name(name, index);
    TRY(group_open(ledger->dir, name, &for_identity, diag));
    snapshot_set_group(ledger->snapshot, index, MOVE(for_queries));
    identity_add_group(ledger->identity, index, MOVE(for_identity),
                       recorded_max(view, index * GROUP_SEGMENTS));
    return OK;
}

static enum err write_group(struct ledger *ledger, size_t index, struct diag *diag)
{
    struct segment *segments[GROUP_SEGMENTS];
    char name[SEGMENT_NAME_BYTES];
    size_t first = index * GROUP_SEGMENTS;
    OWNED(snapshot_view) view = snapshot_view_open(ledger->snapshot);
    ASSERT(view->sealed_count >= first + GROUP_SEGMENTS);
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        segments[i] = view->sealed[first + i].segment;
    }
    group_name(name, index);
    TRY(group_write(segments, (uint64_t)first * ROWS_MAX, ledger->dir, name, diag));
    OWNED(group) group = NULL;
    TRY(group_open(ledger->dir, name, &group, diag));
    return sealer_adopt_group(ledger, index, MOVE(group), diag);
}

enum err sealer_write_group(struct ledger *ledger, size_t index, struct diag *diag)
{
    mutex_lock(&ledger->group_lock); /* an erasure makes groups anew, too */
    enum err e = write_group(ledger, index, diag);
    mutex_unlock(&ledger->group_lock);
    return e;
}

static enum err seal_segment(struct ledger *ledger, struct active *active, struct diag *diag)
{
    struct segment_summary summary;
    char name[SEGMENT_NAME_BYTES];
    size_t index = (size_t)(active_first_seq(active) / ROWS_MAX);
    TRY(seal_write(ledger, active, &summary, diag));
    segment_name(name, index);
    OWNED(segment) segment = NULL;
    TRY(segment_open(ledger->dir, name, &segment, diag));
    mutex_lock(&ledger->tree_lock);
    upper_tree_append(ledger->upper, &summary.root);
    mutex_unlock(&ledger->tree_lock);
    const struct sealed sealed = {.segment = MOVE(segment), .root = summary.root};
    snapshot_set_segments(ledger->snapshot, index, &sealed, 1);
    snapshot_drop_oldest_active(ledger->snapshot);
    return OK;
}

/* Of every group whose segments are all there: of the last one, as a rule. */
static enum err write_missing_groups(struct ledger *ledger, struct diag *diag)
{
    size_t groups = snapshot_sealed_count(ledger->snapshot) / GROUP_SEGMENTS;
    for (size_t i = snapshot_group_count(ledger->snapshot); i < groups; i++) {
        TRY(sealer_write_group(ledger, i, diag));
    }
    return OK;
}

enum err sealer_seal_now(struct ledger *ledger, struct active *active, struct diag *diag)
{
    TRY(seal_segment(ledger, active, diag));
    return write_missing_groups(ledger, diag);
}

void sealer_want_spare(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    ledger->spare_wanted = true;
    condition_broadcast(&ledger->seal_wanted);
    mutex_unlock(&ledger->seal_lock);
}

enum err sealer_prepare_spare(struct ledger *ledger, struct diag *diag)
{
    enum err e = wal_prepare_spare(ledger->wal, diag);
    return e == ERR_FULL ? OK : e;
}

/* ---- The thread ---- */

/* Waits for work; false at the end of it. *active is the next full segment, which stays in the
 * queue while it is worked on, or NULL: only other things are wanted. */
static bool next_work(struct ledger *ledger, struct active **active)
{
    mutex_lock(&ledger->seal_lock);
    while ((ledger->seal_count == 0 || ledger->seal_paused) && !ledger->spare_wanted &&
           !ledger->seal_stopping) {
        condition_wait(&ledger->seal_wanted, &ledger->seal_lock);
    }
    bool is_end = ledger->seal_stopping;
    bool may_seal = ledger->seal_count > 0 && !ledger->seal_paused && !is_end;
    *active = may_seal ? ledger->seal_queue[0] : NULL;
    ledger->seal_busy = !is_end;
    ledger->spare_wanted = false; /* every kind of work does it, too */
    mutex_unlock(&ledger->seal_lock);
    return !is_end;
}

static void end_work(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    ledger->seal_busy = false;
    condition_broadcast(&ledger->seal_done);
    mutex_unlock(&ledger->seal_lock);
}

static void sealed_one(struct ledger *ledger, struct active *active)
{
    mutex_lock(&ledger->seal_lock);
    ledger->seal_count--;
    memmove(ledger->seal_queue, ledger->seal_queue + 1,
            ledger->seal_count * sizeof(struct active *));
    condition_broadcast(&ledger->seal_done);
    mutex_unlock(&ledger->seal_lock);
    active_unref(active);
}

static void note_room(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    ledger->seal_full = false;
    mutex_unlock(&ledger->seal_lock);
}

/*
 * A disk that is full now may not be so later, and every row is in the WAL: sealing is tried again,
 * writes wait behind the backlog, reads go on, and so may an erasure, which makes room.
 */
static void wait_for_room(struct ledger *ledger)
{
    atomic_store(&ledger->disk_low, true);
    mutex_lock(&ledger->seal_lock);
    ledger->seal_full = true;
    ledger->spare_wanted = true;
    ledger->seal_busy = false;
    condition_broadcast(&ledger->seal_done);
    if (!ledger->seal_stopping) {
        (void)condition_wait_us(&ledger->seal_wanted, &ledger->seal_lock, ROOM_WAIT_US);
    }
    mutex_unlock(&ledger->seal_lock);
}

static enum err work(struct ledger *ledger, struct active *active, struct diag *diag)
{
    if (active != NULL) {
        TRY(seal_segment(ledger, active, diag));
        sealed_one(ledger, active);
        TRY(wal_retire(ledger->wal, diag));
    }
    TRY(write_missing_groups(ledger, diag));
    note_room(ledger);
    return sealer_prepare_spare(ledger, diag);
}

void sealer_run(void *arg)
{
    struct ledger *ledger = arg;
    struct active *active = NULL;
    while (next_work(ledger, &active)) {
        struct diag diag = {0};
        enum err e = work(ledger, active, &diag);
        if (e == ERR_FULL) {
            wait_for_room(ledger);
            continue;
        }
        bool is_fine = e == OK || e == ERR_BUSY; /* paused: its segment stays in the queue */
        if (!is_fine) {
            ledger_fatal(ledger, &diag);
        }
        end_work(ledger);
        if (!is_fine) {
            return;
        }
    }
}

void ledger_settle(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    ledger->seal_waiters++;
    seal_write_hurry(ledger);
    while ((ledger->seal_count > 0 || ledger->seal_busy || ledger->spare_wanted) &&
           !atomic_load(&ledger->failed)) {
        condition_wait(&ledger->seal_done, &ledger->seal_lock);
    }
    ledger->seal_waiters--;
    mutex_unlock(&ledger->seal_lock);
}
