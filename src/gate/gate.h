/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * gate - what every request passes, and what every handler stands on.
 *
 * On the way in: its version (negotiate.h), who calls (auth.h), how often they may (meter.h). On
 * the way out: the shape of older clients (legacy.h), what browsers are told (cors.h), figures
 * (metrics.h) and the event that tells of it (access_event.h). The room `api` has their order.
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
struct resource;
struct version_life;

/* Who may use a route without the right it asks for. */
enum openness {
    OPEN_TO_NONE,
    OPEN_TO_KNOWN, /* to everyone who shows who they are */
    OPEN_TO_ALL,
    OPEN_TO_LOOPBACK, /* and to all, where a setting says so */
    OPEN_TILES,       /* to all, unless a setting says no */
};

struct api_route {
    uint32_t right; /* access/rights.h */
    enum openness openness;
    /* It tells of every organisation, or changes what they share: beside the right it takes a
     * caller who may see them all. */
    bool reaches_all;
    const struct resource *resource; /* of a route of configuration (config/config.h) */
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
struct key_usage;
struct outbox_follower;
struct people;
struct token_review;
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
    struct key_usage *key_usage;
    struct token_review *reviews; /* of Kubernetes' service accounts; NULL: none is let in */
    struct limits *limits;
    struct quota *quota;
    struct limit_link *redis; /* NULL: limits and quota are in memory */
    bool redis_is_needed;     /* without it, what would be counted is refused */
    _Atomic uint64_t quota_refused;
    _Atomic int64_t limit_noted_us[64]; /* when an organisation last left an event of it, by hash */
    _Atomic(struct outbox_follower *) outbox; /* its figures; NULL: requests run before it does */
    struct running *running;
    struct journal *journal;     /* of events that nobody waits for; NULL while the server stops */
    const char *key_environment; /* "live" or "dev" */
    uint8_t cursor_key[QUERY_KEY_BYTES];
    const char *version;
    int64_t started_us;
    _Atomic bool is_ready; /* examples are in, nothing stops */
    _Atomic bool is_stopping;
};

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

/* The same with a list of what was wrong where. */
struct api_wrong {
    const char *pointer;
    const char *detail;
};
void api_fail_listed(struct http_request *request, enum err err, const struct diag *diag,
                     const struct api_wrong *list, size_t count);
/* Adds Link: <path?the same parameters&cursor=...>; rel="next"; an empty cursor: nothing. */
void api_link_next(struct http_request *request, const char *cursor);
/* The caller may see every organisation: it belongs to the first, in a role that does. */
bool api_may_see_all(const struct http_request *request);
