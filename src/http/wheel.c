/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wheel.h"

#include <stddef.h>

#include "base/check.h"

void wheel_init(struct wheel *wheel, uint64_t tick_ms, uint64_t now_ms)
{
    ASSERT(tick_ms > 0);
    wheel->tick_ms = tick_ms;
    wheel->tick = now_ms / tick_ms;
    for (int i = 0; i < WHEEL_SLOTS; i++) {
        wheel->slots[i] = (struct wheel_entry){.next = &wheel->slots[i], .prev = &wheel->slots[i]};
    }
}

void wheel_remove(struct wheel_entry *entry)
{
    if (entry->next == NULL) {
        return;
    }
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    entry->next = NULL;
    entry->prev = NULL;
}

static void put(struct wheel *wheel, struct wheel_entry *entry)
{
    uint64_t tick = entry->deadline_ms / wheel->tick_ms + 1;
    if (tick <= wheel->tick) {
        tick = wheel->tick + 1;
    }
    if (tick - wheel->tick >= WHEEL_SLOTS) {
        tick = wheel->tick + WHEEL_SLOTS - 1;
    }
    entry->slot_tick = tick;
    struct wheel_entry *head = &wheel->slots[tick % WHEEL_SLOTS];
    entry->next = head;
    entry->prev = head->prev;
    head->prev->next = entry;
    head->prev = entry;
}

void wheel_arm(struct wheel *wheel, struct wheel_entry *entry, uint64_t deadline_ms)
{
    entry->deadline_ms = deadline_ms;
    bool is_in = entry->next != NULL;
    if (is_in && deadline_ms / wheel->tick_ms + 1 >= entry->slot_tick) {
        return; /* found too early in its slot, or just in time */
    }
    wheel_remove(entry);
    if (deadline_ms != WHEEL_NEVER) {
        put(wheel, entry);
    }
}

/* The ring is taken off its head first, because `expired` may arm others into it. */
static void look_at(struct wheel *wheel, struct wheel_entry *head, uint64_t now_ms,
                    void (*expired)(struct wheel_entry *entry))
{
    struct wheel_entry ring = {.next = &ring, .prev = &ring};
    if (head->next != head) {
        ring = *head;
        ring.next->prev = &ring;
        ring.prev->next = &ring;
        head->next = head;
        head->prev = head;
    }
    while (ring.next != &ring) {
        struct wheel_entry *entry = ring.next;
        wheel_remove(entry);
        if (entry->deadline_ms <= now_ms) {
            expired(entry);
        } else if (entry->deadline_ms != WHEEL_NEVER) {
            put(wheel, entry);
        }
    }
}

void wheel_advance(struct wheel *wheel, uint64_t now_ms, void (*expired)(struct wheel_entry *entry))
{
    uint64_t now = now_ms / wheel->tick_ms;
    if (now - wheel->tick > WHEEL_SLOTS && now > wheel->tick) {
        wheel->tick = now - WHEEL_SLOTS; /* slept long: every slot once is enough */
    }
    while (wheel->tick < now) {
        wheel->tick++;
        look_at(wheel, &wheel->slots[wheel->tick % WHEEL_SLOTS], now_ms, expired);
    }
}
