/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    ARENA_BLOCK_BYTES = 16 * 1024,
    ARENA_ALIGN = 16,
};

struct arena_block {
    struct arena_block *next;
    size_t capacity;
    _Alignas(ARENA_ALIGN) uint8_t bytes[];
};

void arena_init(struct arena *arena, size_t max_bytes)
{
    *arena = (struct arena)ARENA_INIT(max_bytes);
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_release(struct arena *arena)
{
    free_blocks(arena->blocks);
    arena_init(arena, arena->max);
}

void arena_clear(struct arena *arena)
{
    if (arena->blocks == NULL) {
        return;
    }
    free_blocks(arena->blocks->next);
    arena->blocks->next = NULL;
    arena->held = arena->blocks->capacity;
    arena->used = 0;
}

void *arena_take(struct arena *arena, size_t bytes)
{
    if (bytes > arena->max) {
        return NULL;
    }
    bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (arena->blocks == NULL || bytes > arena->blocks->capacity - arena->used) {
        size_t capacity = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;
        if (capacity > arena->max - arena->held) {
            capacity = bytes; /* the last block may be a small one */
        }
        if (capacity > arena->max - arena->held) {
            return NULL;
        }
        struct arena_block *block = mem_resize(NULL, sizeof(*block) + capacity);
        block->next = arena->blocks;
        block->capacity = capacity;
        arena->blocks = block;
        arena->held += capacity;
        arena->used = 0;
    }
    void *taken = arena->blocks->bytes + arena->used;
    arena->used += bytes;
    return taken;
}

void *arena_take_zeroed(struct arena *arena, size_t bytes)
{
    void *taken = arena_take(arena, bytes);
    if (taken != NULL) {
        memset(taken, 0, bytes);
    }
    return taken;
}

bool arena_copy(struct arena *arena, slice bytes, slice *out)
{
    uint8_t *copy = arena_take(arena, bytes.len);
    if (copy == NULL) {
        return false;
    }
    if (bytes.len > 0) {
        memcpy(copy, bytes.ptr, bytes.len);
    }
    *out = (slice){copy, bytes.len};
    return true;
}
