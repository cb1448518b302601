/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail - GET /api/v1/audit/tail: live events as server-sent events.
 *
 * It begins with what comes now, behind Last-Event-ID where a client comes back, or at
 * ?from=<seq>. A message goes from the tail's thread to the loop by http_post(); the next one is
 * asked for when it has been queued for the client, so that one message at most is on the way. With
 * each message, and a comment is one, whoever watches has to be let in as when it began.
 */
#include "query/tail.h"

#include <stdlib.h>

#include "base/mem.h"
#include "gate/auth.h"
#include "os/clock.h"
#include "trail/reader.h"
#include "trail/trail.h"

enum { FILTER_BYTES_MAX = 1024 * 1024 };

/* Lives until the watcher has ended and the request has too. */
struct live {
    struct http_request *request;
    struct tail_watcher *watcher;
    struct arena arena;
    struct query query;
    struct http_task deliver_task;
    struct http_task end_task;
    struct buf message;
    bool is_open; /* the client is there */
};

static void on_deliver(struct http_task *task)
{
    struct live *live = task->arg;
    if (!live->is_open) {
        return;
    }
    if (!auth_still_holds(live->request) ||
        http_stream_send(live->request, buf_slice(&live->message)) != OK) {
        live->is_open = false; /* refused, too slow, or gone; it comes back with Last-Event-ID */
        tail_unwatch(live->watcher);
        return;
    }
    tail_ready(live->watcher);
}

/* On the tail's thread. */
static void deliver(void *context, slice bytes)
{
    struct live *live = context;
    buf_clear(&live->message);
    buf_append(&live->message, bytes);
    http_post(live->request->loop, &live->deliver_task);
}

/* The watcher is gone, and nothing else is on its way: tasks run in the order of posting. */
static void on_ended(struct http_task *task)
{
    struct live *live = task->arg;
    struct http_request *request = live->request;
    query_release(&live->query);
    arena_release(&live->arena);
    buf_release(&live->message);
    free(live);
    http_stream_end(request);
}

static void ended(void *context)
{
    struct live *live = context;
    http_post(live->request->loop, &live->end_task);
}

static enum err find_start(const struct http_request *request, const struct api *api,
                           uint64_t *from, struct diag *diag)
{
    slice text = {0};
    *from = store_size(api->store);
    if (http_header(request, "last-event-id", &text)) {
        if (!slice_parse_u64(text, from)) {
            return diag_fail(diag, ERR_INVALID, "Last-Event-ID", "expected a seq");
        }
        *from += 1;
    } else if (http_query(request, "from", &text) && !slice_parse_u64(text, from)) {
        return diag_fail(diag, ERR_INVALID, "from", "expected a seq");
    }
    return OK;
}

/* The filter's parameters: all but `from`, which is ours. */
static enum err parse(struct http_request *request, struct live *live, struct diag *diag)
{
    struct query_context context;
    struct query_param *params = NULL;
    size_t count = 0;
    size_t kept = 0;
    reader_context(request, &context);
    TRY(reader_params(request, &params, &count));
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal(params[i].name, SLICE("from"))) {
            params[kept++] = params[i];
        }
    }
    const struct query_defaults defaults = {.order = STORE_SEQ_ASC};
    return query_parse(&context, params, kept, &defaults, &live->arena, &live->query, diag);
}

static enum err watch(struct http_request *request, struct live *live, struct diag *diag)
{
    struct api *api = api_of(request);
    uint64_t from = 0;
    TRY(find_start(request, api, &from, diag));
    TRY(parse(request, live, diag));
    const struct tail_options options = {
        .filter = live->query.filter,
        .org = live->query.org,
        .from_seq = from,
        .deliver = deliver,
        .ended = ended,
        .context = live,
    };
    request->response->content_type = HTTP_TYPE_EVENTS;
    http_response_header_cstr(request->response, "Cache-Control", "no-store");
    http_response_header_cstr(request->response, "X-Accel-Buffering", "no");
    return tail_watch(api->tail, &options, &live->watcher, diag);
}

static void on_headers(struct http_request *request)
{
    struct live *live = mem_zeroed(sizeof(*live));
    struct diag diag = {0};
    *live = (struct live){
        .request = request,
        .arena = ARENA_INIT(FILTER_BYTES_MAX),
        .deliver_task = {.run = on_deliver, .arg = live},
        .end_task = {.run = on_ended, .arg = live},
        .message = BUF_INIT(8 * MIB(1)),
    };
    enum err e = watch(request, live, &diag);
    if (e != OK) {
        query_release(&live->query);
        arena_release(&live->arena);
        free(live);
        request->state = NULL;
        api_fail(request, e, &diag);
        http_answer(request);
        return;
    }
    /* Deliveries come through this loop, so none is ahead of the headers. */
    live->is_open = true;
    request->state = live;
    http_stream_open(request);
    if (http_stream_send(request, SLICE(": watching\n\n")) != OK && live->is_open) {
        live->is_open = false; /* it has left, or asked with HEAD */
        tail_unwatch(live->watcher);
    }
}

static void on_body(struct http_request *request, slice piece)
{
    /* A GET has none that matters. */
}

static void on_body_end(struct http_request *request)
{
}

static void on_abort(struct http_request *request, enum http_abort why)
{
    UNUSED(why);
    struct live *live = request->state;
    if (live != NULL && live->is_open) {
        live->is_open = false;
        tail_unwatch(live->watcher);
    }
}

const struct http_parked api_tail_get = {on_headers, on_body, on_body_end, on_abort};
