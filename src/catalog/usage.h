/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * usage - how much each API key was used, by day (UTC) and route, and which versions of the API it
 * asked for: counts that are added up. What had no key is counted under the empty one.
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

/* What a key used in sum: a version of the API, or a route. */
struct catalog_use {
    slice key_id;
    slice what; /* "1.0"; a route as above */
    uint64_t requests;
    int64_t first_us; /* of routes 0: it is not kept */
    int64_t last_us;
};
/* Within a transaction: adds a version to what is there. */
enum err catalog_usage_add_version(struct catalog *catalog, int64_t day,
                                   const struct catalog_use *use, struct diag *diag);

/* Within a transaction: drops the days before `first_day`. */
enum err catalog_usage_prune(struct catalog *catalog, int64_t first_day, struct diag *diag);

/* Calls fn for each day and route of a key from `first_day` on, which calls nothing of the catalog
 * and copies what it keeps.
 * `last_us` is 0 there. */
typedef void (*catalog_usage_fn)(void *context, const struct catalog_usage *usage);
enum err catalog_usage_read(struct catalog *catalog, slice key_id, int64_t first_day,
                            catalog_usage_fn fn, void *context, struct diag *diag);

enum catalog_used {
    CATALOG_USED_VERSIONS,
    CATALOG_USED_ROUTES,
};
/* Calls fn, as above, for each thing that each key used in all days that are kept, the latest use
 * first; requests are those from `first_day` on. */
typedef void (*catalog_use_fn)(void *context, const struct catalog_use *use);
enum err catalog_usage_sums(struct catalog *catalog, enum catalog_used used, int64_t first_day,
                            catalog_use_fn fn, void *context, struct diag *diag);
