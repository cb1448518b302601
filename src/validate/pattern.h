/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pattern - regular expressions of strangers over text of strangers, with every step counted.
 *
 * PCRE2's own match limit is not enough here: it begins anew at every place where a match may
 * start, and a step may read all of the text, so that a search of one long string takes seconds
 * without passing it. So PCRE2 calls us before each item of the pattern, and we charge for the item
 * and for the text it has passed. Giving up is an error, never "not found".
 *
 * Private to this room.
 * Threads: a compiled pattern is shared by any number of threads.
 */

#include "base/err.h"
#include "base/slice.h"
#include "validate/work.h"

#define PATTERN_BYTES_MAX     1024
#define PATTERN_MESSAGE_BYTES 120
#define PATTERN_WORK_MAX      1000000 /* units of work of one search */

struct pattern;

/* Compiles `text` (valid UTF-8, at most PATTERN_BYTES_MAX): PCRE2 with UTF, unanchored; `$` is the
 * very end. On OK the caller ends *out with pattern_free(). INVALID: *offset_out is where in it,
 * `message` says why in one sentence. */
enum err pattern_compile(slice text, struct pattern **out, size_t *offset_out,
                         char message[PATTERN_MESSAGE_BYTES]);
void pattern_free(struct pattern *pattern);

/* Whether it is found anywhere in `text`. LIMIT: it gave up; INVALID: text that is not UTF-8. */
enum err pattern_search(struct pattern *pattern, slice text, struct work *work, bool *found_out,
                        struct diag *diag);
