/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * exchange - a request and its answer, from the first byte in to the last byte out.
 *
 *     HEAD -> BODY -> PENDING -> ANSWER          one answer, made by a handler
 *      \-PASS-^           \-----> STREAM          an answer that comes in pieces
 *
 * PASS: a middleware waits in the pool; the handler does not know of the request yet.
 *
 * Four may hold it: its connection (`conn`), a handler or a middleware in the pool (`is_held`), a
 * write in the kernel's queue (`is_writing`), a posted task (`stream.is_posted`). It is freed when
 * none does. When a connection dies first, whoever else holds the exchange finds conn == NULL and
 * is_gone set, and everything it sends is dropped.
 *
 * Threads: the loop's, but for what the stream's lock guards, and is_gone.
 */

#include "http/loop.h"
#include "http/server.h"
#include "message/coding.h"

enum exchange_phase {
    EXCHANGE_HEAD,
    EXCHANGE_PASS,
    EXCHANGE_BODY,
    EXCHANGE_PENDING,
    EXCHANGE_ANSWER,
    EXCHANGE_STREAM,
};

/* An answer in pieces. A pool thread or the loop appends to `queued`; the loop swaps it with
 * `sending` and writes that. */
struct exchange_stream {
    struct mutex lock; /* of queued, is_posted, is_ending, is_broken, and has_room */
    struct condition has_room;
    struct buf queued;
    struct buf sending;
    struct http_task pump;
    bool is_posted; /* `pump` is in the loop's queue: that too holds the exchange */
    bool is_open;   /* a first piece was written, or the handler opened it */
    bool is_ending; /* nothing more comes */
    bool is_broken; /* and it is not whole */
    bool has_head;  /* status and headers are in `queued` or sent (loop) */
};

struct exchange {
    struct http_request request;
    struct http_response response;
    struct http_parser parser;
    struct http_loop *loop;
    struct http_conn *conn; /* NULL when it died */
    struct exchange *next;  /* of the loop's live ones, or of the spare */
    struct exchange *prev;
    struct arena arena;
    slice head; /* a copy; the parser's spans point into it */
    struct buf body;
    struct buf out; /* status line and headers */
    struct coding *coding;
    struct exchange_stream stream;
    struct pool_job job;
    struct http_task job_done;
    uv_write_t write;

    /* From here on: zeroed for each request. */
    enum exchange_phase phase;
    size_t passed;       /* so many middlewares */
    enum http_pass pass; /* what the one that waited said */
    bool is_held;
    bool is_writing;
    bool is_paused;
    bool is_body_done;
    bool is_refused; /* answered as soon as the body was read and forgotten */
    bool is_abort_told;
    bool keep; /* the connection, after the answer */
    bool is_complete;
    uint64_t started_ms;
    uint64_t body_started_ms;
    uint64_t paused_at_ms;
    uint64_t paused_ms;
    uint64_t body_bytes;     /* of the message */
    uint64_t expanded_bytes; /* handed on */
    uint64_t sent_bytes;
    size_t body_max;
    _Atomic bool is_gone;
    bool is_joined; /* counted for `client` in the server's peers */
    uint8_t client[16];
    char peer[46]; /* the connection may be gone before the request */
    char request_id[32];
};

/* ---- exchange.c: life ---- */

struct exchange *exchange_begin(struct http_conn *conn);

/* Takes from the front of *bytes. False when more bytes are needed to go on. After it the
 * connection may have another exchange, or none. */
bool exchange_take(struct exchange *exchange, slice *bytes);

/* Whether it takes bytes now. */
static inline bool exchange_is_reading(const struct exchange *exchange)
{
    return (exchange->phase == EXCHANGE_HEAD || exchange->phase == EXCHANGE_BODY) &&
           !exchange->is_paused;
}

/* When its part of the deadline ends; WHEEL_NEVER while it waits for its handler. */
uint64_t exchange_deadline_ms(const struct exchange *exchange);
void exchange_expired(struct exchange *exchange);

/* The peer sends no more. */
void exchange_eof(struct exchange *exchange);

/* The server drains: streams end, the rest is told. */
void exchange_stop(struct exchange *exchange);

/* The connection dies. */
void exchange_detach(struct exchange *exchange, enum http_abort why);

/* The request is that of `client`, of whom a trusted proxy speaks. False: that one has too many. */
bool exchange_join(struct exchange *exchange, const uint8_t client[16]);

/* Everything was handed to the kernel, or nobody wants it any more. Nobody holds it. */
void exchange_done(struct exchange *exchange);

/* Ends it if its connection has died and nobody holds it any more. */
void exchange_let_go(struct exchange *exchange);

void exchange_free(struct exchange *exchange); /* memory, not life */

/* ---- dispatch.c: from a complete head to the handler ---- */

void exchange_dispatch(struct exchange *exchange);
/* Writes a problem document in the server's chosen shape. */
void exchange_problem(struct exchange *exchange, int status, const char *why);
/* The body is complete. */
void exchange_submit(struct exchange *exchange);

/* ---- answer.c ---- */

#define EXCHANGE_HEAD_BYTES_MAX KIB(96) /* of an answer: above all that its parts may have */

/* Makes the head of the answer in exchange->out. */
void exchange_make_head(struct exchange *exchange);
/* Sends exchange->response. */
void exchange_answer(struct exchange *exchange);

/* ---- stream.c ---- */

/* The pool's handler returned. */
void stream_end(struct exchange *exchange);
void stream_init(struct exchange *exchange);
void stream_release(struct exchange *exchange);
/* For the next exchange in the same memory. */
void stream_reset(struct exchange *exchange);
bool stream_is_posted(struct exchange *exchange);
/* Wakes a writer whose peer has gone. */
void stream_detach(struct exchange *exchange);

/* For who only looks. */
static inline const struct exchange *exchange_reading(const struct http_request *request)
{
    return (const struct exchange *)request; /* its first member */
}

static inline struct exchange *exchange_of(struct http_request *request)
{
    return (struct exchange *)request; /* its first member */
}
