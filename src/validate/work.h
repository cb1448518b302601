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
#include "filter/regex.h"

struct work {
    uint64_t left;
};

/* LIMIT, and nothing is left, when there is not enough. */
enum err work_take(struct work *work, uint64_t units, struct diag *diag);

/* Whether the pattern, of `pattern_bytes`, is found in `text`. It is tried with few steps first,
 * since most patterns need no more, and pays for what it may have cost at worst. LIMIT. */
enum err work_search(struct work *work, struct filter_regex *regex, size_t pattern_bytes,
                     slice text, bool *found_out, struct diag *diag);
