/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/negotiate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "gate/auth.h"
#include "json/write.h"

enum {
    LINES_BYTES_MAX = 2048,
};

/* What was removed, and the versions that there are. */
struct removal {
    const struct version_life *life;
    const struct version_table *table;
};

static const struct version_life *life_of(const struct http_route *route)
{
    const struct api_route *data = route != NULL ? route->data : NULL;
    return data != NULL ? data->life : NULL;
}

/* ---- Lines of headers, made once ---- */

/* "Wed, 30 Jun 2027 00:00:00 GMT" */
static void append_http_date(struct buf *out, struct version_day day)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t since_1970 = version_day_seconds(day) / 86400;
    buf_append_format(out, "%.3s, %02u %.3s %04u 00:00:00 GMT", days + 3 * ((since_1970 + 4) % 7),
                      day.day, months + 3 * (day.month - 1), day.year);
}

/* What is deprecated, when and by what it was, and when it ends: for people, and by RFC 9745 and
 * RFC 8594 for programs. The table was checked, so all is there. */
static void append_life(struct buf *out, const struct version_table *table,
                        const struct version_life *life, const char *document)
{
    struct version by = {0};
    struct version_day since = {0};
    struct version_day sunset = {0};
    ASSERT(version_parse(slice_from_cstr(life->deprecated), &by) &&
           version_release_day(table, by, &since) &&
           version_day_parse(slice_from_cstr(life->sunset), &sunset));
    buf_append_format(out,
                      "X-API-Deprecated: Deprecated in version %s, will be removed in %s\r\n"
                      "X-API-Sunset: %s\r\n"
                      "Deprecation: @%lld\r\nSunset: ",
                      life->deprecated, life->removed, life->sunset,
                      (long long)version_day_seconds(since));
    append_http_date(out, sunset);
    buf_append_format(out, "\r\nLink: <%s>; rel=\"deprecation\", </docs/versions>; rel=\"sunset\"",
                      document);
    if (life->successor != NULL) {
        buf_append_format(out, ", <%s>; rel=\"successor-version\"", life->successor);
    }
    buf_append_cstr(out, "\r\n");
}

static void append_supported(struct buf *out, const struct version_table *table)
{
    const char *between = "X-API-Supported-Versions: ";
    for (size_t i = 0; i < table->count; i++) {
        if (version_status(table, &table->entries[i]) != VERSION_REMOVED) {
            buf_append_cstr(out, between);
            buf_append_cstr(out, table->entries[i].name);
            between = ", ";
        }
    }
    buf_append_cstr(out, "\r\n");
}

static void make_version_lines(struct api_versions *versions, size_t i)
{
    const struct version_entry *entry = &versions->table->entries[i];
    struct buf *out = &versions->lines[i];
    char document[64];
    *out = (struct buf)BUF_INIT(LINES_BYTES_MAX);
    buf_append_format(out, "X-API-Version: %s\r\n", entry->name);
    append_supported(out, versions->table);
    buf_append_cstr(out, "Vary: Accept-Version, X-API-Version\r\n");
    out = &versions->lives[i];
    *out = (struct buf)BUF_INIT(LINES_BYTES_MAX);
    if (version_is_deprecated(versions->table, &entry->life)) {
        (void)snprintf(document, sizeof(document), "/docs/migrate-%s-to-%s", entry->name,
                       entry->life.deprecated);
        append_life(out, versions->table, &entry->life, document);
    }
    ASSERT(!out->failed && !versions->lines[i].failed);
}

static enum err take_routes(struct api_versions *versions, const struct http_route *routes,
                            size_t count, struct diag *diag)
{
    versions->gone = mem_array(count > 0 ? count : 1, sizeof(*versions->gone));
    for (size_t i = 0; i < count; i++) {
        const struct version_life *life = life_of(&routes[i]);
        if (life == NULL) {
            continue;
        }
        TRY(version_life_check(versions->table, life, routes[i].path, diag));
        if (version_is_deprecated(versions->table, life)) {
            struct version_gone *gone = &versions->gone[versions->gone_count++];
            *gone = (struct version_gone){.route = &routes[i],
                                          .life = life,
                                          .lines = BUF_INIT(LINES_BYTES_MAX)};
            append_life(&gone->lines, versions->table, life, "/docs/versions");
            ASSERT(!gone->lines.failed);
        }
    }
    return OK;
}

enum err api_versions_new(const struct version_table *table, const struct http_route *routes,
                          size_t route_count, struct api_versions **out, struct diag *diag)
{
    TRY(version_table_check(table, diag));
    OWNED(api_versions) versions = mem_zeroed(sizeof(*versions));
    versions->table = table;
    versions->usage = version_usage_new();
    versions->numbers = mem_array(table->count, sizeof(*versions->numbers));
    versions->lines = mem_array(table->count, sizeof(*versions->lines));
    versions->lives = mem_array(table->count, sizeof(*versions->lives));
    for (size_t i = 0; i < table->count; i++) {
        ASSERT(version_parse(slice_from_cstr(table->entries[i].name), &versions->numbers[i]));
        make_version_lines(versions, i);
    }
    TRY(take_routes(versions, routes, route_count, diag));
    *out = MOVE(versions);
    return OK;
}

void api_versions_free(struct api_versions *versions)
{
    if (versions == NULL) {
        return;
    }
    for (size_t i = 0; i < versions->table->count; i++) {
        buf_release(&versions->lines[i]);
        buf_release(&versions->lives[i]);
    }
    for (size_t i = 0; i < versions->gone_count; i++) {
        buf_release(&versions->gone[i].lines);
    }
    free(versions->numbers);
    free(versions->lines);
    free(versions->lives);
    free(versions->gone);
    version_usage_free(versions->usage);
    free(versions);
}

/* ---- A request ---- */

bool api_version_applies(const struct http_request *request)
{
    slice path = request->route != NULL ? slice_from_cstr(request->route->path) : request->path;
    return slice_take_literal(&path, SLICE("/api/"));
}

const struct version_entry *api_version_of(const struct api_versions *versions,
                                           const struct http_request *request)
{
    struct version_wishes wishes = {0};
    struct caller *caller = request->caller;
    if (caller != NULL && caller->version != NULL) {
        return caller->version;
    }
    if (!http_header(request, "accept-version", &wishes.accept_version) ||
        wishes.accept_version.len == 0) {
        (void)http_header(request, "x-api-version", &wishes.x_api_version);
    }
    (void)http_query(request, "api_version", &wishes.api_version);
    if (caller != NULL) {
        wishes.organisation = caller->version_default;
    }
    const struct version_entry *version =
        version_at_least(versions->table, version_negotiate(versions->table, &wishes),
                         life_of(request->route));
    if (caller != NULL) {
        caller->version = version;
    }
    return version;
}

/* Where in the table. */
static size_t index_of(const struct api_versions *versions, const struct http_request *request)
{
    return (size_t)(api_version_of(versions, request) - versions->table->entries);
}

struct version api_version_number(const struct api_versions *versions,
                                  const struct http_request *request)
{
    return versions->numbers[index_of(versions, request)];
}

static void extend_removed(struct json_writer *json, const void *data)
{
    const struct removal *removal = data;
    json_cstr(json, "removed_in", removal->life->removed);
    json_cstr(json, "removal_date", removal->life->sunset);
    json_cstr(json, "current_version", removal->table->entries[0].name);
    if (removal->life->successor != NULL) {
        json_cstr(json, "successor", removal->life->successor);
    }
}

enum http_pass api_version_pass(struct http_request *request, void *data)
{
    const struct api *api = data;
    const struct version_life *life = life_of(request->route);
    if (!version_is_removed(api->versions->table, life)) {
        return HTTP_PASS_ON;
    }
    char detail[160];
    (void)snprintf(detail, sizeof(detail), "this endpoint was removed in version %s on %s%s%s",
                   life->removed, life->sunset, life->successor != NULL ? "; use " : "",
                   life->successor != NULL ? life->successor : "");
    const struct removal removal = {life, api->versions->table};
    const struct http_problem problem = {
        .status = 410,
        .type = "/docs/problems#removed",
        .title = "Endpoint removed",
        .detail = slice_from_cstr(detail),
        .extend = extend_removed,
        .extend_data = &removal,
    };
    http_problem_write(request, &problem);
    return HTTP_PASS_ANSWER;
}

/* Of the version and the route, which may both be deprecated, the one that ends first. Days are
 * written so that their texts compare as they do. */
static slice deprecation_of(const struct api_versions *versions, const struct http_route *route,
                            size_t index)
{
    const char *ends = versions->table->entries[index].life.sunset;
    for (size_t i = 0; i < versions->gone_count; i++) {
        const struct version_gone *gone = &versions->gone[i];
        bool is_first =
            versions->lives[index].len == 0 || ends == NULL || strcmp(gone->life->sunset, ends) < 0;
        if (gone->route == route && is_first) {
            return buf_slice(&gone->lines);
        }
    }
    return buf_slice(&versions->lives[index]);
}

void api_version_headers(const struct api_versions *versions, struct http_request *request)
{
    if (!api_version_applies(request)) {
        return;
    }
    size_t index = index_of(versions, request);
    http_response_lines(request->response, buf_slice(&versions->lines[index]));
    slice deprecation = deprecation_of(versions, request->route, index);
    if (deprecation.len > 0) {
        http_response_lines(request->response, deprecation);
    }
}

const char *api_version_note(const struct api_versions *versions,
                             const struct http_request *request)
{
    if (!api_version_applies(request)) {
        return NULL;
    }
    size_t index = index_of(versions, request);
    const struct caller *caller = request->caller;
    version_usage_count(versions->usage, caller != NULL ? caller->key_id : (slice){0}, index);
    return versions->table->entries[index].name;
}

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
