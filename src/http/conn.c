/* SPDX-License-Identifier: Apache-2.0 */
#include "http/conn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/exchange.h"

enum {
    REFUSED_MAX = 256,   /* that are told why, at once */
    WAITING_READ = 4096, /* bytes, while an answer is pending */
};

/* What a full server says to those that it cannot take. */
static const char full[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
                           "Content-Length: 0\r\nConnection: close\r\n";

static const char needs_tls[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: " HTTP_TYPE_TEXT "\r\n"
                                "Content-Length: 63\r\nConnection: close\r\n";
static const char needs_tls_body[] =
    "This port speaks HTTPS: use a URL that begins with https://...\n";
static_assert(sizeof(needs_tls_body) - 1 == 63, "its Content-Length");

static struct http_conn *conn_of(void *handle)
{
    return ((uv_handle_t *)handle)->data;
}

/* ---- Closing ---- */

static void on_closed(uv_handle_t *handle)
{
    struct http_conn *conn = conn_of(handle);
    struct http_loop *loop = conn->loop;
    conn_tls_free(conn->tls); /* which tells an exchange that still waits for it */
    if (conn->is_counted) {
        peers_drop(loop->server->peers, conn->is_trusted ? NULL : conn->address);
    }
    conn->prev->next = conn->next;
    conn->next->prev = conn->prev;
    buf_release(&conn->in);
    free(conn);
    loop_conn_closed(loop);
}

static void close_telling(struct http_conn *conn, enum http_abort why)
{
    if (conn->is_closing) {
        return;
    }
    conn->is_closing = true;
    wheel_remove(&conn->timer);
    struct exchange *exchange = conn->now;
    conn->now = NULL;
    if (exchange != NULL) {
        exchange_detach(exchange, why);
    } else if (conn->tls != NULL && !conn->is_shut) {
        conn_tls_end(conn); /* what was sent is whole; a broken answer must not look so */
    }
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

void conn_close(struct http_conn *conn)
{
    close_telling(conn, HTTP_ABORT_PEER);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    UNUSED(status);
    free(request);
}

static void shut_down(struct http_conn *conn)
{
    conn->is_shut = true;
    uv_shutdown_t *request = mem_zeroed(sizeof(*request));
    if (uv_shutdown(request, (uv_stream_t *)&conn->tcp, on_shutdown) != 0) {
        free(request);
        conn_close(conn);
        return;
    }
    if (conn->is_eof) {
        /* The peer has ended too: after the shutdown nothing can be lost. */
        conn_close(conn);
        return;
    }
    conn_update(conn);
}

void conn_flushed(struct http_conn *conn)
{
    if (conn->is_lingering && !conn->is_shut) {
        shut_down(conn);
    }
}

/* Ends our side and reads on for a moment: bytes that nobody reads would become a reset, which
 * could take the answer from the client before it has read it. */
static void linger(struct http_conn *conn)
{
    conn->is_lingering = true;
    if (!conn->is_taking) { /* else a handler may still look at a piece of it */
        buf_release(&conn->in);
    }
    if (conn->tls != NULL) {
        conn_tls_end(conn);
    }
    if (conn->tls == NULL || conn_unsent(conn) == 0) {
        shut_down(conn);
    } else {
        conn_update(conn); /* conn_flushed() goes on */
    }
}

/* ---- Deadlines ---- */

static void arm(struct http_conn *conn)
{
    const struct http_server *server = conn->loop->server;
    uint64_t now = loop_now_ms(conn->loop);
    uint64_t deadline = now + server->idle_ms;
    if (conn->is_lingering) {
        deadline = now + server->options.linger_ms;
    } else if (conn->now != NULL) {
        deadline = exchange_deadline_ms(conn->now);
    }
    wheel_arm(&conn->loop->wheel, &conn->timer, deadline);
}

void conn_expired(struct wheel_entry *timer)
{
    struct http_conn *conn =
        (struct http_conn *)(void *)((char *)timer - offsetof(struct http_conn, timer));
    if (conn->now == NULL || conn->is_lingering) {
        conn_close(conn);
        return;
    }
    if (conn->now->phase >= EXCHANGE_ANSWER) {
        size_t unsent = conn_unsent(conn);
        if (unsent > 0 && unsent >= conn->unsent_before) {
            conn_close(conn);
            return;
        }
        conn->unsent_before = unsent;
        conn_update(conn);
        return;
    }
    exchange_expired(conn->now);
}

/* ---- Reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    UNUSED(suggested);
    struct http_conn *conn = conn_of(handle);
    /* While an answer is pending, what comes must be kept: then it is read in small pieces. */
    bool is_waiting = conn->now != NULL && !exchange_is_reading(conn->now);
    buf->base = conn->loop->read_bytes;
    buf->len = is_waiting ? WAITING_READ : LOOP_READ_BYTES;
}

/* The peer sends no more. */
static void end_input(struct http_conn *conn, bool is_broken)
{
    conn->is_eof = true;
    conn->is_reading = false;
    (void)uv_read_stop((uv_stream_t *)&conn->tcp);
    if (is_broken || conn->now == NULL || conn->is_lingering) {
        conn_close(conn);
        return;
    }
    exchange_eof(conn->now);
}

/* Without TLS the end is not even read before what came ahead of it is taken. */
static void end_input_if_waiting(struct http_conn *conn)
{
    bool is_due = conn->is_end_waiting && conn->in.len == 0 && !conn->is_eof && !conn->is_closing &&
                  !conn->is_lingering;
    if (is_due) {
        end_input(conn, false);
    }
}

/* Gives bytes to exchanges as long as they take some. What is left is kept. */
static void take_input(struct http_conn *conn, slice bytes)
{
    ASSERT(!conn->is_taking);
    conn->is_taking = true;
    bool goes_on = true;
    while (goes_on && !conn->is_closing && !conn->is_lingering) {
        if (conn->now == NULL && bytes.len == 0) {
            break;
        }
        struct exchange *exchange = conn->now != NULL ? conn->now : exchange_begin(conn);
        goes_on = exchange_is_reading(exchange) && exchange_take(exchange, &bytes);
    }
    conn->is_taking = false;
    if (conn->is_closing) {
        return;
    }
    if (conn->is_lingering) {
        bytes.len = 0;
    }
    if (conn->in.len > 0) {
        buf_drop_front(&conn->in, conn->in.len - bytes.len);
    } else {
        buf_append(&conn->in, bytes);
        ASSERT(!conn->in.failed);
    }
    if (conn->in.len == 0 && conn->in.ptr != NULL) {
        buf_release(&conn->in);
    }
    conn_update(conn);
    end_input_if_waiting(conn);
}

static void conn_take_input(struct http_conn *conn, slice bytes)
{
    if (conn->is_lingering) {
        return;
    }
    if (conn->in.len > 0) {
        buf_append(&conn->in, bytes);
        ASSERT(!conn->in.failed);
        bytes = buf_slice(&conn->in);
    }
    take_input(conn, bytes);
}

/* Says one thing, ahead of any request, and ends the connection. */
static void refuse(struct http_conn *conn, const char *head, const char *body)
{
    const char *headers = conn->loop->server->options.early_headers;
    struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(8));
    buf_append_cstr(&text, head);
    buf_append_cstr(&text, headers != NULL ? headers : "");
    buf_append_cstr(&text, "\r\n");
    buf_append_cstr(&text, body);
    uv_buf_t buf = uv_buf_init((char *)text.ptr, (unsigned)text.len);
    if (conn_send_now(conn, &buf, 1) < 0) {
        conn_close(conn);
        return;
    }
    linger(conn);
}

static void refuse_plain(struct http_conn *conn)
{
    conn_tls_free(conn->tls);
    conn->tls = NULL;
    refuse(conn, needs_tls, needs_tls_body);
}

static void take_secured(struct http_conn *conn, slice bytes)
{
    if (conn->is_lingering) {
        return;
    }
    slice plain = {0};
    enum tls_taken taken = conn_tls_take(conn, bytes, &plain);
    conn->is_end_waiting = conn->is_end_waiting || taken == TLS_TAKEN_END;
    if (plain.len > 0) {
        conn_take_input(conn, plain);
    } else {
        end_input_if_waiting(conn);
    }
    if (conn->is_closing || conn->is_lingering) {
        return;
    }
    if (taken == TLS_TAKEN_PLAIN) {
        refuse_plain(conn);
    } else if (taken == TLS_TAKEN_BAD) {
        conn->loop->server->tls_failed++;
        if (conn->now != NULL) {
            conn_close(conn);
        } else {
            linger(conn); /* so that the peer reads the alert */
        }
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct http_conn *conn = conn_of(stream);
    slice bytes = {(const uint8_t *)buf->base, count > 0 ? (size_t)count : 0};
    if (count < 0) {
        end_input(conn, count != UV_EOF);
    } else if (count > 0 && conn->tls != NULL) {
        take_secured(conn, bytes);
    } else if (count > 0) {
        conn_take_input(conn, bytes);
    }
}

void conn_update(struct http_conn *conn)
{
    if (conn->is_closing || conn->is_taking) {
        return;
    }
    /* Reading goes on while a handler works, to see the peer leave, until something comes that
     * must be kept. A paused body is not read at all. */
    bool wants = conn->is_lingering || conn->now == NULL || exchange_is_reading(conn->now) ||
                 (!conn->now->is_paused && conn->in.len == 0);
    wants = wants && !conn->is_eof;
    if (wants && !conn->is_reading) {
        conn->is_reading = uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) == 0;
    } else if (!wants && conn->is_reading) {
        (void)uv_read_stop((uv_stream_t *)&conn->tcp);
        conn->is_reading = false;
    }
    arm(conn);
}

void conn_resume(struct http_conn *conn)
{
    if (!conn->is_taking && !conn->is_closing) {
        take_input(conn, buf_slice(&conn->in));
    }
}

void conn_exchange_done(struct http_conn *conn, bool keep)
{
    conn->now = NULL;
    if (conn->is_closing) {
        return;
    }
    if (!keep || conn->is_eof || conn->loop->is_stopping) {
        linger(conn);
        return;
    }
    if (conn->in.len > 0) {
        conn_resume(conn);
    } else {
        conn_update(conn);
    }
}

/* ---- Writing ---- */

size_t conn_unsent(const struct http_conn *conn)
{
    size_t queued = uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp);
    return conn->tls == NULL ? queued : queued + conn_tls_unsent(conn->tls);
}

void conn_skip(uv_buf_t bufs[2], size_t sent)
{
    for (int i = 0; i < 2; i++) {
        size_t n = sent < bufs[i].len ? sent : bufs[i].len;
        bufs[i].base = n > 0 ? bufs[i].base + n : bufs[i].base;
        bufs[i].len -= n;
        sent -= n;
    }
}

long conn_send_now(struct http_conn *conn, const uv_buf_t *bufs, unsigned count)
{
    if (conn->tls != NULL) {
        return conn_tls_send_now(conn, bufs, count);
    }
    int sent = uv_try_write((uv_stream_t *)&conn->tcp, bufs, count);
    return sent == UV_EAGAIN ? 0 : sent;
}

void conn_send_later(struct http_conn *conn, uv_write_t *write, const uv_buf_t *bufs,
                     unsigned count, uv_write_cb done)
{
    if (conn->tls == NULL) {
        int queued = uv_write(write, (uv_stream_t *)&conn->tcp, bufs, count, done);
        ASSERT(queued == 0); /* it fails only for handles that are not ours to write */
    } else if (!conn_tls_send_later(conn, write, bufs, count, done)) {
        conn_close(conn);
        return;
    }
    conn->unsent_before = conn_unsent(conn);
    conn_update(conn);
}

/* ---- Accepting ---- */

static void note_peer(struct http_conn *conn)
{
    struct sockaddr_storage address = {0};
    int len = sizeof(address);
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &len) != 0) {
        return;
    }
    if (address.ss_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, &address, sizeof(six));
        memcpy(conn->address, &six.sin6_addr, 16);
        conn->peer_port = ntohs(six.sin6_port);
    } else {
        struct sockaddr_in four;
        memcpy(&four, &address, sizeof(four));
        conn->address[10] = 0xff;
        conn->address[11] = 0xff;
        memcpy(conn->address + 12, &four.sin_addr, 4);
        conn->peer_port = ntohs(four.sin_port);
    }
    http_address_format(conn->address, conn->peer);
}

/* A server that is full makes no handshake to say so. */
static void refuse_as_full(struct http_conn *conn)
{
    struct http_loop *loop = conn->loop;
    loop->server->refused++;
    if (loop->conn_count > loop->server->options.connections_max + REFUSED_MAX ||
        loop->server->has_tls) {
        conn_close(conn);
        return;
    }
    refuse(conn, full, "");
}

/* Which addresses count, and whether it has room. False: it was refused. */
static bool admit(struct http_conn *conn)
{
    struct http_server *server = conn->loop->server;
    const struct http_networks *trusted = server->options.trusted_proxies;
    note_peer(conn);
    conn->is_trusted = trusted != NULL && http_networks_have(trusted, conn->address);
    /* What a proxy brings is counted by request, http_forwarded(). */
    conn->is_counted = peers_add(server->peers, conn->is_trusted ? NULL : conn->address);
    if (!conn->is_counted) {
        refuse_as_full(conn);
    }
    return conn->is_counted;
}

void conn_accept(struct http_loop *loop)
{
    struct http_conn *conn = mem_zeroed(sizeof(*conn));
    struct http_server *server = loop->server;
    conn->loop = loop;
    buf_init(&conn->in, (size_t)server->options.line_bytes_max + server->options.fields_bytes_max +
                            (server->has_tls ? TLS_PLAIN_BYTES : LOOP_READ_BYTES));
    int made = uv_tcp_init(&loop->uv, &conn->tcp);
    ASSERT(made == 0);
    conn->tcp.data = conn;
    conn->next = loop->conns.next;
    conn->prev = &loop->conns;
    loop->conns.next->prev = conn;
    loop->conns.next = conn;
    loop->conn_count++;
    if (uv_accept((uv_stream_t *)&loop->listener, (uv_stream_t *)&conn->tcp) != 0) {
        conn_close(conn);
        return;
    }
    server->accepted++;
    (void)uv_tcp_nodelay(&conn->tcp, 1);
    if (!admit(conn)) {
        return;
    }
    if (server->has_tls) {
        conn->tls = conn_tls_new(server_tls(server));
        if (conn->tls == NULL) {
            conn_close(conn);
            return;
        }
    }
    conn_update(conn);
    wheel_arm(&loop->wheel, &conn->timer, loop_now_ms(loop) + server->head_ms);
}

void conn_stop(struct http_conn *conn)
{
    bool is_idle = conn->now == NULL || conn->now->phase == EXCHANGE_HEAD;
    if (is_idle && !conn->is_lingering) {
        conn_close(conn);
    } else if (conn->now != NULL) {
        exchange_stop(conn->now);
    }
}
