/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * own - Cairn's own events on their way into the log: JSON as anybody would send it, but with
 * source_format "cairn", which no inlet can produce, and of any age.
 *
 * Threads: one at a time; own_events_commit() blocks until the events are durable.
 */

#include "store/store.h"

struct own_events;
struct own_events *own_events_new(void); /* never NULL */
void own_events_free(struct own_events *own);
DEFINE_OWNED(own_events);

/* Takes one event for the next commit. INVALID: it is none; LIMIT: the commit is full. */
enum err own_events_add(struct own_events *own, slice org, slice json, struct diag *diag);
size_t own_events_count(const struct own_events *own);
/* Forgets what was added. */
void own_events_clear(struct own_events *own);

/*
 * Appends what was added, and starts over. An event whose id is in the log already is passed over,
 * so that a commit whose end nobody saw can be made again. BUSY, FULL: nothing happened, the events
 * are still there for the next try; IO: whether they are durable is unknown.
 */
enum err own_events_commit(struct own_events *own, struct store *store, struct diag *diag);
