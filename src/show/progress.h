/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * progress - a line on stderr that says how far long work is: a bar, rate, time left. Only on a
 * terminal, at most ten times a second, and gone when the work is done.
 *
 * Threads: one.
 */

#include "show/screen.h"

struct progress {
    const struct screen *screen;
    const char *what; /* "events" */
    int64_t begun_us, drawn_us;
    bool is_drawn;
};

void progress_begin(struct progress *progress, const struct screen *screen, const char *what);
/* `done` of `total` (0: nobody knows) steps of work, which made `count` things. */
void progress_update(struct progress *progress, uint64_t done, uint64_t total, uint64_t count);
/* Takes the line away, so that other words can stand there. */
void progress_hide(struct progress *progress);
double progress_seconds(const struct progress *progress);

/* One line, without the terminal's codes: what progress_update() draws. */
void progress_format(struct buf *out, const char *what, uint64_t done, uint64_t total,
                     uint64_t count, double seconds);
