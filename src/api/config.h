/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config - what the routes of configuration share: the author of a change, bodies, answers.
 *
 * Threads: the pool, in which all handlers of configuration run.
 */

#include "catalog/catalog.h"
#include "crypto/sha256.h"
#include "gate/gate.h"

/* ---- What a kind asks for beside its description ---- */

/*
 * A kind as its routes have it (gate.h), with what must hold of changes of its objects that
 * kinds/kinds.h cannot say, because it takes the caller or another room to tell. It stands beside
 * what it belongs to. Hooks are NULL where there is nothing to ask; `old` is NULL for a new object,
 * `new` for one that goes.
 */
struct resource {
    const struct kind *kind;
    bool changes_alone; /* a change shares its commit with no other */
    /* Before anything is looked up. DENIED. */
    enum err (*may_change)(const struct http_request *request, struct diag *diag);
    /* Within the transaction of the change, which does not happen after an error. */
    enum err (*check)(const struct http_request *request, const json_t *old, const json_t *new,
                      struct kind_errors *errors, struct diag *diag);
    /* Behind the commit; also of a request that came twice and made nothing more. */
    void (*done)(const struct http_request *request, const json_t *old, const json_t *new);
};

extern const struct resource resource_organizations,
    resource_schemas; /* organizations.c, schemas.c */

/* The resource of the request's route, which has one; and its kind. */
const struct resource *config_resource(const struct http_request *request);
const struct kind *config_kind(const struct http_request *request);

/* ---- What a request says ---- */

/* Who asks for the change. Its texts live with the request and with `body`, whose "reason" it takes
 * (a header X-Reason or a parameter `reason` counts where the body has none). */
struct catalog_author config_author(const struct http_request *request, const json_t *body);

/* The organisation that the request is about: the caller's, or what ?org= says where the caller
 * may. DENIED. */
enum err config_org(const struct http_request *request, slice *out, struct diag *diag);

/* The body as a JSON value, a new reference; an empty one as an empty object. INVALID. */
enum err config_body(const struct http_request *request, json_t **out, struct diag *diag);

/* All three of a change, which is of one organisation: *body is a new reference, also after an
 * error that came later. */
enum err config_change(const struct http_request *request, struct catalog_author *author,
                       json_t **body, struct diag *diag);

/* The version that If-Match asks for; 0: any. INVALID. */
enum err config_if_match(const struct http_request *request, uint64_t *out, struct diag *diag);

/* A request that makes something and may come twice, if it has an Idempotency-Key. Within the
 * transaction: */
struct config_once {
    slice key; /* empty: it has none */
    char fingerprint[2 * SHA256_BYTES];
};
/* *made is the id of what the same request made before, a string of the heap; NULL: nothing.
 * INVALID; CONFLICT: the key was that of another request. */
enum err config_once(const struct http_request *request, slice org, struct config_once *out,
                     char **made, struct diag *diag);
/* Remembers what it made now, for a day; nothing where the request has no key. */
enum err config_once_done(struct catalog *catalog, slice org, const struct config_once *once,
                          const json_t *object, struct diag *diag);

/* The object that the path names with its id, or with what version 1.0 calls it: a new reference.
 * NOT_FOUND. */
enum err config_find(const struct http_request *request, slice org, json_t **out,
                     struct diag *diag);

/* ---- Answers ---- */

/* An object as it is shown in the version of the answer: a new reference. */
json_t *config_show(const struct http_request *request, const json_t *object);
/* Answers with a JSON value, which stays the caller's. */
void config_answer(struct http_request *request, int status, const json_t *value);
/* With an object as it is shown, its ETag, and, of a new one (201), its Location. */
void config_answer_object(struct http_request *request, int status, const json_t *object);

/* The last change of an object in the history, or, if `change_id` is not empty, the one with that
 * event: a row of GET /api/v1/audit, a new reference. NOT_FOUND; INVALID: it is no event's id. */
enum err config_find_change(struct http_request *request, const struct kind *kind, slice record_id,
                            slice change_id, json_t **out, struct diag *diag);

/* A problem document with what is wrong. */
void config_fail(struct http_request *request, enum err e, const struct diag *diag,
                 const struct kind_errors *errors);
