/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * auth - who calls, and whether they may.
 *
 * The key is in `Authorization: Bearer` or `X-API-Key`, and in ?api_key= only where a setting
 * allows it, because URLs are logged.
 *
 * Threads: the loop; auth_ask() the pool.
 */

#include "access/callers.h"
#include "gate/gate.h"

struct json_writer;

/* request->caller, in the request's arena. */
struct caller {
    struct api *api;
    bool is_known;
    struct known_caller who; /* if known */
    slice shown;             /* the key or token; empty: none */
    slice org;               /* of `who`; empty: nobody's */
    slice actor;             /* its name */
    slice key_id;            /* empty: no key, or none of ours */
    slice version_default;   /* of the API, the organisation's; empty: the current one */
    const struct version_entry *version; /* of the API, once it was asked for: negotiate.h */
};

/* Middleware: sets the caller; who shows what is none of ours is refused. What is known is looked
 * up on the loop; what has to be verified, asked or counted elsewhere, in the pool. */
enum http_pass auth_identify(struct http_request *request, void *data);
enum http_pass auth_ask(struct http_request *request, void *data);
/* Middleware: the route's scope. */
enum http_pass auth_authorise(struct http_request *request, void *data);

/* Whether the caller of a request that lasts may go on: is still let in, as who it was, with the
 * rights it had and no narrower filter. From memory: a token that is not there is not let in; a
 * service account, of whom only its cluster knows, is. */
bool auth_still_holds(const struct http_request *request);

/* 401 to a right password: the user has a second factor, whose code is needed. */
void auth_need_code(struct http_request *request);

/* Writes who calls as members of an event: actor_type, actor_id, session_id, actor_ip. */
void caller_write(struct json_writer *json, const struct http_request *request);
