/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"

enum {
    PAGE_BYTES = 4096,
    HUGE_PAGE_BYTES = 2 * 1024 * 1024,
};

void mem_give_back_early(void)
{
    /* Setting the threshold also ends its own growing, which the first large free() would begin. */
    (void)mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
}

void *mem_zeroed(size_t bytes)
{
    void *memory = calloc(1, bytes > 0 ? bytes : 1);
    ASSERT(memory != NULL);
    return memory;
}

void *mem_array(size_t count, size_t item_bytes)
{
    size_t bytes = 0;
    ASSERT(checked_mul(count, item_bytes, &bytes));
    return mem_zeroed(bytes);
}

void *mem_resize(void *memory, size_t bytes)
{
    void *resized = realloc(memory, bytes > 0 ? bytes : 1);
    ASSERT(resized != NULL);
    return resized;
}

char *mem_text(const char *bytes, size_t len)
{
    char *text = mem_zeroed(len + 1);
    if (len > 0) {
        memcpy(text, bytes, len);
    }
    return text;
}

void *mem_aligned(size_t alignment, size_t bytes)
{
    void *memory = NULL;
    ASSERT(posix_memalign(&memory, alignment, bytes) == 0);
    memset(memory, 0, bytes);
    return memory;
}

void *mem_pages(size_t bytes)
{
    void *memory = NULL;
    bool is_huge = bytes >= HUGE_PAGE_BYTES;
    ASSERT(posix_memalign(&memory, is_huge ? HUGE_PAGE_BYTES : PAGE_BYTES, bytes) == 0);
    if (is_huge) {
        (void)madvise(memory, bytes / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES, MADV_HUGEPAGE);
    }
    return memory;
}

void mem_pages_unused(void *memory, size_t bytes)
{
    (void)madvise(memory, bytes / PAGE_BYTES * PAGE_BYTES, MADV_FREE);
}
