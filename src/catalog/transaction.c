/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transaction - transactions that share a commit.
 *
 *     A: begin ---- changes ---- commit ........................... returns
 *     B:     begin ............. | changes | rollback .............. returns
 *     C:        begin .......... |         | changes | commit: sync, told, returns
 *
 * One at a time has its turn with the connection that writes. Whoever ends a turn while others wait
 * for theirs leaves the database's transaction open to them, and waits; whoever ends it with nobody
 * behind commits for the whole group. So nobody waits in vain for others to come, one alone costs
 * what it always did, and those who come during a sync are the next group.
 */
#include "catalog/internal.h"

/* Its address is the name of this thread. */
static _Thread_local char self;

static bool is_inside(const struct catalog *catalog)
{
    return atomic_load(&catalog->holder) == &self;
}

/* ---- Turns ---- */

static void take_turn(struct catalog *catalog)
{
    mutex_lock(&catalog->turn_lock);
    catalog->waiting++;
    while (catalog->is_taken) {
        condition_wait(&catalog->turn_over, &catalog->turn_lock);
    }
    catalog->waiting--;
    catalog->is_taken = true;
    mutex_unlock(&catalog->turn_lock);
}

/* Under the lock. */
static void pass_turn(struct catalog *catalog)
{
    catalog->is_taken = false;
    condition_signal(&catalog->turn_over);
}

/* ---- The end of a group, by the last that has a turn in it ---- */

static void tell_change(const struct catalog *catalog, const struct change *change)
{
    for (size_t i = 0; i < catalog->listener_count; i++) {
        const struct listener *listener = &catalog->listeners[i];
        listener->changed(listener->context, change->kind, slice_from_cstr(change->org),
                          slice_from_cstr(change->id));
    }
}

static enum err commit_group(struct catalog *catalog, struct diag *diag)
{
    if (catalog->group.kept == 0) { /* all was taken back */
        sql_rollback(catalog->writer);
        return OK;
    }
    enum err e = outbox_delete_done(catalog, diag);
    if (e != OK) {
        sql_rollback(catalog->writer);
        return e;
    }
    return sql_commit(catalog->writer, diag);
}

/* `e`: what became of the group. The turn goes on. */
static void end_group(struct catalog *catalog, enum err e, const struct diag *diag)
{
    struct commit_group *group = &catalog->group;
    bool has_events = e == OK && group->has_events;
    if (e == OK) { /* before anybody returns, and still in a turn: in the order of commits */
        for (size_t i = 0; i < group->change_count; i++) {
            tell_change(catalog, &group->changes[i]);
        }
    }
    mutex_lock(&catalog->turn_lock);
    for (struct seat *seat = group->seats; seat != NULL; seat = seat->next) {
        seat->result = e;
        seat->diag = *diag;
        seat->is_told = true;
    }
    group->seats = NULL;
    group->turns = group->kept = group->change_count = 0;
    group->is_open = group->is_alone = group->has_events = false;
    condition_broadcast(&catalog->group_over);
    mutex_unlock(&catalog->turn_lock);
    if (has_events) {
        catalog_outbox_wake(catalog);
    }
}

static void end_turn(struct catalog *catalog, enum err e, const struct diag *diag)
{
    end_group(catalog, e, diag);
    mutex_lock(&catalog->turn_lock);
    pass_turn(catalog);
    mutex_unlock(&catalog->turn_lock);
}

/* ---- One of it ---- */

/* The turn is over and what was done in it is in the group, or taken back. */
static enum err leave(struct catalog *catalog, struct diag *diag)
{
    struct commit_group *group = &catalog->group;
    struct seat seat = {0};
    mutex_lock(&catalog->turn_lock);
    bool is_full = group->turns >= TURNS_MAX || group->change_count > CHANGES_MAX - OWN_CHANGES_MAX;
    bool is_last = catalog->waiting == 0 || is_full || group->is_alone;
    if (group->kept > 0 || is_last) {
        seat.next = group->seats;
        group->seats = &seat;
    } else { /* nothing of the group was seen, nothing is in it */
        seat.is_told = true;
    }
    if (!is_last) {
        pass_turn(catalog);
    }
    mutex_unlock(&catalog->turn_lock);
    if (is_last) {
        struct diag why = {0};
        enum err e = commit_group(catalog, &why);
        end_turn(catalog, e, &why);
    }
    mutex_lock(&catalog->turn_lock);
    while (!seat.is_told) {
        condition_wait(&catalog->group_over, &catalog->turn_lock);
    }
    mutex_unlock(&catalog->turn_lock);
    if (seat.result != OK && diag != NULL) {
        *diag = seat.diag;
    }
    return seat.result;
}

static enum err enter(struct catalog *catalog, struct diag *diag)
{
    struct commit_group *group = &catalog->group;
    if (!group->is_open) {
        TRY(sql_begin(catalog->writer, diag));
        group->is_open = true;
    }
    group->turns++;
    group->own_from = group->change_count;
    group->had_events = group->has_events;
    return sql_savepoint(catalog->writer, diag);
}

static enum err begin(struct catalog *catalog, bool is_alone, struct diag *diag)
{
    struct diag why = {0};
    ASSERT(!is_inside(catalog));
    take_turn(catalog);
    if (is_alone && catalog->group.is_open) { /* those before it, whatever becomes of them */
        enum err before = commit_group(catalog, &why);
        end_group(catalog, before, &why);
    }
    enum err e = enter(catalog, &why);
    if (e != OK) {
        end_turn(catalog, e, &why);
        return diag_fail(diag, e, why.where, "%s", why.text);
    }
    catalog->group.is_alone = is_alone;
    atomic_store(&catalog->holder, &self);
    return OK;
}

enum err catalog_begin(struct catalog *catalog, struct diag *diag)
{
    return begin(catalog, false, diag);
}

enum err catalog_begin_alone(struct catalog *catalog, struct diag *diag)
{
    return begin(catalog, true, diag);
}

enum err catalog_commit(struct catalog *catalog, struct diag *diag)
{
    struct diag why = {0};
    ASSERT(is_inside(catalog));
    atomic_store(&catalog->holder, NULL);
    enum err e = sql_keep(catalog->writer, &why);
    if (e != OK) {
        end_turn(catalog, e, &why);
        return diag_fail(diag, e, why.where, "%s", why.text);
    }
    catalog->group.kept++;
    return leave(catalog, diag);
}

void catalog_rollback(struct catalog *catalog)
{
    struct diag why = {0};
    struct commit_group *group = &catalog->group;
    ASSERT(is_inside(catalog));
    atomic_store(&catalog->holder, NULL);
    group->change_count = group->own_from;
    group->has_events = group->had_events;
    enum err e = sql_undo(catalog->writer, &why);
    if (e != OK) {
        end_turn(catalog, e, &why);
        return;
    }
    /* The refusal may rest on what others of the group did: it waits until that is durable. */
    (void)leave(catalog, NULL);
}

enum err catalog_end(struct catalog *catalog, enum err e, struct diag *diag)
{
    if (e != OK) {
        catalog_rollback(catalog);
        return e;
    }
    return catalog_commit(catalog, diag);
}

/* ---- Reading ---- */

struct sql *reading_begin(struct catalog *catalog)
{
    if (is_inside(catalog)) {
        return catalog->writer;
    }
    mutex_lock(&catalog->read_lock);
    return catalog->reader;
}

void reading_end(struct catalog *catalog)
{
    if (!is_inside(catalog)) {
        mutex_unlock(&catalog->read_lock);
    }
}
