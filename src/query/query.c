/* SPDX-License-Identifier: Apache-2.0 */
#include "query/query.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/write.h"
#include "query/cursor.h"

/* One page as it grows. */
struct page {
    const struct query_context *context;
    const struct query *query;
    struct store_scan *scan;
    uint64_t size; /* of the log, for this page and all that follow */
    uint64_t count;
    struct store_position last;
    bool has_more;
    struct buf line;  /* scratch */
    struct buf event; /* scratch */
    struct buf *out;
    size_t began_at; /* in out */
    struct json_writer json;
};

static void page_release(struct page *page)
{
    store_scan_free(page->scan);
    buf_release(&page->line);
    buf_release(&page->event);
}

static enum err open_page(struct page *page, const struct query_context *context,
                          const struct query *query, struct buf *out, struct diag *diag)
{
    uint64_t now = store_size(context->store);
    *page = (struct page){
        .context = context,
        .query = query,
        .size = query->size < now ? query->size : now,
        .line = BUF_INIT(EVENT_LINE_BYTES_MAX),
        .event = BUF_INIT(2 * EVENT_LINE_BYTES_MAX),
        .out = out,
        .began_at = out->len,
        .json = json_writer_to(out),
    };
    const struct store_scan_options options = {
        .org = query->org,
        .filter = query->filter,
        .order = query->order,
        .size = page->size,
        .has_after = query->has_after,
        .after = query->after,
    };
    TRY(store_scan_open(context->store, &options, &page->scan, diag));
    const struct store_event *event = NULL;
    for (uint64_t i = 0; i < query->offset; i++) {
        TRY(store_scan_next(page->scan, &event, diag));
        if (event == NULL) {
            break;
        }
    }
    json_begin_object(&page->json, NULL);
    json_begin_array(&page->json, query->shape != NULL ? query->shape->list : "data");
    return OK;
}

/* The next event of the page, or NULL; looks one further to know whether there is more. */
static enum err next_event(struct page *page, const struct store_event **out, struct diag *diag)
{
    const struct store_event *event = NULL;
    TRY(store_scan_next(page->scan, &event, diag));
    bool full =
        page->count == page->query->limit || page->out->len - page->began_at > QUERY_PAGE_BYTES;
    page->has_more = event != NULL && full;
    *out = full ? NULL : event;
    if (*out != NULL) {
        page->count++;
        page->last =
            (struct store_position){event->event.value[FIELD_EVENT_TIMESTAMP].number, event->seq};
    }
    return OK;
}

static void add_event(struct page *page, const struct store_event *event, slice members)
{
    const struct query_shape *shape = page->query->shape;
    buf_clear(&page->event);
    if (shape != NULL && shape->columns != NULL) {
        render_columns(&event->event, shape->columns, shape->column_count, &page->line,
                       &page->event);
    } else {
        render_event(event, &page->query->fields, members, &page->line, &page->event);
    }
    json_raw(&page->json, NULL, buf_slice(&page->event));
}

static enum err count_all(const struct page *page, uint64_t *total, struct diag *diag)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(KIB(64));
    struct store_group *groups = NULL;
    size_t count = 0;
    const struct store_count_options options = {
        .org = page->query->org,
        .filter = page->query->filter,
        .size = page->size,
        .groups_max = 1,
    };
    TRY(store_count(page->context->store, &options, &arena, &groups, &count, diag));
    *total = count > 0 ? groups[0].count : 0;
    return OK;
}

static void make_cursor(const struct page *page, struct query_answer *answer)
{
    answer->next_cursor[0] = '\0';
    if (page->has_more) {
        const struct cursor cursor = {
            .time_us = page->last.time_us,
            .seq = page->last.seq,
            .size = page->size,
            .now_us = page->query->now_us,
            .fingerprint = page->query->fingerprint,
        };
        static_assert(sizeof(answer->next_cursor) >= CURSOR_TEXT_BYTES, "it fits");
        cursor_format(&cursor, page->context->cursor_key, answer->next_cursor);
    }
}

/* "page": {...} in the shape that was asked for; left open for more members. */
static enum err begin_page_member(struct page *page, struct query_answer *answer, struct diag *diag)
{
    struct json_writer *json = &page->json;
    uint64_t total = 0;
    uint64_t limit = page->query->limit;
    json_end_array(json);
    make_cursor(page, answer);
    if (page->query->wants_total) {
        TRY(count_all(page, &total, diag));
    }
    json_begin_object(json, "page");
    if (page->query->page > 0) {
        json_u64(json, "page", page->query->page);
        json_u64(json, "limit", limit);
        json_u64(json, "total", total);
        json_u64(json, "pages", (total + limit - 1) / limit);
        return OK;
    }
    json_u64(json, "limit", limit);
    json_bool(json, "has_more", page->has_more);
    if (page->has_more) {
        json_cstr(json, "next_cursor", answer->next_cursor);
    } else {
        json_null(json, "next_cursor");
    }
    if (page->query->wants_total) {
        json_u64(json, "total", total);
    }
    return OK;
}

/* The members behind the array, in the shape of the query. */
static enum err write_shape(struct page *page, struct query_answer *answer, struct diag *diag)
{
    const struct query *query = page->query;
    struct query_totals totals = {
        .page = query->page > 0 ? query->page : query->offset / query->limit + 1,
        .limit = query->limit,
        .offset = query->offset,
        .count = page->count,
    };
    json_end_array(&page->json);
    make_cursor(page, answer);
    TRY(count_all(page, &totals.total, diag));
    query->shape->write_page(&page->json, &totals);
    return json_end(&page->json);
}

enum err query_page(const struct query_context *context, const struct query *query, struct buf *out,
                    struct query_answer *answer, struct diag *diag)
{
    CLEANUP(page_release) struct page page = {0};
    const struct store_event *event = NULL;
    TRY(open_page(&page, context, query, out, diag));
    TRY(next_event(&page, &event, diag));
    while (event != NULL) {
        add_event(&page, event, (slice){0});
        TRY(next_event(&page, &event, diag));
    }
    if (query->shape != NULL) {
        return write_shape(&page, answer, diag);
    }
    TRY(begin_page_member(&page, answer, diag));
    return json_end(&page.json);
}

/* ---- Timeline ---- */

enum { TIMELINE_SERVICES_MAX = 64 };

/* An event of the timeline that later ones may name as their parent. */
struct step {
    struct uuid id;
    uint32_t depth;
};

struct timeline {
    struct step *steps; /* [limit] */
    size_t step_count;
    struct buf services; /* their names, each behind its length (uint32_t) */
    size_t service_count;
};

static void timeline_release(struct timeline *timeline)
{
    free(timeline->steps);
    buf_release(&timeline->services);
}

/* One deeper than its parent, if that is on this page; parents come before their children. */
static uint32_t depth_of(const struct timeline *timeline, const struct event *event)
{
    if (!event_has(event, FIELD_PARENT_EVENT_ID)) {
        return 0;
    }
    for (size_t i = timeline->step_count; i > 0; i--) {
        if (uuid_equal(&timeline->steps[i - 1].id, &event->value[FIELD_PARENT_EVENT_ID].uuid)) {
            return timeline->steps[i - 1].depth + 1;
        }
    }
    return 0;
}

static void note_service(struct timeline *timeline, const struct event *event)
{
    if (!event_has(event, FIELD_SERVICE) || timeline->service_count == TIMELINE_SERVICES_MAX) {
        return;
    }
    slice name = event->value[FIELD_SERVICE].text;
    slice rest = buf_slice(&timeline->services);
    while (rest.len > 0) {
        uint32_t len = 0;
        memcpy(&len, rest.ptr, sizeof(len));
        (void)slice_take(&rest, sizeof(len));
        if (slice_equal(slice_take(&rest, len), name)) {
            return;
        }
    }
    uint32_t len = (uint32_t)name.len;
    uint8_t head[sizeof(len)];
    memcpy(head, &len, sizeof(len));
    buf_append(&timeline->services, (slice){head, sizeof(head)});
    buf_append(&timeline->services, name);
    timeline->service_count++;
}

static void add_step(struct page *page, struct timeline *timeline, const struct store_event *event)
{
    char members[32];
    uint32_t depth = depth_of(timeline, &event->event);
    int len = snprintf(members, sizeof(members), ",\"depth\":%u", depth);
    add_event(page, event, (slice){(const uint8_t *)members, (size_t)len});
    timeline->steps[timeline->step_count++] =
        (struct step){event->event.value[FIELD_EVENT_ID].uuid, depth};
    note_service(timeline, &event->event);
}

static void write_services(struct page *page, const struct timeline *timeline)
{
    slice rest = buf_slice(&timeline->services);
    json_begin_array(&page->json, "services");
    while (rest.len > 0) {
        uint32_t len = 0;
        memcpy(&len, rest.ptr, sizeof(len));
        (void)slice_take(&rest, sizeof(len));
        json_str(&page->json, NULL, slice_take(&rest, len));
    }
    json_end_array(&page->json);
}

enum err query_timeline(const struct query_context *context, const struct query *query,
                        slice correlation_id, struct buf *out, struct query_answer *answer,
                        struct diag *diag)
{
    CLEANUP(page_release) struct page page = {0};
    CLEANUP(timeline_release)
    struct timeline timeline = {
        .steps = mem_array((size_t)query->limit, sizeof(struct step)),
        .services = BUF_INIT(MIB(1)),
    };
    const struct store_event *event = NULL;
    TRY(open_page(&page, context, query, out, diag));
    TRY(next_event(&page, &event, diag));
    while (event != NULL) {
        add_step(&page, &timeline, event);
        TRY(next_event(&page, &event, diag));
    }
    TRY(begin_page_member(&page, answer, diag));
    json_str(&page.json, "correlation_id", correlation_id);
    write_services(&page, &timeline);
    return json_end(&page.json);
}
