/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * judge - for each event of a batch: new, a duplicate, or in conflict with what is stored.
 *
 * Threads: the sequencer.
 */

#include "identity/identity.h"
#include "ledger/snapshot.h"
#include "store/store.h"

struct judge;
struct judge *judge_new(struct identity *identity, struct snapshot *snapshot);
void judge_free(struct judge *judge);

/*
 * Sets state and seq of every event, and the counts of the batch; new ones get seqs from `next_seq`
 * on and are known from now on. `actives` are the unsealed segments, uncommitted rows included.
 * CONFLICT (nothing became known) at batch->conflict_at, which is SIZE_MAX otherwise; CORRUPT, IO.
 */
enum err judge_batch(struct judge *judge, struct batch *batch, uint64_t next_seq,
                     struct active *const *actives, size_t active_count, struct diag *diag);
