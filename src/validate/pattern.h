/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pattern - searching for regular expressions, whose steps are work of the check. Giving up is an
 * error, never "not found".
 *
 * Private to this room. Threads: a compiled expression is shared by any number of threads.
 */

#include "filter/regex.h"
#include "validate/work.h"

/* Whether it is found anywhere in `text`. LIMIT: it gave up; INVALID: text that is not UTF-8. */
enum err pattern_search(struct regex *pattern, slice text, struct work *work, bool *found_out,
                        struct diag *diag);
