/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ids - event_id of each row, by tiles of 256 rows. In a tile whose ids are all UUIDv7 of about the
 * time of their events, six bytes of each are its distance in milliseconds from event_timestamp
 * (docs/format/segment.md).
 *
 * Threads: any.
 */

#include "base/buf.h"
#include "codec/uuid.h"
#include "columns/rows.h"

/* Appends `count` (1..ROWS_MAX) ids. `times_us` are their event_timestamps; rows of `gone` (NULL:
 * none) are stored as zeros. */
void ids_write(const struct uuid *ids, const int64_t *times_us, const struct row_set *gone,
               uint32_t count, struct buf *out);

/* Whether `bytes` are long enough to say where each tile is. */
bool ids_is_sound(slice bytes, uint32_t count);

/* Whether the id of `row` can only be told with its event_timestamp. */
bool ids_needs_time(slice bytes, uint32_t row);
/* The id of `row` in a sound column; zeros when damaged. */
void ids_read(slice bytes, uint32_t count, uint32_t row, int64_t time_us, struct uuid *out);
