/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * auth - who calls, and whether they may.
 *
 * The key is in `Authorization: Bearer` or `X-API-Key`, and in ?api_key= only where a setting
 * allows it, because URLs are logged.
 *
 * Threads: the loop.
 */

#include "access/callers.h"
#include "api/api.h"

/* request->caller, in the request's arena. */
struct caller {
    struct api *api;
    bool is_known;
    struct known_caller who; /* if known */
    slice org;               /* of `who`; empty: nobody's */
};

/* Middleware: sets the caller; a key that is none of ours is answered at once. */
bool auth_identify(struct http_request *request, void *data);
/* Middleware: the route's scope. */
bool auth_authorise(struct http_request *request, void *data);
