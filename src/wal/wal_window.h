/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wal_window - rows read back from write-ahead log files.
 *
 * A file that is written directly is also read directly: in whole blocks, past the page cache, at
 * the price of one trip to the disk. A window keeps the bytes of the last trip. Whoever reads on
 * from where it ended is taken for one who goes on, and each further trip brings twice as much, up
 * to 1 MiB; whoever reads here and there gets the blocks it needs.
 *
 * A window shows what the file held when it was read: ask it only for rows that were durable when
 * it was set up.
 *
 * Threads: a window belongs to one.
 */

#include "wal/wal.h"

struct wal_window {
    const struct wal_file *file; /* NULL: nothing was read yet */
    uint64_t from;               /* where the bytes stand in it */
    size_t len;
    uint8_t *bytes; /* aligned; `capacity` of them */
    size_t capacity;
    size_t ahead; /* what the next trip reads beyond what it must */
};

void wal_window_init(struct wal_window *window);
void wal_window_release(struct wal_window *window);

/* Bytes [at, at + len) of the file; they live until the next call. CORRUPT: the file ends before;
 * IO. */
enum err wal_window_read(struct wal_window *window, const struct wal_file *file, uint64_t at,
                         size_t len, slice *out);
