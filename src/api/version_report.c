/* SPDX-License-Identifier: Apache-2.0 */
#include "api/version_report.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "accounts/key_usage.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "gate/negotiate.h"

enum {
    KEYS_TOLD_MAX = 10, /* in one line of the log */
    KEYS_BYTES_MAX = 1024,
};
static_assert(sizeof(((struct version_subject *)0)->route) == KEY_USAGE_LABEL_BYTES,
              "a route fits");

/* ---- Adding up ---- */

static struct version_subject *subject_of(const struct version_report *report, slice what)
{
    for (size_t i = 0; i < report->subject_count; i++) {
        struct version_subject *subject = &report->subjects[i];
        const char *name = subject->version != NULL ? subject->version : subject->route;
        if (slice_equal(slice_from_cstr(name), what)) {
            return subject;
        }
    }
    return NULL;
}

/* There is a place more for each subject, for its "other". */
static struct version_client *client_of(struct version_report *report, size_t subject, slice key_id)
{
    for (size_t i = 0; i < report->client_count; i++) {
        struct version_client *client = &report->clients[i];
        if (client->subject == subject && slice_equal(slice_from_cstr(client->key_id), key_id)) {
            return client;
        }
    }
    bool is_full = report->client_count >= VERSION_REPORT_CLIENTS_MAX;
    if ((is_full || key_id.len >= VERSION_CLIENT_BYTES) && !slice_equal(key_id, SLICE("other"))) {
        return client_of(report, subject, SLICE("other"));
    }
    ASSERT(report->client_count < VERSION_REPORT_CLIENTS_MAX + report->subject_count);
    struct version_client *client = &report->clients[report->client_count++];
    client->subject = subject;
    memcpy(client->key_id, key_id.ptr, key_id.len);
    return client;
}

static void take_use(void *context, const struct catalog_use *use)
{
    struct version_report *report = context;
    struct version_subject *subject = subject_of(report, use->what);
    bool is_first = use->first_us > 0 && use->first_us < report->since_us;
    report->since_us = is_first ? use->first_us : report->since_us;
    if (subject == NULL) { /* a route that stays, a version that is in no table any more */
        return;
    }
    slice key_id = use->key_id.len > 0 ? use->key_id : SLICE("none");
    struct version_client *client = client_of(report, (size_t)(subject - report->subjects), key_id);
    client->requests += use->requests;
    subject->requests += use->requests;
    client->last_us = use->last_us > client->last_us ? use->last_us : client->last_us;
    if (use->last_us > subject->last_us) {
        subject->last_us = use->last_us;
        memcpy(subject->last_key, client->key_id, sizeof(subject->last_key));
    }
}

/* ---- What there is ---- */

static void list_subjects(struct version_report *report, const struct api_versions *versions)
{
    const struct version_table *table = versions->table;
    report->subject_count = table->count + versions->gone_count;
    report->subjects = mem_array(report->subject_count, sizeof(*report->subjects));
    for (size_t i = 0; i < table->count; i++) {
        report->subjects[i] =
            (struct version_subject){.version = table->entries[i].name,
                                     .life = &table->entries[i].life,
                                     .status = version_status(table, &table->entries[i])};
    }
    for (size_t i = 0; i < versions->gone_count; i++) {
        const struct version_gone *gone = &versions->gone[i];
        struct version_subject *subject = &report->subjects[table->count + i];
        bool is_removed = version_is_removed(table, gone->life);
        *subject =
            (struct version_subject){.life = gone->life,
                                     .status = is_removed ? VERSION_REMOVED : VERSION_DEPRECATED};
        key_usage_label(gone->route, subject->route);
    }
}

enum err version_report_make(const struct api *api, int64_t now_us, uint64_t days,
                             struct version_report **out, struct diag *diag)
{
    OWNED(version_report) report = mem_zeroed(sizeof(*report));
    report->now_us = now_us;
    report->since_us = now_us;
    report->first_day = now_us / KEY_USAGE_DAY_US - (int64_t)days + 1;
    list_subjects(report, api->versions);
    report->clients =
        mem_array(VERSION_REPORT_CLIENTS_MAX + report->subject_count, sizeof(*report->clients));
    TRY(key_usage_sums(api->key_usage, CATALOG_USED_VERSIONS, report->first_day, take_use, report,
                       diag));
    if (api->versions->gone_count > 0) {
        TRY(key_usage_sums(api->key_usage, CATALOG_USED_ROUTES, report->first_day, take_use, report,
                           diag));
    }
    *out = MOVE(report);
    return OK;
}

void version_report_free(struct version_report *report)
{
    if (report != NULL) {
        free(report->subjects);
        free(report->clients);
        free(report);
    }
}

uint64_t version_report_idle_days(const struct version_report *report,
                                  const struct version_subject *subject)
{
    int64_t last_us = subject->last_us > report->since_us ? subject->last_us : report->since_us;
    int64_t idle_us = report->now_us - last_us;
    return idle_us > 0 ? (uint64_t)(idle_us / KEY_USAGE_DAY_US) : 0;
}

/* ---- The start ---- */

static bool is_over(const struct version_subject *subject, int64_t now_us)
{
    struct version_day sunset = {0};
    return subject->status == VERSION_REMOVED ||
           (subject->life->sunset != NULL &&
            version_day_parse(slice_from_cstr(subject->life->sunset), &sunset) &&
            now_us / 1000000 >= version_day_seconds(sunset) + 86400);
}

/* The prefix, by which its owner knows a key. */
static void append_key(struct buf *out, struct catalog *catalog, const char *key_id)
{
    json_t *key = NULL;
    enum err e =
        catalog_get(catalog, &kind_api_keys, (slice){0}, slice_from_cstr(key_id), &key, NULL);
    const char *prefix = e == OK ? json_string_value(json_object_get(key, "key_prefix")) : NULL;
    buf_append_format(out, "%s%s", out->len > 0 ? ", " : "", prefix != NULL ? prefix : key_id);
    json_decref(key);
}

static void warn(const struct api *api, const struct version_report *report, size_t at)
{
    const struct version_subject *subject = &report->subjects[at];
    CLEANUP(buf_release) struct buf keys = BUF_INIT(KEYS_BYTES_MAX);
    size_t told = 0;
    size_t more = 0;
    for (size_t i = 0; i < report->client_count; i++) {
        const struct version_client *client = &report->clients[i];
        if (client->subject != at || client->requests == 0) {
            continue;
        }
        if (told++ < KEYS_TOLD_MAX) {
            append_key(&keys, api->catalog, client->key_id);
        } else {
            more++;
        }
    }
    LOG_WARN("what is past its last day is still used",
             kv_str(subject->version != NULL ? "version" : "route",
                    subject->version != NULL ? subject->version : subject->route),
             kv_str("status", version_status_name(subject->status)),
             kv_str("sunset", subject->life->sunset), kv_u64("requests", subject->requests),
             kv_str("keys", buf_cstr(&keys)), kv_u64("more_keys", more));
}

void version_report_warn(const struct api *api, int64_t now_us)
{
    OWNED(version_report) report = NULL;
    struct diag diag = {0};
    if (version_report_make(api, now_us, VERSION_REPORT_WARN_DAYS, &report, &diag) != OK) {
        LOG_WARN("whether what is past its last day is used cannot be told",
                 kv_str("why", diag.text));
        return;
    }
    ASSERT(report != NULL);
    for (size_t i = 0; i < report->subject_count; i++) {
        if (report->subjects[i].requests > 0 && is_over(&report->subjects[i], now_us)) {
            warn(api, report, i);
        }
    }
}
