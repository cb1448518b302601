/* SPDX-License-Identifier: Apache-2.0 */
#include "http/exchange.h"

#include <stdlib.h>

#include "base/mem.h"
#include "os/clock.h"

enum {
    SPARE_MAX = 256,              /* exchanges kept for the next requests of a loop */
    KEPT_BYTES_MAX = 16 * 1024,   /* of a body's buffer */
    FORGET_BYTES_MAX = 64 * 1024, /* of a body that nobody wants, read to keep the connection */
    CROWD = 32                    /* requests of one turn of a loop behind which it is crowded */
};

/* ---- Life ---- */

static struct exchange *new_exchange(struct http_loop *loop)
{
    const struct http_options *options = &loop->server->options;
    struct exchange *exchange = mem_zeroed(sizeof(*exchange));
    exchange->loop = loop;
    arena_init(&exchange->arena, options->arena_bytes_max);
    buf_init(&exchange->body, 0);
    buf_init(&exchange->out, EXCHANGE_HEAD_BYTES_MAX);
    buf_init(&exchange->response.body, options->response_bytes_max);
    buf_init(&exchange->response.headers, KIB(64));
    stream_init(exchange);
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    arena_release(&exchange->arena);
    buf_release(&exchange->body);
    buf_release(&exchange->out);
    buf_release(&exchange->response.body);
    buf_release(&exchange->response.headers);
    coding_free(exchange->coding);
    stream_release(exchange);
    free(exchange);
}

/* The request may outlive its connection. */
static const struct http_certificate *copy_certificate(struct exchange *exchange)
{
    slice copy = {0};
    const struct http_certificate *shown = exchange->conn->tls->peer;
    if (shown == NULL ||
        !arena_copy(&exchange->arena, (slice){(const uint8_t *)shown, sizeof(*shown)}, &copy)) {
        return NULL;
    }
    return (const struct http_certificate *)(const void *)copy.ptr;
}

struct exchange *exchange_begin(struct http_conn *conn)
{
    struct http_loop *loop = conn->loop;
    struct exchange *exchange = loop->spare;
    if (exchange != NULL) {
        loop->spare = exchange->next;
        loop->spare_count--;
    } else {
        exchange = new_exchange(loop);
    }
    memset((char *)exchange + offsetof(struct exchange, phase), 0,
           sizeof(*exchange) - offsetof(struct exchange, phase));
    exchange->conn = conn;
    exchange->prev = NULL;
    exchange->next = loop->live;
    if (loop->live != NULL) {
        loop->live->prev = exchange;
    }
    loop->live = exchange;
    exchange->started_ms = loop_now_ms(loop);
    memcpy(exchange->peer, conn->peer, sizeof(exchange->peer));
    exchange->request = (struct http_request){
        .peer = slice_from_cstr(exchange->peer),
        .peer_port = conn->peer_port,
        .is_https = conn->tls != NULL,
        .is_crowded = ++loop->begun > CROWD,
        .peer_certificate = conn->tls == NULL ? NULL : copy_certificate(exchange),
        .started_us = clock_monotonic_us(),
        .arena = &exchange->arena,
        .response = &exchange->response,
        .loop = loop,
    };
    http_response_reset(&exchange->response);
    http_parser_init(&exchange->parser, &loop->server->head_limits);
    conn->now = exchange;
    return exchange;
}

static void recycle(struct exchange *exchange)
{
    struct http_loop *loop = exchange->loop;
    if (exchange->prev != NULL) {
        exchange->prev->next = exchange->next;
    } else {
        loop->live = exchange->next;
    }
    if (exchange->next != NULL) {
        exchange->next->prev = exchange->prev;
    }
    if (loop->spare_count >= SPARE_MAX) {
        exchange_free(exchange);
        return;
    }
    arena_clear(&exchange->arena);
    if (exchange->body.capacity > KEPT_BYTES_MAX) {
        buf_release(&exchange->body);
    }
    buf_clear(&exchange->body);
    http_response_reset(&exchange->response);
    coding_free(exchange->coding);
    exchange->coding = NULL;
    exchange->head = (slice){0};
    stream_reset(exchange);
    exchange->next = loop->spare;
    loop->spare = exchange;
    loop->spare_count++;
}

bool exchange_join(struct exchange *exchange, const uint8_t client[16])
{
    if (!peers_join(exchange->loop->server->peers, client)) {
        return false;
    }
    memcpy(exchange->client, client, sizeof(exchange->client));
    exchange->is_joined = true;
    return true;
}

/* With the connection, or with the end: so that there are never more than connections. */
static void leave(struct exchange *exchange)
{
    if (exchange->is_joined) {
        exchange->is_joined = false;
        peers_leave(exchange->loop->server->peers, exchange->client);
    }
}

static void report(const struct exchange *exchange)
{
    const struct http_hooks *hooks = &exchange->loop->server->options.hooks;
    if (hooks->on_response == NULL) {
        return;
    }
    struct http_outcome outcome = {
        .status = exchange->phase >= EXCHANGE_ANSWER ? exchange->response.status : 0,
        .is_complete = exchange->is_complete,
        .duration_us = (uint64_t)(clock_monotonic_us() - exchange->request.started_us),
        .request_bytes = exchange->head.len + exchange->body_bytes,
        .response_bytes = exchange->sent_bytes,
    };
    hooks->on_response(&exchange->request, &outcome, hooks->data);
}

void exchange_done(struct exchange *exchange)
{
    ASSERT(!exchange->is_held && !exchange->is_writing);
    struct http_conn *conn = exchange->conn;
    bool keep = exchange->keep && exchange->is_complete;
    report(exchange);
    leave(exchange);
    recycle(exchange);
    if (conn != NULL) {
        conn_exchange_done(conn, keep);
    }
}

void exchange_let_go(struct exchange *exchange)
{
    bool is_free = exchange->conn == NULL && !exchange->is_held && !exchange->is_writing &&
                   !stream_is_posted(exchange);
    if (is_free) {
        exchange_done(exchange);
    }
}

/* ---- Trouble ---- */

/* NULL also as long as the handler has not heard of the request. */
static const struct http_parked *parked_of(const struct exchange *exchange)
{
    bool knows = exchange->request.route != NULL && exchange->phase != EXCHANGE_PASS;
    return knows ? exchange->request.route->parked : NULL;
}

/* A problem document, and then the end of the connection. */
static void refuse(struct exchange *exchange, int status, const char *why)
{
    exchange_problem(exchange, status, why);
    exchange_answer(exchange); /* the body is not done, so this ends the connection */
}

/* The body cannot be had: the handler is told, or the client. */
static void body_is_bad(struct exchange *exchange, int status, const char *why)
{
    exchange->phase = EXCHANGE_PENDING;
    if (!exchange->is_refused) {
        exchange_problem(exchange, status, why);
    }
    const struct http_parked *parked = exchange->is_held ? parked_of(exchange) : NULL;
    if (parked == NULL || parked->on_abort == NULL) {
        exchange_answer(exchange);
        return;
    }
    exchange->is_abort_told = true;
    conn_update(exchange->conn);
    parked->on_abort(&exchange->request, HTTP_ABORT_BODY);
}

void exchange_detach(struct exchange *exchange, enum http_abort why)
{
    exchange->conn = NULL;
    exchange->is_gone = true;
    leave(exchange);
    stream_detach(exchange);
    const struct http_parked *parked = exchange->is_held ? parked_of(exchange) : NULL;
    if (parked != NULL && parked->on_abort != NULL && !exchange->is_abort_told) {
        exchange->is_abort_told = true;
        parked->on_abort(&exchange->request, why);
        return;
    }
    if (parked != NULL && parked->on_abort == NULL && exchange->phase < EXCHANGE_PENDING) {
        exchange->is_held = false;
    }
    exchange_let_go(exchange);
}

void exchange_stop(struct exchange *exchange)
{
    const struct http_parked *parked = exchange->is_held ? parked_of(exchange) : NULL;
    if (exchange->phase != EXCHANGE_STREAM || parked == NULL || exchange->is_abort_told) {
        return;
    }
    if (parked->on_abort == NULL) {
        conn_close(exchange->conn);
        return;
    }
    exchange->is_abort_told = true;
    parked->on_abort(&exchange->request, HTTP_ABORT_STOP);
}

void exchange_eof(struct exchange *exchange)
{
    bool is_parked_stream = exchange->phase == EXCHANGE_STREAM && parked_of(exchange) != NULL;
    bool is_whole = exchange->phase == EXCHANGE_PASS && exchange->is_body_done;
    if ((exchange->phase < EXCHANGE_PENDING && !is_whole) || is_parked_stream) {
        conn_close(exchange->conn);
    } else {
        conn_update(exchange->conn); /* half closed: it still wants its answer */
    }
}

uint64_t exchange_deadline_ms(const struct exchange *exchange)
{
    const struct http_server *server = exchange->loop->server;
    const struct http_options *options = &server->options;
    switch (exchange->phase) {
    case EXCHANGE_HEAD:
        return exchange->started_ms + server->head_ms;
    case EXCHANGE_PASS:
        return WHEEL_NEVER;
    case EXCHANGE_BODY:
        return exchange->is_paused
                   ? WHEEL_NEVER
                   : exchange->body_started_ms + exchange->paused_ms + options->body_ms +
                         exchange->body_bytes * 1000 / options->body_rate;
    case EXCHANGE_PENDING:
        return WHEEL_NEVER;
    case EXCHANGE_ANSWER:
    case EXCHANGE_STREAM:
        return exchange->is_writing ? loop_now_ms(exchange->loop) + server->write_ms : WHEEL_NEVER;
    }
    return WHEEL_NEVER;
}

void exchange_expired(struct exchange *exchange)
{
    if (exchange->phase == EXCHANGE_HEAD) {
        refuse(exchange, 408, "the head of the request did not come in time");
    } else if (exchange->phase == EXCHANGE_BODY) {
        body_is_bad(exchange, 408, "the body of the request came too slowly");
    }
}

/* ---- Bytes ---- */

static bool take_head(struct exchange *exchange, slice *bytes)
{
    size_t used = 0;
    switch (http_parse_head(&exchange->parser, *bytes, &used)) {
    case HTTP_PARSE_MORE:
        return false;
    case HTTP_PARSE_DONE:
        break;
    case HTTP_PARSE_BAD:
    case HTTP_PARSE_DATA:
    case HTTP_PARSE_END:
        refuse(exchange, exchange->parser.status, exchange->parser.why);
        return true;
    }
    slice head = slice_take(bytes, used);
    if (!arena_copy(&exchange->arena, head, &exchange->head)) {
        refuse(exchange, 431, "the head is too large");
        return true;
    }
    exchange->body_started_ms = loop_now_ms(exchange->loop);
    exchange->is_body_done = !http_parser_has_body(&exchange->parser);
    exchange_dispatch(exchange);
    return true;
}

/* A piece of the body as the handler is to see it. Afterwards the exchange may be over. */
static void hand_on(struct exchange *exchange, slice piece)
{
    exchange->expanded_bytes += piece.len;
    if (exchange->expanded_bytes > exchange->body_max) {
        body_is_bad(exchange, 413, "the body is larger than this route takes");
        return;
    }
    const struct http_parked *parked = parked_of(exchange);
    if (parked == NULL) {
        buf_append(&exchange->body, piece);
        ASSERT(!exchange->body.failed);
    } else if (parked->on_body != NULL) {
        parked->on_body(&exchange->request, piece);
    }
}

static void take_data(struct exchange *exchange, slice data)
{
    exchange->body_bytes += data.len;
    if (exchange->is_refused) {
        if (exchange->body_bytes > FORGET_BYTES_MAX) {
            exchange_answer(exchange);
        }
        return;
    }
    if (exchange->body_bytes > exchange->body_max) {
        body_is_bad(exchange, 413, "the body is larger than this route takes");
    } else if (exchange->coding != NULL) {
        coding_feed(exchange->coding, &data);
        ASSERT(data.len == 0);
    } else {
        hand_on(exchange, data);
    }
}

static void end_body(struct exchange *exchange)
{
    exchange->is_body_done = true;
    if (exchange->is_refused) {
        exchange_answer(exchange);
        return;
    }
    bool is_whole =
        exchange->coding == NULL || exchange->body_bytes == 0 || coding_end(exchange->coding) == OK;
    if (!is_whole) {
        body_is_bad(exchange, 400, "the compressed body ends in the middle");
        return;
    }
    exchange->phase = EXCHANGE_PENDING;
    exchange_submit(exchange);
}

/* True when a piece of the decompressed body was handed on, or the exchange was ended. */
static bool take_expanded(struct exchange *exchange)
{
    slice piece = {0};
    switch (coding_next(exchange->coding, &piece)) {
    case OK:
        break;
    case ERR_LIMIT:
        body_is_bad(exchange, 413, "the body expands to more than this route takes");
        return true;
    case ERR_BUSY:
        body_is_bad(exchange, 503, "there is no memory to decompress the body");
        return true;
    case ERR_INVALID:
    case ERR_NOT_FOUND:
    case ERR_DENIED:
    case ERR_CONFLICT:
    case ERR_FULL:
    case ERR_GONE:
    case ERR_CORRUPT:
    case ERR_IO:
        body_is_bad(exchange, 400, "the body is not what Content-Encoding says");
        return true;
    }
    if (piece.len > 0) {
        hand_on(exchange, piece);
    }
    return piece.len > 0;
}

static bool take_body(struct exchange *exchange, slice *bytes)
{
    if (exchange->coding != NULL && !exchange->is_refused && take_expanded(exchange)) {
        return true;
    }
    slice window = *bytes;
    if (exchange->coding != NULL && window.len > CODING_INPUT_BYTES) {
        window.len = CODING_INPUT_BYTES;
    }
    size_t before = window.len;
    slice data = {0};
    enum http_parse parsed = http_parse_body(&exchange->parser, &window, &data);
    (void)slice_take(bytes, before - window.len);
    switch (parsed) {
    case HTTP_PARSE_MORE:
        return bytes->len > 0;
    case HTTP_PARSE_DATA:
        take_data(exchange, data);
        return true;
    case HTTP_PARSE_END:
        end_body(exchange);
        return true;
    case HTTP_PARSE_DONE:
    case HTTP_PARSE_BAD:
        body_is_bad(exchange, exchange->parser.status, exchange->parser.why);
        return true;
    }
    return false;
}

bool exchange_take(struct exchange *exchange, slice *bytes)
{
    return exchange->phase == EXCHANGE_HEAD ? take_head(exchange, bytes)
                                            : take_body(exchange, bytes);
}
