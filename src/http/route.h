/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * route - finds the route of a path.
 *
 * Routes with one path are a *resource*: it knows its methods. Paths without parameters are in a
 * hash table, so that the busiest of them costs one look; the others are compared segment by
 * segment, the one with more literal text first: "/events/batch" wins over "/events/{id}".
 *
 * Threads: built once, then read by all.
 */

#include "http/server.h"
#include "message/target.h"

struct http_router;
struct http_resource;

/* INVALID: a path is malformed, a method is there twice, or a route has not exactly one handler.
 * `routes` outlive the router. */
enum err http_router_new(const struct http_route *routes, size_t count, struct http_router **out,
                         struct diag *diag);
void http_router_free(struct http_router *router);
DEFINE_OWNED(http_router);

/* Fills request->path_params, query and route from path and target. OK also when there is none:
 * *resource_out is NULL for an unknown path, request->route NULL for another method. INVALID and
 * LIMIT as http_path_split() and http_query_split(). */
enum err http_router_find(const struct http_router *router, struct http_request *request,
                          const struct http_resource **resource_out, const char **why_out);

/* "GET, HEAD, OPTIONS" for the Allow header. */
const char *http_resource_allow(const struct http_resource *resource);
