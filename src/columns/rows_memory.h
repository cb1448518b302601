/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rows_memory - an array of events seen as rows: what tests and fuzzers write segments from and
 * compare with. A server does not use it.
 *
 * Threads: as rows.h.
 */

#include "columns/rows.h"

/* `events` (1..ROWS_MAX) are borrowed until the rows are freed. A row of `erased` (NULL: none)
 * keeps its leaf hash and shows nothing else. Never NULL. */
struct rows *rows_memory_new(const struct event *events, uint32_t count, uint64_t first_seq,
                             const struct row_set *erased);
void rows_memory_free(struct rows *rows);
