/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/frames.h"

#include <stdlib.h>

#include "base/mem.h"

enum { CHUNK_BYTES = 8 * 1024 * 1024 };

/* Shared by the frames and every segment with rows in it. */
struct chunk {
    _Atomic uint32_t refs;
    uint8_t *memory;
    size_t bytes;
    size_t at;
    uint64_t kept_for; /* serial of the last active segment that took a reference */
};

struct budget {
    _Atomic uint32_t refs;
    _Atomic uint64_t held;
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
    return frames;
}

static void budget_unref(struct budget *budget)
{
    if (atomic_fetch_sub_explicit(&budget->refs, 1, memory_order_acq_rel) == 1) {
        free(budget);
    }
}

static void chunk_unref(void *context, void *memory)
{
    struct budget *budget = context;
    struct chunk *chunk = memory;
    if (atomic_fetch_sub_explicit(&chunk->refs, 1, memory_order_acq_rel) == 1) {
        atomic_fetch_sub(&budget->held, chunk->bytes);
        free(chunk->memory);
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

static void new_chunk(struct frames *frames, size_t bytes)
{
    struct chunk *chunk = mem_zeroed(sizeof(*chunk));
    chunk->bytes = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    chunk->memory = mem_pages(chunk->bytes);
    atomic_init(&chunk->refs, 1);
    atomic_fetch_add(&frames->budget->held, chunk->bytes);
    frames->chunk = chunk;
}

uint8_t *frames_take(struct frames *frames, size_t bytes, bool *stable)
{
    struct chunk *chunk = frames->chunk;
    if (chunk != NULL && bytes > chunk->bytes - chunk->at) {
        drop_chunk(frames);
        chunk = NULL;
    }
    size_t wanted = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    if (chunk == NULL && atomic_load(&frames->budget->held) + wanted <= frames->bytes_max) {
        new_chunk(frames, bytes);
        chunk = frames->chunk;
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
