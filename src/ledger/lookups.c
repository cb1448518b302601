/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/lookups.h"

#include <stdlib.h>

#include "base/mem.h"

static bool is_lookup(const struct filter *filter)
{
    return filter->op == FILTER_EQUAL && filter->target == FILTER_ON_FIELD &&
           (fields[filter->field].flags & FIELD_LOOKUP) != 0 && filter->network.byte_count == 0;
}

void lookups_init(struct lookups *lookups, const struct view *view, const struct filter *filter)
{
    *lookups = (struct lookups){.view = view};
    if (is_lookup(filter)) {
        lookups->leaves[lookups->leaf_count++] = filter;
    }
    for (size_t i = 0; filter->op == FILTER_AND && i < filter->child_count; i++) {
        if (is_lookup(filter->children[i]) && lookups->leaf_count < LOOKUPS_MAX) {
            lookups->leaves[lookups->leaf_count++] = filter->children[i];
        }
    }
    lookups->masks = mem_array(view->group_count, sizeof(*lookups->masks));
    lookups->is_known = mem_array(view->group_count, sizeof(*lookups->is_known));
}

void lookups_release(struct lookups *lookups)
{
    free(lookups->masks);
    free(lookups->is_known);
    *lookups = (struct lookups){0};
}

bool lookups_may_have(struct lookups *lookups, size_t index)
{
    size_t group = index / GROUP_SEGMENTS;
    if (lookups->leaf_count == 0 || group >= lookups->view->group_count ||
        lookups->view->groups[group] == NULL) {
        return true;
    }
    if (!lookups->is_known[group]) {
        uint64_t mask = UINT64_MAX;
        for (size_t i = 0; i < lookups->leaf_count; i++) {
            mask &= group_lookup(lookups->view->groups[group], lookups->leaves[i]->field,
                                 lookups->leaves[i]->text);
        }
        lookups->masks[group] = mask;
        lookups->is_known[group] = true;
    }
    return (lookups->masks[group] >> (index % GROUP_SEGMENTS) & 1) != 0;
}
