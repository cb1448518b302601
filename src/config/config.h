/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config - objects of configuration over HTTP: the handlers of all kinds, of the history of their
 * changes and of settings; and what other handlers of changes share with them.
 *
 * Each change is one transaction with its event. A request with an Idempotency-Key makes one
 * object, however often it comes; one with If-Match changes only what its sender read.
 *
 * Threads: the pool, in which all these handlers run.
 */

#include "catalog/catalog.h"
#include "crypto/sha256.h"
#include "gate/gate.h"

/* ---- What a kind asks for beside its description ---- */

/*
 * A kind as its routes have it (gate/gate.h), with what must hold of changes of its objects that
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
    /* Within the transaction, before an object is removed: what goes with it, by its author. */
    enum err (*goes_first)(struct catalog *catalog, const struct catalog_author *author,
                           const json_t *old, struct kind_errors *errors, struct diag *diag);
    /* Behind the commit; also of a request that came twice and made nothing more. */
    void (*done)(const struct http_request *request, const json_t *old, const json_t *new);
};

extern const struct resource resource_organizations, resource_schemas;

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

/* ---- Answers ---- */

/* Answers with a JSON value, which stays the caller's. */
void config_answer(struct http_request *request, int status, const json_t *value);
/* A problem document with what is wrong. */
void config_fail(struct http_request *request, enum err e, const struct diag *diag,
                 const struct kind_errors *errors);

/* ---- Handlers of routes ---- */

void api_config_list(struct http_request *request); /* list.c: any kind */
void api_config_get(struct http_request *request);  /* config.c */
void api_config_create(struct http_request *request);
void api_config_replace(struct http_request *request);
void api_config_patch(struct http_request *request);
void api_config_delete(struct http_request *request);

void api_migrations_get(struct http_request *request); /* migrations.c */

void api_changes_get(struct http_request *request); /* changes.c */

void api_settings_list(struct http_request *request); /* settings.c */
void api_setting_get(struct http_request *request);
void api_setting_put(struct http_request *request); /* settings_change.c */
void api_setting_delete(struct http_request *request);
void api_setting_revert(struct http_request *request);
