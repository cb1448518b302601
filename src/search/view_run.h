/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * view_run - the matching rows of one entry of a view, in the order of a scan. Until it is opened
 * it costs nothing and only knows where it can begin at the earliest.
 *
 * Threads: belongs to one.
 */

#include "search/match.h"
#include "search/view_prune.h"
#include "store/store.h"

/* Where a row stands in a scan: smaller comes first, whatever the order. */
struct view_key {
    int64_t time_us; /* of the orders by seq 0 */
    uint64_t seq;
    bool descends; /* both are compared the other way round */
};

bool view_key_before(const struct view_key *a, const struct view_key *b);

struct view_run_open;
struct view_run {
    struct view_choice choice;
    struct view_key key;        /* of the row it is at; before it is opened, a bound of it */
    struct view_run_open *open; /* NULL: not yet */
};

void view_run_init(struct view_run *run, const struct view_choice *choice, enum store_order order);
void view_run_release(struct view_run *run);

/* Finds its rows and goes to the first one behind options->after. *has_row false: there is none.
 * CORRUPT; IO. */
enum err view_run_start(struct view_run *run, const struct store_scan_options *options,
                        bool *has_row);
/* The next row. False at the end. */
bool view_run_advance(struct view_run *run);

/* The event of the row it is at, if it matches: *matches. `wanted` is match_fields(filter). Views
 * live until the next call. CORRUPT; IO. */
enum err view_run_event(struct view_run *run, const struct filter *filter, uint64_t wanted,
                        char *scratch, struct event *out, bool *matches);
