/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * requirements - what every organisation requires of its events, as the catalog has it.
 *
 * Each change in the catalog makes a new value of the organisation (required.h) behind its commit,
 * so that the next request finds it. Where no organisation requires anything a request costs one
 * load of an atomic; else a lock and a search, once for each request and change, not for each
 * event.
 *
 * Threads: any.
 */

#include "ingest/required.h"

struct catalog;
struct requirements;

struct requirements *requirements_new(void); /* never NULL; nobody requires anything */
void requirements_free(struct requirements *requirements);
DEFINE_OWNED(requirements);

/* Reads all schemas and lists of categories, and hears of each change from then on. The catalog
 * ends first. */
enum err requirements_load(struct requirements *requirements, struct catalog *catalog,
                           struct diag *diag);

/* Whether the organisation may have one more schema that is checked, this one: CONFLICT, past what
 * one organisation may have. Within a transaction that stores it. */
enum err requirements_admit(struct requirements *requirements, slice org, slice event_type,
                            slice schema, struct diag *diag);

/* The schema that is registered for a type, as JSON in `arena`, whatever its mode is. NOT_FOUND;
 * LIMIT: the arena has no room for it. */
enum err requirements_find(struct requirements *requirements, slice org, slice event_type,
                           struct arena *arena, slice *schema_out, struct diag *diag);

/* What the events of one request are checked with. {0} holds nothing. */
struct requirements_hold {
    struct required *required; /* NULL: nothing is required */
    uint64_t generation;
    uint64_t work; /* that its checks may take */
};

/* Brings the hold up to date. */
void requirements_take(struct requirements *requirements, slice org,
                       struct requirements_hold *hold);
void requirements_drop(struct requirements_hold *hold);

/* required_check() with the work that a request has: some to begin with, and a little for each
 * event and byte, so that whoever sends many events does not hold up all others. `bytes` is how
 * many were sent. */
enum required_outcome requirements_check(struct requirements_hold *hold,
                                         const struct required_event *sent, size_t bytes,
                                         struct diag *diag);
