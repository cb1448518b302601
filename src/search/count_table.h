/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * count_table - groups and their counts, over all entries of a view, found by the texts of their
 * values. Threads: belongs to one.
 */

#include "base/arena.h"
#include "store/store.h"

struct count_table {
    struct arena *arena; /* for the texts */
    size_t value_count;  /* of a group */
    uint64_t secret;     /* strangers fill it: without, texts that share a hash could be made */
    size_t groups_max;
    struct store_group *groups;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* 0: free, else 1 + index of a group */
    size_t slot_mask;
};

/* `arena` is borrowed; `value_count` is 0..STORE_GROUP_FIELDS_MAX. */
void count_table_init(struct count_table *table, struct arena *arena, size_t value_count,
                      size_t groups_max);
void count_table_release(struct count_table *table);

/* Adds `count` to a group. `values` need not last; ptr NULL: absent. LIMIT. */
enum err count_table_add(struct count_table *table, const slice *values, int64_t bucket_us,
                         uint64_t count);
