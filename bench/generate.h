/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * generate - events for measuring: the same for the same seed, about 1.1 KB of JSON each, 0.6 of it
 * event_data, with the skew of real systems: 20,000 actors and 200,000 resources (Zipf), some 60
 * event types, about 6 events for a correlation, ids and hashes that do not compress.
 *
 * Threads: a generator has one owner.
 */

#include "base/buf.h"

struct generator;

/* Events begin at `start_us` and are `mean_us` apart. Never NULL. */
struct generator *generator_new(uint64_t seed, int64_t start_us, uint64_t mean_us);
void generator_free(struct generator *generator);
DEFINE_OWNED(generator);

/* Appends one event and a line feed. */
void generator_next(struct generator *generator, struct buf *out);
