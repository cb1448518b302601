/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limit_slots.h"

#include <stdlib.h>

#include "base/mem.h"

enum { SLOTS_FIRST = 16 };

void limit_slots_init(struct limit_slots *table)
{
    *table = (struct limit_slots){.slot_count = SLOTS_FIRST};
    table->slots = mem_array(SLOTS_FIRST, sizeof(struct limit_node *));
}

void limit_slots_release(struct limit_slots *table, void (*end)(struct limit_node *node))
{
    for (size_t i = 0; i < table->slot_count; i++) {
        while (table->slots[i] != NULL) {
            struct limit_node *node = table->slots[i];
            table->slots[i] = node->next;
            end(node);
        }
    }
    free(table->slots);
    *table = (struct limit_slots){0};
}

static struct limit_node **slot_of(struct limit_slots *table, uint64_t hash)
{
    return &table->slots[hash & (table->slot_count - 1)];
}

static void link_node(struct limit_slots *table, struct limit_node *node)
{
    struct limit_node **slot = slot_of(table, node->hash);
    node->next = *slot;
    *slot = node;
}

static void grow(struct limit_slots *table)
{
    struct limit_node **old = table->slots;
    size_t old_count = table->slot_count;
    table->slot_count *= 2;
    table->slots = mem_array(table->slot_count, sizeof(struct limit_node *));
    for (size_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct limit_node *node = old[i];
            old[i] = node->next;
            link_node(table, node);
        }
    }
    free(old);
}

void limit_slots_add(struct limit_slots *table, struct limit_node *node, uint64_t hash)
{
    if (table->count == table->slot_count) {
        grow(table);
    }
    node->hash = hash;
    link_node(table, node);
    table->count++;
}

void limit_slots_remove(struct limit_slots *table, struct limit_node *node)
{
    struct limit_node **slot = slot_of(table, node->hash);
    while (*slot != node) {
        slot = &(*slot)->next;
    }
    *slot = node->next;
    table->count--;
}
