/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * conn - a connection: bytes in, bytes out, and which deadline counts now.
 *
 * A connection is idle (no exchange), or has one exchange, or lingers: its last answer is sent, it
 * reads and forgets for a moment so that a reset does not take the answer from the client.
 * It knows bytes only through conn_take_input() and conn_send_*(): between those two and the socket
 * lies TLS (conn_tls.h), where it is spoken.
 *
 * Threads: the loop's.
 */

#include <uv.h>

#include "base/buf.h"
#include "http/wheel.h"

struct exchange;
struct http_loop;

struct http_conn {
    uv_tcp_t tcp;
    struct http_loop *loop;
    struct http_conn *next; /* of the loop's ring */
    struct http_conn *prev;
    struct wheel_entry timer;
    struct exchange *now; /* NULL when idle */
    struct conn_tls *tls; /* NULL: plain */
    struct buf in;        /* what could not be taken yet: a part of a head, or pipelined requests */
    size_t unsent_before; /* at the last look, to see progress */
    uint8_t address[16];
    char peer[46];
    uint16_t peer_port;
    bool is_counted; /* in the server's peers */
    bool is_trusted; /* a proxy whose word on others' addresses is taken */
    bool is_taking;  /* conn_take_input() is below us on the stack */
    bool is_reading;
    bool is_eof;         /* the peer sends no more */
    bool is_end_waiting; /* TLS has said so, but what came before is not taken yet */
    bool is_lingering;
    bool is_shut; /* we have ended our side */
    bool is_closing;
};

/* Takes the connection that waits at the loop's listener. */
void conn_accept(struct http_loop *loop);

/* The exchange ended; the connection takes the next request, or ends when `keep` is false. */
void conn_exchange_done(struct http_conn *conn, bool keep);

/* The exchange reads again, or stops reading, or waits for something else now. */
void conn_update(struct http_conn *conn);

/* Goes on with what was kept. */
void conn_resume(struct http_conn *conn);

/* The server drains: ends the connection if nothing is pending, and a stream in any case. */
void conn_stop(struct http_conn *conn);

/* Sends what can be sent at once: the number of bytes, or negative when the peer has gone. All was
 * sent when that is the sum and conn_unsent() is 0. */
long conn_send_now(struct http_conn *conn, const uv_buf_t *bufs, unsigned count);

/* Sends all of it later; `done` is called in any case, when the connection dies too. The bytes
 * stay where they are until then. */
void conn_send_later(struct http_conn *conn, uv_write_t *write, const uv_buf_t *bufs,
                     unsigned count, uv_write_cb done);

/* Bytes that were taken for sending, but not by the kernel yet. */
size_t conn_unsent(const struct http_conn *conn);

/* Takes what was sent off the front of two buffers. */
void conn_skip(uv_buf_t bufs[2], size_t sent);

/* From conn_tls.c: nothing is unsent any more. */
void conn_flushed(struct http_conn *conn);

/* At once; the exchange is told. It may be called again. */
void conn_close(struct http_conn *conn);

/* From the wheel. */
void conn_expired(struct wheel_entry *timer);
