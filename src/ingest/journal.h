/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * journal - events of what happens without a change, like the requests that are answered: put into
 * a bounded queue, and brought to the log by a thread of its own, many in a commit.
 *
 * Whoever puts waits for nothing but room in the queue: it is full only when the log takes less
 * than comes, and then the one who puts is held back rather than an event dropped. Two things lose
 * events, and an event of type system.error says so as soon as it can: the process ended without a
 * stop (the file journal.open in the data directory is there from the first event to the stop), or
 * the disk is full, when requests that only read are answered all the same.
 *
 * Threads: any may put; "journal" writes.
 */

#include "os/file.h"
#include "store/store.h"

struct journal;

/* `dir` and `store` outlive it. */
enum err journal_start(const struct dir *dir, struct store *store, struct journal **out,
                       struct diag *diag);
/* What was put is brought to the log first, if it takes it. NULL is fine. */
void journal_stop(struct journal *journal);

/* Takes a copy of one event, as event_read() reads it, of the organisation `org`. */
void journal_put(struct journal *journal, slice org, slice json);

struct journal_figures {
    uint64_t written;  /* events */
    uint64_t refused;  /* that were none: a mistake of ours */
    uint64_t failures; /* commits that failed and were tried again */
    uint64_t waits;    /* times that the queue was full */
    uint64_t lost;     /* because the disk is full, and not told yet */
    size_t waiting;    /* events in the queue */
};
void journal_figures(struct journal *journal, struct journal_figures *out);
