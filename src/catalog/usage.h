/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * usage - how much each API key was used, by day (UTC) and route: counts that are added up.
 *
 * These are no configuration: they leave no event and no version.
 *
 * Threads: as catalog.h.
 */

#include "catalog/catalog.h"

#define CATALOG_USAGE_DAYS    366 /* that are kept, today included */
#define CATALOG_USAGE_CLASSES 6   /* of status: 2xx at 2; at 0 those that had no answer */

struct catalog_usage {
    slice key_id;
    int64_t day; /* since 1970 */
    slice route; /* "GET /api/v1/rules/{id}" */
    uint64_t requests[CATALOG_USAGE_CLASSES];
    int64_t last_us;
};

/* Within a transaction: adds to what is there. */
enum err catalog_usage_add(struct catalog *catalog, const struct catalog_usage *usage,
                           struct diag *diag);
/* Within a transaction: the key's `last_used_at`, if that is later. OK also without such a key. */
enum err catalog_usage_touch(struct catalog *catalog, slice key_id, int64_t last_us,
                             struct diag *diag);
/* Within a transaction: drops the days before `first_day`. */
enum err catalog_usage_prune(struct catalog *catalog, int64_t first_day, struct diag *diag);

/* Calls fn for each day and route of a key from `first_day` on, which calls nothing of the catalog.
 * `last_us` is 0 there. */
typedef void (*catalog_usage_fn)(void *context, const struct catalog_usage *usage);
enum err catalog_usage_read(struct catalog *catalog, slice key_id, int64_t first_day,
                            catalog_usage_fn fn, void *context, struct diag *diag);
