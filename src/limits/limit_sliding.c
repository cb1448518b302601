/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limit_sliding.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "limits/limit_ops.h"

enum { LOG_ENTRIES_FIRST = 4 };
static_assert((LIMIT_LOG_ENTRIES & (LIMIT_LOG_ENTRIES - 1)) == 0, "the log's ring is masked");

static int64_t length_us(const struct limit_window *window)
{
    return (int64_t)window->seconds * 1000000;
}

void sliding_release(struct sliding *sliding)
{
    free(sliding->log);
    free(sliding->ring);
    *sliding = (struct sliding){0};
}

/* ---- The log ---- */

static int64_t log_at(const struct sliding *sliding, uint32_t index)
{
    return sliding->log[(sliding->first + index) & (sliding->capacity - 1u)];
}

/* Drops what is needed no more, and moves the border between the two windows. */
static void log_advance(struct sliding *sliding, const struct limit_window *window)
{
    int64_t length = length_us(window);
    while (sliding->before < sliding->count &&
           log_at(sliding, sliding->before) <= sliding->last_us - length) {
        sliding->before++;
    }
    int64_t kept = window->burst > 0 ? 2 * length : length;
    while (sliding->before > 0 && log_at(sliding, 0) <= sliding->last_us - kept) {
        sliding->first = (uint16_t)((sliding->first + 1u) & (sliding->capacity - 1u));
        sliding->count--;
        sliding->before--;
    }
}

static void log_grow(struct sliding *sliding)
{
    size_t capacity = sliding->capacity > 0 ? sliding->capacity * 2u : LOG_ENTRIES_FIRST;
    int64_t *larger = mem_array(capacity, sizeof(larger[0]));
    for (uint32_t i = 0; i < sliding->count; i++) {
        larger[i] = log_at(sliding, i);
    }
    free(sliding->log);
    sliding->log = larger;
    sliding->capacity = (uint16_t)capacity;
    sliding->first = 0;
}

static void log_add(struct sliding *sliding)
{
    if (sliding->count == sliding->capacity) {
        log_grow(sliding);
    }
    uint32_t end = sliding->first + (uint32_t)sliding->count;
    sliding->log[end & (sliding->capacity - 1u)] = sliding->last_us;
    sliding->count++;
}

/* ---- The ring of buckets ---- */

/* Rounded up, so that the buckets of a window are never shorter than the window. */
static int64_t bucket_us(const struct limit_window *window)
{
    return (length_us(window) + SLIDING_BUCKETS - 1) / SLIDING_BUCKETS;
}

/* Numbers start above the ring's length: what lies a ring before the first is no negative one. */
static int64_t bucket_of(const struct limit_window *window, int64_t us)
{
    return us / bucket_us(window) + SLIDING_RING;
}

static int64_t bucket_start_us(const struct limit_window *window, int64_t bucket)
{
    return (bucket - SLIDING_RING) * bucket_us(window);
}

static uint32_t *ring_at(struct sliding_ring *ring, int64_t bucket)
{
    return &ring->counts[bucket % SLIDING_RING];
}

static void ring_advance(struct sliding_ring *ring, int64_t bucket)
{
    if (bucket - ring->newest >= SLIDING_RING) {
        *ring = (struct sliding_ring){.newest = bucket, .oldest = bucket};
        return;
    }
    while (ring->newest < bucket) {
        ring->newest++;
        ring->one -= *ring_at(ring, ring->newest - SLIDING_BUCKETS - 1);
        uint32_t *reused = ring_at(ring, ring->newest); /* the one that two windows hold no more */
        ring->two -= *reused;
        *reused = 0;
    }
    int64_t first = ring->newest - SLIDING_BUCKETS;
    ring->oldest = ring->oldest > first ? ring->oldest : first;
    while (ring->oldest < ring->newest && *ring_at(ring, ring->oldest) == 0) {
        ring->oldest++;
    }
}

/* With which bucket, counted from `from`, the last of the `leaving` oldest requests leaves. */
static int64_t ring_after(struct sliding_ring *ring, int64_t from, uint32_t leaving)
{
    uint32_t left = *ring_at(ring, from);
    while (left < leaving) {
        from++;
        ASSERT(from <= ring->newest);
        left += *ring_at(ring, from);
    }
    return from;
}

/* The log holds more than it may: from here on, buckets. */
static void become_ring(struct sliding *sliding, const struct limit_window *window)
{
    struct sliding_ring *ring = mem_zeroed(sizeof(*ring));
    ring->newest = bucket_of(window, sliding->last_us);
    ring->oldest = ring->newest - SLIDING_BUCKETS;
    for (uint32_t i = 0; i < sliding->count; i++) {
        int64_t bucket = bucket_of(window, log_at(sliding, i));
        ASSERT(bucket >= ring->newest - 2 * SLIDING_BUCKETS && bucket <= ring->newest);
        (*ring_at(ring, bucket))++;
        ring->one += bucket >= ring->newest - SLIDING_BUCKETS ? 1 : 0;
        ring->two++;
    }
    free(sliding->log);
    sliding->log = NULL;
    sliding->capacity = sliding->first = sliding->count = sliding->before = 0;
    sliding->ring = ring;
}

/* ---- Both ---- */

/* From now until `leaving` (1 or more) of those in the window have left it. */
static int64_t until_left_us(const struct sliding *sliding, const struct limit_window *window,
                             uint32_t leaving)
{
    int64_t leaves_us = 0;
    if (sliding->ring == NULL) {
        leaves_us = log_at(sliding, sliding->before + leaving - 1) + length_us(window);
    } else {
        int64_t bucket = ring_after(sliding->ring, sliding->ring->oldest, leaving);
        leaves_us = bucket_start_us(window, bucket + SLIDING_BUCKETS + 1);
    }
    return leaves_us - sliding->last_us;
}

/* The same of the two windows. */
static int64_t until_left_both_us(const struct sliding *sliding, const struct limit_window *window,
                                  uint32_t leaving)
{
    int64_t leaves_us = 0;
    if (sliding->ring == NULL) {
        leaves_us = log_at(sliding, leaving - 1) + 2 * length_us(window);
    } else {
        int64_t first = sliding->ring->newest - 2 * SLIDING_BUCKETS;
        int64_t bucket = ring_after(sliding->ring, first, leaving);
        leaves_us = bucket_start_us(window, bucket + 2 * SLIDING_BUCKETS + 1);
    }
    return leaves_us - sliding->last_us;
}

static void advance(struct sliding *sliding, const struct limit_window *window, int64_t now_us)
{
    if (sliding->seconds != window->seconds) {
        sliding_release(sliding);
        sliding->seconds = window->seconds;
    }
    sliding->last_us = now_us > sliding->last_us ? now_us : sliding->last_us;
    if (sliding->ring != NULL) {
        ring_advance(sliding->ring, bucket_of(window, sliding->last_us));
        if (sliding->ring->two == 0) {
            free(sliding->ring);
            sliding->ring = NULL;
        }
    } else {
        log_advance(sliding, window);
    }
}

void sliding_judge(struct sliding *sliding, const struct limit_window *window, int64_t now_us,
                   struct sliding_view *out)
{
    ASSERT(window->limit > 0);
    advance(sliding, window, now_us);
    const struct sliding_ring *ring = sliding->ring;
    uint32_t one = ring != NULL ? ring->one : (uint32_t)(sliding->count - sliding->before);
    uint32_t two = ring != NULL ? ring->two : sliding->count;
    uint32_t most_one = limit_most(window);
    uint32_t most_two = window->burst > 0 ? 2 * window->limit : UINT32_MAX;
    uint32_t free_one = one < most_one ? most_one - one : 0;
    uint32_t free_two = two < most_two ? most_two - two : 0;
    int64_t wait_us = free_one == 0 ? until_left_us(sliding, window, one - most_one + 1) : 0;
    if (free_two == 0) {
        int64_t both_us = until_left_both_us(sliding, window, two - most_two + 1);
        wait_us = both_us > wait_us ? both_us : wait_us;
    }
    int64_t reset_us = wait_us;
    if (wait_us == 0) {
        reset_us = one > 0 ? until_left_us(sliding, window, 1) : length_us(window);
    }
    *out = (struct sliding_view){
        .used = one,
        .remaining = free_one < free_two ? free_one : free_two,
        .wait_us = wait_us,
        .reset_us = reset_us,
    };
}

void sliding_count(struct sliding *sliding, const struct limit_window *window)
{
    ASSERT(sliding->seconds == window->seconds);
    sliding->counted_us = sliding->last_us;
    if (sliding->ring == NULL && sliding->count < LIMIT_LOG_ENTRIES) {
        log_add(sliding);
        return;
    }
    if (sliding->ring == NULL) {
        become_ring(sliding, window);
    }
    struct sliding_ring *ring = sliding->ring;
    (*ring_at(ring, ring->newest))++;
    ring->one++;
    ring->two++;
}

void sliding_fill(struct sliding *sliding, const struct limit_window *window, uint32_t count,
                  int64_t at_us)
{
    advance(sliding, window, at_us);
    uint32_t single = count < LIMIT_LOG_ENTRIES + 1 ? count : LIMIT_LOG_ENTRIES + 1;
    for (uint32_t i = 0; i < single; i++) {
        sliding_count(sliding, window);
    }
    if (count > single) { /* now it is a ring */
        *ring_at(sliding->ring, sliding->ring->newest) += count - single;
        sliding->ring->one += count - single;
        sliding->ring->two += count - single;
    }
}
