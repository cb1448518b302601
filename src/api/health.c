/* SPDX-License-Identifier: Apache-2.0 */
/* health - is the process alive, may it be sent work, and how are its parts. No key needed. */
#include "api/api.h"
#include "codec/json_write.h"
#include "codec/time.h"
#include "os/clock.h"

void api_health_live(struct http_request *request)
{
    http_response_text(request->response, 200, HTTP_TYPE_JSON, SLICE("{\"status\":\"alive\"}"));
}

static bool is_ready(const struct api *api)
{
    return atomic_load(&api->is_ready) && !atomic_load(&api->is_stopping);
}

void api_health_ready(struct http_request *request)
{
    const struct api *api = api_of(request);
    bool ready = is_ready(api);
    struct json_writer json = json_writer_to(&request->response->body);
    request->response->status = ready ? 200 : 503;
    request->response->content_type = HTTP_TYPE_JSON;
    json_begin_object(&json, NULL);
    json_bool(&json, "ready", ready);
    if (!ready) {
        json_cstr(&json, "reason",
                  atomic_load(&api->is_stopping) ? "stopping" : "loading the examples");
        http_response_header_cstr(request->response, "Retry-After", "1");
    }
    enum err e = json_end(&json);
    UNUSED(e); /* a few bytes always fit */
}

static void write_store(struct json_writer *json, const struct store_figures *figures)
{
    json_begin_object(json, "store");
    json_cstr(json, "status", figures->writable ? "healthy" : "degraded");
    json_u64(json, "events", figures->events);
    json_u64(json, "checkpoint_size", figures->checkpoint_size);
    json_bool(json, "writable", figures->writable);
    json_end_object(json);
    json_begin_object(json, "disk");
    json_cstr(json, "status",
              figures->disk_free_bytes < figures->disk_total_bytes / 10 ? "degraded" : "healthy");
    json_u64(json, "free_bytes", figures->disk_free_bytes);
    json_u64(json, "total_bytes", figures->disk_total_bytes);
    json_end_object(json);
}

void api_health(struct http_request *request)
{
    const struct api *api = api_of(request);
    struct store_figures figures;
    char now[TIME_TEXT_BYTES];
    struct json_writer json = json_writer_to(&request->response->body);
    store_figures(api->store, &figures);
    time_format_rfc3339(clock_now_us(), now);
    bool degraded = !figures.writable || figures.disk_free_bytes < figures.disk_total_bytes / 10;
    const char *status = !is_ready(api) ? "unhealthy" : degraded ? "degraded" : "healthy";
    request->response->status = is_ready(api) ? 200 : 503;
    request->response->content_type = HTTP_TYPE_JSON;
    json_begin_object(&json, NULL);
    json_cstr(&json, "status", status);
    json_str(&json, "timestamp", (slice){(const uint8_t *)now, sizeof(now)});
    json_cstr(&json, "version", api->version);
    json_u64(&json, "uptime_seconds", (uint64_t)(clock_monotonic_us() - api->started_us) / 1000000);
    json_begin_object(&json, "components");
    write_store(&json, &figures);
    if (json_end(&json) != OK) {
        api_fail(request, ERR_LIMIT, NULL);
    }
}

void api_version_get(struct http_request *request)
{
    struct json_writer json = json_writer_to(&request->response->body);
    request->response->content_type = HTTP_TYPE_JSON;
    json_begin_object(&json, NULL);
    json_cstr(&json, "version", api_of(request)->version);
    if (json_end(&json) != OK) {
        api_fail(request, ERR_LIMIT, NULL);
    }
}
