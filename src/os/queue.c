/* SPDX-License-Identifier: Apache-2.0 */
#include "os/queue.h"

#include <stdlib.h>

#include "base/mem.h"
#include "os/clock.h"

void queue_init(struct queue *queue, size_t count_max, size_t bytes_max)
{
    ASSERT(count_max > 0);
    *queue = (struct queue){.capacity = count_max, .bytes_max = bytes_max};
    mutex_init(&queue->lock);
    condition_init(&queue->filled);
    queue->ring = mem_array(count_max, sizeof(queue->ring[0]));
}

void queue_release(struct queue *queue)
{
    ASSERT(queue->waiting == 0);
    free(queue->ring);
    queue->ring = NULL;
    condition_release(&queue->filled);
    mutex_release(&queue->lock);
}

/* Under the lock. */
static bool has_room(const struct queue *queue, size_t bytes)
{
    if (queue->count == queue->capacity) {
        return false;
    }
    bool fits = queue->bytes <= queue->bytes_max && bytes <= queue->bytes_max - queue->bytes;
    return fits || queue->count == 0;
}

enum err queue_push(struct queue *queue, void *item, size_t bytes)
{
    ASSERT(item != NULL);
    enum err e = OK;
    bool is_awaited = false;
    mutex_lock(&queue->lock);
    if (queue->is_closed) {
        e = ERR_GONE;
    } else if (!has_room(queue, bytes)) {
        e = ERR_BUSY;
    } else {
        size_t at = (queue->first + queue->count) % queue->capacity;
        queue->ring[at] = (struct queue_slot){.item = item, .bytes = bytes};
        queue->count++;
        queue->bytes += bytes;
        is_awaited = queue->waiting > 0;
    }
    mutex_unlock(&queue->lock);
    if (is_awaited) {
        condition_signal(&queue->filled);
    }
    return e;
}

/* Under the lock: sleeps until there is an item, the end, or no time left. */
static void await_item(struct queue *queue, int64_t timeout_us)
{
    int64_t until_us = timeout_us > 0 ? clock_monotonic_us() + timeout_us : 0;
    bool has_time = timeout_us != 0;
    queue->waiting++;
    while (queue->count == 0 && !queue->is_closed && has_time) {
        if (timeout_us < 0) {
            condition_wait(&queue->filled, &queue->lock);
        } else {
            int64_t left_us = until_us - clock_monotonic_us();
            has_time = left_us > 0 && condition_wait_us(&queue->filled, &queue->lock, left_us);
        }
    }
    queue->waiting--;
}

/* Under the lock, of a queue that is not empty. */
static void *take_first(struct queue *queue)
{
    struct queue_slot slot = queue->ring[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    ASSERT(queue->bytes >= slot.bytes);
    queue->bytes -= slot.bytes;
    return slot.item;
}

size_t queue_pop_all(struct queue *queue, void **items, size_t max, int64_t timeout_us)
{
    ASSERT(max > 0);
    mutex_lock(&queue->lock);
    await_item(queue, timeout_us);
    size_t taken = 0;
    while (taken < max && queue->count > 0) {
        items[taken++] = take_first(queue);
    }
    mutex_unlock(&queue->lock);
    return taken;
}

void *queue_pop(struct queue *queue, int64_t timeout_us)
{
    void *item = NULL;
    return queue_pop_all(queue, &item, 1, timeout_us) == 1 ? item : NULL;
}

void queue_close(struct queue *queue)
{
    mutex_lock(&queue->lock);
    queue->is_closed = true;
    mutex_unlock(&queue->lock);
    condition_broadcast(&queue->filled);
}

bool queue_is_ended(struct queue *queue)
{
    mutex_lock(&queue->lock);
    bool is_ended = queue->is_closed && queue->count == 0;
    mutex_unlock(&queue->lock);
    return is_ended;
}

size_t queue_count(struct queue *queue)
{
    mutex_lock(&queue->lock);
    size_t count = queue->count;
    mutex_unlock(&queue->lock);
    return count;
}
