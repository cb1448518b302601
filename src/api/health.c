/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health - is the process alive, may it be sent work, and how are its parts.
 *
 * No key is needed, so nothing is said that helps a stranger: no paths, no hosts, no sentences of
 * the disk; system figures are for operators.
 */
#include "api/health.h"

#include "api/handlers.h"
#include "api/health_redis.h"
#include "base/log.h"
#include "gate/gate.h"
#include "json/write.h"
#include "os/clock.h"
#include "os/system.h"

enum {
    PROBE_BYTES_MAX = 4 * 1024 * 1024,
};

const char *health_name(enum health_state state)
{
    static const char *const names[] = {"healthy", "degraded", "unhealthy"};
    return names[state];
}

/* What was found, once for each request. */
struct health {
    const struct api *api;
    struct store_figures figures;
    struct http_counts counts;
    int64_t took_us; /* the store, to tell its figures and read its newest event */
    bool is_ready;
    bool is_unchecked; /* health.enabled is off: the parts are not looked at */
    enum health_state database, store, disk, overall;
    struct redis_health redis;
};

/* Reads what was written last, so that a store that cannot read is found out. */
static bool read_newest(struct store *store, uint64_t size)
{
    struct diag diag = {0};
    struct store_event event;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(PROBE_BYTES_MAX);
    if (size == 0) {
        return true;
    }
    enum err e = store_get(store, size - 1, (slice){0}, &arena, &event, &diag);
    if (e == ERR_CORRUPT || e == ERR_IO) {
        LOG_ERROR("the health check could not read the newest event", kv_str("error", err_name(e)),
                  kv_str("where", diag.where), kv_str("why", diag.text));
        return false;
    }
    return true;
}

/* Where requests pass without it, the server is no worse than degraded when it is away. */
static enum health_state redis_weight(const struct health *health)
{
    enum health_state most = health->api->redis_is_needed ? UNHEALTHY : DEGRADED;
    return health->redis.state < most ? health->redis.state : most;
}

static void look_at_parts(const struct api *api, struct health *health)
{
    int64_t began_us = clock_monotonic_us();
    store_figures(api->store, &health->figures);
    bool can_read = read_newest(api->store, health->figures.events);
    health->took_us = clock_monotonic_us() - began_us;
    if (api->server != NULL) {
        health->counts = http_server_counts(api->server);
    }
    health->database = health_of(health->took_us, !can_read);
    health->store = health->figures.writable ? HEALTHY : DEGRADED;
    health->disk = health->figures.disk_free_bytes < health->figures.disk_total_bytes / 10
                       ? DEGRADED
                       : HEALTHY;
    redis_look(api, &health->redis);
    health->overall = health_worse(health_worse(health->database, health->store), health->disk);
    health->overall = health_worse(health->overall, redis_weight(health));
}

static void look(const struct api *api, struct health *health)
{
    *health = (struct health){.api = api};
    health->is_ready = atomic_load(&api->is_ready) && !atomic_load(&api->is_stopping);
    health->is_unchecked = !running_bool(api->running, OPTION_HEALTH_ENABLED);
    if (!health->is_unchecked) {
        look_at_parts(api, health);
    }
    if (!health->is_ready) {
        health->overall = UNHEALTHY;
    }
}

enum health_state health_look(const struct api *api, const char **part_out)
{
    struct health health;
    look(api, &health);
    const struct {
        const char *name;
        enum health_state state;
    } parts[] = {
        {"database", health.database},
        {"store", health.store},
        {"disk", health.disk},
        {"redis", redis_weight(&health)},
    };
    *part_out = "application";
    for (size_t i = COUNT_OF(parts); i-- > 0;) {
        *part_out = parts[i].state == health.overall ? parts[i].name : *part_out;
    }
    return health.overall;
}

/* ---- Parts ---- */

static void write_status(struct json_writer *json, const char *key, enum health_state state)
{
    json_cstr(json, key, health_name(state));
}

void health_decimal(struct json_writer *json, const char *key, double number)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(64);
    buf_append_format(&text, "%.3f", number);
    json_raw(json, key, buf_slice(&text));
}

/* The members of the component; the connections are those of the threads that ask the store. */
static void write_database(struct json_writer *json, const struct health *health, bool has_overflow)
{
    write_status(json, "status", health->database);
    health_decimal(json, "response_time_ms", (double)health->took_us / 1000);
    json_begin_object(json, "connection_pool");
    json_u64(json, "size", health->counts.pool_threads);
    json_u64(json, "checked_out", health->counts.pool_busy);
    if (has_overflow) {
        json_u64(json, "overflow", health->counts.pool_waiting);
    }
    json_end_object(json);
}

static void write_store(struct json_writer *json, const struct health *health)
{
    json_begin_object(json, "store");
    write_status(json, "status", health->store);
    json_u64(json, "events", health->figures.events);
    json_u64(json, "checkpoint_size", health->figures.checkpoint_size);
    json_bool(json, "writable", health->figures.writable);
    json_end_object(json);
    json_begin_object(json, "disk");
    write_status(json, "status", health->disk);
    json_u64(json, "free_bytes", health->figures.disk_free_bytes);
    json_u64(json, "total_bytes", health->figures.disk_total_bytes);
    json_end_object(json);
}

static uint64_t uptime_seconds(const struct api *api)
{
    return (uint64_t)(clock_monotonic_us() - api->started_us) / 1000000;
}

static void write_components(struct json_writer *json, const struct health *health)
{
    if (health->is_unchecked) {
        json_cstr(json, "checks", "disabled");
    }
    json_begin_object(json, "components");
    if (!health->is_unchecked) {
        json_begin_object(json, "database");
        write_database(json, health, false);
        json_end_object(json);
        write_store(json, health);
    }
    if (health->redis.is_configured) {
        json_begin_object(json, "redis");
        redis_write(json, &health->redis, false);
        json_end_object(json);
    }
    json_begin_object(json, "application");
    write_status(json, "status", health->is_ready ? HEALTHY : UNHEALTHY);
    json_u64(json, "uptime_seconds", uptime_seconds(health->api));
    json_cstr(json, "version", health->api->version);
    json_end_object(json);
    json_end_object(json);
}

static void write_system(struct json_writer *json)
{
    struct system_figures figures;
    system_figures(&figures);
    json_begin_object(json, "system");
    json_u64(json, "processors", figures.processors);
    health_decimal(json, "load_1m", figures.load_1m);
    health_decimal(json, "load_5m", figures.load_5m);
    health_decimal(json, "load_15m", figures.load_15m);
    json_u64(json, "memory_total_bytes", figures.memory_total_bytes);
    json_u64(json, "memory_available_bytes", figures.memory_available_bytes);
    json_u64(json, "resident_bytes", figures.resident_bytes);
    health_decimal(json, "cpu_seconds",
                   (double)(figures.cpu_user_us + figures.cpu_system_us) / 1e6);
    json_u64(json, "threads", figures.threads);
    json_u64(json, "descriptors", figures.descriptors);
    json_u64(json, "descriptors_max", figures.descriptors_max);
    json_end_object(json);
}

/* ---- Answers ---- */

static struct json_writer begin(struct http_request *request, bool is_well)
{
    struct json_writer json = json_writer_to(&request->response->body);
    request->response->status = is_well ? 200 : 503;
    request->response->content_type = HTTP_TYPE_JSON;
    if (!is_well) {
        http_response_header_cstr(request->response, "Retry-After", "1");
    }
    json_begin_object(&json, NULL);
    return json;
}

static void end(struct http_request *request, struct json_writer *json)
{
    if (json_end(json) != OK) {
        api_fail(request, ERR_LIMIT, NULL);
    }
}

/* On the loop, so that it answers while all threads of the pool are busy. */
static void answer_live(struct http_request *request)
{
    struct json_writer json = begin(request, true);
    write_status(&json, "status", HEALTHY);
    json_time(&json, "timestamp", clock_now_us());
    end(request, &json);
    http_answer(request);
}

const struct http_parked api_health_live = {.on_body_end = answer_live};

/* NULL: it may be sent work. */
static const char *reason_against(const struct health *health)
{
    return atomic_load(&health->api->is_stopping) ? "stopping"
           : !health->is_ready                    ? "loading the examples"
           : health->database == UNHEALTHY        ? "the store does not answer"
           : redis_weight(health) == UNHEALTHY    ? "Redis is away, and nothing passes uncounted"
                                                  : NULL;
}

void api_health_ready(struct http_request *request)
{
    struct health health;
    look(api_of(request), &health);
    const char *reason = reason_against(&health);
    bool is_ready = reason == NULL;
    struct json_writer json = begin(request, is_ready);
    write_status(&json, "status", health.overall);
    json_bool(&json, "ready", is_ready);
    json_time(&json, "timestamp", clock_now_us());
    if (!is_ready) {
        json_cstr(&json, "reason", reason);
    }
    write_components(&json, &health);
    end(request, &json);
}

static void answer_health(struct http_request *request, bool is_detailed)
{
    struct health health;
    look(api_of(request), &health);
    struct json_writer json = begin(request, health.overall != UNHEALTHY);
    write_status(&json, "status", health.overall);
    json_time(&json, "timestamp", clock_now_us());
    json_cstr(&json, "version", health.api->version);
    json_u64(&json, "uptime_seconds", uptime_seconds(health.api));
    write_components(&json, &health);
    if (is_detailed) {
        write_system(&json);
    }
    end(request, &json);
}

void api_health(struct http_request *request)
{
    answer_health(request, false);
}

void api_health_detailed(struct http_request *request)
{
    answer_health(request, true);
}

void api_health_database(struct http_request *request)
{
    struct health health;
    look(api_of(request), &health);
    struct json_writer json = begin(request, health.database != UNHEALTHY);
    if (health.is_unchecked) {
        json_cstr(&json, "status", "disabled");
    } else {
        write_database(&json, &health, true);
    }
    end(request, &json);
}

void api_health_redis(struct http_request *request)
{
    struct redis_health redis;
    redis_look(api_of(request), &redis);
    struct json_writer json = begin(request, redis.state != UNHEALTHY);
    redis_write(&json, &redis, true);
    end(request, &json);
}

/* ---- /api/health and /api/ready ---- */

void api_health_basic(struct http_request *request)
{
    struct json_writer json = begin(request, true);
    json_cstr(&json, "status", "ok");
    json_time(&json, "timestamp", clock_now_us());
    end(request, &json);
}

void api_health_checks(struct http_request *request)
{
    struct health health;
    struct store_identity identity;
    look(api_of(request), &health);
    store_identity(health.api->store, &identity);
    bool can_read = health.database != UNHEALTHY;
    bool can_write = health.is_ready && (health.is_unchecked || health.figures.writable);
    bool has_key = identity.key_count > 0;
    bool is_ready = can_read && can_write && has_key;
    struct json_writer json = begin(request, is_ready);
    json_cstr(&json, "status", is_ready ? "ready" : "not_ready");
    json_time(&json, "timestamp", clock_now_us());
    json_begin_object(&json, "checks");
    json_bool(&json, "database", can_read);
    json_bool(&json, "database_write", can_write);
    json_bool(&json, "signing_key", has_key);
    json_end_object(&json);
    end(request, &json);
}
