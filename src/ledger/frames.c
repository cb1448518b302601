/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/frames.h"

#include <stdlib.h>

#include "base/mem.h"
#include "os/thread.h"

enum {
    CHUNK_BYTES = 8 * 1024 * 1024,
    SPARES_MAX = 16,
};

/* Shared by the frames and every segment with rows in it. */
struct chunk {
    _Atomic uint32_t refs;
    uint8_t *memory;
    size_t bytes;
    size_t at;
    uint64_t kept_for; /* serial of the last active segment that took a reference */
};

/* What chunks take together, and the memory of those that were let go of: fresh pages would be
 * cleared by the kernel first, which costs more than writing them. */
struct budget {
    _Atomic uint32_t refs;
    struct mutex lock; /* of the rest */
    uint64_t held;     /* spares included */
    uint8_t *spares[SPARES_MAX];
    size_t spare_count;
};

struct frames {
    uint64_t bytes_max;
    struct budget *budget; /* outlives us: chunks are freed by readers */
    struct chunk *chunk;   /* the one being filled, or NULL */
    uint8_t *scratch;      /* when the budget is spent */
    size_t scratch_bytes;
};

struct frames *frames_new(uint64_t bytes_max)
{
    struct frames *frames = mem_zeroed(sizeof(*frames));
    frames->bytes_max = bytes_max;
    frames->budget = mem_zeroed(sizeof(*frames->budget));
    atomic_init(&frames->budget->refs, 1);
    mutex_init(&frames->budget->lock);
    return frames;
}

static void free_spares(struct budget *budget)
{
    while (budget->spare_count > 0) {
        free(budget->spares[--budget->spare_count]);
        budget->held -= CHUNK_BYTES;
    }
}

static void budget_unref(struct budget *budget)
{
    if (atomic_fetch_sub_explicit(&budget->refs, 1, memory_order_acq_rel) == 1) {
        free_spares(budget);
        mutex_release(&budget->lock);
        free(budget);
    }
}

/* Memory for a chunk, or NULL: the budget is spent. */
static uint8_t *budget_take(struct budget *budget, uint64_t bytes_max, size_t bytes)
{
    uint8_t *memory = NULL;
    mutex_lock(&budget->lock);
    if (bytes == CHUNK_BYTES && budget->spare_count > 0) {
        memory = budget->spares[--budget->spare_count];
    } else {
        if (budget->held + bytes > bytes_max) {
            free_spares(budget);
        }
        if (budget->held + bytes <= bytes_max) {
            memory = mem_pages(bytes);
            budget->held += bytes;
        }
    }
    mutex_unlock(&budget->lock);
    return memory;
}

/* A spare's content is of no use: the kernel may have its pages when it needs some. */
static void budget_give(struct budget *budget, uint8_t *memory, size_t bytes)
{
    mutex_lock(&budget->lock);
    bool is_spare = bytes == CHUNK_BYTES && budget->spare_count < SPARES_MAX;
    if (is_spare) {
        mem_pages_unused(memory, bytes);
        budget->spares[budget->spare_count++] = memory;
    } else {
        budget->held -= bytes;
    }
    mutex_unlock(&budget->lock);
    if (!is_spare) {
        free(memory);
    }
}

static void chunk_unref(void *context, void *memory)
{
    struct budget *budget = context;
    struct chunk *chunk = memory;
    if (atomic_fetch_sub_explicit(&chunk->refs, 1, memory_order_acq_rel) == 1) {
        budget_give(budget, chunk->memory, chunk->bytes);
        free(chunk);
    }
    budget_unref(budget);
}

static struct budget *budget_ref(struct budget *budget)
{
    atomic_fetch_add_explicit(&budget->refs, 1, memory_order_relaxed);
    return budget;
}

static void drop_chunk(struct frames *frames)
{
    if (frames->chunk != NULL) {
        chunk_unref(budget_ref(frames->budget), frames->chunk);
        frames->chunk = NULL;
    }
}

void frames_free(struct frames *frames)
{
    if (frames != NULL) {
        drop_chunk(frames);
        budget_unref(frames->budget);
        free(frames->scratch);
        free(frames);
    }
}

/* NULL where the budget is spent. */
static struct chunk *new_chunk(struct frames *frames, size_t bytes_least)
{
    size_t bytes = bytes_least > CHUNK_BYTES ? bytes_least : CHUNK_BYTES;
    uint8_t *memory = budget_take(frames->budget, frames->bytes_max, bytes);
    if (memory == NULL) {
        return NULL;
    }
    struct chunk *chunk = mem_zeroed(sizeof(*chunk));
    chunk->bytes = bytes;
    chunk->memory = memory;
    atomic_init(&chunk->refs, 1);
    return chunk;
}

uint8_t *frames_take(struct frames *frames, size_t bytes, bool *stable)
{
    struct chunk *chunk = frames->chunk;
    if (chunk != NULL && bytes > chunk->bytes - chunk->at) {
        drop_chunk(frames);
        chunk = NULL;
    }
    if (chunk == NULL) {
        chunk = frames->chunk = new_chunk(frames, bytes);
    }
    *stable = chunk != NULL;
    if (chunk != NULL) {
        return chunk->memory + chunk->at;
    }
    if (bytes > frames->scratch_bytes) {
        free(frames->scratch);
        frames->scratch_bytes = bytes;
        frames->scratch = mem_pages(bytes);
    }
    return frames->scratch;
}

void frames_give_back(struct frames *frames, size_t bytes_used)
{
    if (frames->chunk != NULL) {
        frames->chunk->at += bytes_used;
        ASSERT(frames->chunk->at <= frames->chunk->bytes);
    }
}

void frames_keep_for(struct frames *frames, struct active *active)
{
    struct chunk *chunk = frames->chunk;
    ASSERT(chunk != NULL);
    if (chunk->kept_for == active_serial(active)) {
        return;
    }
    chunk->kept_for = active_serial(active);
    atomic_fetch_add_explicit(&chunk->refs, 1, memory_order_relaxed);
    active_keep(active, chunk, chunk_unref, budget_ref(frames->budget));
}
