/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts/key_usage_answer.h"

#include <stdlib.h>

#include "accounts/accounts.h"
#include "accounts/key_usage.h"
#include "base/mem.h"
#include "codec/time.h"
#include "gate/auth.h"
#include "os/clock.h"

enum {
    ROUTES_MAX = 200, /* those that come later are "other" */
    DATE_BYTES = 10,  /* of a time: "2026-01-15" */
};

struct sum {
    uint64_t requests, client_errors, server_errors;
};

struct route_sum {
    char *route;
    struct sum sum;
};

struct usage_sums {
    int64_t first_day;
    struct sum total;
    struct sum days[CATALOG_USAGE_DAYS];
    struct route_sum routes[ROUTES_MAX];
    size_t route_count;
    int64_t last_us;
};

static void usage_sums_freep(struct usage_sums **sums)
{
    for (size_t i = 0; *sums != NULL && i < (*sums)->route_count; i++) {
        free((*sums)->routes[i].route);
    }
    free(*sums);
}

/* ---- Adding up ---- */

static void add(struct sum *sum, const struct catalog_usage *usage)
{
    for (size_t i = 0; i < CATALOG_USAGE_CLASSES; i++) {
        sum->requests += usage->requests[i];
    }
    sum->client_errors += usage->requests[4];
    sum->server_errors += usage->requests[5];
}

static struct sum *sum_of_route(struct usage_sums *sums, slice route)
{
    for (size_t i = 0; i < sums->route_count; i++) {
        if (slice_equal(slice_from_cstr(sums->routes[i].route), route)) {
            return &sums->routes[i].sum;
        }
    }
    if (sums->route_count >= ROUTES_MAX - 1 && !slice_equal(route, SLICE("other"))) {
        return sum_of_route(sums, SLICE("other")); /* the last place is its, if it has none */
    }
    ASSERT(sums->route_count < ROUTES_MAX);
    struct route_sum *added = &sums->routes[sums->route_count++];
    added->route = mem_text((const char *)route.ptr, route.len);
    return &added->sum;
}

static void take_usage(void *context, const struct catalog_usage *usage)
{
    struct usage_sums *sums = context;
    int64_t at = usage->day - sums->first_day;
    if (at >= 0 && at < CATALOG_USAGE_DAYS) { /* a clock that was set back leaves days to come */
        add(&sums->days[at], usage);
        add(&sums->total, usage);
        add(sum_of_route(sums, usage->route), usage);
    }
    sums->last_us = usage->last_us > sums->last_us ? usage->last_us : sums->last_us;
}

static int by_requests(const void *left, const void *right)
{
    const struct route_sum *a = left;
    const struct route_sum *b = right;
    if (a->sum.requests != b->sum.requests) {
        return a->sum.requests < b->sum.requests ? 1 : -1;
    }
    return strcmp(a->route, b->route);
}

/* ---- Telling ---- */

/* A new reference; `name` is a member that says of what it is. */
static json_t *show_sum(const struct sum *sum, const char *name, const char *text, size_t len)
{
    return json_pack("{s:s%, s:I, s:{s:I, s:I}}", name, text, len, "requests",
                     (json_int_t)sum->requests, "errors", "4xx", (json_int_t)sum->client_errors,
                     "5xx", (json_int_t)sum->server_errors);
}

static json_t *show_days(const struct usage_sums *sums)
{
    json_t *list = json_array();
    for (size_t i = 0; i < CATALOG_USAGE_DAYS; i++) {
        char date[TIME_TEXT_BYTES];
        if (sums->days[i].requests > 0) {
            time_format_rfc3339((sums->first_day + (int64_t)i) * KEY_USAGE_DAY_US, date);
            (void)json_array_append_new(list, show_sum(&sums->days[i], "day", date, DATE_BYTES));
        }
    }
    return list;
}

static json_t *show_routes(struct usage_sums *sums)
{
    json_t *list = json_array();
    qsort(sums->routes, sums->route_count, sizeof(sums->routes[0]), by_requests);
    for (size_t i = 0; i < sums->route_count; i++) {
        const struct route_sum *route = &sums->routes[i];
        (void)json_array_append_new(list, show_sum(&route->sum, "route", route->route,
                                                   strlen(route->route)));
    }
    return list;
}

/* When the key was used last: what its object says, or what is counted and not stored yet. */
static json_t *show_last(const json_t *key, const struct usage_sums *sums)
{
    const json_t *stored = json_object_get(key, "last_used_at");
    const char *text = json_string_value(stored);
    int64_t stored_us = 0;
    char last[TIME_TEXT_BYTES];
    bool is_stored = text != NULL && time_parse_rfc3339(slice_from_cstr(text), &stored_us);
    int64_t last_us = is_stored && stored_us > sums->last_us ? stored_us : sums->last_us;
    if (last_us == 0) {
        return json_null();
    }
    time_format_rfc3339(last_us, last);
    return json_stringn(last, sizeof(last));
}

static void answer(struct http_request *request, const json_t *key, struct usage_sums *sums,
                   uint64_t days)
{
    json_t *shown =
        json_pack("{s:O, s:O, s:I, s:o, s:I, s:{s:I, s:I}, s:o, s:o}", "key_id",
                  json_object_get(key, "id"), "key_prefix", json_object_get(key, "key_prefix"),
                  "days", (json_int_t)days, "last_used_at", show_last(key, sums), "total",
                  (json_int_t)sums->total.requests, "errors", "4xx",
                  (json_int_t)sums->total.client_errors, "5xx",
                  (json_int_t)sums->total.server_errors, "by_day", show_days(sums), "by_route",
                  show_routes(sums));
    config_answer(request, 200, shown);
    json_decref(shown);
}

enum err key_usage_days(const struct http_request *request, const char *name, uint64_t *days,
                        struct diag *diag)
{
    slice text = {0};
    uint64_t found = 0;
    if (!http_query(request, name, &text)) {
        return OK;
    }
    if (!slice_parse_u64(text, &found) || found < 1 || found > CATALOG_USAGE_DAYS) {
        return diag_fail(diag, ERR_INVALID, name, "expected a number from 1 to %d",
                         CATALOG_USAGE_DAYS);
    }
    *days = found;
    return OK;
}

/* ---- GET /api/v1/api-keys/{id}/usage ---- */

void api_key_usage_get(struct http_request *request)
{
    const struct api *api = api_of(request);
    CLEANUP(usage_sums_freep) struct usage_sums *sums = mem_zeroed(sizeof(*sums));
    struct diag diag = {0};
    json_t *key = NULL;
    slice org = {0};
    uint64_t days = KEY_USAGE_DAYS_DEFAULT;
    enum err e = config_org(request, &org, &diag);
    e = e == OK ? key_usage_days(request, "days", &days, &diag) : e;
    e = e == OK ? catalog_get(api->catalog, &kind_api_keys, org, http_path_param(request, "id"),
                              &key, &diag)
                : e;
    if (e == OK) {
        slice id = {(const uint8_t *)json_string_value(json_object_get(key, "id")),
                    json_string_length(json_object_get(key, "id"))};
        sums->first_day = clock_now_us() / KEY_USAGE_DAY_US - (int64_t)days + 1;
        e = key_usage_read(api->key_usage, id, sums->first_day, take_usage, sums, &diag);
    }
    if (e == OK) {
        answer(request, key, sums, days);
    } else {
        api_fail(request, e, &diag);
    }
    json_decref(key);
}

/* ---- The hook ---- */

void api_key_usage_note(struct api *api, const struct http_request *request,
                        const struct http_outcome *outcome, const char *version)
{
    const struct caller *caller = request->caller;
    key_usage_count(api->key_usage, caller != NULL ? caller->key_id : (slice){0}, request->route,
                    version, outcome->status, clock_now_us());
}
