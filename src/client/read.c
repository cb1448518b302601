/* SPDX-License-Identifier: Apache-2.0 */
/* read - queries that follow pages, and the answers that come whole. */
#include <stdlib.h>
#include <time.h>

#include "client/request.h"
#include "client/sse.h"
#include "client/walk.h"

#define PAGE_LIMIT 1000u

/* ---- Pages ---- */

struct pages {
    cairn_event_fn fn;
    void *context;
    uint64_t left; /* events still wanted; UINT64_MAX: all */
    char *cursor;  /* of the next page; NULL: none */
    uint64_t total;
};

/* An event goes to the caller on one line. */
static int give_event(struct cairn_client *client, const struct pages *pages, slice event)
{
    char *bytes = client->answer.ptr + (event.ptr - (const uint8_t *)client->answer.ptr);
    for (char *feed = memchr(bytes, '\n', event.len); feed != NULL;
         feed = memchr(feed, '\n', event.len - (size_t)(feed - bytes))) {
        *feed = ' ';
    }
    return pages->fn(pages->context, bytes, event.len);
}

static enum cairn_result take_page_member(struct cairn_client *client, struct pages *pages,
                                          slice answer)
{
    slice page = {0};
    if (!walk_member(answer, SLICE("page"), &page)) {
        return CAIRN_OK; /* a list that does not page */
    }
    json_t *json = json_loadb((const char *)page.ptr, page.len, 0, NULL);
    const char *cursor = json_string_value(json_object_get(json, "next_cursor"));
    enum cairn_result result = CAIRN_OK;
    pages->total = json_member_u64(json, "total", pages->total);
    if (cursor != NULL) {
        pages->cursor = strdup(cursor);
        result =
            pages->cursor == NULL ? problem_fail(client, CAIRN_MEMORY, "out of memory") : CAIRN_OK;
    }
    json_decref(json);
    return result;
}

/* Gives out the events of the answer and remembers where the next page is. */
static enum cairn_result take_page(struct cairn_client *client, struct pages *pages)
{
    slice answer = text_slice(&client->answer), data = {0}, event = {0};
    free(pages->cursor);
    pages->cursor = NULL;
    if (!walk_member(answer, SLICE("data"), &data) || data.ptr[0] != '[') {
        return problem_fail(client, CAIRN_SERVER, "the answer is not a list of a Cairn server");
    }
    /* First what is behind the events: a caller may change its mind in the middle. */
    enum cairn_result result = take_page_member(client, pages, answer);
    if (result != CAIRN_OK) {
        return result;
    }
    while (pages->left > 0 && walk_element(&data, &event)) {
        if (give_event(client, pages, event) != 0) {
            return problem_fail(client, CAIRN_STOPPED, "stopped by its caller");
        }
        pages->left -= pages->left == UINT64_MAX ? 0 : 1;
    }
    return CAIRN_OK;
}

static enum cairn_result run_page(struct cairn_client *client, const struct text *base,
                                  struct pages *pages)
{
    struct text target = {0};
    text_append(&target, text_slice(base));
    text_append_parameter_u64(&target, "limit",
                              pages->left < PAGE_LIMIT ? pages->left : PAGE_LIMIT);
    text_append_parameter(&target, "cursor", pages->cursor);
    enum cairn_result result = CAIRN_MEMORY;
    if (target.failed) {
        result = problem_fail(client, CAIRN_MEMORY, "out of memory");
    } else {
        struct request request = {.target = target.ptr};
        result = request_run(client, &request);
    }
    text_release(&target);
    return result == CAIRN_OK ? take_page(client, pages) : result;
}

static enum cairn_result run_pages(struct cairn_client *client, struct text *base,
                                   struct pages *pages)
{
    enum cairn_result result =
        base->failed ? problem_fail(client, CAIRN_MEMORY, "out of memory") : CAIRN_OK;
    bool is_first = true;
    while (result == CAIRN_OK && pages->left > 0 && (is_first || pages->cursor != NULL)) {
        result = run_page(client, base, pages);
        is_first = false;
    }
    free(pages->cursor);
    text_release(base);
    return result;
}

enum cairn_result cairn_query(struct cairn_client *client, const struct cairn_query *query,
                              cairn_event_fn fn, void *context, uint64_t *total_out)
{
    struct text base = {0};
    struct pages pages = {.fn = fn,
                          .context = context,
                          .left = query->limit == 0 ? UINT64_MAX : query->limit};
    text_append_cstr(&base, "/api/v1/audit/events");
    text_append_parameter(&base, "q", query->filter);
    text_append_parameter(&base, "since", query->since);
    text_append_parameter(&base, "until", query->until);
    text_append_parameter(&base, "order", query->order);
    text_append_parameter(&base, "fields", query->fields);
    text_append_parameter(&base, "total", query->want_total ? "exact" : NULL);
    enum cairn_result result = run_pages(client, &base, &pages);
    if (result == CAIRN_OK && total_out != NULL && query->want_total) {
        *total_out = pages.total;
    }
    return result;
}

enum cairn_result cairn_timeline(struct cairn_client *client, const char *correlation_id,
                                 cairn_event_fn fn, void *context)
{
    struct text base = {0};
    struct pages pages = {.fn = fn, .context = context, .left = UINT64_MAX};
    text_append_cstr(&base, "/api/v1/audit/timeline/");
    text_append_encoded(&base, correlation_id);
    return run_pages(client, &base, &pages);
}

/* ---- Tail ---- */

struct tail {
    struct sse sse;
    cairn_tail_fn fn;
    void *context;
    bool has_stopped, has_seen;
    bool was_there; /* the server answered at least once: it is worth waiting for */
};

static bool on_event(void *context, const struct sse *sse, slice data)
{
    struct tail *tail = context;
    tail->has_seen = true;
    tail->has_stopped = tail->fn(tail->context, sse->id, (const char *)data.ptr, data.len) != 0;
    return !tail->has_stopped;
}

static bool on_bytes(void *context, slice bytes)
{
    struct tail *tail = context;
    tail->was_there = true;
    return sse_feed(&tail->sse, bytes, on_event, tail);
}

static void wait_to_reconnect(const struct tail *tail, unsigned failures)
{
    long ms = tail->sse.retry_ms > 0 ? tail->sse.retry_ms : 500;
    for (unsigned i = 1; i < failures && ms < 10000; i++) {
        ms *= 2;
    }
    ms = ms > 10000 ? 10000 : ms;
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    (void)nanosleep(&left, NULL); /* a signal may end the wait early */
}

static enum cairn_result run_tail(struct cairn_client *client, const char *target,
                                  struct tail *tail)
{
    unsigned failures = 0;
    for (;;) {
        struct request request = {.target = target,
                                  .accept = "text/event-stream",
                                  .last_event_id = tail->sse.id[0] != '\0' ? tail->sse.id : NULL,
                                  .take = on_bytes,
                                  .take_context = tail,
                                  .is_stream = true};
        sse_restart(&tail->sse);
        tail->has_seen = false;
        enum cairn_result result = request_run(client, &request);
        if (result == CAIRN_STOPPED && !tail->has_stopped) {
            return problem_fail(client, CAIRN_SERVER, "the server sent an event that is too large");
        }
        tail->was_there = tail->was_there || result != CAIRN_UNREACHABLE;
        bool is_broken = result == CAIRN_OK || result == CAIRN_UNREACHABLE || result == CAIRN_BUSY;
        failures = tail->has_seen || result == CAIRN_OK ? 1 : failures + 1;
        if (!is_broken || !tail->was_there || failures > client->retries) {
            return result;
        }
        wait_to_reconnect(tail, failures);
    }
}

enum cairn_result cairn_tail(struct cairn_client *client, const char *filter, const char *after,
                             cairn_tail_fn fn, void *context)
{
    struct text target = {0};
    struct tail tail = {.fn = fn, .context = context};
    sse_init(&tail.sse);
    if (after != NULL && strlen(after) <= SSE_ID_BYTES_MAX) {
        memcpy(tail.sse.id, after, strlen(after) + 1);
    }
    text_append_cstr(&target, "/api/v1/audit/tail");
    text_append_parameter(&target, "q", filter);
    enum cairn_result result = target.failed ? problem_fail(client, CAIRN_MEMORY, "out of memory")
                                             : run_tail(client, target.ptr, &tail);
    sse_release(&tail.sse);
    text_release(&target);
    return result;
}

/* ---- Whole answers ---- */

static enum cairn_result run_text(struct cairn_client *client, struct text *target, char **text_out,
                                  size_t *len_out)
{
    enum cairn_result result = request_text(client, target, text_out, len_out);
    text_release(target);
    return result;
}

enum cairn_result cairn_event(struct cairn_client *client, const char *event_id, int raw,
                              char **text_out, size_t *len_out)
{
    struct text target = {0};
    text_append_cstr(&target, "/api/v1/audit/events/");
    text_append_encoded(&target, event_id);
    text_append_parameter(&target, "raw", raw ? "1" : NULL);
    return run_text(client, &target, text_out, len_out);
}

enum cairn_result cairn_proof(struct cairn_client *client, const char *event_id, char **text_out,
                              size_t *len_out)
{
    struct text target = {0};
    text_append_cstr(&target, "/api/v1/audit/events/");
    text_append_encoded(&target, event_id);
    text_append_cstr(&target, "/proof");
    return run_text(client, &target, text_out, len_out);
}

enum cairn_result cairn_stats(struct cairn_client *client, const struct cairn_stats_query *query,
                              char **text_out, size_t *len_out)
{
    struct text target = {0};
    text_append_cstr(&target, "/api/v1/audit/stats");
    text_append_parameter(&target, "q", query->filter);
    text_append_parameter(&target, "since", query->since);
    text_append_parameter(&target, "until", query->until);
    text_append_parameter(&target, "group_by", query->group_by);
    text_append_parameter(&target, "interval", query->interval);
    if (query->top > 0) {
        text_append_parameter_u64(&target, "limit", query->top);
    }
    return run_text(client, &target, text_out, len_out);
}

enum cairn_result cairn_change(struct cairn_client *client, const char *method, const char *target,
                               const char *json, char **text_out, size_t *len_out)
{
    struct request request = {
        .target = target,
        .method = method,
        .content_type = "application/json",
        .body = {(const uint8_t *)json, json != NULL ? strlen(json) : 0},
    };
    problem_clear(client);
    return request_give(client, &request, text_out, len_out);
}

enum cairn_result cairn_get(struct cairn_client *client, const char *target, char **text_out,
                            size_t *len_out)
{
    struct text copy = {0};
    text_append_cstr(&copy, target[0] == '/' ? "" : "/");
    text_append_cstr(&copy, target);
    return run_text(client, &copy, text_out, len_out);
}

enum cairn_result cairn_log(struct cairn_client *client, char **text_out, size_t *len_out)
{
    return cairn_get(client, "/api/v1/log", text_out, len_out);
}

enum cairn_result cairn_checkpoint(struct cairn_client *client, char **text_out, size_t *len_out)
{
    return cairn_get(client, "/checkpoint", text_out, len_out);
}

enum cairn_result cairn_consistency(struct cairn_client *client, uint64_t old_size,
                                    uint64_t new_size, char **text_out, size_t *len_out)
{
    struct text target = {0};
    text_append_cstr(&target, "/api/v1/log/proof/consistency");
    text_append_parameter_u64(&target, "old", old_size);
    text_append_parameter_u64(&target, "new", new_size);
    return run_text(client, &target, text_out, len_out);
}

enum cairn_result cairn_health(struct cairn_client *client, char **text_out, size_t *len_out)
{
    enum cairn_result result = cairn_get(client, "/health", text_out, len_out);
    if (result == CAIRN_BUSY && client->answer.len > 0) {
        *text_out = client->answer.ptr; /* which component is down is what was asked */
        if (len_out != NULL) {
            *len_out = client->answer.len;
        }
        client->answer = (struct text){.max = client->answer.max};
    }
    return result;
}
