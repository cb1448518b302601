/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * test_app.h - a small application for the tests of the server: one handler of each kind. Included
 * by *_test.c only.
 */

#include <stdatomic.h>

#include "http/forwarded.h"
#include "http/test_client.h"
#include "os/thread.h"

/* What the handlers count. */
static struct {
    _Atomic uint64_t body_bytes;
    _Atomic int aborts;
    _Atomic int abort_why;
    _Atomic int answered;
    _Atomic int ends; /* of blocking streams, by GONE */
    _Atomic int outcomes;
    _Atomic int last_status;
    _Atomic uint64_t written;
    _Atomic int asked; /* middlewares that waited, and loops */
    _Atomic int crowded;
    _Atomic int wholes; /* pieces that were all of a body */
    struct mutex lock;  /* of held, stream, and the gate */
    struct condition gate;
    bool gate_is_shut;
    struct http_request *held[4096];
    size_t held_count;
    struct http_request *_Atomic stream;
} app;

/* ---- Blocking ---- */

static void app_hello(struct http_request *request)
{
    http_response_text(request->response, 200, HTTP_TYPE_TEXT, SLICE("hello\n"));
}

static void app_echo(struct http_request *request)
{
    http_response_text(request->response, 200, HTTP_TYPE_TEXT, request->body);
    http_response_header_u64(request->response, "X-Bytes", request->body.len);
}

static void app_show(struct http_request *request)
{
    struct buf *out = &request->response->body;
    request->response->content_type = HTTP_TYPE_TEXT;
    buf_append_cstr(out, "id=");
    buf_append(out, http_path_param(request, "id"));
    for (size_t i = 0; i < request->query_count; i++) {
        buf_append_cstr(out, ";");
        buf_append(out, request->query[i].name);
        buf_append_cstr(out, "=");
        buf_append(out, request->query[i].value);
    }
    slice agent = {0};
    if (http_header(request, "user-agent", &agent)) {
        buf_append_cstr(out, ";agent=");
        buf_append(out, agent);
    }
    buf_append_cstr(out, ".");
}

/* How it came, and who shows a certificate. */
static void app_who(struct http_request *request)
{
    struct buf *out = &request->response->body;
    const struct http_certificate *who = request->peer_certificate;
    request->response->content_type = HTTP_TYPE_TEXT;
    buf_append_cstr(out, request->is_https ? "https " : "http ");
    if (who == NULL) {
        buf_append_cstr(out, "nobody");
    } else {
        buf_append_format(out, "%s %s", who->subject, who->fingerprint);
    }
    buf_append_cstr(out, " from ");
    buf_append(out, request->peer);
    buf_append_cstr(out, ".");
}

/* Streams as many bytes as `?bytes=` says. */
static void app_export(struct http_request *request)
{
    slice text = {0};
    static const uint8_t block[65536] = {'e'};
    uint64_t left =
        http_query(request, "bytes", &text) ? strtoull((const char *)text.ptr, NULL, 10) : 0;
    request->response->content_type = HTTP_TYPE_NDJSON;
    while (left > 0) {
        size_t n = left < sizeof(block) ? (size_t)left : sizeof(block);
        if (http_write(request, (slice){block, n}) != OK) {
            app.ends++;
            return;
        }
        app.written += n;
        left -= n;
    }
    slice broken = {0};
    if (http_query(request, "broken", &broken)) {
        http_write_break(request);
    }
}

/* ---- Parked ---- */

static void app_count_body(struct http_request *request, slice piece)
{
    app.body_bytes += piece.len;
    app.wholes += http_body_is_whole(request, piece) ? 1 : 0;
    request->state = (void *)((uintptr_t)request->state + piece.len);
}

static void app_stored(struct http_request *request)
{
    request->response->status = 201;
    request->response->content_type = HTTP_TYPE_JSON;
    buf_append_format(&request->response->body, "{\"bytes\": %zu}\n",
                      (size_t)(uintptr_t)request->state);
    app.answered++;
    http_answer(request);
}

static void app_on_task(struct http_task *task)
{
    app_stored(task->arg);
}

/* Answers by a task, as one that comes from another thread does. */
static void app_park(struct http_request *request)
{
    request->task = (struct http_task){.run = app_on_task, .arg = request};
    http_post(request->loop, &request->task);
}

static void app_aborted(struct http_request *request, enum http_abort why)
{
    app.aborts++;
    app.abort_why = (int)why;
    http_answer(request);
}

static const struct http_parked app_events = {.on_body = app_count_body,
                                              .on_body_end = app_park,
                                              .on_abort = app_aborted};

/* Pauses after each piece and goes on in another turn of the loop. */
static void app_on_resume(struct http_task *task)
{
    http_body_resume(task->arg);
}

static void app_pause(struct http_request *request, slice piece)
{
    app_count_body(request, piece);
    http_body_pause(request);
    request->task = (struct http_task){.run = app_on_resume, .arg = request};
    http_post(request->loop, &request->task);
}

static const struct http_parked app_slow = {.on_body = app_pause,
                                            .on_body_end = app_stored,
                                            .on_abort = app_aborted};

/* Holds requests until app_release_held(). */
static void app_hold(struct http_request *request)
{
    mutex_lock(&app.lock);
    app.held[app.held_count++] = request;
    mutex_unlock(&app.lock);
}

static void app_note_abort(struct http_request *request, enum http_abort why)
{
    UNUSED(request);
    app.aborts++;
    app.abort_why = (int)why;
}

static const struct http_parked app_held = {.on_body = app_count_body,
                                            .on_body_end = app_hold,
                                            .on_abort = app_note_abort};

static inline size_t app_held_count(void)
{
    mutex_lock(&app.lock);
    size_t count = app.held_count;
    mutex_unlock(&app.lock);
    return count;
}

static inline void app_release_held(void)
{
    mutex_lock(&app.lock);
    for (size_t i = 0; i < app.held_count; i++) {
        app_park(app.held[i]);
    }
    app.held_count = 0;
    mutex_unlock(&app.lock);
}

/* Keeps the loop from everybody until the gate opens. */
static void app_keep_loop(struct http_request *request)
{
    app.asked++;
    mutex_lock(&app.lock);
    while (app.gate_is_shut) {
        condition_wait(&app.gate, &app.lock);
    }
    mutex_unlock(&app.lock);
    app_stored(request);
}

static const struct http_parked app_keeping = {.on_body_end = app_keep_loop,
                                               .on_abort = app_aborted};

static void app_count_crowd(struct http_request *request)
{
    app.crowded += request->is_crowded ? 1 : 0;
    app_stored(request);
}

static const struct http_parked app_crowd = {.on_body_end = app_count_crowd,
                                             .on_abort = app_aborted};

/* ---- A stream ---- */

static void app_stream_open(struct http_request *request)
{
    request->response->content_type = HTTP_TYPE_EVENTS;
    http_stream_open(request);
    if (http_stream_send(request, SLICE("data: 1\n\n")) != OK) {
        http_stream_end(request);
        return;
    }
    app.stream = request;
}

static void app_stream_closed(struct http_request *request, enum http_abort why)
{
    app.aborts++;
    app.abort_why = (int)why;
    app.stream = NULL;
    http_stream_end(request);
}

static const struct http_parked app_tail = {.on_body_end = app_stream_open,
                                            .on_abort = app_stream_closed};

/* Sends 64 KiB after 64 KiB to whoever tails until that one is closed. */
static inline void app_flood(struct http_task *task)
{
    static const uint8_t block[65536] = {'f'};
    struct http_request *request = app.stream;
    if (request == NULL) {
        return;
    }
    if (http_stream_send(request, (slice){block, sizeof(block)}) != OK) {
        app.stream = NULL;
        app.ends++;
        http_stream_end(request);
        return;
    }
    http_post(request->loop, task);
}

/* ---- Middleware and hooks ---- */

/* "bad" is refused at once, "slow" and "slow-bad" only where one may wait: until the gate opens. */
static enum http_pass app_check_key(struct http_request *request, void *data)
{
    UNUSED(data);
    slice key = {0};
    (void)http_header(request, "x-api-key", &key);
    if (slice_equal(key, SLICE("bad"))) {
        http_problem(request, 401, "the key is not known");
        return HTTP_PASS_ANSWER;
    }
    return slice_take_literal(&key, SLICE("slow")) ? HTTP_PASS_WAIT : HTTP_PASS_ON;
}

static enum http_pass app_ask_for_key(struct http_request *request, void *data)
{
    UNUSED(data);
    slice key = {0};
    (void)http_header(request, "x-api-key", &key);
    app.asked++;
    mutex_lock(&app.lock);
    while (app.gate_is_shut) {
        condition_wait(&app.gate, &app.lock);
    }
    mutex_unlock(&app.lock);
    if (slice_equal(key, SLICE("slow-bad"))) {
        http_problem(request, 401, "the slow key is not known");
        return HTTP_PASS_ANSWER;
    }
    return HTTP_PASS_ON;
}

/* Waits until `count` middlewares wait in the pool. */
static inline void app_wait_asked(int count)
{
    while (app.asked < count) {
        (void)poll(NULL, 0, 1);
    }
}

static inline void app_set_gate(bool is_shut)
{
    mutex_lock(&app.lock);
    app.gate_is_shut = is_shut;
    condition_broadcast(&app.gate);
    mutex_unlock(&app.lock);
}

/* "X-Body-Max: 3" in place of what the route says. */
static enum http_pass app_bound_body(struct http_request *request, void *data)
{
    UNUSED(data);
    slice most = {0};
    uint64_t bytes = 0;
    if (http_header(request, "x-body-max", &most) && slice_parse_u64(most, &bytes)) {
        request->body_bytes_max = (size_t)bytes;
    }
    return HTTP_PASS_ON;
}

static void app_on_response(const struct http_request *request, const struct http_outcome *outcome,
                            void *data)
{
    UNUSED(request);
    UNUSED(data);
    app.outcomes++;
    app.last_status = outcome->status;
}

static void app_before_response(struct http_request *request, void *data)
{
    UNUSED(data);
    http_response_header_cstr(request->response, "X-Content-Type-Options", "nosniff");
}

static const struct http_middleware app_middleware[] = {
    {http_forwarded, NULL},
    {app_check_key, app_ask_for_key},
    {app_bound_body, NULL},
};

static const struct http_route app_routes[] = {
    {.method = HTTP_GET, .path = "/hello", .blocking = app_hello},
    {.method = HTTP_GET, .path = "/who", .blocking = app_who},
    {.method = HTTP_POST, .path = "/echo", .blocking = app_echo, .body_bytes_max = 65536},
    {.method = HTTP_GET, .path = "/things/{id}", .blocking = app_show},
    {.method = HTTP_GET, .path = "/things/special", .blocking = app_hello},
    {.method = HTTP_GET, .path = "/files/{id...}", .blocking = app_show},
    {.method = HTTP_GET, .path = "/export", .blocking = app_export},
    {.method = HTTP_POST, .path = "/events", .parked = &app_events, .body_bytes_max = 67108864},
    {.method = HTTP_POST, .path = "/slow", .parked = &app_slow, .body_bytes_max = 67108864},
    {.method = HTTP_POST, .path = "/held", .parked = &app_held},
    {.method = HTTP_GET, .path = "/tail", .parked = &app_tail},
    {.method = HTTP_GET, .path = "/keep", .parked = &app_keeping},
    {.method = HTTP_GET, .path = "/crowd", .parked = &app_crowd},
};

static inline struct http_server *app_start(struct http_options options)
{
    options.routes = app_routes;
    options.route_count = COUNT_OF(app_routes);
    options.middleware = app_middleware;
    options.middleware_count = COUNT_OF(app_middleware);
    options.hooks =
        (struct http_hooks){.on_response = app_on_response, .before_response = app_before_response};
#if defined(TEST_OVER_TLS)
    options.tls = options.tls != NULL ? options.tls : test_tls_options();
#endif
    memset(&app, 0, sizeof(app));
    mutex_init(&app.lock);
    condition_init(&app.gate);
    struct http_server *server = NULL;
    struct diag diag = {0};
    enum err started = http_server_start(&options, &server, &diag);
    if (started != OK) {
        print_error("%s: %s\n", diag.where, diag.text);
    }
    assert_int_equal(started, OK);
    return server;
}

/* Waits, for at most 10 s, until `condition` holds. */
#define wait_until(condition)                                                                      \
    do {                                                                                           \
        for (int turns_ = 0; turns_ < 10000 && !(condition); turns_++) {                           \
            (void)usleep(1000);                                                                    \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)
