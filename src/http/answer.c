/* SPDX-License-Identifier: Apache-2.0 */
#include "http/exchange.h"

static bool has_body(const struct exchange *exchange)
{
    int status = exchange->response.status;
    return status != 204 && status != 304;
}

static void add_headers(struct exchange *exchange)
{
    const struct http_hooks *hooks = &exchange->loop->server->options.hooks;
    if (hooks->before_response != NULL) {
        hooks->before_response(&exchange->request, hooks->data);
    }
}

/* What cannot be sent as it was meant is not sent in part: the problem that is sent instead has
 * headers of its own. */
static void check_response(struct exchange *exchange)
{
    struct http_response *response = &exchange->response;
    if (buf_check(&response->headers) == OK && buf_check(&response->body) == OK) {
        return;
    }
    http_response_reset(response);
    exchange_problem(exchange, 500, "the answer is larger than the server sends");
    add_headers(exchange);
}

static void add_field(struct buf *out, const char *name_and_colon, slice value)
{
    buf_append_cstr(out, name_and_colon);
    buf_append(out, value);
    buf_append(out, SLICE("\r\n"));
}

static void add_length(struct exchange *exchange)
{
    struct buf *out = &exchange->out;
    if (!has_body(exchange)) {
        return;
    }
    if (!exchange->stream.is_open) {
        buf_append(out, SLICE("Content-Length: "));
        buf_append_u64(out, exchange->response.body.len);
        buf_append(out, SLICE("\r\n"));
    } else if (exchange->request.version_minor == 1) {
        buf_append(out, SLICE("Transfer-Encoding: chunked\r\n"));
    } else {
        exchange->keep = false; /* the end of the connection is the end of the body */
    }
}

void exchange_make_head(struct exchange *exchange)
{
    struct http_response *response = &exchange->response;
    add_headers(exchange);
    check_response(exchange);
    exchange->keep = exchange->parser.keep_alive && exchange->is_body_done &&
                     !exchange->loop->is_stopping && !exchange->conn->is_eof;
    struct buf *out = &exchange->out;
    buf_clear(out);
    buf_append(out, SLICE("HTTP/1.1 "));
    buf_append_u64(out, (uint64_t)response->status);
    add_field(out, " ", slice_from_cstr(http_status_name(response->status)));
    add_field(out, "Date: ", slice_from_cstr(loop_date(exchange->loop)));
    if (response->content_type != NULL && has_body(exchange)) {
        add_field(out, "Content-Type: ", slice_from_cstr(response->content_type));
    }
    add_length(exchange);
    if (exchange->request.request_id.len > 0) {
        add_field(out, "X-Request-Id: ", exchange->request.request_id);
    }
    if (!exchange->keep) {
        buf_append(out, SLICE("Connection: close\r\n"));
    } else if (exchange->request.version_minor == 0) {
        buf_append(out, SLICE("Connection: keep-alive\r\n"));
    }
    buf_append(out, buf_slice(&response->headers));
    buf_append(out, SLICE("\r\n"));
    ASSERT(!out->failed); /* its maximum is above that of all its parts */
}

static void on_written(uv_write_t *write, int status)
{
    struct exchange *exchange = write->data;
    exchange->is_writing = false;
    if (exchange->conn == NULL) {
        exchange_let_go(exchange);
    } else if (status < 0) {
        conn_close(exchange->conn);
    } else {
        exchange->is_complete = true;
        exchange_done(exchange);
    }
}

static uv_buf_t as_buf(slice bytes)
{
    return uv_buf_init((char *)(uintptr_t)bytes.ptr, (unsigned)bytes.len);
}

void exchange_answer(struct exchange *exchange)
{
    ASSERT(exchange->phase < EXCHANGE_ANSWER);
    exchange->is_held = false;
    if (exchange->conn == NULL) {
        exchange_let_go(exchange);
        return;
    }
    /* The memory for the head of an answer that is sent at once is the loop's: it stays warm. */
    buf_swap(&exchange->out, &exchange->loop->head);
    exchange_make_head(exchange);
    exchange->phase = EXCHANGE_ANSWER;
    bool sends_body = has_body(exchange) && exchange->request.method != HTTP_HEAD;
    slice body = sends_body ? buf_slice(&exchange->response.body) : (slice){0};
    uv_buf_t bufs[2] = {as_buf(buf_slice(&exchange->out)), as_buf(body)};
    size_t total = bufs[0].len + bufs[1].len;
    exchange->sent_bytes = total;
    long sent = conn_send_now(exchange->conn, bufs, body.len > 0 ? 2 : 1);
    if (sent < 0) {
        conn_close(exchange->conn);
        return;
    }
    if ((size_t)sent == total && conn_unsent(exchange->conn) == 0) {
        exchange->is_complete = true;
        buf_swap(&exchange->out, &exchange->loop->head);
        exchange_done(exchange);
        return;
    }
    conn_skip(bufs, (size_t)sent);
    exchange->is_writing = true;
    exchange->write.data = exchange;
    conn_send_later(exchange->conn, &exchange->write, bufs, 2, on_written);
}

/* ---- For parked handlers ---- */

bool http_body_is_whole(const struct http_request *request, slice piece)
{
    const struct exchange *exchange = exchange_reading(request);
    return exchange->coding == NULL && piece.len > 0 && request->content_length == piece.len;
}

void http_answer(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    ASSERT(exchange->is_held && !exchange->stream.is_open);
    exchange_answer(exchange);
}

void http_body_pause(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    if (exchange->is_paused || exchange->phase != EXCHANGE_BODY) {
        return;
    }
    exchange->is_paused = true;
    exchange->paused_at_ms = loop_now_ms(exchange->loop);
    if (exchange->conn != NULL) {
        conn_update(exchange->conn);
    }
}

void http_body_resume(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    if (!exchange->is_paused) {
        return;
    }
    exchange->is_paused = false;
    exchange->paused_ms += loop_now_ms(exchange->loop) - exchange->paused_at_ms;
    if (exchange->conn != NULL) {
        conn_resume(exchange->conn);
    }
}
