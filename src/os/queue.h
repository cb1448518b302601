/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * queue - pointers on their way from some threads to others, in order, within two limits: how many,
 * and how many bytes stand behind them. A full queue says BUSY at the door; it never waits and
 * never grows.
 *
 * A closed queue takes nothing new and gives out what it holds; then its consumers learn of the
 * end. The queue never frees what it carries.
 *
 * Threads: any number may push and pop.
 */

#include "base/err.h"
#include "os/thread.h"

struct queue_slot {
    void *item;
    size_t bytes;
};

struct queue {
    struct mutex lock;
    struct condition filled;
    struct queue_slot *ring;
    size_t capacity, first, count; /* under the lock, as all that follows */
    size_t bytes, bytes_max;
    size_t waiting; /* consumers that sleep */
    bool is_closed;
};

/* `count_max` is at least 1. A single item larger than `bytes_max` is taken by an empty queue:
 * otherwise it could never pass. */
void queue_init(struct queue *queue, size_t count_max, size_t bytes_max);
void queue_release(struct queue *queue); /* empty, or its items are someone's elsewhere */

/* Hands over `item` (not NULL). BUSY when a limit would be passed, GONE when closed; then the item
 * is still the caller's. */
enum err queue_push(struct queue *queue, void *item, size_t bytes);

/* The oldest item, waiting for it at most `timeout_us`; 0 does not wait, less than 0 waits as long
 * as it takes. NULL when the time is up, or when closed and empty (queue_is_ended() tells). */
void *queue_pop(struct queue *queue, int64_t timeout_us);

/* Up to `max` (at least 1) of the oldest items into items[], waiting for the first as queue_pop()
 * does. Returns how many. */
size_t queue_pop_all(struct queue *queue, void **items, size_t max, int64_t timeout_us);

/* Wakes all who wait. Closing twice is fine. */
void queue_close(struct queue *queue);

/* Closed, and everything was taken. */
bool queue_is_ended(struct queue *queue);

/* What waits now, for metrics. */
size_t queue_count(struct queue *queue);
