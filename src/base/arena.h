/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * arena - memory with one lifetime and one limit: everything that a request or a query
 * makes on the way lives here and ends at once.
 *
 * Threads: one owner at a time.
 */

#include "base/macros.h"
#include "base/slice.h"

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes taken from the newest block */
    size_t held;                /* bytes of all blocks */
    size_t max;
};

#define ARENA_INIT(max_bytes)                                                                      \
    {                                                                                              \
        .max = (max_bytes)                                                                         \
    }

void arena_init(struct arena *arena, size_t max_bytes);
void arena_release(struct arena *arena); /* frees all; the arena may be used again */

/* Ends everything taken so far, keeps one block for what comes next. */
void arena_clear(struct arena *arena);

/* `bytes` bytes aligned for any type, not zeroed. NULL past the limit. */
void *arena_take(struct arena *arena, size_t bytes);

/* The same, zeroed. */
void *arena_take_zeroed(struct arena *arena, size_t bytes);

/* A copy that lives as long as the arena. False past the limit, *out untouched. */
bool arena_copy(struct arena *arena, slice bytes, slice *out);
