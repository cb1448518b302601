/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/metrics.h"

#include <stdlib.h>

#include "base/mem.h"
#include "gate/negotiate.h"
#include "ingest/journal.h"
#include "ingest/metrics.h"
#include "ingest/outbox_follower.h"
#include "json/write.h"
#include "limits/limit_link.h"
#include "limits/limits.h"
#include "people/people.h"

enum {
    ROUTES_MAX = 256,
    CLASSES = 6, /* of statuses: 0 for none, 1xx to 5xx */
};

static const int64_t bucket_us[] = {100,   250,   500,    1000,   2500,   5000,    10000,
                                    25000, 50000, 100000, 250000, 500000, 1000000, 5000000};

struct histogram {
    _Atomic uint64_t buckets[COUNT_OF(bucket_us) + 1];
    _Atomic uint64_t sum_us;
};

struct api_metrics {
    struct histogram writes, queries;
    const struct http_route *_Atomic routes[ROUTES_MAX]; /* as they are seen first */
    _Atomic uint64_t requests[ROUTES_MAX + 1][CLASSES];  /* the last row: no route */
    _Atomic uint64_t request_bytes, response_bytes;
};

struct api_metrics *api_metrics_new(void)
{
    return mem_zeroed(sizeof(struct api_metrics));
}

void api_metrics_free(struct api_metrics *metrics)
{
    free(metrics);
}

static void observe(struct histogram *histogram, int64_t us)
{
    size_t at = 0;
    while (at < COUNT_OF(bucket_us) && us > bucket_us[at]) {
        at++;
    }
    atomic_fetch_add_explicit(&histogram->buckets[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, (uint64_t)us, memory_order_relaxed);
}

void api_metrics_write_took(struct api_metrics *metrics, int64_t us)
{
    observe(&metrics->writes, us);
}

void api_metrics_query_took(struct api_metrics *metrics, int64_t us)
{
    observe(&metrics->queries, us);
}

/* A place for this route; ROUTES_MAX when there is none left, or no route. */
static size_t index_of(struct api_metrics *metrics, const struct http_route *route)
{
    for (size_t i = 0; route != NULL && i < ROUTES_MAX; i++) {
        const struct http_route *seen = atomic_load(&metrics->routes[i]);
        if (seen == NULL && atomic_compare_exchange_strong(&metrics->routes[i], &seen, route)) {
            return i;
        }
        if (seen == route) {
            return i;
        }
    }
    return ROUTES_MAX;
}

void api_metrics_request(struct api_metrics *metrics, const struct http_request *request,
                         const struct http_outcome *outcome)
{
    size_t status_class = outcome->status >= 100 ? (size_t)outcome->status / 100 : 0;
    status_class = status_class < CLASSES ? status_class : 0;
    atomic_fetch_add_explicit(&metrics->requests[index_of(metrics, request->route)][status_class],
                              1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metrics->request_bytes, outcome->request_bytes,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&metrics->response_bytes, outcome->response_bytes,
                              memory_order_relaxed);
}

/* ---- As text ---- */

static void write_histogram(struct buf *out, const char *name, const char *help,
                            struct histogram *histogram)
{
    uint64_t total = 0;
    buf_append_format(out, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
    for (size_t i = 0; i < COUNT_OF(bucket_us); i++) {
        total += atomic_load(&histogram->buckets[i]);
        buf_append_format(out, "%s_bucket{le=\"%g\"} %llu\n", name, (double)bucket_us[i] / 1e6,
                          (unsigned long long)total);
    }
    total += atomic_load(&histogram->buckets[COUNT_OF(bucket_us)]);
    buf_append_format(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name,
                      (unsigned long long)total, name,
                      (double)atomic_load(&histogram->sum_us) / 1e6, name,
                      (unsigned long long)total);
}

static void write_requests(struct buf *out, struct api_metrics *metrics)
{
    buf_append_cstr(out, "# HELP cairn_http_requests_total Requests by route and status.\n"
                         "# TYPE cairn_http_requests_total counter\n");
    for (size_t i = 0; i <= ROUTES_MAX; i++) {
        const struct http_route *route = i < ROUTES_MAX ? atomic_load(&metrics->routes[i]) : NULL;
        for (size_t k = 0; k < CLASSES; k++) {
            uint64_t count = atomic_load(&metrics->requests[i][k]);
            if (count > 0) {
                buf_append_format(
                    out,
                    "cairn_http_requests_total{method=\"%s\",route=\"%s\",status=\"%zuxx\"} %llu\n",
                    route != NULL ? http_method_name(route->method) : "other",
                    route != NULL ? route->path : "other", k, (unsigned long long)count);
            }
        }
    }
}

static void write_one(struct buf *out, const char *name, const char *type, const char *help,
                      double value)
{
    buf_append_format(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, type, name,
                      value);
}

/* How the events of our own come to the log. */
static void write_own(struct buf *out, const struct api *api)
{
    struct outbox_figures outbox = {0};
    struct journal_figures journal = {0};
    struct outbox_follower *follower = atomic_load(&api->outbox);
    if (follower != NULL) {
        outbox_follower_figures(follower, &outbox);
    }
    if (api->journal != NULL) {
        journal_figures(api->journal, &journal);
    }
    write_one(out, "cairn_config_events_total", "counter",
              "Events of configuration changes that came from the outbox to the log.",
              (double)outbox.brought);
    write_one(out, "cairn_config_events_behind", "gauge",
              "1 while the events of configuration changes cannot be brought to the log.",
              outbox.is_behind ? 1 : 0);
    write_one(out, "cairn_access_events_total", "counter", "Access events in the log.",
              (double)journal.written);
    write_one(out, "cairn_access_events_waiting", "gauge", "Access events on their way.",
              (double)journal.waiting);
    write_one(out, "cairn_access_events_lost", "gauge",
              "Access events that a full disk took and the log does not tell yet.",
              (double)journal.lost);
    write_one(out, "cairn_access_events_held_total", "counter",
              "Times that an answer was held back because the log took too few access events.",
              (double)journal.waits);
}

static void write_ledger(struct buf *out, struct store *store)
{
    struct store_figures f;
    store_figures(store, &f);
    write_one(out, "cairn_events", "gauge", "Size of the log.", (double)f.events);
    write_one(out, "cairn_checkpoint_size", "gauge", "Size that the newest checkpoint covers.",
              (double)f.checkpoint_size);
    write_one(out, "cairn_segments", "gauge", "Sealed segments.", (double)f.segments);
    write_one(out, "cairn_segment_bytes", "gauge", "Bytes of sealed segments.",
              (double)f.segment_bytes);
    write_one(out, "cairn_sealing", "gauge", "Full segments that wait to be sealed.",
              (double)f.sealing);
    write_one(out, "cairn_background_segments_total", "counter",
              "Segments whose sealing was begun at the lowest priority.", (double)f.sealed_behind);
    write_one(out, "cairn_wal_bytes", "gauge", "Bytes of write-ahead log files, spares included.",
              (double)f.wal_bytes);
    write_one(out, "cairn_wal_files", "gauge", "Write-ahead log files, spares included.",
              (double)f.wal_files);
    write_one(out, "cairn_queue_bytes", "gauge", "Events that wait for the sequencer, in bytes.",
              (double)f.queue_bytes);
    write_one(out, "cairn_commits_total", "counter", "Frames written and synced.",
              (double)f.commits);
    write_one(out, "cairn_commit_seconds_total", "counter", "Time spent writing and syncing.",
              (double)f.commit_us_total / 1e6);
    write_one(out, "cairn_commit_seconds_max", "gauge", "The slowest write and sync so far.",
              (double)f.fsync_us_max / 1e6);
    write_one(out, "cairn_duplicates_total", "counter", "Events that were there already.",
              (double)f.duplicates);
    write_one(out, "cairn_conflicts_total", "counter",
              "Events refused because their id was there with other content.", (double)f.conflicts);
    write_one(out, "cairn_disk_free_bytes", "gauge", "Free space where the data is.",
              (double)f.disk_free_bytes);
    write_one(out, "cairn_writable", "gauge", "1 while events are accepted.",
              f.writable ? 1.0 : 0.0);
}

/* One series for each kind of subject. */
static void write_kinds(struct buf *out, const char *name, const char *help,
                        const uint64_t counts[LIMIT_KIND_COUNT])
{
    buf_append_format(out, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
    for (int kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
        buf_append_format(out, "%s{kind=\"%s\"} %llu\n", name,
                          limit_kind_name((enum limit_kind)kind), (unsigned long long)counts[kind]);
    }
}

static void write_redis(struct buf *out, struct limit_link *redis)
{
    struct limit_link_state state;
    limit_link_state(redis, &state);
    write_one(out, "cairn_redis_up", "gauge", "1 while Redis answers.", state.is_away ? 0 : 1);
    write_one(out, "cairn_redis_outages_total", "counter", "Times that Redis went away.",
              (double)state.outages);
    write_one(out, "cairn_redis_calls_total", "counter", "Calls of Redis, also while it is away.",
              (double)state.calls);
    write_one(out, "cairn_redis_failures_total", "counter", "Calls of Redis without an answer.",
              (double)state.failures);
}

/* AUT-19: those that fail are what an alert looks at. */
static void write_logins(struct buf *out, const struct people *people)
{
    uint64_t counts[LOGIN_ANSWERS];
    people_login_counts(people, counts);
    buf_append_cstr(out, "# HELP cairn_logins_total Logins, by what became of them.\n"
                         "# TYPE cairn_logins_total counter\n");
    for (int answer = 0; answer < LOGIN_ANSWERS; answer++) {
        buf_append_format(out, "cairn_logins_total{outcome=\"%s\"} %llu\n",
                          login_answer_name((enum login_answer)answer),
                          (unsigned long long)counts[answer]);
    }
}

static void write_limits(struct buf *out, const struct api *api)
{
    struct limits_health limits;
    limits_health(api->limits, &limits);
    write_kinds(out, "cairn_limits_allowed_total",
                "Requests that were counted and passed; of an address, failures to authenticate.",
                limits.allowed);
    write_kinds(out, "cairn_limits_refused_total", "Requests over a limit.", limits.refused);
    buf_append_format(out,
                      "# HELP cairn_limits_unjudged_total Requests that Redis did not judge.\n"
                      "# TYPE cairn_limits_unjudged_total counter\n"
                      "cairn_limits_unjudged_total{answer=\"passed\"} %llu\n"
                      "cairn_limits_unjudged_total{answer=\"refused\"} %llu\n",
                      (unsigned long long)limits.passed_unjudged,
                      (unsigned long long)limits.refused_unjudged);
    write_one(out, "cairn_quota_refused_total", "counter", "Validations over a monthly quota.",
              (double)atomic_load(&api->quota_refused));
    if (api->redis != NULL) {
        write_redis(out, api->redis);
        return;
    }
    write_one(out, "cairn_limits_subjects", "gauge",
              "Organisations, keys and addresses whose requests are counted.",
              (double)limits.subjects);
    write_one(out, "cairn_limits_evicted_total", "counter",
              "Subjects that made room for another one.", (double)limits.evicted);
}

/* One series for each pool: "request" and "change", as their threads are called. */
static void write_pools(struct buf *out, const char *name, const char *help, uint64_t requests,
                        uint64_t changes)
{
    buf_append_format(out,
                      "# HELP %s %s\n# TYPE %s gauge\n"
                      "%s{pool=\"request\"} %llu\n%s{pool=\"change\"} %llu\n",
                      name, help, name, name, (unsigned long long)requests, name,
                      (unsigned long long)changes);
}

static void write_server(struct buf *out, const struct http_counts *counts)
{
    write_one(out, "cairn_http_connections", "gauge", "Open connections.",
              (double)counts->connections);
    write_one(out, "cairn_http_refused_total", "counter", "Connections over a maximum.",
              (double)counts->refused);
    write_pools(out, "cairn_http_threads", "Threads that answer requests.", counts->pool_threads,
                counts->waiter_threads);
    write_pools(out, "cairn_http_threads_busy", "Of them, that answer one.", counts->pool_busy,
                counts->waiter_busy);
    write_pools(out, "cairn_http_threads_waited_for", "Requests that wait for a thread.",
                counts->pool_waiting, counts->waiter_waiting);
}

static void write_tls(struct buf *out, struct http_server *server, uint64_t failed)
{
    struct http_certificate shown;
    if (http_server_certificate(server, &shown) == OK) {
        write_one(out, "cairn_http_tls_failed_total", "counter",
                  "Handshakes that failed and connections that broke TLS.", (double)failed);
        write_one(out, "cairn_http_certificate_expires_seconds", "gauge",
                  "When the server's certificate ends, in seconds since 1970.",
                  (double)shown.expires_us / 1e6);
    }
}

static void write_all(struct api *api, struct buf *out)
{
    ingest_metrics_write(api->ingest.metrics, out);
    write_histogram(out, "audit_write_duration_seconds",
                    "From the first byte of a write to its commit.", &api->metrics->writes);
    write_histogram(out, "audit_query_duration_seconds", "Of queries, timelines and statistics.",
                    &api->metrics->queries);
    write_requests(out, api->metrics);
    api_version_metrics(api->versions, out);
    write_ledger(out, api->store);
    write_own(out, api);
    write_limits(out, api);
    write_logins(out, api->people);
    if (api->server != NULL) {
        struct http_counts counts = http_server_counts(api->server);
        write_server(out, &counts);
        write_tls(out, api->server, counts.tls_failed);
    }
}

/* The same figures as one JSON object: series with their labels are the names of its members. */
static enum err write_as_json(slice text, struct buf *out)
{
    struct json_writer json = json_writer_to(out);
    json_begin_object(&json, NULL);
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        slice line = slice_take(&text, end != NULL ? (size_t)(end - text.ptr) : text.len);
        (void)slice_take(&text, end != NULL ? 1 : 0);
        const uint8_t *space = line.len > 0 ? memrchr(line.ptr, ' ', line.len) : NULL;
        if (space != NULL && line.ptr[0] != '#') {
            json_key(&json, (slice){line.ptr, (size_t)(space - line.ptr)});
            json_raw(&json, NULL, (slice){space + 1, (size_t)(line.ptr + line.len - space) - 1});
        }
    }
    return json_end(&json);
}

static bool wants_json(const struct http_request *request)
{
    slice accept = {0};
    slice format = {0};
    if (http_query(request, "format", &format)) {
        return slice_equal(format, SLICE("json"));
    }
    return http_header(request, "accept", &accept) &&
           memmem(accept.ptr, accept.len, "application/json", 16) != NULL;
}

void api_metrics_get(struct http_request *request)
{
    struct buf *out = &request->response->body;
    if (!wants_json(request)) {
        request->response->content_type = "text/plain; version=0.0.4; charset=utf-8";
        write_all(api_of(request), out);
        return;
    }
    CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(4));
    write_all(api_of(request), &text);
    request->response->content_type = HTTP_TYPE_JSON;
    if (write_as_json(buf_slice(&text), out) != OK) {
        api_fail(request, ERR_LIMIT, NULL);
    }
}
