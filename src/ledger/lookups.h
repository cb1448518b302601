/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * lookups - which segments can have what a filter asks for by exact value, from the indexes of groups:
 * a correlation among thousands of segments costs a few page reads.
 *
 * Only leaves count that every match must fulfil: EQUAL on a LOOKUP field, at the top or below ANDs at
 * the top.
 *
 * Threads: one owner at a time.
 */

#include "filter/filter.h"
#include "ledger/view.h"

#define LOOKUPS_MAX 8

struct lookups {
    const struct view *view;
    const struct filter *leaves[LOOKUPS_MAX];
    size_t leaf_count;
    uint64_t *masks; /* of groups: which of their segments may match; once known */
    bool *is_known;
};

/* Borrows view and filter. */
void lookups_init(struct lookups *lookups, const struct view *view, const struct filter *filter);
void lookups_release(struct lookups *lookups);

/* Whether entry `index` of the view may hold a match. True where there is no index. */
bool lookups_may_have(struct lookups *lookups, size_t index);
