/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/mem.h"

enum { HEADS_FIRST = 16 };

struct map_entry {
    struct map_entry *next;
    void *value;
    size_t key_bytes;
    uint8_t key[];
};

/* Where the entry hangs, or would be hung. */
static struct map_entry **place_of(const struct map *map, slice key)
{
    struct map_entry **at = &map->heads[(size_t)hash_bytes(key, 0) & map->mask];
    while (*at != NULL && !slice_equal((slice){(*at)->key, (*at)->key_bytes}, key)) {
        at = &(*at)->next;
    }
    return at;
}

static void grow(struct map *map)
{
    struct map old = *map;
    size_t heads = old.heads == NULL ? HEADS_FIRST : 2 * (old.mask + 1);
    map->heads = mem_array(heads, sizeof(struct map_entry *));
    map->mask = heads - 1;
    for (size_t i = 0; old.heads != NULL && i <= old.mask; i++) {
        while (old.heads[i] != NULL) {
            struct map_entry *entry = old.heads[i];
            old.heads[i] = entry->next;
            entry->next = NULL;
            *place_of(map, (slice){entry->key, entry->key_bytes}) = entry;
        }
    }
    free(old.heads);
}

void *map_find(const struct map *map, slice key)
{
    struct map_entry *entry = map->heads != NULL ? *place_of(map, key) : NULL;
    return entry != NULL ? entry->value : NULL;
}

void *map_put(struct map *map, slice key, void *value)
{
    ASSERT(value != NULL);
    if (map->heads == NULL || map->count > map->mask) {
        grow(map);
    }
    struct map_entry **at = place_of(map, key);
    if (*at != NULL) {
        void *before = (*at)->value;
        (*at)->value = value;
        return before;
    }
    struct map_entry *entry = mem_zeroed(sizeof(*entry) + key.len);
    *entry = (struct map_entry){.value = value, .key_bytes = key.len};
    memcpy(entry->key, key.ptr, key.len);
    *at = entry;
    map->count++;
    return NULL;
}

/* Takes the entry out that hangs there. */
static void *unhang(struct map *map, struct map_entry **at)
{
    struct map_entry *entry = *at;
    void *value = entry->value;
    *at = entry->next;
    free(entry);
    map->count--;
    return value;
}

void *map_take(struct map *map, slice key)
{
    struct map_entry **at = map->heads != NULL ? place_of(map, key) : NULL;
    return at != NULL && *at != NULL ? unhang(map, at) : NULL;
}

void map_sweep(struct map *map, map_keep_fn *keep, void *context, map_free_fn *free_value)
{
    for (size_t i = 0; map->heads != NULL && i <= map->mask; i++) {
        struct map_entry **at = &map->heads[i];
        while (*at != NULL) {
            if (keep(context, (*at)->value)) {
                at = &(*at)->next;
                continue;
            }
            void *value = unhang(map, at);
            if (free_value != NULL) {
                free_value(value);
            }
        }
    }
}

static bool keep_none(void *context, void *value)
{
    UNUSED(context);
    UNUSED(value);
    return false;
}

void map_release(struct map *map, map_free_fn *free_value)
{
    map_sweep(map, keep_none, NULL, free_value);
    free(map->heads);
    *map = (struct map){0};
}
