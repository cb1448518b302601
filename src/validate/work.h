/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * work - how much a check may still do. Whoever takes on work that a stranger decides about asks
 * for it first; what was refused once stays refused.
 *
 * A unit is about what looking at one value costs. It is counted, not timed, so that a document
 * passes on a slow machine if it does on a fast one.
 *
 * Private to this room. Threads: one owner.
 */

#include "base/err.h"
#include "base/slice.h"

struct work {
    uint64_t left;
};

/* LIMIT, and nothing is left, when there is not enough. */
static inline enum err work_take(struct work *work, uint64_t units, struct diag *diag)
{
    if (units > work->left) {
        work->left = 0;
        return diag_fail(diag, ERR_LIMIT, "", "checking this document is too much work");
    }
    work->left -= units;
    return OK;
}
