/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * server - a strict HTTP/1.1 server: sockets, deadlines, limits, routes. It knows nothing of what
 * it serves.
 *
 *     bytes -> parser -> route -> middleware (in order) -> handler -> answer
 *
 * A handler is *blocking* (the whole body is collected, then plain code runs in a bounded pool) or
 * *parked* (callbacks on the loop; it answers later, from wherever it brings itself back by
 * http_post()). While a request is pending its connection is not parsed further: pipelined answers
 * keep their order, and a client that sends faster than it is served is held back by TCP.
 *
 * Threads: `net` for each loop, and the pool. start, stop and free from one thread of the caller.
 */

#include "http/problem.h"
#include "http/request.h"
#include "message/networks.h"
#include "tls/tls.h"

struct http_server;

/* Runs in the pool and fills request->response; it may block. */
typedef void (*http_blocking_fn)(struct http_request *request);

enum http_abort {
    HTTP_ABORT_PEER, /* the client has gone */
    HTTP_ABORT_BODY, /* the body is malformed, too large or too slow; response->status says which
                        (400, 413, 408) and the response holds a problem document: answer with it,
                        or with a better one */
    HTTP_ABORT_STOP, /* the server stops; streams only */
};

/* All on the loop, none may block. A request ends by http_answer() or http_stream_end(). */
struct http_parked {
    void (*on_headers)(struct http_request *request);           /* may be NULL */
    void (*on_body)(struct http_request *request, slice piece); /* decompressed; only during call */
    void (*on_body_end)(struct http_request *request);
    /* At most once. NULL: when the client leaves or its body is bad before the end of the body, the
     * server ends the request and the handler never hears of it again; later it is not told. */
    void (*on_abort)(struct http_request *request, enum http_abort why);
};

struct http_route {
    enum http_method method;   /* GET serves HEAD too; OPTIONS is the server's */
    const char *path;          /* "/a/{id}"; the last part may be "{rest...}": one part or more */
    http_blocking_fn blocking; /* this */
    const struct http_parked *parked; /* or this */
    size_t body_bytes_max; /* 0: the server's; of the bytes sent, and of what they expand to */
    bool mostly_waits; /* `blocking` sleeps more than it works: a pool of more threads runs it */
    void *data;        /* the caller's */
};

/* What a middleware makes of a request. */
enum http_pass {
    HTTP_PASS_ON,     /* to the next one, or to the handler */
    HTTP_PASS_ANSWER, /* request->response is the answer */
    HTTP_PASS_WAIT,   /* only something that may block can tell: `wait` */
};

/* One link of the chain before the handler. It may set what the request has for it. The body is not
 * read before all have passed. */
struct http_middleware {
    enum http_pass (*pass)(struct http_request *request,
                           void *data); /* on the loop, never blocks */
    /* Behind HTTP_PASS_WAIT, in the pool: ON or ANSWER. NULL: `pass` never waits. */
    enum http_pass (*wait)(struct http_request *request, void *data);
};

struct http_outcome {
    int status;           /* 0 when the client left before an answer */
    bool is_complete;     /* the whole answer went to the kernel */
    uint64_t duration_us; /* from the first byte of the request to the last of the answer */
    uint64_t request_bytes;
    uint64_t response_bytes;
};

/* All are optional, run on the loop, and get `hook_data`. */
struct http_hooks {
    /* Writes the server's own errors (404, 413 ...) in another shape than problem+json. */
    void (*write_problem)(struct http_request *request, const struct http_problem *problem,
                          void *data);
    /* Adds headers to any answer just before its head is made. */
    void (*before_response)(struct http_request *request, void *data);
    /* Access log and metrics. A request whose head was refused has no path and no route. */
    void (*on_response)(const struct http_request *request, const struct http_outcome *outcome,
                        void *data);
    void *data;
};

/* What is 0 or NULL takes the default, which is in brackets. Times in ms, sizes in bytes. */
struct http_options {
    const char *listen; /* "host:port", "[::1]:80", ":80" for all addresses ["127.0.0.1:0"] */
    const struct http_route *routes; /* outlive the server, as do the texts and functions */
    size_t route_count;
    const struct http_middleware *middleware;
    size_t middleware_count;
    void *middleware_data;
    struct http_hooks hooks;
    const char *early_headers; /* lines, each ended by CR LF, of answers without a request [none] */
    const struct http_tls_options *tls;          /* read during the start [plain HTTP] */
    const struct http_networks *trusted_proxies; /* for http_forwarded(); outlive the server */

    uint32_t loops;                       /* [1] each with its own listener (SO_REUSEPORT) */
    uint32_t pool_threads;                /* [4] */
    uint32_t pool_queue;                  /* requests that wait for a pool; then 503 [256] */
    uint32_t waiter_threads_max;          /* of handlers that mostly wait, once needed [64] */
    uint32_t backlog;                     /* [4096] */
    uint32_t connections_max;             /* in all; then 503 [16384] */
    uint32_t connections_per_address_max; /* [4096] */

    uint32_t line_bytes_max;   /* [8 KiB] */
    uint32_t fields_bytes_max; /* [16 KiB] */
    uint32_t fields_max;       /* [100] */
    size_t body_bytes_max;     /* for routes that state none [64 KiB] */
    size_t response_bytes_max; /* [16 MiB] */
    size_t stream_bytes_max;   /* on the way to one client [256 KiB] */
    size_t arena_bytes_max;    /* for a request [1 MiB] */

    uint32_t head_ms;   /* from the first byte (or accept, with the handshake) to the end of the
                           head [10,000] */
    uint32_t body_ms;   /* for the body, and more for every byte that came: [10,000] */
    uint32_t body_rate; /* bytes per second that a client must keep up [16,384] */
    uint32_t idle_ms;   /* between requests [60,000] */
    uint32_t write_ms;  /* without progress [30,000] */
    uint32_t linger_ms; /* reading on after the last answer [1,000] */
    uint32_t stop_ms;   /* hard limit of http_server_stop() [10,000] */
    uint32_t tick_ms;   /* of the wheel that keeps all of these [1,000] */
};

/* Binds, listens, starts the threads. INVALID: `listen` or a route is wrong; IO: cannot bind.
 * SIGPIPE is ignored from here on. The caller ends *out with http_server_free(). */
enum err http_server_start(const struct http_options *options, struct http_server **out,
                           struct diag *diag);

/* New connections get these; those that are there keep what they began with. After an error the
 * server goes on with what it has. INVALID also when it speaks plain HTTP; else as http_tls_new().
 * Any thread. */
enum err http_server_reload_tls(struct http_server *server, const struct http_tls_options *options,
                                struct diag *diag);

/* The certificate of new connections. NOT_FOUND: it speaks plain HTTP. Any thread. */
enum err http_server_certificate(struct http_server *server, struct http_certificate *out);

/* Other times than those of the options, for every deadline that is set from now on; those that run
 * stay. Any thread. */
struct http_times {
    uint32_t head_ms, idle_ms, write_ms, stop_ms;
};
void http_server_set_times(struct http_server *server, const struct http_times *times);

/* The port that is listened on, also when 0 was asked for. */
uint16_t http_server_port(const struct http_server *server);

struct http_counts {
    uint64_t connections; /* open now */
    uint64_t accepted;    /* since the start */
    uint64_t refused;     /* over a maximum, since the start */
    uint64_t tls_failed;  /* handshakes and connections that broke TLS, since the start */
    uint64_t pool_threads;
    uint64_t pool_busy; /* of them, that run a handler */
    uint64_t pool_waiting;
    uint64_t waiter_threads; /* the same of handlers that mostly wait */
    uint64_t waiter_busy;
    uint64_t waiter_waiting;
};
struct http_counts http_server_counts(struct http_server *server); /* any thread, until the free */

/* Takes no more connections, closes idle ones, lets pending requests end, for at most stop_ms;
 * then cuts off the rest. Returns when loops and pool have ended. Requests that parked handlers
 * still hold stay valid until http_server_free(). */
void http_server_stop(struct http_server *server);

/* Stops first if need be. Whoever holds requests must have ended before. NULL is fine. */
void http_server_free(struct http_server *server);
DEFINE_OWNED(http_server);
