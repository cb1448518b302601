/* SPDX-License-Identifier: Apache-2.0 */
/*
 * append_server - what a POST costs at least: our loop and our parser, and of everything that the
 * server does behind them only an append and a sync. A body goes into the next frame as it came,
 * one thread writes and syncs the frame, and everyone in it is answered 201.
 *
 *   append_server dir=PATH
 *
 * Prints the port that it listens on, and ends when its standard input does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench/figures.h"
#include "http/server.h"
#include "os/clock.h"
#include "os/thread.h"
#include "wal/wal.h"

enum {
    BODY_BYTES_MAX = 64 * 1024,
    FRAME_BYTES = 4 * 1024 * 1024,
};

struct held {
    struct http_request *request;
    struct buf body;
    struct held *next;
};

static struct {
    struct wal *wal;
    uint8_t *frame;
    uint64_t seq;
    struct mutex lock; /* of the rest */
    struct condition filled;
    struct held *first;
    struct held **last;
    bool stopping;
} app;

static void on_headers(struct http_request *request)
{
    struct held *held = mem_zeroed(sizeof(*held));
    held->request = request;
    buf_init(&held->body, BODY_BYTES_MAX);
    request->state = held;
}

static void on_body(struct http_request *request, slice piece)
{
    struct held *held = request->state;
    buf_append(&held->body, piece);
}

static void on_body_end(struct http_request *request)
{
    struct held *held = request->state;
    mutex_lock(&app.lock);
    bool was_empty = app.first == NULL;
    *app.last = held;
    app.last = &held->next;
    if (was_empty) {
        condition_signal(&app.filled);
    }
    mutex_unlock(&app.lock);
}

static void answer(struct http_task *task)
{
    struct held *held = task->arg;
    struct http_request *request = held->request;
    request->response->status = 201;
    request->response->content_type = HTTP_TYPE_JSON;
    buf_append_format(&request->response->body, "{\"bytes\":%zu}", held->body.len);
    buf_release(&held->body);
    free(held);
    http_answer(request);
}

static struct held *take_all(void)
{
    mutex_lock(&app.lock);
    while (app.first == NULL && !app.stopping) {
        condition_wait(&app.filled, &app.lock);
    }
    struct held *taken = app.first;
    app.first = NULL;
    app.last = &app.first;
    mutex_unlock(&app.lock);
    return taken;
}

/* One frame of as many as fit; returns the first that did not. */
static struct held *write_frame(struct held *held, uint32_t *count)
{
    struct wal_place place;
    size_t len = 0;
    *count = 0;
    for (; held != NULL && len + held->body.len <= FRAME_BYTES; held = held->next) {
        memcpy(app.frame + WAL_FRAME_HEAD_BYTES + len, held->body.ptr, held->body.len);
        len += held->body.len;
        (*count)++;
    }
    const struct wal_frame_info info = {len, app.seq, *count, clock_now_us()};
    enum err e = wal_reserve(app.wal, len, NULL);
    e = e == OK ? wal_append(app.wal, app.frame, &info, &place, NULL) : e;
    ASSERT(e == OK);
    app.seq += *count;
    return held;
}

static void commit_all(void *unused)
{
    UNUSED(unused);
    for (struct held *held = take_all(); held != NULL; held = take_all()) {
        while (held != NULL) {
            uint32_t count = 0;
            struct held *end = write_frame(held, &count);
            struct http_loop *loop = held->request->loop;
            struct http_task *first = &held->request->task;
            for (uint32_t i = 0; i < count; i++) {
                struct held *next = held->next;
                struct http_task *after = i + 1 < count ? &next->request->task : NULL;
                held->request->task = (struct http_task){.next = after, .run = answer, .arg = held};
                held = next;
            }
            http_post_list(loop, first);
            held = end;
        }
        enum err e = wal_retire(app.wal, NULL);
        ASSERT(e == OK);
    }
}

int main(int argc, char **argv)
{
    static const struct http_parked parked = {on_headers, on_body, on_body_end, NULL};
    static const struct http_route routes[] = {{.method = HTTP_POST,
                                                .path = "/append",
                                                .parked = &parked,
                                                .body_bytes_max = BODY_BYTES_MAX}};
    struct diag diag = {0};
    struct thread committer = {0};
    OWNED(dir) dir = NULL;
    OWNED(wal) wal = NULL;
    OWNED(http_server) server = NULL;
    const char *path = words_text(argc, argv, "dir");
    const struct wal_options wal_options = {.direct = true};
    const struct http_options options = {.routes = routes, .route_count = COUNT_OF(routes)};
    if (path == NULL || dir_open(path, true, &dir, &diag) != OK ||
        wal_open(dir, &wal_options, 0, &wal, &diag) != OK ||
        http_server_start(&options, &server, &diag) != OK) {
        (void)fprintf(stderr, "append_server: %s %s\n", diag.where, diag.text);
        return 1;
    }
    app.wal = wal;
    app.last = &app.first;
    app.frame = mem_aligned(WAL_FRAME_ALIGN, wal_frame_bytes(FRAME_BYTES));
    mutex_init(&app.lock);
    condition_init(&app.filled);
    enum err e = thread_start(&committer, "committer", commit_all, NULL, &diag);
    ASSERT(e == OK);
    (void)printf("%u\n", http_server_port(server));
    (void)fflush(stdout);
    while (getchar() != EOF) {
    }
    http_server_stop(server);
    mutex_lock(&app.lock);
    app.stopping = true;
    condition_signal(&app.filled);
    mutex_unlock(&app.lock);
    thread_join(&committer);
    free(app.frame);
    return 0;
}
