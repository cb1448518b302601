/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * mem - allocation for the server and the CLI. Running out of memory ends the process:
 * every acknowledged event is already on disk, so a restart loses nothing. Sizes that a
 * caller can influence go through an arena or a buf with a limit, and fail with ERR_LIMIT.
 *
 * Threads: any.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For a server that lives long: buffers of a MiB and more go back to the system when they are
 * freed, instead of into arenas that only grow. Once, before there are threads. */
void mem_give_back_early(void);

/* Zeroed bytes, never NULL. The caller ends them with free(). */
void *mem_zeroed(size_t bytes);

/* `count` zeroed items; the product may not overflow. Never NULL. End with free(). */
void *mem_array(size_t count, size_t item_bytes);

/* realloc() that never returns NULL; new bytes are not zeroed. */
void *mem_resize(void *memory, size_t bytes);

/* A heap copy with a NUL behind it. Never NULL. End with free(). */
char *mem_text(const char *bytes, size_t len);

/* `alignment` is a power of two; the bytes are zeroed. Never NULL. End with free(). */
void *mem_aligned(size_t alignment, size_t bytes);

/* Page-aligned bytes, not zeroed: for large buffers that are written before they are read. From
 * 2 MiB on they ask for huge pages, which the kernel may not have: 512 faults fewer for each, and
 * fewer misses of the TLB, which in a virtual machine are dear. */
void *mem_pages(size_t bytes);
/* What is in them is needed no more: the kernel may take the pages back until they are written
 * again. They stay the caller's. */
void mem_pages_unused(void *memory, size_t bytes);

/* Sums and products of lengths that come from outside. False on overflow, *out untouched. */
static inline bool checked_add(size_t a, size_t b, size_t *out)
{
    size_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *out = sum;
    return true;
}

static inline bool checked_mul(size_t a, size_t b, size_t *out)
{
    size_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *out = product;
    return true;
}

/* For CLEANUP(mem_freep) on a pointer from this room. */
static inline void mem_freep(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;
    __builtin_free(*pointer);
    *pointer = NULL;
}
