/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * api - the HTTP resources: one file for each, one line for each route (routes.c).
 *
 * Threads: any; nothing here changes.
 */

#include "gate/gate.h"

/* The route table and the middleware chain; both outlive the server. `api` becomes their data. */
const struct http_route *api_routes(size_t *count);
const struct http_middleware *api_middleware(size_t *count);
void api_hooks(struct api *api, struct http_hooks *out);

/* A parameter that is a number of days of which the use of keys is kept; without it *days stays as
 * it is. INVALID. */
#define API_USAGE_DAYS_DEFAULT 30
enum err api_usage_days(const struct http_request *request, const char *name, uint64_t *days,
                        struct diag *diag);
