/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * regex - regular expressions of strangers over text of strangers: PCRE2 with UTF and JIT, with a
 * limit on the work of a whole search.
 *
 * PCRE2's own match limit is not enough: it begins anew at every place where a match may start, and
 * a step may read all of the text, so that `(\w+)\s\1` over 250,000 letters takes 20 s without
 * passing it. So there are two ways to search. The metered one has PCRE2 call us before each item
 * of the pattern, and takes a step for the item and for the text that it has passed. The quick one
 * calls nobody, and is taken only as far as its worst case is a few milliseconds: a short text, a
 * pattern that begins at one place or reads little. Past that the metered one decides.
 *
 * Steps are counted, not timed, so that a pattern and a text have the same answer on every machine
 * and in every evaluator. A step is 10 to 30 ns.
 *
 * Threads: a compiled expression is shared by any number of threads. Each search borrows a scratch
 * from the expression; in a steady state none is allocated.
 */

#include "base/err.h"
#include "base/slice.h"

#define REGEX_BYTES_MAX   1024    /* of a pattern */
#define REGEX_STEPS_MAX   1000000 /* of one search: 30 ms at worst */
#define REGEX_STEPS_FIRST 50000   /* regex_match() takes so many ... */
#define REGEX_STEPS_BYTE  32      /* ... and these for each byte of the text */

struct regex;

/*
 * Compiles `pattern` (valid UTF-8, at most REGEX_BYTES_MAX), unanchored; `$` is the very end. On OK
 * the caller ends *out with regex_free().
 * INVALID: the pattern is none; *offset_out is where in it, `message` says why in one sentence.
 */
#define REGEX_MESSAGE_BYTES 120
enum err regex_compile(slice pattern, struct regex **out, size_t *offset_out,
                       char message[REGEX_MESSAGE_BYTES]);
void regex_free(struct regex *regex);

/* Whether it is found anywhere in `text`, *steps being what the search may take, and then what it
 * has left. LIMIT: they, or REGEX_STEPS_MAX, did not suffice; INVALID: text that is not UTF-8. */
enum err regex_search(struct regex *regex, slice text, uint64_t *steps, bool *found_out);

/* The same, as quickly as it can be done. False where a search gives up, or `text` is not UTF-8. */
bool regex_match(struct regex *regex, slice text);
