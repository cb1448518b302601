/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * api - every path of the server, and the chain that a request passes before its handler.
 *
 * Threads: any; nothing here changes.
 */

#include "gate/gate.h"

/* The route table and the middleware chain; both outlive the server. `api` becomes their data. */
const struct http_route *api_routes(size_t *count);
const struct http_middleware *api_middleware(size_t *count);
void api_hooks(struct api *api, struct http_hooks *out);
