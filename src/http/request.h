/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * request - what a handler sees of a request, and what it may do with it.
 *
 * A request and all its slices live until it is answered: for a blocking handler until it
 * returns, for a parked one until http_answer() or http_stream_end(), however long that takes
 * and whether or not the client is still there.
 *
 * Threads: a request belongs to one thread at a time: the loop, then the pool thread that runs
 * its blocking handler, or the loop and whoever a parked handler gives it to. Functions marked
 * [loop] are called on the request's own loop; http_post() brings others there.
 */

#include "base/arena.h"
#include "base/err.h"
#include "message/response.h"
#include "message/target.h"
#include "message/words.h"

struct http_certificate;
struct http_loop;
struct http_route;

/* A piece of work for a loop. It is the caller's, and free again when `run` is entered. */
struct http_task {
    struct http_task *next;
    void (*run)(struct http_task *task);
    void *arg;
};

struct http_request {
    enum http_method method; /* HEAD is seen as HEAD; its answer's body is not sent */
    uint8_t version_minor;
    bool is_crowded;    /* so many came at once that others wait for this one's thread */
    slice target;       /* as sent */
    slice path;         /* the target up to '?', as sent */
    slice request_id;   /* 1..128 of [A-Za-z0-9._-] */
    slice peer;         /* the client's address as text, of whom a trusted proxy spoke if one did */
    uint16_t peer_port; /* 0 when only a proxy knows it */
    bool is_forwarded;  /* the peer is what a trusted proxy says */
    bool is_https;      /* it came over TLS, to us or to that proxy */
    const struct http_certificate *peer_certificate; /* the client's, verified; NULL: it has none */
    const char *allow; /* the methods of the path ("GET, HEAD, OPTIONS"), of an OPTIONS request */
    const struct http_route *route; /* NULL when the path or the method has none */
    const struct http_param *path_params;
    size_t path_param_count;
    const struct http_param *query; /* in the order sent, repeats kept; '+' is a space */
    size_t query_count;
    slice body;                     /* blocking handlers: all of it, decompressed */
    uint64_t content_length;        /* as stated; 0 when chunked */
    int64_t started_us;             /* monotonic, when its first byte came */
    struct arena *arena;            /* ends with the request; limited */
    struct http_response *response; /* to be filled before the answer */
    struct http_loop *loop;         /* for http_post() */
    struct http_task task;          /* for the handler's own use with http_post() */
    void *caller;                   /* the middleware's: who calls */
    size_t body_bytes_max;          /* the middleware's: what may be sent; 0: as the route says */
    void *state;                    /* the handler's */
};

/* ---- Reading it. Any thread that holds the request. ---- */

/* The first header of that name (given in lower case). False leaves *out untouched. */
bool http_header(const struct http_request *request, const char *lower_name, slice *out);

/* The i-th header line as sent; false behind the last. */
bool http_header_at(const struct http_request *request, size_t i, struct http_param *out);

/* The value of {name} in the route's template, decoded. The template must have it. */
slice http_path_param(const struct http_request *request, const char *name);

/* The first query parameter of that name. False leaves *out untouched. */
bool http_query(const struct http_request *request, const char *name, slice *out);

/* ---- Parked handlers [loop] ---- */

/* In on_body(): `piece` is all of the body, and on_body_end() comes next. */
bool http_body_is_whole(const struct http_request *request, slice piece);

/* No more on_body() until resume, and no more is read from the socket. */
void http_body_pause(struct http_request *request);
void http_body_resume(struct http_request *request);

/* Sends request->response and ends the request: exactly once for each parked request, after
 * on_abort() too (nothing is sent then). Before the end of the body it also ends the connection. */
void http_answer(struct http_request *request);

/* ---- Streams from a parked handler [loop] ---- */

/* Sends status and headers of request->response; the body comes by http_stream_send(). */
void http_stream_open(struct http_request *request);

/* Queues a copy. LIMIT: the client reads too slowly, the queue (stream_bytes_max) is full and the
 * connection was closed. GONE: it is closed, or HEAD asked. A connection that ends in here is told
 * by the result alone, not by on_abort() too. After either, and after on_abort(), the handler ends
 * with http_stream_end(). An empty slice sends nothing. */
enum err http_stream_send(struct http_request *request, slice bytes);

/* Ends the stream (well, if all could be sent) and the request. */
void http_stream_end(struct http_request *request);

/* ---- Streams from a blocking handler (its own thread) ---- */

/* The first call sends status and headers (request->response is fixed then), every call a piece of
 * the body; waits while more than stream_bytes_max is on the way. GONE: nobody wants more (the
 * client left, or asked with HEAD). */
enum err http_write(struct http_request *request, slice bytes);

/* The stream cannot be completed: the connection is broken off, so that the client sees it. */
void http_write_break(struct http_request *request);

/* ---- Any thread ---- */

/* Runs task->run(task) on the loop, in the order of posting. One wake-up serves many. */
void http_post(struct http_loop *loop, struct http_task *task);

/* The same for a list linked by `next`: what a batch finished goes back with one lock. */
void http_post_list(struct http_loop *loop, struct http_task *first);
