/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * map - a hash table from short texts to pointers.
 *
 * It owns copies of the keys and never looks at the values, which are the caller's. It grows with
 * what is put in and does not shrink, so the caller bounds it. Its hash has no secret: the keys are
 * names that we gave, not those that strangers choose.
 *
 * Threads: one at a time.
 */

#include "base/slice.h"

struct map_entry;

struct map {
    struct map_entry **heads; /* NULL: nothing was ever put in */
    size_t mask;              /* heads - 1 */
    size_t count;
};

typedef void map_free_fn(void *value);
typedef bool map_keep_fn(void *context, void *value);

/* Frees the keys, and each value with `free_value` (NULL: not). */
void map_release(struct map *map, map_free_fn *free_value);

/* The value of that key; NULL: there is none. */
void *map_find(const struct map *map, slice key);

/* Returns the value that the key had before, which is the caller's again; NULL: none. `value` is
 * not NULL. */
void *map_put(struct map *map, slice key, void *value);

/* Takes the key out and returns its value; NULL: there was none. */
void *map_take(struct map *map, slice key);

/* Takes out, and frees, all for which `keep` says no; it may change the values. */
void map_sweep(struct map *map, map_keep_fn *keep, void *context, map_free_fn *free_value);
