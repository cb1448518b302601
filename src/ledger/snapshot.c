/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/snapshot.h"

#include <stdlib.h>

#include "base/mem.h"
#include "os/thread.h"
#include "segment/group.h"
#include "segment/segment.h"

/* A segment or group file in use, shared by the lists that name it. */
struct holder {
    _Atomic uint32_t refs;
    struct segment *segment;
    struct group *group;
    struct merkle_hash *tile_roots;
};

/* One immutable state of what is on disk. */
struct snapshot_list {
    _Atomic uint32_t refs;
    size_t sealed_count;
    size_t group_count;
    struct sealed *sealed;
    struct holder **sealed_holders;
    struct group **groups;
    struct holder **group_holders;
};

/* `lock` covers the pointers, never the work behind them; `change_lock` is held by who replaces the
 * list, sealer or eraser. */
struct snapshot {
    struct mutex lock;
    struct mutex change_lock;
    struct snapshot_list *list;
    struct active *actives[SNAPSHOT_ACTIVES_MAX];
    size_t active_count;
    _Atomic uint64_t size;
};

static void holder_unref(struct holder *holder)
{
    if (holder != NULL && atomic_fetch_sub_explicit(&holder->refs, 1, memory_order_acq_rel) == 1) {
        segment_free(holder->segment);
        group_free(holder->group);
        free(holder->tile_roots);
        free(holder);
    }
}

static struct holder *holder_ref(struct holder *holder)
{
    if (holder != NULL) {
        atomic_fetch_add_explicit(&holder->refs, 1, memory_order_relaxed);
    }
    return holder;
}

static void list_unref(struct snapshot_list *list)
{
    if (atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < list->sealed_count; i++) {
        holder_unref(list->sealed_holders[i]);
    }
    for (size_t i = 0; i < list->group_count; i++) {
        holder_unref(list->group_holders[i]);
    }
    free(list->sealed);
    free(list->sealed_holders);
    free(list->groups);
    free(list->group_holders);
    free(list);
}

/* A copy with room for so many; new places are empty. */
static struct snapshot_list *list_copy(const struct snapshot_list *from, size_t sealed_count,
                                       size_t group_count)
{
    struct snapshot_list *list = mem_zeroed(sizeof(*list));
    atomic_init(&list->refs, 1);
    list->sealed_count = sealed_count;
    list->group_count = group_count;
    list->sealed = mem_array(sealed_count, sizeof(*list->sealed));
    list->sealed_holders = mem_array(sealed_count, sizeof(struct holder *));
    list->groups = mem_array(group_count, sizeof(struct group *));
    list->group_holders = mem_array(group_count, sizeof(struct holder *));
    for (size_t i = 0; from != NULL && i < from->sealed_count; i++) {
        list->sealed[i] = from->sealed[i];
        list->sealed_holders[i] = holder_ref(from->sealed_holders[i]);
    }
    for (size_t i = 0; from != NULL && i < from->group_count; i++) {
        list->groups[i] = from->groups[i];
        list->group_holders[i] = holder_ref(from->group_holders[i]);
    }
    return list;
}

struct snapshot *snapshot_new(void)
{
    struct snapshot *snapshot = mem_zeroed(sizeof(*snapshot));
    mutex_init(&snapshot->lock);
    mutex_init(&snapshot->change_lock);
    snapshot->list = list_copy(NULL, 0, 0);
    return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    for (size_t i = 0; i < snapshot->active_count; i++) {
        active_unref(snapshot->actives[i]);
    }
    list_unref(snapshot->list);
    mutex_release(&snapshot->lock);
    mutex_release(&snapshot->change_lock);
    free(snapshot);
}

/* With change_lock held. */
static void publish_list(struct snapshot *snapshot, struct snapshot_list *list)
{
    mutex_lock(&snapshot->lock);
    struct snapshot_list *old = snapshot->list;
    snapshot->list = list;
    mutex_unlock(&snapshot->lock);
    list_unref(old);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* In a list that nobody else sees yet. */
static void put_segment(struct snapshot_list *list, size_t index, const struct sealed *sealed)
{
    struct holder *holder = mem_zeroed(sizeof(*holder));
    atomic_init(&holder->refs, 1);
    holder->segment = sealed->segment;
    list->sealed[index] = *sealed;
    if (sealed->tile_roots != NULL) {
        size_t bytes = ROWS_TILES_MAX * sizeof(*holder->tile_roots);
        holder->tile_roots = mem_zeroed(bytes);
        memcpy(holder->tile_roots, sealed->tile_roots, bytes);
        list->sealed[index].tile_roots = holder->tile_roots;
    }
    holder_unref(list->sealed_holders[index]);
    list->sealed_holders[index] = holder;
}

void snapshot_set_segments(struct snapshot *snapshot, size_t first, const struct sealed *sealed,
                           size_t count)
{
    mutex_lock(&snapshot->change_lock);
    const struct snapshot_list *old = snapshot->list;
    ASSERT(first <= old->sealed_count);
    struct snapshot_list *list =
        list_copy(old, larger(old->sealed_count, first + count), old->group_count);
    for (size_t i = 0; i < count; i++) {
        put_segment(list, first + i, &sealed[i]);
    }
    publish_list(snapshot, list);
    mutex_unlock(&snapshot->change_lock);
}

void snapshot_set_group(struct snapshot *snapshot, size_t index, struct group *group)
{
    mutex_lock(&snapshot->change_lock);
    const struct snapshot_list *old = snapshot->list;
    struct snapshot_list *list =
        list_copy(old, old->sealed_count, larger(old->group_count, index + 1));
    struct holder *holder = mem_zeroed(sizeof(*holder));
    atomic_init(&holder->refs, 1);
    holder->group = group;
    holder_unref(list->group_holders[index]);
    list->groups[index] = group;
    list->group_holders[index] = holder;
    publish_list(snapshot, list);
    mutex_unlock(&snapshot->change_lock);
}

void snapshot_add_active(struct snapshot *snapshot, struct active *active)
{
    mutex_lock(&snapshot->lock);
    ASSERT(snapshot->active_count < SNAPSHOT_ACTIVES_MAX);
    snapshot->actives[snapshot->active_count++] = active_ref(active);
    mutex_unlock(&snapshot->lock);
}

void snapshot_drop_oldest_active(struct snapshot *snapshot)
{
    mutex_lock(&snapshot->lock);
    ASSERT(snapshot->active_count > 0);
    struct active *oldest = snapshot->actives[0];
    snapshot->active_count--;
    memmove(snapshot->actives, snapshot->actives + 1,
            snapshot->active_count * sizeof(struct active *));
    mutex_unlock(&snapshot->lock);
    active_unref(oldest);
}

void snapshot_replace_actives(struct snapshot *snapshot, struct active *const *actives,
                              size_t count)
{
    struct active *old[SNAPSHOT_ACTIVES_MAX];
    mutex_lock(&snapshot->lock);
    ASSERT(count == snapshot->active_count);
    for (size_t i = 0; i < count; i++) {
        old[i] = snapshot->actives[i];
        snapshot->actives[i] = active_ref(actives[i]);
    }
    mutex_unlock(&snapshot->lock);
    for (size_t i = 0; i < count; i++) {
        active_unref(old[i]);
    }
}

size_t snapshot_sealed_count(struct snapshot *snapshot)
{
    mutex_lock(&snapshot->lock);
    size_t count = snapshot->list->sealed_count;
    mutex_unlock(&snapshot->lock);
    return count;
}

size_t snapshot_group_count(struct snapshot *snapshot)
{
    mutex_lock(&snapshot->lock);
    size_t count = snapshot->list->group_count;
    mutex_unlock(&snapshot->lock);
    return count;
}

void snapshot_commit(struct snapshot *snapshot, uint64_t size)
{
    ASSERT(size >= atomic_load(&snapshot->size));
    atomic_store_explicit(&snapshot->size, size, memory_order_release);
}

uint64_t snapshot_size(const struct snapshot *snapshot)
{
    return atomic_load_explicit(&snapshot->size, memory_order_acquire);
}

/* ---- Views ---- */

static void add_sealed_entries(const struct snapshot_list *list, struct view_entry *entries)
{
    for (size_t i = 0; i < list->sealed_count; i++) {
        struct segment *segment = list->sealed[i].segment;
        entries[i] = (struct view_entry){.first_seq = (uint64_t)i * ROWS_MAX, .count = ROWS_MAX};
        if (segment != NULL) {
            const struct segment_summary *summary = segment_summary(segment);
            entries[i].rows = segment_rows(segment);
            entries[i].segment = segment;
            entries[i].time_min_us = summary->time_min_us;
            entries[i].time_max_us = summary->time_max_us;
        }
    }
}

/* Active segments that are sealed already (the list is newer) or hold nothing yet are left out. */
static size_t add_active_entries(struct snapshot_view *view, struct active *const *actives,
                                 size_t count, uint64_t size, struct view_entry *entries)
{
    size_t added = 0;
    uint64_t sealed_size = (uint64_t)view->sealed_count * ROWS_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t first = active_first_seq(actives[i]);
        if (first < sealed_size || first >= size) {
            active_unref(actives[i]);
            continue;
        }
        uint64_t rows = size - first < ROWS_MAX ? size - first : ROWS_MAX;
        struct active_rows *active_rows = &view->actives[view->active_count++];
        active_rows_init(actives[i], (uint32_t)rows, active_rows);
        entries[added++] = (struct view_entry){
            .rows = &active_rows->rows,
            .first_seq = first,
            .count = (uint32_t)rows,
            .time_min_us = active_rows->rows.time_min_us,
            .time_max_us = active_rows->rows.time_max_us,
        };
    }
    return added;
}

struct snapshot_view *snapshot_view_open(struct snapshot *snapshot)
{
    struct snapshot_view *view = mem_zeroed(sizeof(*view));
    struct active *actives[SNAPSHOT_ACTIVES_MAX];
    mutex_lock(&snapshot->lock);
    uint64_t size = snapshot_size(snapshot);
    struct snapshot_list *list = snapshot->list;
    atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
    size_t active_count = snapshot->active_count;
    for (size_t i = 0; i < active_count; i++) {
        actives[i] = active_ref(snapshot->actives[i]);
    }
    mutex_unlock(&snapshot->lock);

    view->list = list;
    view->sealed = list->sealed;
    view->sealed_count = list->sealed_count;
    struct view_entry *entries =
        mem_array(list->sealed_count + SNAPSHOT_ACTIVES_MAX, sizeof(*entries));
    add_sealed_entries(list, entries);
    size_t added =
        add_active_entries(view, actives, active_count, size, entries + list->sealed_count);
    view->view = (struct view){
        .size = size,
        .entries = entries,
        .entry_count = list->sealed_count + added,
        .groups = list->groups,
        .group_count = list->group_count,
    };
    return view;
}

/* The entries are ours; only their readers see them as const. */
static void free_entries(const struct view_entry *entries)
{
    union {
        const struct view_entry *borrowed;
        void *owned;
    } memory = {.borrowed = entries};
    free(memory.owned);
}

void snapshot_view_free(struct snapshot_view *view)
{
    if (view == NULL) {
        return;
    }
    free_entries(view->view.entries);
    for (size_t i = 0; i < view->active_count; i++) {
        active_unref(view->actives[i].active);
    }
    list_unref(view->list);
    free(view);
}
