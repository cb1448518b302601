/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * view_prune - the entries of a view that a filter may have matches in, told without touching their
 * files: by the bounds of their times and by the indexes of groups.
 *
 * Threads: any.
 */

#include "filter/filter.h"
#include "search/view.h"

struct view_choice {
    const struct view_entry *entry;
    uint32_t count; /* rows below `size` */
};

/* Those entries, ascending, as an array of the heap that the caller frees. `org` may be empty. */
struct view_choice *view_prune(const struct view *view, slice org, const struct filter *filter,
                               uint64_t size, size_t *count_out);
