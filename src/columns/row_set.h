/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* row_set - arithmetic on sets of rows, a word at a time. Threads: any. */

#include "columns/rows.h"

static inline uint32_t row_set_count(const struct row_set *set)
{
    uint32_t count = 0;
    for (size_t i = 0; i < ROW_SET_WORDS; i++) {
        count += (uint32_t)__builtin_popcountll(set->words[i]);
    }
    return count;
}

static inline bool row_set_is_empty(const struct row_set *set)
{
    uint64_t any = 0;
    for (size_t i = 0; i < ROW_SET_WORDS; i++) {
        any |= set->words[i];
    }
    return any == 0;
}

static inline void row_set_and(struct row_set *set, const struct row_set *other)
{
    for (size_t i = 0; i < ROW_SET_WORDS; i++) {
        set->words[i] &= other->words[i];
    }
}

static inline void row_set_and_not(struct row_set *set, const struct row_set *other)
{
    for (size_t i = 0; i < ROW_SET_WORDS; i++) {
        set->words[i] &= ~other->words[i];
    }
}

static inline void row_set_or(struct row_set *set, const struct row_set *other)
{
    for (size_t i = 0; i < ROW_SET_WORDS; i++) {
        set->words[i] |= other->words[i];
    }
}

/* Rows [0, count). */
static inline void row_set_fill(struct row_set *set, uint32_t count)
{
    memset(set, 0, sizeof(*set));
    memset(set->words, 0xff, count / 64 * sizeof(uint64_t));
    if (count % 64 != 0) {
        set->words[count / 64] = (UINT64_C(1) << (count % 64)) - 1;
    }
}

static inline void row_set_remove(struct row_set *set, uint32_t row)
{
    set->words[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

/* The first row of the set at or after `row`; ROWS_MAX if there is none. */
static inline uint32_t row_set_next(const struct row_set *set, uint32_t row)
{
    if (row >= ROWS_MAX) {
        return ROWS_MAX;
    }
    uint64_t word = set->words[row / 64] >> (row % 64) << (row % 64);
    for (uint32_t i = row / 64;;) {
        if (word != 0) {
            return i * 64 + (uint32_t)__builtin_ctzll(word);
        }
        if (++i == ROW_SET_WORDS) {
            return ROWS_MAX;
        }
        word = set->words[i];
    }
}

/* The last row of the set before `row`; ROWS_MAX if there is none. */
static inline uint32_t row_set_previous(const struct row_set *set, uint32_t row)
{
    for (uint32_t i = (row + 63) / 64; i > 0; i--) {
        uint64_t word = set->words[i - 1];
        if (row < i * 64) {
            word &= (UINT64_C(1) << (row % 64)) - 1;
        }
        if (word != 0) {
            return i * 64 - 1 - (uint32_t)__builtin_clzll(word);
        }
    }
    return ROWS_MAX;
}
