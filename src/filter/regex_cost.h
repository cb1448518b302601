/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * regex_cost - what a search may cost that nobody counts, as far as the text of a pattern tells. It
 * never says too little; of what it does not know it says so.
 *
 * Private to regex.c. Threads: any.
 */

#include "base/slice.h"

struct regex_cost {
    /* What one item may read and then fail, without passing it: of a{500} up to 500 characters. */
    size_t reach_bytes;
    /* What may be read until PCRE2's own limit counts a try, in one of the ways: without a repeat
     * no more than the pattern is long. SIZE_MAX: all of the text. */
    size_t quick_reach_bytes;
    /* By one alternative of each group: PCRE2's JIT does not count all of these tries. 0: too many,
     * or unknown. */
    size_t ways;
    bool has_references; /* \1: an item may read as much as a group has matched */
    bool has_verbs;      /* (*, among them script runs, which cost more than other reading */
};

struct regex_cost regex_cost_of(slice pattern);
