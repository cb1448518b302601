/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * catalog - where configuration objects are kept, and how no change of one goes unknown.
 *
 *     begin -> insert, update, delete of objects, each with its event in the outbox -> commit
 *
 * A change and its event are one transaction of the database: neither is without the other,
 * wherever the power goes. The event is whole from then on (its id, its time, old and new values,
 * who, why); a follower (ingest/outbox_follower.h) brings it to the ledger, where the id makes sure
 * that it arrives once. Nobody waits for that.
 *
 * Objects are JSON objects as kinds.h has them, with `id`, `created_at`, `updated_at`, and two
 * members that are never shown: `org`, and `version`, which counts changes and is the ETag.
 *
 * Threads: any. One transaction at a time: catalog_begin() waits for the one before. Those that
 * wait for one another share a commit, and with it the sync: each is undone alone where it is
 * refused, and all of them return when it is done (transaction.c). Reads use a connection of their
 * own, wait for no writer and see what is durable; but a thread that is inside a transaction reads
 * in it, and sees what it is based on.
 */

#include "kinds/kinds.h"
#include "os/file.h"

#define CATALOG_KEY_BYTES 32

struct catalog;

struct catalog_options {
    uint8_t hide_key[CATALOG_KEY_BYTES]; /* of the keyed hash that secrets leave in the audit */
    /* Hashes a new password: a new reference; NULL: the server is too busy. */
    json_t *(*hash_password)(slice password);
};

/* Opens or makes catalog.db in `dir`, and brings its tables to what the kinds say. INVALID: a newer
 * version made it. The directory is borrowed until the catalog is freed. */
enum err catalog_open(const struct dir *dir, const struct catalog_options *options,
                      struct catalog **out, struct diag *diag);
void catalog_free(struct catalog *catalog); /* no transaction is open */
DEFINE_OWNED(catalog);

/* Called behind a commit, in order, for each object that it changed, before any of those who
 * changed them returns, by one of their threads. Quick, without a call into the catalog that
 * writes, and without a lock that anybody holds over a transaction. */
typedef void (*catalog_changed_fn)(void *context, const struct kind *kind, slice org, slice id);

/* From now on `changed` is called, behind those that listen already. Before threads share the
 * catalog. */
#define CATALOG_LISTENERS_MAX 8
void catalog_listen(struct catalog *catalog, catalog_changed_fn changed, void *context);

/* ---- Reading ---- */

/* A new reference. NOT_FOUND: not in that organisation; an empty `org` is any. */
enum err catalog_get(struct catalog *catalog, const struct kind *kind, slice org, slice id,
                     json_t **out, struct diag *diag);
/* The same by a field with KIND_UNIQUE or KIND_UNIQUE_EVERYWHERE. */
enum err catalog_find(struct catalog *catalog, const struct kind *kind, slice org,
                      const char *field, slice value, json_t **out, struct diag *diag);

#define CATALOG_LIST_MAX    1000
#define CATALOG_FILTERS_MAX 8
struct catalog_list {
    slice org; /* empty: every organisation */
    struct {
        const struct kind_field *field; /* KIND_SEARCHED */
        slice value;                    /* "true" and "false" of a BOOLEAN */
    } filters[CATALOG_FILTERS_MAX];
    size_t filter_count;
    uint32_t limit; /* 1..CATALOG_LIST_MAX */
    uint64_t offset;
    const json_t *after; /* catalog_position(): only what stands behind it; NULL: all */
    bool wants_total;
};
/* Where an object stands in lists of its kind, also when it is gone: an array, a new reference. */
json_t *catalog_position(const struct kind *kind, const json_t *object);
/* An array of objects in the order of the kind: a new reference. `has_more`: others follow them. */
enum err catalog_list(struct catalog *catalog, const struct kind *kind,
                      const struct catalog_list *list, json_t **out, bool *has_more,
                      uint64_t *total, struct diag *diag);
/* Calls `fn` with each object of a list, in that order, with nothing locked, until it fails or sets
 * *is_enough. A page has list->limit (0: CATALOG_LIST_MAX); offset, `after` and total are not set.
 * What keeps its place is told once, whatever comes, goes or moves meanwhile, also by `fn`. */
typedef enum err catalog_each_fn(void *context, const struct kind *kind, const json_t *object,
                                 bool *is_enough);
enum err catalog_each(struct catalog *catalog, const struct kind *kind,
                      const struct catalog_list *list, catalog_each_fn *fn, void *context,
                      struct diag *diag);

/* ---- Changing ---- */

/* Who changes something, from where, and why. Empty slices are left out of the event. */
struct catalog_author {
    slice org;        /* of what is changed */
    slice changed_by; /* the first 8 characters of a key's id, or a user's address */
    slice actor_type, actor_id, actor_ip, user_agent, session_id;
    slice request_id, correlation_id;
    slice reason;
    const char *verb; /* of the event's type; NULL: create, update or delete, as it is */
};

/* Before a transaction, because it takes long: adds to *given (NULL: it is made) the hash of each
 * password in `sent`, for catalog_change. BUSY: as hash_password says. */
enum err catalog_hash(struct catalog *catalog, const struct kind *kind, const json_t *sent,
                      json_t **given, struct diag *diag);

/* Begins a transaction, which ends with commit or rollback on the same thread. What takes long is
 * done before it: others wait. */
enum err catalog_begin(struct catalog *catalog, struct diag *diag);
/* The same for one that is judged by what listeners know: they were told of all before it, and it
 * shares its commit with nobody. */
enum err catalog_begin_alone(struct catalog *catalog, struct diag *diag);
/* Durable when it returns. After an error nothing of it is, nor of those it shared the commit
 * with. */
enum err catalog_commit(struct catalog *catalog, struct diag *diag);
/* Nothing of it stays. What it saw is durable when this returns. */
void catalog_rollback(struct catalog *catalog);
/* The one or the other: what was done in the transaction came to `e`. What became of all of it. */
enum err catalog_end(struct catalog *catalog, enum err e, struct diag *diag);

struct catalog_change {
    const struct kind *kind;
    const struct catalog_author *author;
    slice id;             /* of update and delete */
    uint64_t if_match;    /* only if the object has this version; 0: any */
    enum kind_change how; /* of update: KIND_REPLACE or KIND_PATCH */
    const json_t *sent;
    const json_t *given; /* what the server itself sets: READ_ONLY, HIDDEN, and the hash of each
                            password that was sent; NULL: nothing */
};

/*
 * Within a transaction. An update that leaves every field as it is changes nothing: no event, the
 * same version. INVALID: `errors` says what is wrong with what was sent; CONFLICT: another
 * object has a value that is unique, or (delete) others refer to it: `errors` names them; or the
 * version is another one: diag->where is "If-Match"; NOT_FOUND. *out (may be NULL) is a new
 * reference.
 */
enum err catalog_insert(struct catalog *catalog, const struct catalog_change *change, json_t **out,
                        struct kind_errors *errors, struct diag *diag);
enum err catalog_update(struct catalog *catalog, const struct catalog_change *change, json_t **out,
                        struct kind_errors *errors, struct diag *diag);
enum err catalog_delete(struct catalog *catalog, const struct catalog_change *change,
                        struct kind_errors *errors, struct diag *diag);

/* Sets fields without an event: what is no change of configuration, like `last_used_at`. */
enum err catalog_touch(struct catalog *catalog, const struct kind *kind, slice org, slice id,
                       const json_t *given, struct diag *diag);

/* An event of another kind in the same transaction: "auth.login". `data` is its event_data, or
 * NULL. `outcome` is success, failure or denied. */
enum err catalog_note(struct catalog *catalog, const struct catalog_author *author,
                      const char *type, const char *outcome, const json_t *data, struct diag *diag);

/* ---- What was used of a quota ---- */

/* Within a transaction: what `org` used in `month` (limits/quota.h), in place of what was stored.
 * No change of configuration, so without an event. */
enum err catalog_put_quota(struct catalog *catalog, slice org, int32_t month, uint64_t used,
                           struct diag *diag);
/* Calls fn for each that is stored; it may not call the catalog. */
typedef void (*catalog_quota_fn)(void *context, slice org, int32_t month, uint64_t used);
enum err catalog_quotas(struct catalog *catalog, catalog_quota_fn fn, void *context,
                        struct diag *diag);

/* ---- Requests that may come twice (Idempotency-Key) ---- */

/* Within a transaction: the answer to this key is remembered for a day. `fingerprint` is what the
 * request was. */
enum err catalog_remember(struct catalog *catalog, slice org, slice key, slice fingerprint,
                          int status, slice answer, struct diag *diag);
/* The answer that was given, as a string of the heap: *answer is freed by the caller. NOT_FOUND:
 * none; CONFLICT: to another request. */
enum err catalog_recall(struct catalog *catalog, slice org, slice key, slice fingerprint,
                        int *status, char **answer, struct diag *diag);

/* ---- The outbox ---- */

struct catalog_event {
    int64_t position;
    slice org;
    slice json; /* one event, as event_read() takes it */
};
/* Calls fn for the oldest events that are not done, up to `max`. */
typedef enum err (*catalog_event_fn)(void *context, const struct catalog_event *event);
enum err catalog_outbox(struct catalog *catalog, size_t max, catalog_event_fn fn, void *context,
                        struct diag *diag);
/* All up to `position` are in the ledger, and not given again. They leave the file with the next
 * commit or catalog_outbox_tidy(); a process that ends before gives them again in its next life. */
void catalog_outbox_done(struct catalog *catalog, int64_t position);
enum err catalog_outbox_tidy(struct catalog *catalog, struct diag *diag);
/* Waits until something may be there, at most so long. False: nothing came. */
bool catalog_outbox_wait(struct catalog *catalog, int64_t timeout_us);
void catalog_outbox_wake(struct catalog *catalog);

/* The steps that the database went through, for who lists them. */
typedef void (*catalog_step_fn)(void *context, slice name, int64_t applied_us);
enum err catalog_steps(struct catalog *catalog, catalog_step_fn fn, void *context,
                       struct diag *diag);
