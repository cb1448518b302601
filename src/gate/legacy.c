/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/legacy.h"

#include "json/write.h"

/* ---- Lists ---- */

/* {logs, pagination: {page, limit, total, pages}} */
static void write_pagination(struct json_writer *json, const struct query_totals *totals)
{
    json_begin_object(json, "pagination");
    json_u64(json, "page", totals->page);
    json_u64(json, "limit", totals->limit);
    json_u64(json, "total", totals->total);
    json_u64(json, "pages", (totals->total + totals->limit - 1) / totals->limit);
    json_end_object(json);
}

/* {logs, count, limit, offset} */
static void write_count(struct json_writer *json, const struct query_totals *totals)
{
    json_u64(json, "count", totals->count);
    json_u64(json, "limit", totals->limit);
    json_u64(json, "offset", totals->offset);
}

/* Rows of a table with one column for the object of an action. */
static const struct render_column log_columns[] = {
    {"id", FIELD_EVENT_ID, false},
    {"userId", FIELD_ACTOR_ID, false},
    {"action", FIELD_EVENT_ACTION, false},
    {"resource", FIELD_RESOURCE_TYPE, false},
    {"resourceId", FIELD_RESOURCE_ID, false},
    {"status", FIELD_EVENT_OUTCOME, false},
    {"ipAddress", FIELD_ACTOR_IP, false},
    {"userAgent", FIELD_USER_AGENT, false},
    {"requestData", FIELD_EVENT_DATA, false},
    {"metadata", FIELD_EVENT_METADATA, false},
    {"createdAt", FIELD_EVENT_TIMESTAMP, false},
};

static const struct render_column audit_log_columns[] = {
    {"id", FIELD_EVENT_ID, false},
    {"user_id", FIELD_ACTOR_ID, false},
    {"action", FIELD_EVENT_ACTION, false},
    {"target_type", FIELD_RESOURCE_TYPE, false},
    {"target_id", FIELD_RESOURCE_ID, false},
    {"meta_json", FIELD_EVENT_DATA, true},
    {"ip", FIELD_ACTOR_IP, false},
    {"user_agent", FIELD_USER_AGENT, false},
    {"created_at", FIELD_EVENT_TIMESTAMP, false},
};

static const struct query_shape events_list = {.list = "logs", .write_page = write_pagination};
static const struct query_shape log_list = {"logs", log_columns, COUNT_OF(log_columns),
                                            write_pagination};
static const struct query_shape audit_log_list = {"logs", audit_log_columns,
                                                  COUNT_OF(audit_log_columns), write_count};

void legacy_page_form(const struct query_shape *shape, struct buf *out)
{
    const struct query_totals totals = {.page = 1, .limit = 1};
    struct json_writer json = json_writer_to(out);
    json_begin_object(&json, NULL);
    shape->write_page(&json, &totals);
    ASSERT(json_end(&json) == OK);
}

/* ---- Parameters ---- */

static const struct legacy_param date_params[] = {
    {"start_date", "since"},
    {"end_date", "until"},
};

static const struct legacy_param log_params[] = {
    {"start_date", "since"},    {"startDate", "since"},        {"from", "since"},
    {"end_date", "until"},      {"endDate", "until"},          {"to", "until"},
    {"userId", "actor_id"},     {"resource", "resource_type"}, {"resourceId", "resource_id"},
    {"action", "event_action"}, {"ipAddress", "actor_ip"},     {"ip", "actor_ip"},
};

static const struct legacy_param audit_log_params[] = {
    {"start_date", "since"},
    {"end_date", "until"},
    {"from", "since"},
    {"to", "until"},
};

#define PARAMS(list) .params = (list), .param_count = COUNT_OF(list)
const struct legacy legacy_v1 = {.list = &events_list, PARAMS(date_params)};
const struct legacy legacy_plain = {.errors = LEGACY_ERROR};
const struct legacy legacy_detail = {.errors = LEGACY_DETAIL};
const struct legacy legacy_ingest = {.errors = LEGACY_STATUS};
const struct legacy legacy_logs = {.list = &log_list, PARAMS(log_params)};
const struct legacy legacy_audit_logs = {.list = &audit_log_list, PARAMS(audit_log_params)};
const struct legacy legacy_activity = {.list = &audit_log_list,
                                       PARAMS(audit_log_params),
                                       .limit_max = 50,
                                       .limit_text = "50"};

void legacy_params(const struct legacy *legacy, struct query_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < legacy->param_count; k++) {
            if (slice_equal(params[i].name, slice_from_cstr(legacy->params[k].name))) {
                params[i].name = slice_from_cstr(legacy->params[k].canonical);
                break;
            }
        }
        uint64_t limit = 0;
        if (legacy->limit_max > 0 && slice_equal(params[i].name, SLICE("limit")) &&
            slice_parse_u64(params[i].value, &limit) && limit > legacy->limit_max) {
            params[i].value = slice_from_cstr(legacy->limit_text);
        }
    }
}

bool legacy_event(const struct legacy *legacy, const struct event *event, struct buf *scratch,
                  struct buf *out)
{
    if (legacy == NULL || legacy->list == NULL || legacy->list->columns == NULL) {
        return false;
    }
    render_columns(event, legacy->list->columns, legacy->list->column_count, scratch, out);
    return true;
}

/* ---- Which shape ---- */

const struct legacy *legacy_of(const struct api *api, const struct http_request *request)
{
    const struct api_route *route = request->route != NULL ? request->route->data : NULL;
    if (route != NULL && route->legacy != NULL) {
        return route->legacy;
    }
    if (!api_version_applies(request)) {
        return NULL;
    }
    return api_version_number(api->versions, request).major < 2 ? &legacy_v1 : NULL;
}
