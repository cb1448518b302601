/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * outbox_follower - brings the events of configuration changes from the catalog to the ledger, in
 * their order, each exactly once: they leave the outbox when they are durable in the log, and one
 * that is brought again after a crash is known there by its id.
 *
 * Threads: "outbox", its own.
 */

#include "base/err.h"
#include "base/slice.h"

struct catalog;
struct store;
struct outbox_follower;

/* BUSY when the system has no thread to give. Both outlive the follower. */
enum err outbox_follower_start(struct catalog *catalog, struct store *store,
                               struct outbox_follower **out, struct diag *diag);
/* What is in the outbox by now is brought first, if the store takes it. NULL is fine. */
void outbox_follower_stop(struct outbox_follower *follower);

/* Waits until nothing is in the outbox, or a try failed. */
void outbox_follower_settle(struct outbox_follower *follower);

struct outbox_figures {
    uint64_t brought;
    uint64_t failures;     /* tries that failed; it is tried again */
    bool is_behind;        /* the last try failed */
    struct diag last_diag; /* why */
};
void outbox_follower_figures(struct outbox_follower *follower, struct outbox_figures *out);
