/* SPDX-License-Identifier: Apache-2.0 */
/* version_answers - what the server says about its versions, and who uses which. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/negotiate.h"
#include "base/mem.h"
#include "codec/json_write.h"
#include "os/clock.h"

enum {
    IDLE_DAYS_DEFAULT = 30, /* that nobody asked for a version before it may be removed */
    IDLE_DAYS_MAX = 3650,
};

static void write_optional(struct json_writer *json, const char *key, const char *text)
{
    if (text != NULL) {
        json_cstr(json, key, text);
    }
}

/* ---- GET /api/v1/version ---- */

static void write_history(struct json_writer *json, const struct version_table *table)
{
    json_begin_object(json, "version_history");
    for (size_t i = 0; i < table->count; i++) {
        const struct version_entry *entry = &table->entries[i];
        json_begin_object(json, entry->name);
        json_cstr(json, "released", entry->released);
        json_cstr(json, "status", version_status_name(version_status(table, entry)));
        write_optional(json, "deprecated_in", entry->life.deprecated);
        write_optional(json, "sunset", entry->life.sunset);
        write_optional(json, "removed_in", entry->life.removed);
        json_begin_array(json, "changes");
        for (size_t k = 0; k < VERSION_CHANGES_MAX && entry->changes[k] != NULL; k++) {
            json_cstr(json, NULL, entry->changes[k]);
        }
        json_end_array(json);
        json_end_object(json);
    }
    json_end_object(json);
}

void api_version_get(struct http_request *request)
{
    const struct api *api = api_of(request);
    const struct version_table *table = api->versions->table;
    struct json_writer json = json_writer_to(&request->response->body);
    request->response->content_type = HTTP_TYPE_JSON;
    json_begin_object(&json, NULL);
    json_cstr(&json, "current_version", table->entries[0].name);
    json_cstr(&json, "default_version", table->entries[0].name);
    json_begin_array(&json, "supported_versions");
    for (size_t i = 0; i < table->count; i++) {
        if (version_status(table, &table->entries[i]) != VERSION_REMOVED) {
            json_cstr(&json, NULL, table->entries[i].name);
        }
    }
    json_end_array(&json);
    write_history(&json, table);
    if (json_end(&json) != OK) {
        api_fail(request, ERR_LIMIT, NULL);
    }
}

/* ---- GET /api/v1/version/usage ---- */

static void write_versions(struct json_writer *json, const struct api_versions *versions,
                           const struct version_usage_row *rows, size_t count, uint64_t idle_days)
{
    const struct version_table *table = versions->table;
    json_begin_array(json, "versions");
    for (size_t v = 0; v < table->count; v++) {
        uint64_t requests = 0;
        int64_t last_us = 0;
        uint64_t idle = version_usage_idle_days(versions->usage, v, clock_now_us());
        enum version_status status = version_status(table, &table->entries[v]);
        for (size_t i = 0; i < count; i++) {
            requests += rows[i].requests[v];
            last_us = rows[i].last_us[v] > last_us ? rows[i].last_us[v] : last_us;
        }
        json_begin_object(json, NULL);
        json_cstr(json, "version", table->entries[v].name);
        json_cstr(json, "status", version_status_name(status));
        json_u64(json, "requests", requests);
        json_time_or_null(json, "last_used_at", last_us);
        json_u64(json, "unused_days", idle);
        if (status == VERSION_DEPRECATED) {
            json_cstr(json, "sunset", table->entries[v].life.sunset);
            json_bool(json, "is_unused", idle >= idle_days);
        }
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_clients(struct json_writer *json, const struct version_table *table,
                          const struct version_usage_row *rows, size_t count)
{
    json_begin_array(json, "clients");
    for (size_t i = 0; i < count; i++) {
        for (size_t v = 0; v < table->count; v++) {
            if (rows[i].requests[v] > 0) {
                json_begin_object(json, NULL);
                json_cstr(json, "key_id", rows[i].key_id);
                json_cstr(json, "version", table->entries[v].name);
                json_u64(json, "requests", rows[i].requests[v]);
                json_time_or_null(json, "last_used_at", rows[i].last_us[v]);
                json_end_object(json);
            }
        }
    }
    json_end_array(json);
}

void api_version_usage_get(struct http_request *request)
{
    const struct api_versions *versions = api_of(request)->versions;
    CLEANUP(mem_freep)
    struct version_usage_row *rows =
        mem_array(VERSION_USAGE_ROWS_MAX, sizeof(struct version_usage_row));
    uint64_t idle_days = IDLE_DAYS_DEFAULT;
    slice text = {0};
    if (!api_may_see_all(request)) { /* it names the keys of every organisation */
        const struct diag diag = {"", "only the first organisation's keys may see who calls"};
        api_fail(request, ERR_DENIED, &diag);
        return;
    }
    if (http_query(request, "unused_days", &text) &&
        (!slice_parse_u64(text, &idle_days) || idle_days < 1 || idle_days > IDLE_DAYS_MAX)) {
        const struct diag diag = {"unused_days", "expected a number from 1 to 3650"};
        api_fail(request, ERR_INVALID, &diag);
        return;
    }
    size_t count = version_usage_read(versions->usage, rows);
    struct json_writer json = json_writer_to(&request->response->body);
    request->response->content_type = HTTP_TYPE_JSON;
    json_begin_object(&json, NULL);
    json_time_or_null(&json, "counting_since", version_usage_since(versions->usage));
    json_u64(&json, "unused_days_wanted", idle_days);
    write_versions(&json, versions, rows, count, idle_days);
    write_clients(&json, versions->table, rows, count);
    if (json_end(&json) != OK) {
        api_fail(request, ERR_LIMIT, NULL);
    }
}

/* ---- Metrics ---- */

void api_version_metrics(const struct api_versions *versions, struct buf *out)
{
    CLEANUP(mem_freep)
    struct version_usage_row *rows =
        mem_array(VERSION_USAGE_ROWS_MAX, sizeof(struct version_usage_row));
    size_t count = version_usage_read(versions->usage, rows);
    buf_append_cstr(out,
                    "# HELP cairn_api_requests_total Requests under /api/ by version and key.\n"
                    "# TYPE cairn_api_requests_total counter\n");
    for (size_t i = 0; i < count; i++) {
        for (size_t v = 0; v < versions->table->count; v++) {
            if (rows[i].requests[v] > 0) {
                buf_append_format(out, "cairn_api_requests_total{version=\"%s\",key=\"%s\"} %llu\n",
                                  versions->table->entries[v].name, rows[i].key_id,
                                  (unsigned long long)rows[i].requests[v]);
            }
        }
    }
}
