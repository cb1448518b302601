/* SPDX-License-Identifier: Apache-2.0 */
#include "search/view_prune.h"

#include "base/mem.h"
#include "columns/column.h"

#define ALL_SEGMENTS UINT64_MAX

static uint64_t segments_of_id(const struct group *group, slice org, const struct uuid *id)
{
    uint32_t rows[GROUP_FIND_MAX];
    uint64_t segments = 0;
    size_t count = group_find_id(group, event_id_hash(org, id), rows);
    for (size_t i = 0; i < count; i++) {
        segments |= UINT64_C(1) << (rows[i] / ROWS_MAX);
    }
    return count < GROUP_FIND_MAX ? segments : ALL_SEGMENTS; /* there may be more */
}

static uint64_t segments_of_leaf(const struct group *group, slice org, const struct filter *leaf)
{
    if (leaf->op != FILTER_EQUAL || leaf->target != FILTER_ON_FIELD) {
        return ALL_SEGMENTS;
    }
    if (leaf->field == FIELD_EVENT_ID && org.len > 0) {
        return segments_of_id(group, org, &leaf->uuid);
    }
    bool is_lookup = (fields[leaf->field].flags & FIELD_LOOKUP) != 0;
    if (!is_lookup || !field_is_text_column(leaf->field) || leaf->network.byte_count > 0) {
        return ALL_SEGMENTS;
    }
    return group_lookup(group, leaf->field, leaf->text);
}

/* Segments of a group that may have matches, as bits. Recursion is as deep as the filter. */
static uint64_t segments_of(const struct group *group, slice org, const struct filter *filter)
{
    uint64_t segments = 0;
    if (filter->op == FILTER_AND) {
        segments = ALL_SEGMENTS;
        for (size_t i = 0; i < filter->child_count && segments != 0; i++) {
            segments &= segments_of(group, org, filter->children[i]);
        }
        return segments;
    }
    if (filter->op == FILTER_OR) {
        for (size_t i = 0; i < filter->child_count && segments != ALL_SEGMENTS; i++) {
            segments |= segments_of(group, org, filter->children[i]);
        }
        return segments;
    }
    return segments_of_leaf(group, org, filter);
}

struct view_choice *view_prune(const struct view *view, slice org, const struct filter *filter,
                               uint64_t size, size_t *count_out)
{
    struct view_choice *chosen = mem_array(view->entry_count + 1, sizeof(*chosen));
    int64_t from_us = INT64_MIN;
    int64_t to_us = INT64_MAX;
    uint64_t segments = ALL_SEGMENTS;
    filter_time_bounds(filter, &from_us, &to_us);
    size = size < view->size ? size : view->size;
    *count_out = 0;
    for (size_t i = 0; i < view->entry_count; i++) {
        const struct view_entry *entry = &view->entries[i];
        if (i % GROUP_SEGMENTS == 0) {
            const struct group *group =
                i / GROUP_SEGMENTS < view->group_count ? view->groups[i / GROUP_SEGMENTS] : NULL;
            segments = group != NULL ? segments_of(group, org, filter) : ALL_SEGMENTS;
        }
        bool is_out = entry->rows == NULL || entry->first_seq >= size ||
                      entry->time_min_us > to_us || entry->time_max_us < from_us ||
                      (segments >> (i % GROUP_SEGMENTS) & 1) == 0;
        if (!is_out) {
            uint64_t below = size - entry->first_seq;
            uint32_t count = below < entry->count ? (uint32_t)below : entry->count;
            chosen[*count_out] = (struct view_choice){entry, count};
            *count_out += count > 0 ? 1 : 0;
        }
    }
    return chosen;
}
