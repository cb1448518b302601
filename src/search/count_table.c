/* SPDX-License-Identifier: Apache-2.0 */
#include "search/count_table.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

enum { SLOTS_FIRST = 1024 };

void count_table_init(struct count_table *table, struct arena *arena, size_t value_count,
                      size_t groups_max)
{
    *table = (struct count_table){
        .arena = arena,
        .value_count = value_count,
        .secret = hash_secret(),
        .groups_max = groups_max,
        .slots = mem_array(SLOTS_FIRST, sizeof(uint32_t)),
        .slot_mask = SLOTS_FIRST - 1,
    };
}

void count_table_release(struct count_table *table)
{
    free(table->groups);
    free(table->slots);
    *table = (struct count_table){0};
}

static uint64_t hash_of(const struct count_table *table, const slice *values, int64_t bucket_us)
{
    uint64_t hash = hash_u64((uint64_t)bucket_us, table->secret);
    for (size_t i = 0; i < table->value_count; i++) {
        hash = values[i].ptr != NULL ? hash_bytes(values[i], hash) : hash_u64(i, hash);
    }
    return hash;
}

static bool is_same(const struct count_table *table, const struct store_group *group,
                    const slice *values, int64_t bucket_us)
{
    bool same = group->bucket_us == bucket_us;
    for (size_t i = 0; i < table->value_count && same; i++) {
        bool is_absent = values[i].ptr == NULL;
        same = is_absent == (group->values[i].ptr == NULL) &&
               (is_absent || slice_equal(group->values[i], values[i]));
    }
    return same;
}

static void more_slots(struct count_table *table)
{
    size_t mask = 2 * table->slot_mask + 1;
    uint32_t *slots = mem_array(mask + 1, sizeof(*slots));
    for (size_t i = 0; i < table->count; i++) {
        const struct store_group *group = &table->groups[i];
        size_t slot = (size_t)hash_of(table, group->values, group->bucket_us) & mask;
        while (slots[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        slots[slot] = (uint32_t)i + 1;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_mask = mask;
}

static enum err add_group(struct count_table *table, const slice *values, int64_t bucket_us,
                          struct store_group **out)
{
    struct store_group group = {.bucket_us = bucket_us};
    if (table->count == table->groups_max || table->count == UINT32_MAX - 1) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < table->value_count; i++) {
        if (values[i].ptr != NULL && !arena_copy(table->arena, values[i], &group.values[i])) {
            return ERR_LIMIT;
        }
    }
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
        table->groups = mem_resize(table->groups, table->capacity * sizeof(*table->groups));
    }
    *out = &table->groups[table->count++];
    **out = group;
    return OK;
}

enum err count_table_add(struct count_table *table, const slice *values, int64_t bucket_us,
                         uint64_t count)
{
    size_t slot = (size_t)hash_of(table, values, bucket_us) & table->slot_mask;
    while (table->slots[slot] != 0) {
        struct store_group *group = &table->groups[table->slots[slot] - 1];
        if (is_same(table, group, values, bucket_us)) {
            group->count += count;
            return OK;
        }
        slot = (slot + 1) & table->slot_mask;
    }
    struct store_group *group = NULL;
    TRY(add_group(table, values, bucket_us, &group));
    group->count = count;
    table->slots[slot] = (uint32_t)table->count;
    if (table->count > table->slot_mask / 2) {
        more_slots(table);
    }
    return OK;
}
