/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * key_usage - how much each API key is used, by day, route and class of status, and in which
 * version of the API. Requests without a key are counted together.
 *
 * A request is counted in memory; a thread of its own adds the counts to the catalog every
 * KEY_USAGE_STORE_MS, and at the stop. So a crash takes what was counted since, and no more. While
 * the catalog cannot be written the counts stay in memory; what finds no room there is lost, and
 * the log says how much.
 *
 * Memory is bounded: KEY_USAGE_ROWS_MAX rows of a key, a route's template, a version and a day,
 * twice.
 *
 * Threads: any.
 */

#include "catalog/usage.h"
#include "http/server.h"

#define KEY_USAGE_STORE_MS    5000
#define KEY_USAGE_ROWS_MAX    4096
#define KEY_USAGE_LABEL_BYTES 256

struct key_usage;
/* `catalog` outlives it; *out ends with key_usage_stop(). BUSY: there is no thread to be had. */
enum err key_usage_start(struct catalog *catalog, struct key_usage **out, struct diag *diag);
void key_usage_stop(struct key_usage *usage); /* stores what is left; NULL is fine */

/* One more request with that key (empty: with none). `route` and `version` (the name in its table)
 * may be NULL; both outlive the usage. */
void key_usage_count(struct key_usage *usage, slice key_id, const struct http_route *route,
                     const char *version, int status, int64_t now_us);

/* Brings what was counted to the catalog now; after an error it stays in memory. */
enum err key_usage_store(struct key_usage *usage, struct diag *diag);

/* As catalog_usage_read(), and what is not stored yet: of that `last_us` is the time of the last. A
 * day and route may come several times. */
enum err key_usage_read(struct key_usage *usage, slice key_id, int64_t first_day,
                        catalog_usage_fn fn, void *context, struct diag *diag);

/* As catalog_usage_sums(), and what is not stored yet. The same may come several times. */
enum err key_usage_sums(struct key_usage *usage, enum catalog_used used, int64_t first_day,
                        catalog_use_fn fn, void *context, struct diag *diag);

#define KEY_USAGE_DAY_US INT64_C(86400000000)

/* What a route is called there: "GET /api/v1/rules/{id}". `label` has KEY_USAGE_LABEL_BYTES. */
void key_usage_label(const struct http_route *route, char *label);
