/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a complete head to the handler, in this order: request id, route, middleware, coding and
 * length of the body, 100 Continue, handler.
 */
#include "base/mem.h"
#include "http/exchange.h"
#include "os/random.h"

enum {
    REQUEST_ID_BYTES_MAX = 128,
};

static void make_request_id(struct exchange *exchange)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[sizeof(exchange->request_id) / 2];
    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        exchange->request_id[2 * i] = digits[bytes[i] >> 4];
        exchange->request_id[2 * i + 1] = digits[bytes[i] & 15];
    }
    exchange->request.request_id =
        (slice){(const uint8_t *)exchange->request_id, sizeof(exchange->request_id)};
}

void exchange_problem(struct exchange *exchange, int status, const char *why)
{
    if (exchange->request.request_id.len == 0) {
        make_request_id(exchange); /* the head was refused */
    }
    const struct http_hooks *hooks = &exchange->loop->server->options.hooks;
    struct http_problem problem = {.status = status, .detail = slice_from_cstr(why)};
    if (hooks->write_problem != NULL) {
        hooks->write_problem(&exchange->request, &problem, hooks->data);
    } else {
        http_problem_write(&exchange->request, &problem);
    }
}

/* ---- Head fields that the server itself reads ---- */

static bool is_request_id(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        bool is_fine = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '-';
        if (!is_fine) {
            return false;
        }
    }
    return text.len > 0 && text.len <= REQUEST_ID_BYTES_MAX;
}

static void choose_request_id(struct exchange *exchange)
{
    static const char *const names[] = {"x-request-id", "x-correlation-id"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        slice given = {0};
        if (http_header(&exchange->request, names[i], &given) && is_request_id(given)) {
            exchange->request.request_id = given;
            return;
        }
    }
    make_request_id(exchange);
}

static void fill_request(struct exchange *exchange)
{
    struct http_request *request = &exchange->request;
    const struct http_parser *parser = &exchange->parser;
    request->method = parser->method;
    request->version_minor = parser->version_minor;
    request->content_length = parser->content_length;
    request->target = (slice){exchange->head.ptr + parser->target.at, parser->target.len};
    const uint8_t *mark = memchr(request->target.ptr, '?', request->target.len);
    request->path = request->target;
    if (mark != NULL) {
        request->path.len = (size_t)(mark - request->target.ptr);
    }
    choose_request_id(exchange);
}

/* ---- Refusing ---- */

/* The response is set. If the body is short it is read and forgotten, which saves the client a
 * connection; else the connection ends with the answer. */
static void answer_without_handler(struct exchange *exchange)
{
    bool is_short = exchange->is_body_done || (!exchange->parser.expects_continue &&
                                               exchange->parser.content_length <= KIB(64));
    if (!is_short) {
        exchange_answer(exchange);
        return;
    }
    exchange->is_refused = true;
    exchange->phase = EXCHANGE_BODY;
}

static void refuse(struct exchange *exchange, int status, const char *why)
{
    exchange_problem(exchange, status, why);
    answer_without_handler(exchange);
}

static void answer_options(struct exchange *exchange, const char *allow)
{
    exchange->response.status = 204;
    exchange->request.allow = allow;
    http_response_header_cstr(&exchange->response, "Allow", allow);
    answer_without_handler(exchange);
}

/* ---- The way to the handler ---- */

/* False when the request was answered. */
static bool find_route(struct exchange *exchange)
{
    struct http_request *request = &exchange->request;
    if (request->target.ptr[0] == '*') {
        answer_options(exchange, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        return false;
    }
    const struct http_resource *resource = NULL;
    const char *why = NULL;
    if (http_router_find(exchange->loop->server->router, request, &resource, &why) != OK) {
        refuse(exchange, 400, why);
        return false;
    }
    if (resource == NULL) {
        refuse(exchange, 404, "there is nothing at this path");
        return false;
    }
    if (request->method == HTTP_OPTIONS) {
        answer_options(exchange, http_resource_allow(resource));
        return false;
    }
    if (request->route == NULL) {
        http_response_header_cstr(&exchange->response, "Allow", http_resource_allow(resource));
        refuse(exchange, 405, "this path does not take this method; see Allow");
        return false;
    }
    return true;
}

static void wait_for_middleware(struct exchange *exchange);

/* False when the request was answered, or a middleware waits. */
static bool pass_middleware(struct exchange *exchange)
{
    const struct http_options *options = &exchange->loop->server->options;
    while (exchange->passed < options->middleware_count) {
        const struct http_middleware *next = &options->middleware[exchange->passed];
        switch (next->pass(&exchange->request, options->middleware_data)) {
        case HTTP_PASS_ON:
            exchange->passed++;
            break;
        case HTTP_PASS_ANSWER:
            answer_without_handler(exchange);
            return false;
        case HTTP_PASS_WAIT:
            wait_for_middleware(exchange);
            return false;
        }
    }
    return true;
}

/* The one Content-Encoding; two lines of it are not understood. */
static enum err open_coding(struct exchange *exchange)
{
    slice name = {0};
    size_t count = 0;
    struct http_param field = {0};
    for (size_t i = 0; http_header_at(&exchange->request, i, &field); i++) {
        if (http_name_equal(field.name, SLICE("content-encoding"))) {
            name = field.value;
            count++;
        }
    }
    if (count > 1) {
        return ERR_INVALID;
    }
    return coding_open(name, exchange->body_max, &exchange->coding);
}

static bool accept_body(struct exchange *exchange)
{
    const struct http_route *route = exchange->request.route;
    size_t asked = exchange->request.body_bytes_max;
    size_t stated = route->body_bytes_max > 0 ? route->body_bytes_max
                                              : exchange->loop->server->options.body_bytes_max;
    exchange->body_max = asked > 0 ? asked : stated;
    if (exchange->is_body_done) {
        return true;
    }
    if (exchange->parser.content_length > exchange->body_max) {
        refuse(exchange, 413, "the body is larger than this route takes");
        return false;
    }
    enum err opened = open_coding(exchange);
    if (opened != OK) {
        http_response_header_cstr(&exchange->response, "Accept-Encoding", "gzip, zstd");
        refuse(exchange, opened == ERR_INVALID ? 415 : 503,
               "a body may be sent plain, or with Content-Encoding gzip or zstd");
        return false;
    }
    exchange->body.max = exchange->body_max;
    bool is_collected = route->blocking != NULL && exchange->coding == NULL;
    if (is_collected && exchange->parser.content_length <= KIB(64)) {
        (void)buf_reserve(&exchange->body, (size_t)exchange->parser.content_length);
    }
    return true;
}

static bool invite_body(struct exchange *exchange)
{
    if (!exchange->parser.expects_continue) {
        return true;
    }
    char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    uv_buf_t buf = uv_buf_init(text, sizeof(text) - 1);
    if (conn_send_now(exchange->conn, &buf, 1) != (long)buf.len) {
        conn_close(exchange->conn);
        return false;
    }
    return true;
}

static void go_on(struct exchange *exchange)
{
    bool is_wanted = pass_middleware(exchange) && accept_body(exchange) && invite_body(exchange);
    if (!is_wanted) {
        return;
    }
    exchange->phase = EXCHANGE_BODY;
    const struct http_parked *parked = exchange->request.route->parked;
    if (parked != NULL) {
        exchange->is_held = true;
        if (parked->on_headers != NULL) {
            parked->on_headers(&exchange->request);
        }
    }
}

void exchange_dispatch(struct exchange *exchange)
{
    fill_request(exchange);
    if (find_route(exchange)) {
        go_on(exchange);
    }
}

/* ---- A middleware that waits ---- */

static struct exchange *of_job(struct pool_job *job)
{
    return (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
}

/* Back on the loop. Its connection may have died meanwhile. */
static void on_waited(struct http_task *task)
{
    struct exchange *exchange = task->arg;
    struct http_conn *conn = exchange->conn;
    exchange->is_held = false;
    if (conn == NULL) {
        exchange_let_go(exchange);
        return;
    }
    exchange->phase = EXCHANGE_HEAD;
    exchange->body_started_ms = loop_now_ms(exchange->loop);
    if (exchange->pass == HTTP_PASS_ON) {
        exchange->passed++;
        go_on(exchange);
    } else {
        answer_without_handler(exchange);
    }
    conn_resume(conn); /* what came meanwhile was kept */
}

static void run_waiting(struct pool_job *job)
{
    struct exchange *exchange = of_job(job);
    const struct http_options *options = &exchange->loop->server->options;
    if (!exchange->is_gone) {
        exchange->pass = options->middleware[exchange->passed].wait(&exchange->request,
                                                                    options->middleware_data);
        ASSERT(exchange->pass != HTTP_PASS_WAIT);
    }
    exchange->job_done = (struct http_task){.run = on_waited, .arg = exchange};
    http_post(exchange->loop, &exchange->job_done);
}

static void wait_for_middleware(struct exchange *exchange)
{
    exchange->job.run = run_waiting;
    exchange->is_held = true;
    exchange->phase = EXCHANGE_PASS;
    if (!pool_submit(exchange->loop->server->pool, &exchange->job)) {
        exchange->is_held = false;
        exchange->phase = EXCHANGE_HEAD;
        http_response_header_u64(&exchange->response, "Retry-After", 1);
        refuse(exchange, 503, "too many requests are waiting");
    }
}

/* ---- The handler ---- */

static void on_job_done(struct http_task *task)
{
    struct exchange *exchange = task->arg;
    if (exchange->stream.is_open) {
        stream_end(exchange);
    } else {
        exchange_answer(exchange);
    }
}

static void run_blocking(struct pool_job *job)
{
    struct exchange *exchange = of_job(job);
    if (!exchange->is_gone) {
        exchange->request.route->blocking(&exchange->request);
    }
    exchange->job_done = (struct http_task){.run = on_job_done, .arg = exchange};
    http_post(exchange->loop, &exchange->job_done);
}

void exchange_submit(struct exchange *exchange)
{
    const struct http_route *route = exchange->request.route;
    if (route->parked != NULL) {
        route->parked->on_body_end(&exchange->request);
        return;
    }
    exchange->request.body = buf_slice(&exchange->body);
    exchange->job.run = run_blocking;
    exchange->is_held = true;
    const struct http_server *server = exchange->loop->server;
    if (!pool_submit(route->mostly_waits ? server->waiters : server->pool, &exchange->job)) {
        http_response_header_u64(&exchange->response, "Retry-After", 1);
        exchange_problem(exchange, 503, "too many requests are waiting");
        exchange_answer(exchange);
    }
}
