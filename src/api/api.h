/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * api - the HTTP resources: one file for each, one line for each route (routes.c).
 *
 * A handler takes a request apart, calls the room that does the work, and puts the answer together;
 * api_fail() turns an error into a problem document, so that no handler builds one.
 *
 * Threads: handlers run where http/server.h says; struct api is set up before the server starts and
 * read by all, but for what is atomic. Options that may change are asked of `running` each time.
 */

#include <stdatomic.h>

#include "http/server.h"
#include "ingest/ingest.h"
#include "options/running.h"
#include "query/query.h"
#include "query/tail.h"

struct api_metrics;
struct api_receipts;
struct api_versions;
struct legacy;
struct version_life;

/* Who may use a route without the right it asks for. */
enum openness {
    OPEN_TO_NONE,
    OPEN_TO_KNOWN, /* to everyone who shows who they are */
    OPEN_TO_ALL,
    OPEN_TO_LOOPBACK, /* and to all where a setting says so */
    OPEN_TILES,       /* to all, unless a setting says no */
};

struct api_route {
    uint32_t right; /* access/rights.h */
    enum openness openness;
    const struct kind *kind;         /* of a route of configuration */
    const struct version_life *life; /* of this route (versions.h); NULL: as the API itself */
    const struct legacy *legacy;     /* of a seed's path: its shape (legacy.h) */
    /* What its access event says was done, if not what the method says. Such a route is recorded,
     * open as it may be. */
    const char *action;
};

/* Which requests leave an event; the order is that of the option's choices. */
enum access_events {
    ACCESS_EVENTS_DEFAULT,
    ACCESS_EVENTS_ALL,
    ACCESS_EVENTS_NONE,
};

struct callers;
struct catalog;
struct limits;
struct limit_link;
struct journal;
struct kind;
struct outbox_follower;
struct people;
struct quota;

struct api {
    struct store *store;
    struct ingest ingest;
    struct tail *tail;
    _Atomic(struct http_server *) server; /* its figures; set when requests already run */
    struct api_metrics *metrics;
    struct api_receipts *receipts;
    struct api_versions *versions; /* negotiate.h */
    struct catalog *catalog;
    struct callers *callers;
    struct people *people;
    struct limits *limits;
    struct quota *quota;
    struct limit_link *redis; /* NULL: limits and quota are in memory */
    bool redis_is_needed;     /* without it, what would be counted is refused */
    _Atomic uint64_t quota_refused;
    _Atomic int64_t limit_noted_us;
    struct outbox_follower *outbox;
    struct running *running;
    _Atomic(struct journal *) journal; /* NULL: nothing left an event yet (access_event.h) */
    const char *key_environment;       /* "live" or "dev" */
    uint8_t cursor_key[QUERY_KEY_BYTES];
    const char *version;
    int64_t started_us;
    _Atomic bool is_ready; /* examples are in, nothing stops */
    _Atomic bool is_stopping;
};

/* The route table and the middleware chain; both outlive the server. `api` becomes their data. */
const struct http_route *api_routes(size_t *count);
const struct http_middleware *api_middleware(size_t *count);
void api_hooks(struct api *api, struct http_hooks *out);

/* What every answer carries, whatever made it. */
#define API_SECURITY_HEADERS                                                                       \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "X-Frame-Options: DENY\r\n"                                                                    \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"

/* The api behind a request. */
struct api *api_of(const struct http_request *request);

/* Answers with the problem that `err` and `diag` are (STYLE.md has the table). Sentences of IO and
 * CORRUPT do not leave the house: they go to the log, with the request id. */
void api_fail(struct http_request *request, enum err err, const struct diag *diag);
/* The same with members of its own; `extend` as in http/problem.h. */
void api_fail_with(struct http_request *request, enum err err, const struct diag *diag,
                   void (*extend)(struct json_writer *json, const void *data), const void *data);
int api_status(enum err err);

/* Parameters of the request in the form that queries take. LIMIT. */
enum err api_params(const struct http_request *request, struct query_param **out, size_t *count);
void api_query_context(const struct http_request *request, struct query_context *out);
/* The same with a list of what was wrong where. */
struct api_wrong {
    const char *pointer;
    const char *detail;
};
void api_fail_listed(struct http_request *request, enum err err, const struct diag *diag,
                     const struct api_wrong *list, size_t count);
/* The caller may see every organisation: it belongs to the first, in a role that does. */
bool api_may_see_all(const struct http_request *request);

/* ---- Handlers, by file ---- */

extern const struct http_parked api_events_post; /* write.c */
extern const struct http_parked api_events_batch;
extern const struct http_parked api_ingest_post;
extern const struct http_parked api_mutt_post; /* its own answer, of the path /ingest */
extern const struct http_parked api_tail_get;  /* tail.c */

void api_events_query(struct http_request *request); /* events.c */
void api_event_get(struct http_request *request);
void api_event_proof(struct http_request *request);
void api_timeline_get(struct http_request *request);
void api_stats_get(struct http_request *request);

void api_checkpoint_get(struct http_request *request); /* log.c */
void api_tile_get(struct http_request *request);
void api_log_get(struct http_request *request);
void api_consistency_get(struct http_request *request);
void api_log_rotate(struct http_request *request);

extern const struct http_parked api_health_live; /* health.c */
void api_health_ready(struct http_request *request);
void api_health(struct http_request *request);
void api_health_detailed(struct http_request *request);
void api_health_database(struct http_request *request);
void api_health_redis(struct http_request *request);
void api_health_basic(struct http_request *request);
void api_health_checks(struct http_request *request);
void api_metrics_get(struct http_request *request); /* metrics.c */
void api_version_get(struct http_request *request); /* version_answers.c */
void api_version_usage_get(struct http_request *request);

void api_config_list(struct http_request *request); /* config.c: any kind */
void api_config_get(struct http_request *request);
void api_config_create(struct http_request *request);
void api_config_replace(struct http_request *request);
void api_config_patch(struct http_request *request);
void api_config_delete(struct http_request *request);

void api_key_create(struct http_request *request); /* keys.c */
void api_key_revoke(struct http_request *request);
void api_key_rotate(struct http_request *request);

void api_signup(struct http_request *request); /* login.c */
void api_login(struct http_request *request);
void api_refresh(struct http_request *request);
void api_logout(struct http_request *request);
void api_me(struct http_request *request);

void api_password(struct http_request *request); /* account.c */
void api_totp_begin(struct http_request *request);
void api_totp_confirm(struct http_request *request);
void api_totp_end(struct http_request *request);
void api_totp_reset(struct http_request *request);
void api_token_keys_rotate(struct http_request *request);

void api_changes_get(struct http_request *request); /* changes.c */

void api_settings_list(struct http_request *request); /* settings.c */
void api_setting_get(struct http_request *request);
void api_setting_put(struct http_request *request); /* settings_change.c */
void api_setting_delete(struct http_request *request);
void api_setting_revert(struct http_request *request);

void api_limits_get(struct http_request *request); /* limits.c */
void api_limits_reset(struct http_request *request);
void api_limits_analytics(struct http_request *request); /* limits_analytics.c */

void api_validate_post(struct http_request *request); /* validate.c */
