/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * loop - one thread, its listener, its connections, its wheel, and its queue of posted tasks.
 *
 * Threads: the loop's, but for http_post() and where a function says so.
 */

#include <uv.h>

#include "http/conn.h"
#include "http/conn_tls.h"
#include "http/peers.h"
#include "http/pool.h"
#include "http/route.h"
#include "message/parser.h"
#include "os/thread.h"

#define LOOP_READ_BYTES 65536

struct http_server {
    struct http_options options; /* with defaults filled in */
    struct http_head_limits head_limits;
    struct http_router *router;
    struct pool *pool, *waiters;
    struct peers *peers;
    bool has_tls;          /* from the start to the end; else plain HTTP */
    struct mutex tls_lock; /* of `tls` */
    struct http_tls *tls;  /* for the next connections */
    struct http_loop *loops;
    uint32_t loop_count;
    uint16_t port;
    _Atomic uint32_t head_ms, idle_ms, write_ms, stop_ms; /* as in the options, or later ones */
    bool is_stopped;
    _Atomic bool is_stopping;
    _Atomic uint64_t accepted;
    _Atomic uint64_t refused;
    _Atomic uint64_t tls_failed;
};

/* A reference to what new connections begin with. */
struct http_tls *server_tls(struct http_server *server);

struct http_loop {
    uv_loop_t uv;
    uv_tcp_t listener;
    uv_async_t wake;
    uv_timer_t ticker;
    uv_prepare_t turn;
    struct http_server *server;
    struct thread thread;
    struct wheel wheel;
    struct http_conn conns; /* head of the ring of all that are open */
    uint32_t conn_count;
    uint32_t begun;         /* requests in this turn of the loop */
    struct exchange *live;  /* all that are in use, also without a connection */
    struct exchange *spare; /* for the next requests */
    uint32_t spare_count;
    struct mutex post_lock; /* of the next two */
    struct http_task *posted;
    struct http_task **posted_last;
    struct http_task stop_task;
    bool is_open;
    bool is_stopping;
    uint64_t stop_deadline_ms;
    uint64_t date_ms;        /* when `date` was made */
    char date[32];           /* as in the Date header */
    struct tls_scratch *tls; /* NULL when it is not spoken */
    struct buf head;         /* of the answer that is being sent */
    char read_bytes[LOOP_READ_BYTES];
};

/* Binds and listens; `address` has the port already when it is not the first loop, whose choice
 * goes to server->port. */
enum err loop_open(struct http_loop *loop, struct http_server *server, struct sockaddr *address,
                   struct diag *diag);
enum err loop_start(struct http_loop *loop, struct diag *diag);

/* Any thread: asks the loop to drain and end. Then loop_join(). */
void loop_stop(struct http_loop *loop);
void loop_join(struct http_loop *loop);

/* After loop_join(), or when it was never started: ends what is left. */
void loop_close(struct http_loop *loop);

/* Milliseconds of a clock that only goes forward, of this turn of the loop. */
static inline uint64_t loop_now_ms(const struct http_loop *loop)
{
    return uv_now(&loop->uv);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", of this second. */
const char *loop_date(struct http_loop *loop);

/* A connection is gone for good. */
void loop_conn_closed(struct http_loop *loop);
