/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal_write - the file of a full segment, made in the background where it can wait.
 *
 * Nobody waits for it as long as the next segment has room, and requests that come meanwhile should
 * not: so it is begun in the background (thread.h). When it is wanted sooner, or takes too long on
 * a machine that is busy with other things, the sealer's own thread goes on with it. While events
 * come in bulk there is no background: then sealing is half of the work, and what is put off costs
 * memory and is waited for.
 */
#include "ledger/core.h"
#include "os/clock.h"

enum {
    BACKGROUND_US = 5000000, /* how long a file may take there */
};

struct background {
    struct thread thread;
    struct ledger *ledger;
    struct segment_writer *writer;
    struct segment_summary *summary;
    enum err result;
    struct diag diag;
    bool has_ended; /* under seal_lock */
};

void seal_write_hurry(struct ledger *ledger)
{
    if (!atomic_load(&ledger->seal_hurry)) { /* who says it again and again costs nothing */
        atomic_store(&ledger->seal_hurry, true);
    }
}

static void run_behind(void *arg)
{
    struct background *background = arg;
    struct ledger *ledger = background->ledger;
    thread_set_background();
    background->result = segment_writer_run(background->writer, &ledger->seal_hurry,
                                            background->summary, &background->diag);
    mutex_lock(&ledger->seal_lock);
    background->has_ended = true;
    mutex_unlock(&ledger->seal_lock);
    /* Behind it: who wakes takes the processor, and would wait for a lock that is held here. */
    condition_broadcast(&ledger->seal_wanted);
}

/* The lock is let go meanwhile. A failure ends the acknowledging: it is told as soon as the
 * background has stopped. */
static enum err prepare_spare(struct ledger *ledger, struct diag *diag)
{
    ledger->spare_wanted = false;
    mutex_unlock(&ledger->seal_lock);
    enum err e = sealer_prepare_spare(ledger, diag);
    mutex_lock(&ledger->seal_lock);
    if (e != OK) {
        seal_write_hurry(ledger);
    }
    return e;
}

/* Until it has ended, also because it was told to. The next file of the WAL does not wait. */
static enum err wait_for(struct background *background, struct diag *diag)
{
    struct ledger *ledger = background->ledger;
    int64_t until_us = clock_monotonic_us() + BACKGROUND_US;
    enum err spare = OK;
    mutex_lock(&ledger->seal_lock);
    ledger->sealed_behind++;
    while (!background->has_ended) {
        if (ledger->spare_wanted && spare == OK) {
            spare = prepare_spare(ledger, diag);
        } else if (atomic_load(&ledger->seal_hurry)) {
            condition_wait(&ledger->seal_wanted, &ledger->seal_lock);
        } else if (!condition_wait_us(&ledger->seal_wanted, &ledger->seal_lock,
                                      until_us - clock_monotonic_us())) {
            seal_write_hurry(ledger);
        }
    }
    mutex_unlock(&ledger->seal_lock);
    return spare;
}

/* BUSY: it is to be gone on with, or there is no thread for it. */
static enum err run_in_background(struct ledger *ledger, struct segment_writer *writer,
                                  struct segment_summary *out, struct diag *diag)
{
    struct background background = {.ledger = ledger, .writer = writer, .summary = out};
    TRY(thread_start(&background.thread, "sealer-behind", run_behind, &background, NULL));
    enum err spare = wait_for(&background, diag);
    thread_join(&background.thread);
    TRY(spare);
    if (background.result != OK && diag != NULL) {
        *diag = background.diag;
    }
    return background.result;
}

/* Whether the segment, the first of the queue, is one for the background. */
static bool may_wait(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    bool may = ledger->seal_count == 1 && ledger->seal_waiters == 0 && !ledger->seal_in_bulk;
    if (may) { /* the hurry was for one before this, or it has no time at all */
        atomic_store(&ledger->seal_hurry, ledger->seal_stopping || ledger->seal_paused);
    }
    mutex_unlock(&ledger->seal_lock);
    return may;
}

static bool is_wanted(struct ledger *ledger)
{
    mutex_lock(&ledger->seal_lock);
    bool is_wanted = !ledger->seal_stopping && !ledger->seal_paused;
    mutex_unlock(&ledger->seal_lock);
    return is_wanted;
}

enum err seal_write(struct ledger *ledger, struct active *active, struct segment_summary *out,
                    struct diag *diag)
{
    char name[SEGMENT_NAME_BYTES];
    struct active_rows rows;
    OWNED(segment_writer) writer = NULL;
    active_rows_init(active, ROWS_MAX, &rows);
    segment_name(name, (size_t)(active_first_seq(active) / ROWS_MAX));
    TRY(segment_writer_new(&rows.rows, &(struct segment_write_options){0}, ledger->dir, name,
                           &writer, diag));
    if (may_wait(ledger)) {
        enum err e = run_in_background(ledger, writer, out, diag);
        if (e != ERR_BUSY || !is_wanted(ledger)) {
            return e;
        }
    }
    return segment_writer_run(writer, NULL, out, diag);
}
