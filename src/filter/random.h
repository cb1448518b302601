/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * random - filters and events for tests: made from a seed and a small vocabulary, so that about
 * half of them match each other. Only tests and fuzzers use this; a server does not link it.
 *
 * Two evaluators that disagree on one pair have a bug between them:
 *
 *   struct filter_random random = {.seed = 1};
 *   random_event_json(&random, &event_text);     ->  sample_event()
 *   random_filter_text(&random, &filter_text);   ->  filter_parse()
 *
 * Threads: a struct filter_random belongs to one.
 */

#include "filter/filter.h"

struct filter_random {
    uint64_t seed; /* moves on with every choice */
};

/* What relative times in random filters and in conformance.h are relative to:
 * 2026-02-01T00:00:00Z. */
#define SAMPLE_NOW_US INT64_C(1769904000000000)

uint64_t random_below(struct filter_random *random, uint64_t bound);

/* Appends one event as a JSON object without white space. It has event_id, event_timestamp,
 * recorded_at, org, event_type and event_action at least; all values are normalised. */
void random_event_json(struct filter_random *random, struct buf *out);

/* Appends the text of a valid filter. */
void random_filter_text(struct filter_random *random, struct buf *out);

/*
 * Reads an event from a JSON object without white space whose members are canonical names with
 * normalised values. Nothing is added. Texts live in `json` and `arena`. INVALID otherwise; LIMIT.
 */
enum err sample_event(slice json, struct arena *arena, struct event *out, struct diag *diag);
