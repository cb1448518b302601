/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * auth - who calls, and whether they may. One owner key; it belongs to the first organisation.
 *
 * The key is in `Authorization: Bearer` or `X-API-Key`, and in ?api_key= only where a setting
 * allows it, because URLs are logged. What is compared, in constant time, is its SHA-256.
 *
 * Threads: the loop.
 */

#include "api/api.h"

/* request->caller, in the request's arena. */
struct caller {
    struct api *api;
    bool is_owner; /* has shown the owner key */
    slice org;
    slice key_id;          /* empty: no key, or none of ours */
    slice version_default; /* of the API, the organisation's; empty: the current one */
};

/* Middleware: sets the caller; a key that is none of ours is answered at once. */
bool auth_identify(struct http_request *request, void *data);
/* Middleware: the route's scope. */
bool auth_authorise(struct http_request *request, void *data);
