/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * numbers - a column of 64-bit integers, by tiles of 256 rows: each tile has the smallest number
 * and stores the differences from it in as few bytes as the largest needs (docs/format/segment.md).
 *
 * Threads: any.
 */

#include "base/buf.h"
#include "columns/rows.h"

/* Appends `count` (1..ROWS_MAX) numbers; ROWS_ABSENT: none. */
void numbers_write(const int64_t *numbers, uint32_t count, struct buf *out);

/* Whether `bytes` are long enough to have the heads of `count` numbers' tiles. */
bool numbers_is_sound(slice bytes, uint32_t count);

/* Numbers [first, first + n) of a sound column of `count`. Damaged tiles read as absent. */
void numbers_read(slice bytes, uint32_t count, uint32_t first, uint32_t n, int64_t *out);
