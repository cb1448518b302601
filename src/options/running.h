/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * running - the values that options have while the server runs: read by any thread, changed by few.
 *
 *     flags, environment, default --.
 *     running_set(), _unset() -------+--> the strongest of each --> numbers, texts --> readers
 *     running_take_file() ----------'
 *
 * Whoever needs the value of an option that may change (OPTION_RUNNING) asks here each time. A
 * number is one atomic load; a text is copied under a lock that nobody holds for long. The other
 * options stay for ever what they were at the start, in here too.
 *
 * Threads: any.
 */

#include "base/arena.h"
#include "options/options.h"

struct running;

/* Begins with these options, which it owns from now on. */
struct running *running_new(struct options *options);
void running_free(struct running *running);
DEFINE_OWNED(running);

/* ---- Reading ---- */

/* As options_u64(), options_bool(), options_choice(). */
uint64_t running_u64(const struct running *running, enum option option);
bool running_bool(const struct running *running, enum option option);
size_t running_choice(const struct running *running, enum option option);
/* A copy of a TEXT in the arena; empty also where the arena is full. */
slice running_text(struct running *running, enum option option, struct arena *arena);

/* All of it as it is now, to be shown, or to try a change on: the caller's. */
struct options *running_options(struct running *running);

/* ---- Changing ---- */

/* The setting of an option. INVALID, as options_set() with OPTION_FROM_SETTING. */
enum err running_set(struct running *running, enum option option, slice text, struct diag *diag);
void running_unset(struct running *running, enum option option);
/* What the file says of the options that may change is what it says in `options`. */
void running_take_file(struct running *running, const struct options *options);
