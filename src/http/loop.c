/* SPDX-License-Identifier: Apache-2.0 */
#include "http/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "http/exchange.h"
#include "os/clock.h"

enum {
    DATE_MS = 250,     /* how long the text of the Date header may be kept */
    STOP_TICK_MS = 20, /* while it stops, the ticker looks more often */
};

/* ---- Posted tasks ---- */

void http_post_list(struct http_loop *loop, struct http_task *first)
{
    if (first == NULL) {
        return;
    }
    mutex_lock(&loop->post_lock);
    bool was_empty = loop->posted == NULL;
    *loop->posted_last = first;
    while (first->next != NULL) {
        first = first->next;
    }
    loop->posted_last = &first->next;
    mutex_unlock(&loop->post_lock);
    if (was_empty) { /* whoever made it not empty wakes, or has woken */
        (void)uv_async_send(&loop->wake);
    }
}

void http_post(struct http_loop *loop, struct http_task *task)
{
    task->next = NULL;
    http_post_list(loop, task);
}

/* False when there were none. */
static bool run_posted(struct http_loop *loop)
{
    mutex_lock(&loop->post_lock);
    struct http_task *task = loop->posted;
    loop->posted = NULL;
    loop->posted_last = &loop->posted;
    mutex_unlock(&loop->post_lock);
    bool has_any = task != NULL;
    while (task != NULL) {
        struct http_task *next = task->next;
        task->run(task);
        task = next;
    }
    return has_any;
}

/* Before the loop looks for what came meanwhile. */
static void on_turn(uv_prepare_t *turn)
{
    struct http_loop *loop = turn->data;
    loop->begun = 0;
}

static void on_wake(uv_async_t *wake)
{
    (void)run_posted(wake->data);
}

/* ---- Stopping ---- */

static void end_if_empty(struct http_loop *loop)
{
    if (loop->is_stopping && loop->conn_count == 0) {
        uv_stop(&loop->uv);
    }
}

void loop_conn_closed(struct http_loop *loop)
{
    ASSERT(loop->conn_count > 0);
    loop->conn_count--;
    end_if_empty(loop);
}

/* Closing only marks a connection; it leaves the ring in a later turn of the loop. */
static void for_each_conn(struct http_loop *loop, void (*act)(struct http_conn *conn))
{
    struct http_conn *conn = loop->conns.next;
    while (conn != &loop->conns) {
        struct http_conn *next = conn->next;
        act(conn);
        conn = next;
    }
}

static void on_stop(struct http_task *task)
{
    struct http_loop *loop = task->arg;
    loop->is_stopping = true;
    loop->stop_deadline_ms = loop_now_ms(loop) + loop->server->stop_ms;
    uv_close((uv_handle_t *)&loop->listener, NULL);
    for_each_conn(loop, conn_stop);
    (void)uv_timer_set_repeat(&loop->ticker, STOP_TICK_MS);
    (void)uv_timer_again(&loop->ticker);
    end_if_empty(loop);
}

void loop_stop(struct http_loop *loop)
{
    loop->stop_task = (struct http_task){.run = on_stop, .arg = loop};
    http_post(loop, &loop->stop_task);
}

void loop_join(struct http_loop *loop)
{
    thread_join(&loop->thread);
}

static void on_tick(uv_timer_t *ticker)
{
    struct http_loop *loop = ticker->data;
    wheel_advance(&loop->wheel, loop_now_ms(loop), conn_expired);
    if (loop->is_stopping && loop_now_ms(loop) >= loop->stop_deadline_ms) {
        for_each_conn(loop, conn_close);
    }
}

/* ---- Opening ---- */

static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0) {
        conn_accept(listener->data);
    }
}

static enum err fail(struct diag *diag, const char *what, int error)
{
    return diag_fail(diag, ERR_IO, "listen", "cannot %s: %s", what, uv_strerror(error));
}

/* Several loops listen on one port; the kernel spreads the connections. */
static int share_port(uv_tcp_t *listener)
{
    uv_os_fd_t fd = -1;
    int one = 1;
    int error = uv_fileno((const uv_handle_t *)listener, &fd);
    if (error == 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0) {
        error = uv_translate_sys_error(errno);
    }
    return error;
}

static enum err listen_on(struct http_loop *loop, struct sockaddr *address, struct diag *diag)
{
    const struct http_options *options = &loop->server->options;
    int error = uv_tcp_init_ex(&loop->uv, &loop->listener, address->sa_family);
    ASSERT(error == 0 || error == UV_EMFILE || error == UV_EAFNOSUPPORT || error == UV_ENFILE);
    loop->listener.data = loop;
    if (error == 0 && options->loops > 1) {
        error = share_port(&loop->listener);
    }
    if (error == 0) {
        error = uv_tcp_bind(&loop->listener, address, 0);
    }
    if (error == 0) {
        error = uv_listen((uv_stream_t *)&loop->listener, (int)options->backlog, on_connection);
    }
    if (error != 0) {
        return fail(diag, "listen", error);
    }
    int len = sizeof(struct sockaddr_storage);
    error = uv_tcp_getsockname(&loop->listener, address, &len);
    return error == 0 ? OK : fail(diag, "learn the port", error);
}

enum err loop_open(struct http_loop *loop, struct http_server *server, struct sockaddr *address,
                   struct diag *diag)
{
    loop->server = server;
    loop->posted_last = &loop->posted;
    buf_init(&loop->head, EXCHANGE_HEAD_BYTES_MAX);
    loop->tls = server->has_tls ? mem_zeroed(sizeof(*loop->tls)) : NULL;
    loop->conns.next = &loop->conns;
    loop->conns.prev = &loop->conns;
    mutex_init(&loop->post_lock);
    int error = uv_loop_init(&loop->uv);
    if (error != 0) {
        mutex_release(&loop->post_lock);
        free(loop->tls);
        return fail(diag, "make a loop", error);
    }
    loop->is_open = true;
    loop->wake.data = loop;
    loop->ticker.data = loop;
    loop->turn.data = loop;
    int woken = uv_async_init(&loop->uv, &loop->wake, on_wake);
    int timed = uv_timer_init(&loop->uv, &loop->ticker);
    if (woken != 0 || timed != 0) {
        return fail(diag, "make a loop", woken != 0 ? woken : timed);
    }
    (void)uv_prepare_init(&loop->uv, &loop->turn); /* they cannot fail */
    (void)uv_prepare_start(&loop->turn, on_turn);
    wheel_init(&loop->wheel, server->options.tick_ms, loop_now_ms(loop));
    return listen_on(loop, address, diag);
}

static void run(void *arg)
{
    struct http_loop *loop = arg;
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

enum err loop_start(struct http_loop *loop, struct diag *diag)
{
    uint32_t tick_ms = loop->server->options.tick_ms;
    int error = uv_timer_start(&loop->ticker, on_tick, tick_ms, tick_ms);
    ASSERT(error == 0);
    return thread_start(&loop->thread, "net", run, loop, diag);
}

/* ---- Closing ---- */

static void close_handle(uv_handle_t *handle, void *unused)
{
    UNUSED(unused);
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void free_exchanges(struct exchange *exchange)
{
    while (exchange != NULL) {
        struct exchange *next = exchange->next;
        exchange_free(exchange);
        exchange = next;
    }
}

void loop_close(struct http_loop *loop)
{
    if (!loop->is_open) {
        return;
    }
    loop->is_open = false;
    for_each_conn(loop, conn_close);
    while (run_posted(loop)) {
    }
    uv_walk(&loop->uv, close_handle, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    while (run_posted(loop)) {
    }
    int closed = uv_loop_close(&loop->uv);
    ASSERT(closed == 0);
    buf_release(&loop->head);
    free_exchanges(loop->live);
    free_exchanges(loop->spare);
    free(loop->tls);
    mutex_release(&loop->post_lock);
}

/* ---- The Date header ---- */

const char *loop_date(struct http_loop *loop)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    uint64_t now_ms = loop_now_ms(loop);
    if (loop->date[0] != '\0' && now_ms - loop->date_ms < DATE_MS) {
        return loop->date;
    }
    loop->date_ms = now_ms;
    time_t seconds = (time_t)(clock_now_us() / 1000000);
    struct tm utc = {0};
    if (gmtime_r(&seconds, &utc) != NULL) {
        (void)snprintf(loop->date, sizeof(loop->date), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                       days[utc.tm_wday % 7], utc.tm_mday % 100, months[utc.tm_mon % 12],
                       (utc.tm_year + 1900) % 10000, utc.tm_hour % 100, utc.tm_min % 100,
                       utc.tm_sec % 100);
    }
    return loop->date;
}
