/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes - the history of configuration: who changed what, when, why, from what to what.
 *
 * It is the events of changes, of which those of the last moment may still be in the outbox: these
 * are asked first, so that one that moves to the ledger meanwhile is seen twice rather than never,
 * and is then known by its id.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "codec/time.h"
#include "config/internal.h"
#include "config/legacy_config.h"
#include "event/read.h"
#include "gate/auth.h"
#include "os/clock.h"

enum {
    LIMIT_DEFAULT = 50,
    LIMIT_MAX = 200,
    PARTS_MAX = 16,
    PENDING_MAX = 10000,
    FILTER_BYTES_MAX = 1024 * 1024,
    EVENT_BYTES_MAX = 4 * 1024 * 1024,
};

struct history {
    struct http_request *request;
    struct arena arena; /* of the filter */
    struct filter_context now;
    const struct filter *parts[PARTS_MAX];
    size_t part_count;
    const struct filter *filter;
    slice org;
    bool is_v1; /* version 1.0 is asked for */
    uint64_t page, limit;
    uint64_t matched; /* so far, newest first */
    bool wants_one;   /* the newest is enough */
    json_t *rows;     /* of the page */
    json_t *pending;  /* ids of events from the outbox, as members */
    struct arena event_arena;
    struct diag diag;
};

/* ---- What is asked for ---- */

static enum err add_leaf(struct history *history, slice name, enum filter_op op, slice operand)
{
    ASSERT(history->part_count < PARTS_MAX);
    return filter_make_leaf(name, op, operand, &history->now, &history->arena,
                            &history->parts[history->part_count++], &history->diag);
}

/* A value is a value, whatever stands in it. */
static enum err add_equal(struct history *history, slice name, slice value)
{
    CLEANUP(buf_release) struct buf escaped = BUF_INIT(KIB(64));
    slice kept = {0};
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '*' || value.ptr[i] == '\\' || value.ptr[i] == '!') {
            buf_append_byte(&escaped, '\\');
        }
        buf_append_byte(&escaped, value.ptr[i]);
    }
    if (escaped.failed || !arena_copy(&history->arena, buf_slice(&escaped), &kept)) {
        return diag_fail(&history->diag, ERR_LIMIT, "", "a parameter is too long");
    }
    return add_leaf(history, name, FILTER_EQUAL, kept);
}

/* Any part of the value, in any case. */
static enum err add_contains(struct history *history, slice name, slice value)
{
    CLEANUP(buf_release) struct buf pattern = BUF_INIT(KIB(4));
    slice kept = {0};
    buf_append_cstr(&pattern, "(?i)");
    for (size_t i = 0; i < value.len; i++) {
        buf_append_format(&pattern, "\\x%02x", value.ptr[i]);
    }
    if (pattern.failed || !arena_copy(&history->arena, buf_slice(&pattern), &kept)) {
        return diag_fail(&history->diag, ERR_INVALID, "changed_by", "is too long");
    }
    return add_leaf(history, name, FILTER_REGEX, kept);
}

static enum err add_operation(struct history *history, slice value)
{
    static const char *const names[] = {"create", "update", "delete"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        slice name = slice_from_cstr(names[i]);
        bool is_it = value.len == name.len;
        for (size_t b = 0; b < name.len && is_it; b++) {
            is_it = (value.ptr[b] | 0x20) == name.ptr[b];
        }
        if (is_it) {
            return add_equal(history, SLICE("data.operation"), name);
        }
    }
    return diag_fail(&history->diag, ERR_INVALID, "operation", "expected CREATE, UPDATE or DELETE");
}

static enum err add_table(struct history *history, slice value)
{
    value = history->is_v1 ? legacy_table(value) : value;
    return kind_find(value) != NULL
               ? add_equal(history, SLICE("resource_type"), value)
               : diag_fail(&history->diag, ERR_INVALID, "table_name", "there is no such kind");
}

/* In version 1.0 a number is that of a rule, which the values tell. */
static enum err add_record(struct history *history, slice value)
{
    static const char *const names[] = {"resource_id", "data.new_values.number",
                                        "data.old_values.number"};
    const struct filter *any[COUNT_OF(names)];
    uint64_t number = 0;
    if (!history->is_v1 || !slice_parse_u64(value, &number)) {
        return add_equal(history, SLICE("resource_id"), value);
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        TRY(filter_make_leaf(slice_from_cstr(names[i]), FILTER_EQUAL, value, &history->now,
                             &history->arena, &any[i], &history->diag));
    }
    ASSERT(history->part_count < PARTS_MAX);
    return filter_make_or(&history->arena, any, COUNT_OF(any),
                          &history->parts[history->part_count++]);
}

static enum err add_bound(struct history *history, const char *param, const char *name, slice value)
{
    int64_t ignored_us = 0;
    return filter_parse_time(value, history->now.now_us, &ignored_us)
               ? add_leaf(history, slice_from_cstr(name),
                          param[0] == 's' ? FILTER_GREATER_EQUAL : FILTER_LESS, value)
               : diag_fail(&history->diag, ERR_INVALID, param,
                           "expected a time: RFC 3339, 24h, 7d, today, or epoch seconds");
}

static enum err take_number(struct history *history, const char *name, slice value, uint64_t most,
                            uint64_t *out)
{
    return slice_parse_u64(value, out) && *out >= 1 && *out <= most
               ? OK
               : diag_fail(&history->diag, ERR_INVALID, name, "expected a number from 1 to %llu",
                           (unsigned long long)most);
}

static enum err take_param(struct history *history, slice name, slice value)
{
    static const char *const others[] = {"org", "api_key", "api_version"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (slice_equal(name, slice_from_cstr(others[i]))) {
            return OK;
        }
    }
    if (slice_equal(name, SLICE("page"))) {
        return take_number(history, "page", value, 1000000, &history->page);
    }
    if (slice_equal(name, SLICE("limit"))) {
        return take_number(history, "limit", value, LIMIT_MAX, &history->limit);
    }
    if (value.len == 0) {
        return diag_fail(&history->diag, ERR_INVALID, "", "%.*s is empty", SLICE_ARG(name));
    }
    if (slice_equal(name, SLICE("changed_by"))) {
        return add_contains(history, SLICE("actor_id"), value);
    }
    if (slice_equal(name, SLICE("operation"))) {
        return add_operation(history, value);
    }
    if (slice_equal(name, SLICE("table_name"))) {
        return add_table(history, value);
    }
    if (slice_equal(name, SLICE("record_id"))) {
        return add_record(history, value);
    }
    if (slice_equal(name, SLICE("start_date"))) {
        return add_bound(history, "start_date", "event_timestamp", value);
    }
    if (slice_equal(name, SLICE("end_date"))) {
        return add_bound(history, "end_date", "event_timestamp", value);
    }
    return diag_fail(&history->diag, ERR_INVALID, "",
                     "%.*s is no parameter; changed_by, operation, table_name, record_id, "
                     "start_date, end_date, page and limit are",
                     SLICE_ARG(name));
}

static enum err understand(struct history *history)
{
    const struct http_request *request = history->request;
    TRY(config_org(request, &history->org, &history->diag));
    TRY(add_equal(history, SLICE("source_format"), SLICE("cairn")));
    TRY(add_leaf(history, SLICE("data.operation"), FILTER_EQUAL, SLICE("*")));
    if (request->query_count > PARTS_MAX - 2) {
        return diag_fail(&history->diag, ERR_INVALID, "", "too many parameters");
    }
    for (size_t i = 0; i < request->query_count; i++) {
        TRY(take_param(history, request->query[i].name, request->query[i].value));
    }
    return filter_make_and(&history->arena, history->parts, history->part_count, &history->filter);
}

static enum err understand_one(struct history *history, const struct kind *kind, slice record_id,
                               slice change_id)
{
    history->wants_one = true;
    TRY(config_org(history->request, &history->org, &history->diag));
    TRY(add_equal(history, SLICE("source_format"), SLICE("cairn")));
    TRY(add_leaf(history, SLICE("data.operation"), FILTER_EQUAL, SLICE("*")));
    TRY(add_equal(history, SLICE("resource_type"), slice_from_cstr(kind->name)));
    TRY(add_equal(history, SLICE("resource_id"), record_id));
    if (change_id.len > 0) {
        TRY(add_equal(history, SLICE("event_id"), change_id));
    }
    return filter_make_and(&history->arena, history->parts, history->part_count, &history->filter);
}

/* ---- What is found ---- */

static void set_field(json_t *row, const char *name, const struct event *event, enum field field)
{
    if (event_has(event, field)) {
        slice text = event->value[field].text;
        (void)json_object_set_new(row, name, json_stringn((const char *)text.ptr, text.len));
    }
}

static json_t *row_of(const struct event *event)
{
    static const char *const copied[] = {"changed_by", "table_name", "record_id",
                                         "old_values", "new_values", "reason"};
    char id[UUID_TEXT_BYTES];
    char time[TIME_TEXT_BYTES];
    slice text = event->value[FIELD_EVENT_DATA].text;
    json_t *data = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    json_t *row = json_object();
    uuid_format(&event->value[FIELD_EVENT_ID].uuid, id);
    time_format_rfc3339(event->value[FIELD_EVENT_TIMESTAMP].number, time);
    (void)json_object_set_new(row, "id", json_stringn(id, sizeof(id)));
    (void)json_object_set_new(row, "changed_at", json_stringn(time, sizeof(time)));
    const char *operation = json_string_value(json_object_get(data, "operation"));
    if (operation != NULL) {
        bool is_create = operation[0] == 'c';
        const char *shown = is_create ? "CREATE" : operation[0] == 'u' ? "UPDATE" : "DELETE";
        (void)json_object_set_new(row, "operation", json_string(shown));
    }
    for (size_t i = 0; i < COUNT_OF(copied); i++) {
        json_t *value = json_object_get(data, copied[i]);
        (void)json_object_set(row, copied[i], value != NULL ? value : json_null());
    }
    set_field(row, "correlation_id", event, FIELD_CORRELATION_ID);
    set_field(row, "request_id", event, FIELD_REQUEST_ID);
    json_decref(data);
    return row;
}

static void take_match(struct history *history, const struct event *event)
{
    uint64_t first = (history->page - 1) * history->limit;
    if (history->matched >= first && history->matched < first + history->limit) {
        json_t *row = row_of(event);
        if (history->is_v1) {
            legacy_show_change(row);
        }
        (void)json_array_append_new(history->rows, row);
    }
    history->matched++;
}

static bool has_enough(const struct history *history)
{
    return history->wants_one && history->matched > 0;
}

/* ---- The outbox, newest first ---- */

struct pending {
    struct history *history;
    json_t *texts; /* oldest first */
};

static enum err collect(void *context, const struct catalog_event *event)
{
    struct pending *pending = context;
    bool is_asked =
        pending->history->org.len == 0 || slice_equal(event->org, pending->history->org);
    if (is_asked) {
        (void)json_array_append_new(pending->texts,
                                    json_stringn((const char *)event->json.ptr, event->json.len));
    }
    return OK;
}

static enum err look_at_text(struct history *history, const json_t *text)
{
    const struct read_options options = {
        .org = history->org.len > 0 ? history->org : SLICE(SYSTEM_ORGANIZATION),
        .source_format = SLICE("cairn"),
        .now_us = clock_now_us(),
    };
    struct event event;
    uint64_t sent = 0;
    char id[UUID_TEXT_BYTES + 1] = "";
    slice json = {(const uint8_t *)json_string_value(text), json_string_length(text)};
    arena_clear(&history->event_arena);
    TRY(event_read(json, &options, &history->event_arena, &event, &sent, &history->diag));
    uuid_format(&event.value[FIELD_EVENT_ID].uuid, id);
    (void)json_object_set_new(history->pending, id, json_true());
    if (filter_match(history->filter, &event)) {
        take_match(history, &event);
    }
    return OK;
}

static enum err look_at_outbox(struct history *history)
{
    struct pending pending = {history, json_array()};
    enum err e = catalog_outbox(api_of(history->request)->catalog, PENDING_MAX, collect, &pending,
                                &history->diag);
    for (size_t i = json_array_size(pending.texts); i > 0 && e == OK && !has_enough(history); i--) {
        e = look_at_text(history, json_array_get(pending.texts, i - 1));
    }
    json_decref(pending.texts);
    return e;
}

/* ---- The ledger ---- */

static enum err look_at_ledger(struct history *history)
{
    const struct store_scan_options options = {
        .org = history->org,
        .filter = history->filter,
        .order = STORE_TIME_DESC,
        .size = UINT64_MAX,
    };
    OWNED(store_scan) scan = NULL;
    const struct store_event *event = NULL;
    TRY(store_scan_open(api_of(history->request)->store, &options, &scan, &history->diag));
    TRY(store_scan_next(scan, &event, &history->diag));
    while (event != NULL && !has_enough(history)) {
        char id[UUID_TEXT_BYTES + 1] = "";
        uuid_format(&event->event.value[FIELD_EVENT_ID].uuid, id);
        if (json_object_get(history->pending, id) == NULL) {
            take_match(history, &event->event);
        }
        TRY(store_scan_next(scan, &event, &history->diag));
    }
    return OK;
}

static void answer(struct history *history)
{
    uint64_t pages = (history->matched + history->limit - 1) / history->limit;
    json_t *value = json_pack("{s:O, s:{s:I, s:I, s:I, s:I}}", history->is_v1 ? "logs" : "data",
                              history->rows, history->is_v1 ? "pagination" : "page", "page",
                              (json_int_t)history->page, "limit", (json_int_t)history->limit,
                              "total", (json_int_t)history->matched, "pages", (json_int_t)pages);
    config_answer(history->request, 200, value);
    json_decref(value);
}

static void begin(struct history *history, struct http_request *request)
{
    *history = (struct history){
        .request = request,
        .arena = ARENA_INIT(FILTER_BYTES_MAX),
        .event_arena = ARENA_INIT(EVENT_BYTES_MAX),
        .now = {.now_us = clock_now_us()},
        .is_v1 = legacy_is_v1(request),
        .page = 1,
        .limit = LIMIT_DEFAULT,
        .rows = json_array(),
        .pending = json_object(),
    };
}

static enum err look(struct history *history)
{
    TRY(look_at_outbox(history));
    return has_enough(history) ? OK : look_at_ledger(history);
}

static void end(struct history *history)
{
    for (size_t i = 0; i < history->part_count; i++) {
        filter_release(history->parts[i]);
    }
    json_decref(history->rows);
    json_decref(history->pending);
    arena_release(&history->event_arena);
    arena_release(&history->arena);
}

void api_changes_get(struct http_request *request)
{
    struct history history;
    begin(&history, request);
    enum err e = understand(&history);
    e = e == OK ? look(&history) : e;
    if (e == OK) {
        answer(&history);
    } else {
        api_fail(request, e, &history.diag);
    }
    end(&history);
}

enum err config_find_change(struct http_request *request, const struct kind *kind, slice record_id,
                            slice change_id, json_t **out, struct diag *diag)
{
    struct history history;
    begin(&history, request);
    enum err e = understand_one(&history, kind, record_id, change_id);
    e = e == OK ? look(&history) : e;
    if (e == OK && history.matched == 0) {
        e = diag_fail(&history.diag, ERR_NOT_FOUND, "",
                      change_id.len > 0 ? "its history has no such change"
                                        : "its history has no change");
    }
    if (e == OK) {
        *out = json_incref(json_array_get(history.rows, 0));
    } else {
        *diag = history.diag;
    }
    end(&history);
    return e;
}
