/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * match - which rows match a filter: the evaluator over columns.
 *
 * A filter is bounded from both sides: `must` rows match for sure, rows outside `may` do not.
 * Columns are exact (must == may); what is inside event_data is bounded by Bloom filters; AND, OR
 * and NOT combine bounds. Only rows in may but not in must are decoded and asked one by one, with
 * filter_match(), which therefore decides every doubt in the same way everywhere.
 *
 * Threads: any; the result belongs to the caller.
 */

#include "columns/rows.h"
#include "filter/filter.h"

struct match_bounds {
    struct row_set must;
    struct row_set may;
};

/* Bounds over rows [0, count); rows from `count` on, erased rows and other organisations' rows are
 * in neither. `org` empty: every organisation. Temporary memory is taken from the heap. */
enum err match_rows(const struct rows *rows, uint32_t count, slice org, const struct filter *filter,
                    struct match_bounds *out);

/* The fields (FIELD_BITs) that filter_match() looks at. */
uint64_t match_fields(const struct filter *filter);
