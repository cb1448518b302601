/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_slots - a hash table of things that begin with a `struct limit_node`; it grows, and whoever
 * puts them in keeps count of how many there may be. The hash must be of a secret seed.
 *
 * Threads: one at a time.
 */

#include <stddef.h>
#include <stdint.h>

struct limit_node {
    struct limit_node *next; /* in its slot */
    uint64_t hash;
};

struct limit_slots {
    struct limit_node **slots;
    size_t slot_count, count; /* slot_count is a power of two */
};

void limit_slots_init(struct limit_slots *table);
/* Ends each node with `end`. */
void limit_slots_release(struct limit_slots *table, void (*end)(struct limit_node *node));

/* The first of the nodes that may have this hash; the others follow by `next`. */
static inline struct limit_node *limit_slots_first(const struct limit_slots *table, uint64_t hash)
{
    return table->slots[hash & (table->slot_count - 1)];
}

void limit_slots_add(struct limit_slots *table, struct limit_node *node, uint64_t hash);
void limit_slots_remove(struct limit_slots *table, struct limit_node *node); /* it is there */
