/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * identity - is this event_id known already, and where might it be?
 *
 * Answers with candidates; only the ledger, which can read rows, says which of them is the id.
 * UUIDv7 ids are looked for in the whole ledger (but only where the times of its ids allow),
 * others in the table of recent rows and in the groups of the last seven days, at least the last
 * one: the last 4,194,304 events and more. Each group looked into costs about 0.1 us (0.18
 * without the prefetch); that, times the number of groups whose id times overlap, is the bound
 * also for ids that were made to share a hash. Of those a group names GROUP_FIND_MAX: whoever makes
 * more of them may hide repeats of his own.
 *
 * Threads: the sequencer adds, checks and takes back; the sealer adds groups; any may find.
 */

#include "event/event.h"
#include "segment/group.h"

#define IDENTITY_WINDOW_US (INT64_C(7) * 24 * 3600 * 1000000)
#define IDENTITY_FIND_MAX  64

struct identity;
/* `base_seq`: the first row behind the last full group. `secret`: a number nobody can guess. */
struct identity *identity_new(uint64_t base_seq, uint64_t secret);
void identity_free(struct identity *identity);

/* `hash` is event_id_hash() of `id`, here and below. Undone is what was added last. */
void identity_add(struct identity *identity, uint64_t hash, const struct uuid *id, uint64_t seq);
void identity_undo(struct identity *identity, uint64_t hash, const struct uuid *id, uint64_t seq);

/* A full group was written: its rows leave the table. `recorded_max_us` is its newest recorded_at.
 * Owns `group`. With an index that is there already it replaces that one. */
void identity_add_group(struct identity *identity, size_t index, struct group *group,
                        int64_t recorded_max_us);

/* Brings the cache lines that identity_find() will need on their way. */
void identity_prefetch(struct identity *identity, uint64_t hash, const struct uuid *id,
                       int64_t now_us);

/* Seqs that may have this id, ascending; within the window when `now_us` is not 0. Returns how
 * many. */
size_t identity_find(struct identity *identity, uint64_t hash, const struct uuid *id,
                     int64_t now_us, uint64_t seqs_out[IDENTITY_FIND_MAX]);
