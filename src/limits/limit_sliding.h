/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_sliding - the requests that one sliding window holds.
 *
 * It starts as a log of moments, exact, that grows to LIMIT_LOG_ENTRIES. Then it becomes a ring of
 * counters, SLIDING_BUCKETS for the length of the window and as many for the window before, which a
 * burst is paid back to. A bucket leaves with its last microsecond, so that a request leaves up to
 * one bucket late. When the ring is empty it is a log again. Either form takes about 1 KB at most.
 *
 * Time is any microseconds that do not go back; a moment before the last one counts as the last.
 *
 * Threads: one at a time.
 */

#include "limits/limits.h"

enum { SLIDING_BUCKETS = 120, SLIDING_RING = 2 * SLIDING_BUCKETS + 1 };

struct sliding_ring {
    int64_t newest; /* number of the bucket of last_us */
    int64_t oldest; /* of the first one in the window that may not be empty */
    uint32_t one;   /* in the window, and one bucket more */
    uint32_t two;   /* in two windows, and one bucket more */
    uint32_t counts[SLIDING_RING];
};

/* {0} is empty. */
struct sliding {
    int64_t last_us;
    int64_t counted_us; /* of the latest request */
    int64_t *log;       /* a ring of `capacity` moments, a power of two; NULL when it is 0 */
    struct sliding_ring *ring;
    uint32_t seconds; /* of the requests that it holds */
    uint16_t capacity, first, count;
    uint16_t before; /* how many of the log lie in the window before this one */
};

void sliding_release(struct sliding *sliding); /* empties it, too */

/* How many requests are remembered, also of the window before. */
static inline uint32_t sliding_held(const struct sliding *sliding)
{
    return sliding->ring != NULL ? sliding->ring->two : sliding->count;
}

struct sliding_view {
    uint32_t used;      /* in the window */
    uint32_t remaining; /* that may come now */
    int64_t wait_us;    /* until one more may come; 0: now */
    int64_t reset_us;   /* from now until a slot frees; of an empty window, its length */
};

/* How it stands at `now_us`, for a window that is on. Drops what has left. */
void sliding_judge(struct sliding *sliding, const struct limit_window *window, int64_t now_us,
                   struct sliding_view *out);

/* One request more, at the moment that was judged last. */
void sliding_count(struct sliding *sliding, const struct limit_window *window);

/* The same for many at once, for what is put back: all at `at_us`, not before the last moment. */
void sliding_fill(struct sliding *sliding, const struct limit_window *window, uint32_t count,
                  int64_t at_us);
