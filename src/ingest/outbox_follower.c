/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/outbox_follower.h"

#include <stdlib.h>

#include "base/mem.h"
#include "catalog/catalog.h"
#include "ingest/own.h"
#include "os/thread.h"

enum {
    TURN_EVENTS = 500,
    IDLE_US = 5 * 1000 * 1000, /* a wake-up that was missed costs no more than this */
    RETRY_US = 500 * 1000,
};

struct outbox_follower {
    struct catalog *catalog;
    struct store *store;
    struct own_events *own;
    int64_t last;     /* position of the last event of the turn */
    struct diag diag; /* of the turn */
    struct thread thread;
    struct mutex lock;       /* of the rest */
    struct condition turned; /* a turn is over */
    struct outbox_figures figures;
    bool is_settled; /* the last turn found nothing, or failed */
    bool is_stopping;
};

static enum err take_event(void *context, const struct catalog_event *event)
{
    struct outbox_follower *follower = context;
    TRY(own_events_add(follower->own, event->org, event->json, &follower->diag));
    follower->last = event->position;
    return OK;
}

/* *moved says whether anything was there. */
static enum err bring(struct outbox_follower *follower, size_t *moved, struct diag *diag)
{
    if (own_events_count(follower->own) == 0) { /* else the last try was refused */
        enum err e = catalog_outbox(follower->catalog, TURN_EVENTS, take_event, follower, diag);
        if (e != OK && own_events_count(follower->own) == 0) {
            *diag = diag->text[0] != '\0' ? *diag : follower->diag;
            return e;
        }
    }
    *moved = own_events_count(follower->own);
    if (*moved == 0) {
        return OK;
    }
    TRY(own_events_commit(follower->own, follower->store, diag));
    catalog_outbox_done(follower->catalog, follower->last);
    return OK;
}

static void note(struct outbox_follower *follower, enum err result, size_t moved,
                 const struct diag *diag)
{
    mutex_lock(&follower->lock);
    follower->figures.is_behind = result != OK;
    follower->is_settled = result != OK || moved == 0;
    condition_broadcast(&follower->turned);
    if (result == OK) {
        follower->figures.brought += moved;
    } else {
        follower->figures.failures++;
        follower->figures.last_diag = *diag;
    }
    mutex_unlock(&follower->lock);
}

static bool is_stopping(struct outbox_follower *follower)
{
    mutex_lock(&follower->lock);
    bool stops = follower->is_stopping;
    mutex_unlock(&follower->lock);
    return stops;
}

static void run(void *arg)
{
    struct outbox_follower *follower = arg;
    for (;;) {
        bool was_stopping = is_stopping(follower); /* before looking: then nothing is left */
        struct diag diag = {0};
        size_t moved = 0;
        enum err e = bring(follower, &moved, &diag);
        note(follower, e, moved, &diag);
        bool is_idle = moved == 0 || e != OK;
        bool is_over = is_idle && was_stopping;
        bool is_quiet = is_over || (is_idle && !catalog_outbox_wait(follower->catalog,
                                                                    e == OK ? IDLE_US : RETRY_US));
        if (is_quiet && e == OK) { /* else commits of changes take out what was brought */
            e = catalog_outbox_tidy(follower->catalog, &diag);
            note(follower, e, 0, &diag);
        }
        if (is_over) {
            return;
        }
    }
}

enum err outbox_follower_start(struct catalog *catalog, struct store *store,
                               struct outbox_follower **out, struct diag *diag)
{
    struct outbox_follower *follower = mem_zeroed(sizeof(*follower));
    follower->catalog = catalog;
    follower->store = store;
    follower->own = own_events_new();
    mutex_init(&follower->lock);
    condition_init(&follower->turned);
    enum err e = thread_start(&follower->thread, "outbox", run, follower, diag);
    if (e != OK) {
        outbox_follower_stop(follower);
        return e;
    }
    *out = follower;
    return OK;
}

void outbox_follower_stop(struct outbox_follower *follower)
{
    if (follower == NULL) {
        return;
    }
    mutex_lock(&follower->lock);
    follower->is_stopping = true;
    mutex_unlock(&follower->lock);
    catalog_outbox_wake(follower->catalog);
    thread_join(&follower->thread);
    own_events_free(follower->own);
    condition_release(&follower->turned);
    mutex_release(&follower->lock);
    free(follower);
}

void outbox_follower_settle(struct outbox_follower *follower)
{
    mutex_lock(&follower->lock);
    while (!follower->is_settled) {
        condition_wait(&follower->turned, &follower->lock);
    }
    mutex_unlock(&follower->lock);
}

void outbox_follower_figures(struct outbox_follower *follower, struct outbox_figures *out)
{
    mutex_lock(&follower->lock);
    *out = follower->figures;
    mutex_unlock(&follower->lock);
}
