/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/idtable.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    POSITION_BITS = 22,
    FIRST_SLOTS = 1 << 16,
};
#define POSITION_MASK ((UINT64_C(1) << POSITION_BITS) - 1)
#define HASH_MASK     (~POSITION_MASK)

/*
 * An entry is the top 42 bits of the hash and the position in the low 22; an empty slot is
 * zero, so a hash whose top bits are zero has its lowest kept bit set. The slot of an entry follows
 * from its own bits alone, so that growing needs no other source.
 */
struct idtable {
    uint64_t base_seq;
    uint64_t *slots;
    size_t capacity;
    size_t count;
};

struct idtable *idtable_new(uint64_t base_seq)
{
    struct idtable *table = mem_zeroed(sizeof(*table));
    table->base_seq = base_seq;
    table->capacity = FIRST_SLOTS;
    table->slots = mem_array(table->capacity, sizeof(*table->slots));
    return table;
}

void idtable_free(struct idtable *table)
{
    if (table != NULL) {
        free(table->slots);
        free(table);
    }
}

uint64_t idtable_base(const struct idtable *table)
{
    return table->base_seq;
}

static uint64_t kept_hash(uint64_t hash)
{
    uint64_t kept = hash & HASH_MASK;
    return kept != 0 ? kept : UINT64_C(1) << POSITION_BITS;
}

static size_t slot_of(const struct idtable *table, uint64_t entry)
{
    return (size_t)(((__uint128_t)(entry & HASH_MASK) * table->capacity) >> 64);
}

static void insert(struct idtable *table, uint64_t entry)
{
    size_t slot = slot_of(table, entry);
    while (table->slots[slot] != 0) {
        slot = slot + 1 < table->capacity ? slot + 1 : 0;
    }
    table->slots[slot] = entry;
}

/* Half again as large: at most a third more memory than the entries need, and few copies. */
static void grow(struct idtable *table)
{
    uint64_t *old = table->slots;
    size_t old_capacity = table->capacity;
    table->capacity += table->capacity / 2;
    table->slots = mem_array(table->capacity, sizeof(*table->slots));
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i] != 0) {
            insert(table, old[i]);
        }
    }
    free(old);
}

static uint64_t entry_of(const struct idtable *table, uint64_t hash, uint64_t seq)
{
    ASSERT(seq >= table->base_seq && seq - table->base_seq < IDTABLE_SPAN);
    return kept_hash(hash) | (seq - table->base_seq);
}

void idtable_add(struct idtable *table, uint64_t hash, uint64_t seq)
{
    if (table->count >= table->capacity / 5 * 4) {
        grow(table);
    }
    insert(table, entry_of(table, hash, seq));
    table->count++;
}

void idtable_undo(struct idtable *table, uint64_t hash, uint64_t seq)
{
    uint64_t entry = entry_of(table, hash, seq);
    size_t slot = slot_of(table, entry);
    while (table->slots[slot] != entry) {
        ASSERT(table->slots[slot] != 0);
        slot = slot + 1 < table->capacity ? slot + 1 : 0;
    }
    table->slots[slot] = 0; /* the last one added has nothing behind it in its run */
    table->count--;
}

void idtable_prefetch(const struct idtable *table, uint64_t hash)
{
    __builtin_prefetch(&table->slots[slot_of(table, kept_hash(hash))]);
}

size_t idtable_find(const struct idtable *table, uint64_t hash, uint64_t *seqs_out, size_t max)
{
    uint64_t wanted = kept_hash(hash);
    size_t found = 0;
    for (size_t slot = slot_of(table, wanted); table->slots[slot] != 0 && found < max;
         slot = slot + 1 < table->capacity ? slot + 1 : 0) {
        if ((table->slots[slot] & HASH_MASK) == wanted) {
            seqs_out[found++] = table->base_seq + (table->slots[slot] & POSITION_MASK);
        }
    }
    return found;
}
