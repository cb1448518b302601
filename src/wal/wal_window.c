/* SPDX-License-Identifier: Apache-2.0 */
#include "wal/wal_window.h"

#include <stdlib.h>

#include "base/mem.h"

#define AHEAD_BYTES_FIRST KIB(64)
#define AHEAD_BYTES_MAX   MIB(1)

void wal_window_init(struct wal_window *window)
{
    *window = (struct wal_window){0};
}

void wal_window_release(struct wal_window *window)
{
    free(window->bytes);
    wal_window_init(window);
}

static bool holds(const struct wal_window *window, const struct wal_file *file, uint64_t at,
                  size_t len)
{
    return window->file == file && at >= window->from && at + len <= window->from + window->len;
}

/* Reads on from where the window ends: within a block of it, before or behind. */
static bool goes_on(const struct wal_window *window, const struct wal_file *file, uint64_t at)
{
    uint64_t end = window->from + window->len;
    return window->file == file && at >= window->from && at <= end + WAL_FRAME_ALIGN;
}

static void make_room(struct wal_window *window, size_t bytes)
{
    if (bytes > window->capacity) {
        free(window->bytes);
        window->bytes = mem_pages(bytes);
        window->capacity = bytes;
    }
}

enum err wal_window_read(struct wal_window *window, const struct wal_file *file, uint64_t at,
                         size_t len, slice *out)
{
    if (!holds(window, file, at, len)) {
        uint64_t from = at / WAL_FRAME_ALIGN * WAL_FRAME_ALIGN;
        uint64_t to = (at + len + WAL_FRAME_ALIGN - 1) / WAL_FRAME_ALIGN * WAL_FRAME_ALIGN;
        size_t more = window->ahead > 0 ? window->ahead * 2 : AHEAD_BYTES_FIRST;
        window->ahead = !goes_on(window, file, at) ? 0
                        : more < AHEAD_BYTES_MAX   ? more
                                                   : AHEAD_BYTES_MAX;
        uint64_t wanted = to + window->ahead < file->bytes ? to + window->ahead : file->bytes;
        to = to < wanted ? wanted : to;
        window->file = NULL; /* should the reading fail, it holds nothing */
        make_room(window, (size_t)(to - from));
        TRY(file_read_at(file->file, from, window->bytes, (size_t)(to - from), NULL));
        window->file = file;
        window->from = from;
        window->len = (size_t)(to - from);
    }
    *out = (slice){window->bytes + (at - window->from), len};
    return OK;
}
