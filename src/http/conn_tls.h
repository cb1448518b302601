/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * conn_tls - what lies between a connection and its socket when it speaks TLS.
 *
 *     socket -> conn_tls_take() -> the loop's memory -> conn.c
 *     conn.c -> conn_tls_send_*() -> `out` -> socket
 *
 * OpenSSL meets the socket in a BIO of ours, which reads from what was just received and writes to
 * `out`: nothing is copied twice, an idle connection has no buffer, and each buffer has a maximum.
 * (Memory BIOs copy once more each way and grow without end; a socket BIO would read behind the
 * back of libuv.) At most OUT_BYTES of ciphertext are made ahead of what the kernel takes.
 *
 * Threads: the loop's.
 */

#include <uv.h>

#include "base/buf.h"
#include "tls/tls.h"

struct http_conn;

/* A record is at most 16 KiB; one may have come in part before the rest of a read. */
#define TLS_RECORD_BYTES 16384
#define TLS_PLAIN_BYTES  (65536 + TLS_RECORD_BYTES + 2048)

/* One for each loop. */
struct tls_scratch {
    uint8_t plain[TLS_PLAIN_BYTES];   /* what the last read became */
    uint8_t record[TLS_RECORD_BYTES]; /* head and body of an answer in one record */
};

/* Enough of a first record to see how large a ClientHello it wants to be. */
#define TLS_FIRST_BYTES 9

struct conn_tls {
    struct http_tls *tls; /* a reference */
    SSL *ssl;
    slice input;        /* what OpenSSL may take; only below conn_tls_take() */
    struct buf out;     /* ciphertext that is not with the kernel yet */
    struct buf sending; /* and that of `write` */
    uv_write_t write;
    uv_buf_t plain[2];   /* of conn_tls_send_later(): not encrypted yet */
    uv_write_t *waiting; /* of whom `done` tells */
    uv_write_cb done;
    uint8_t first[TLS_FIRST_BYTES];
    uint8_t first_len;
    uint8_t first_used;
    bool is_writing;
    bool is_failed;                /* OpenSSL is not to be called again */
    struct http_certificate *peer; /* what the client showed; NULL: nothing */
};

/* The kind of BIO that all connections of a context have: http_tls_new() takes it over. NULL: there
 * is no memory for it. */
BIO_METHOD *conn_tls_bio(void);

/* Takes over the reference. NULL: OpenSSL has no memory for it. */
struct conn_tls *conn_tls_new(struct http_tls *tls);
/* Whoever still waits for a write is told that it was cancelled. NULL is fine. */
void conn_tls_free(struct conn_tls *secured);

enum tls_taken {
    TLS_TAKEN_MORE,  /* and it goes on */
    TLS_TAKEN_END,   /* the peer has said that it sends no more */
    TLS_TAKEN_PLAIN, /* this is no TLS but looks like HTTP */
    TLS_TAKEN_BAD,
};

/* Takes ciphertext; what it became is *plain_out, in the loop's memory until the next call. What is
 * to be said to the peer (handshake, alerts) is on its way. */
enum tls_taken conn_tls_take(struct http_conn *conn, slice bytes, slice *plain_out);

/* As conn_send_now(); what it counts may still be in part in `out`: see conn_tls_unsent(). */
long conn_tls_send_now(struct http_conn *conn, const uv_buf_t *bufs, unsigned count);
/* As conn_send_later(). False: it cannot be sent; `done` will be told when the connection ends. */
bool conn_tls_send_later(struct http_conn *conn, uv_write_t *write, const uv_buf_t *bufs,
                         unsigned count, uv_write_cb done);

/* Says that we send no more. */
void conn_tls_end(struct http_conn *conn);

/* Bytes that the kernel's queue does not know of. */
size_t conn_tls_unsent(const struct conn_tls *secured);
