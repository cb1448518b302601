/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * internal - what the handlers of objects share: the object that a request is about, and how it is
 * shown.
 *
 * Threads: the pool.
 */

#include "config/config.h"

/* The resource of the request's route, which has one; and its kind. */
const struct resource *config_resource(const struct http_request *request);
const struct kind *config_kind(const struct http_request *request);

/* The version that If-Match asks for; 0: any. INVALID. */
enum err config_if_match(const struct http_request *request, uint64_t *out, struct diag *diag);

/* The object that the path names with its id, or with what version 1.0 calls it: a new reference.
 * NOT_FOUND. */
enum err config_find(const struct http_request *request, slice org, json_t **out,
                     struct diag *diag);

/* An object as it is shown in the version of the answer: a new reference. */
json_t *config_show(const struct http_request *request, const json_t *object);
/* With an object as it is shown, its ETag, and, of a new one (201), its Location. */
void config_answer_object(struct http_request *request, int status, const json_t *object);

/* The last change of an object in the history, or, if `change_id` is not empty, the one with that
 * event: a row of GET /api/v1/audit, a new reference. NOT_FOUND; INVALID: it is no event's id. */
enum err config_find_change(struct http_request *request, const struct kind *kind, slice record_id,
                            slice change_id, json_t **out, struct diag *diag);
