/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * events - random events and filters for programs on a ledger: those of filter/random.h, and
 * what they lack: several organisations, ids of every kind, late and odd times, correlations, large
 * texts, and repeats of what is stored. For tests.
 *
 * Threads: one owner.
 */

#include "filter/random.h"
#include "model/model.h"

/* A new event; its texts live in `arena`. */
void model_random_event(struct filter_random *random, uint64_t number, struct arena *arena,
                        struct event *out);

/* What a client may offer next: new, and then seldom large, or a repeat of something in `model` or
 * of an earlier offer, the same or changed. */
void model_random_offer(struct filter_random *random, const struct model *model,
                        const struct model_offer *earlier, size_t earlier_count,
                        struct arena *arena, struct model_offer *out);

/* Appends the text of a filter: a random one, one that asks for a value that is stored, a range of
 * time, or some of these together. */
void model_random_filter(struct filter_random *random, const struct model *model, struct buf *out);

/* An organisation, one without events, or none. */
slice model_random_org(struct filter_random *random);
