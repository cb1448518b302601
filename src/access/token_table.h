/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token_table - what is known of tokens, by their SHA-256: a table of sets of four.
 *
 * The first bytes of the hash choose the set. When a set is full, that one of four goes which ends
 * first; so the table never grows, and one place is always found.
 *
 * Threads: one owner at a time; the caches that stand on it have a lock.
 */

#include "base/slice.h"
#include "crypto/sha256.h"

struct token_slot {
    uint8_t hash[SHA256_BYTES];
    int64_t ends_us; /* 0: the place is free */
};

struct token_table {
    uint8_t *slots;
    size_t slot_bytes, set_mask;
};

/* Room for `tokens_max` (at least 1; rounded up to a power of two) slots of `slot_bytes`, each a
 * struct that begins with a struct token_slot. All memory is taken here. */
void token_table_init(struct token_table *table, size_t tokens_max, size_t slot_bytes);
void token_table_release(struct token_table *table);

/* Its slot; NULL: it is not known. */
void *token_table_find(const struct token_table *table, const uint8_t hash[SHA256_BYTES]);
/* The slot that it has, or that is free, or whose token ends first: of this hash from now on until
 * `ends_us` (not 0). The caller fills in the rest. */
void *token_table_place(struct token_table *table, const uint8_t hash[SHA256_BYTES],
                        int64_t ends_us);
