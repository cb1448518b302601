/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wheel - many deadlines, looked at once a tick.
 *
 * An entry sits in the slot of some tick at or before its deadline. Moving a deadline back costs
 * one assignment: the entry is found too early in its slot and put where it belongs then.
 *
 * Threads: the loop's.
 */

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_SLOTS 128
#define WHEEL_NEVER UINT64_MAX

struct wheel_entry {
    struct wheel_entry *next; /* NULL when in no slot */
    struct wheel_entry *prev;
    uint64_t deadline_ms;
    uint64_t slot_tick;
};

struct wheel {
    struct wheel_entry slots[WHEEL_SLOTS]; /* heads of rings */
    uint64_t tick_ms;
    uint64_t tick; /* the last one that was looked at */
};

void wheel_init(struct wheel *wheel, uint64_t tick_ms, uint64_t now_ms);

/* WHEEL_NEVER takes it away, in due course. */
void wheel_arm(struct wheel *wheel, struct wheel_entry *entry, uint64_t deadline_ms);

/* At once; also when it is in no slot. */
void wheel_remove(struct wheel_entry *entry);

/* Calls `expired` for each entry whose deadline is at or before `now_ms`; it is in no slot then. */
void wheel_advance(struct wheel *wheel, uint64_t now_ms,
                   void (*expired)(struct wheel_entry *entry));
