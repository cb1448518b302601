/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * regex - regular expressions of strangers over text of strangers: PCRE2 with UTF and JIT, with a
 * limit on the work of one attempt.
 *
 * PCRE2 counts anew at every place of the text where it attempts a match, so the whole is bounded
 * only by the limit times the length of the text: `(\w+)\s\1` over 250,000 letters takes 20 s.
 * Where that must not be, count across attempts as validate/pattern.h does.
 *
 * Threads: a compiled expression is shared by any number of threads. Each match borrows a scratch
 * from the expression; in a steady state none is allocated.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

struct filter_regex;

/*
 * Compiles `pattern` (valid UTF-8). On OK the caller ends *out with regex_free().
 * INVALID: the pattern is none; *offset_out is where in it, `message` says why in one sentence.
 */
#define REGEX_MESSAGE_BYTES 120
enum err regex_compile(slice pattern, struct filter_regex **out, size_t *offset_out,
                       char message[REGEX_MESSAGE_BYTES]);
void regex_free(struct filter_regex *regex);

/* Whether it is found anywhere in `text`. False past the match limit. */
bool regex_match(struct filter_regex *regex, slice text);
