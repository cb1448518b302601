/* SPDX-License-Identifier: Apache-2.0 */
#include "access/token_table.h"

#include <stdlib.h>

#include "base/mem.h"

enum { WAYS = 4 };

void token_table_init(struct token_table *table, size_t tokens_max, size_t slot_bytes)
{
    size_t sets = 1;
    ASSERT(tokens_max > 0 && tokens_max <= 1 << 24 && slot_bytes >= sizeof(struct token_slot));
    while (sets * WAYS < tokens_max) {
        sets *= 2;
    }
    *table = (struct token_table){mem_array(sets * WAYS, slot_bytes), slot_bytes, sets - 1};
}

void token_table_release(struct token_table *table)
{
    free(table->slots);
    *table = (struct token_table){0};
}

static struct token_slot *slot_at(const struct token_table *table, const uint8_t hash[SHA256_BYTES],
                                  size_t way)
{
    uint64_t number = 0;
    memcpy(&number, hash, sizeof(number));
    size_t set = (size_t)(number & table->set_mask);
    return (struct token_slot *)(void *)&table->slots[(set * WAYS + way) * table->slot_bytes];
}

void *token_table_find(const struct token_table *table, const uint8_t hash[SHA256_BYTES])
{
    for (size_t i = 0; i < WAYS; i++) {
        struct token_slot *slot = slot_at(table, hash, i);
        if (slot->ends_us != 0 && memcmp(slot->hash, hash, SHA256_BYTES) == 0) {
            return slot;
        }
    }
    return NULL;
}

void *token_table_place(struct token_table *table, const uint8_t hash[SHA256_BYTES],
                        int64_t ends_us)
{
    ASSERT(ends_us != 0);
    struct token_slot *place = token_table_find(table, hash);
    for (size_t i = 0; place == NULL && i < WAYS; i++) {
        struct token_slot *slot = slot_at(table, hash, i);
        place = slot->ends_us == 0 ? slot : NULL;
    }
    if (place == NULL) {
        place = slot_at(table, hash, 0);
        for (size_t i = 1; i < WAYS; i++) {
            struct token_slot *slot = slot_at(table, hash, i);
            place = slot->ends_us < place->ends_us ? slot : place;
        }
    }
    memcpy(place->hash, hash, SHA256_BYTES);
    place->ends_us = ends_us;
    return place;
}
