/* SPDX-License-Identifier: Apache-2.0 */
/* version_answers - what the server says about its versions, and who uses which. */
#include "accounts/key_usage_answer.h"
#include "api/handlers.h"
#include "api/version_report.h"
#include "gate/negotiate.h"
#include "json/write.h"
#include "os/clock.h"

static void write_optional(struct json_writer *json, const char *key, const char *text)
{
    if (text != NULL) {
        json_cstr(json, key, text);
    }
}

/* "version" or "route". */
static void write_name(struct json_writer *json, const struct version_subject *subject)
{
    write_optional(json, "version", subject->version);
    write_optional(json, "route", subject->version == NULL ? subject->route : NULL);
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

static void write_subject(struct json_writer *json, const struct version_report *report,
                          const struct version_subject *subject, uint64_t idle_wanted)
{
    uint64_t idle = version_report_idle_days(report, subject);
    json_begin_object(json, NULL);
    write_name(json, subject);
    json_cstr(json, "status", version_status_name(subject->status));
    json_u64(json, "requests", subject->requests);
    json_time_or_null(json, "last_used_at", subject->last_us);
    write_optional(json, "last_used_by", subject->last_us > 0 ? subject->last_key : NULL);
    json_u64(json, "unused_days", idle);
    json_bool(json, "is_unused", idle >= idle_wanted);
    write_optional(json, "sunset", subject->life->sunset);
    json_end_object(json);
}

static void write_clients(struct json_writer *json, const struct version_report *report)
{
    json_begin_array(json, "clients");
    for (size_t i = 0; i < report->client_count; i++) {
        const struct version_client *client = &report->clients[i];
        if (client->requests > 0) {
            json_begin_object(json, NULL);
            json_cstr(json, "key_id", client->key_id);
            write_name(json, &report->subjects[client->subject]);
            json_u64(json, "requests", client->requests);
            json_time_or_null(json, "last_used_at", client->last_us);
            json_end_object(json);
        }
    }
    json_end_array(json);
}

static void write_usage(struct http_request *request, const struct version_report *report,
                        uint64_t days, uint64_t idle_wanted)
{
    struct json_writer json = json_writer_to(&request->response->body);
    size_t at = 0;
    request->response->content_type = HTTP_TYPE_JSON;
    json_begin_object(&json, NULL);
    json_time_or_null(&json, "counting_since", report->since_us);
    json_u64(&json, "days", days);
    json_u64(&json, "unused_days_wanted", idle_wanted);
    json_begin_array(&json, "versions");
    for (; at < report->subject_count && report->subjects[at].version != NULL; at++) {
        write_subject(&json, report, &report->subjects[at], idle_wanted);
    }
    json_end_array(&json);
    json_begin_array(&json, "routes");
    for (; at < report->subject_count; at++) {
        write_subject(&json, report, &report->subjects[at], idle_wanted);
    }
    json_end_array(&json);
    write_clients(&json, report);
    if (json_end(&json) != OK) {
        api_fail(request, ERR_LIMIT, NULL);
    }
}

void api_version_usage_get(struct http_request *request)
{
    OWNED(version_report) report = NULL;
    struct diag diag = {0};
    uint64_t days = KEY_USAGE_DAYS_DEFAULT;
    uint64_t idle_wanted = VERSION_UNUSED_DAYS;
    enum err e = key_usage_days(request, "days", &days, &diag);
    e = e == OK ? key_usage_days(request, "unused_days", &idle_wanted, &diag) : e;
    e = e == OK ? version_report_make(api_of(request), clock_now_us(), days, &report, &diag) : e;
    if (e == OK) {
        write_usage(request, report, days, idle_wanted);
    } else {
        api_fail(request, e, &diag);
    }
}
