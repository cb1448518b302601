/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * idtable - which event_ids are known since the last full group: hash -> row, in memory.
 *
 * Open addressing over 64-bit entries: 42 bits of the hash and 22 bits of the position within the
 * group of 4,194,304 rows that is being filled. When a group is full it is written (group.h) and
 * the table starts again, so that it holds at most that many rows and those that wait behind them.
 * A hit is only a likely one: the caller compares the id itself.
 *
 * Threads: one owner at a time (the ledger's identity lock).
 */

#include "base/slice.h"

struct idtable;

struct idtable *idtable_new(uint64_t base_seq); /* never NULL */
void idtable_free(struct idtable *table);

uint64_t idtable_base(const struct idtable *table);

/* `seq` must be within [base, base + IDTABLE_SPAN). */
#define IDTABLE_SPAN (UINT64_C(1) << 22)
void idtable_add(struct idtable *table, uint64_t hash, uint64_t seq);
/* Takes back what was added last, in reverse order. */
void idtable_undo(struct idtable *table, uint64_t hash, uint64_t seq);

void idtable_prefetch(const struct idtable *table, uint64_t hash);

/* Seqs whose id may have this hash, in no order; at most `max` of them are written. */
size_t idtable_find(const struct idtable *table, uint64_t hash, uint64_t *seqs_out, size_t max);
