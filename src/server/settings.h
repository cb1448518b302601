/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * settings - options that change while the server runs: by the catalog, and by the file read again.
 *
 * The catalog tells a change behind its commit, so that the value counts before whoever asked for
 * it is answered; SIGHUP reads the file. Nearly everyone asks running.h for a value each time. What
 * has a copy of its own (the log's level, the ledger's reserve, times of connections, what counts
 * for logins) or begins with a value (the journal) is told here.
 *
 * Threads: any may tell a change; loading and reloading are main's.
 */

#include "gate/gate.h"
#include "os/thread.h"
#include "people/people.h"

struct ledger;

struct settings {
    struct api *api; /* its running, its catalog, its store */
    struct ledger *ledger;
    struct mutex lock; /* one at a time tells */
};

/* Reads the settings that are stored, and hears of each change from then on. One that is none any
 * more is logged and left aside. */
enum err settings_load(struct settings *settings, struct diag *diag);
/* What the options say of logins now. */
struct people_limits settings_people(const struct running *running);
/* Tells the values of now to what does not ask for them. */
void settings_apply(struct settings *settings);

/* Reads the configuration file again: of what may change, what it says counts from now on; the rest
 * is named as waiting for a restart. The change is an event. A file that cannot be used changes
 * nothing, and the log says why. */
void settings_reload(struct settings *settings);
