/* SPDX-License-Identifier: Apache-2.0 */
#include "http/exchange.h"

enum {
    PIECE_BYTES = 16 * 1024, /* at most, of one chunk; more than its frame by far */
};

static size_t bytes_max(const struct exchange *exchange)
{
    return exchange->loop->server->options.stream_bytes_max;
}

/* ---- Memory ---- */

void stream_init(struct exchange *exchange)
{
    struct exchange_stream *stream = &exchange->stream;
    mutex_init(&stream->lock);
    condition_init(&stream->has_room);
    /* Its limit is kept by the callers; this is what one more piece, its frame and the end need. */
    size_t max = bytes_max(exchange) + bytes_max(exchange) / 2 + 2 * PIECE_BYTES;
    buf_init(&stream->queued, max);
    buf_init(&stream->sending, max);
}

void stream_release(struct exchange *exchange)
{
    struct exchange_stream *stream = &exchange->stream;
    buf_release(&stream->queued);
    buf_release(&stream->sending);
    condition_release(&stream->has_room);
    mutex_release(&stream->lock);
}

void stream_reset(struct exchange *exchange)
{
    struct exchange_stream *stream = &exchange->stream;
    ASSERT(!stream->is_posted);
    buf_release(&stream->queued);
    buf_release(&stream->sending);
    stream->is_open = false;
    stream->is_ending = false;
    stream->is_broken = false;
    stream->has_head = false;
}

bool stream_is_posted(struct exchange *exchange)
{
    mutex_lock(&exchange->stream.lock);
    bool is_posted = exchange->stream.is_posted;
    mutex_unlock(&exchange->stream.lock);
    return is_posted;
}

void stream_detach(struct exchange *exchange)
{
    mutex_lock(&exchange->stream.lock);
    condition_broadcast(&exchange->stream.has_room);
    mutex_unlock(&exchange->stream.lock);
}

/* ---- The loop's side ---- */

static void pump(struct exchange *exchange);

static void on_posted(struct http_task *task)
{
    struct exchange *exchange = task->arg;
    mutex_lock(&exchange->stream.lock);
    exchange->stream.is_posted = false;
    mutex_unlock(&exchange->stream.lock);
    if (exchange->conn == NULL) {
        exchange_let_go(exchange);
    } else {
        pump(exchange);
    }
}

/* With the lock held. */
static void post_pump(struct exchange *exchange)
{
    if (!exchange->stream.is_posted) {
        exchange->stream.is_posted = true;
        exchange->stream.pump = (struct http_task){.run = on_posted, .arg = exchange};
        http_post(exchange->loop, &exchange->stream.pump);
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct exchange *exchange = write->data;
    exchange->is_writing = false;
    buf_clear(&exchange->stream.sending);
    if (exchange->conn == NULL) {
        exchange_let_go(exchange);
    } else if (status < 0) {
        conn_close(exchange->conn);
    } else {
        pump(exchange);
    }
}

/* Moves what is queued to `sending`, behind the head if that was not sent yet. */
static bool take_queued(struct exchange *exchange)
{
    struct exchange_stream *stream = &exchange->stream;
    mutex_lock(&stream->lock);
    struct buf queued = stream->queued;
    stream->queued = stream->sending;
    stream->sending = queued;
    bool is_ending = stream->is_ending;
    condition_signal(&stream->has_room);
    mutex_unlock(&stream->lock);
    return is_ending;
}

static void finish(struct exchange *exchange)
{
    if (exchange->stream.is_broken) {
        conn_close(exchange->conn);
        return;
    }
    if (!stream_is_posted(exchange)) { /* else that comes back here */
        exchange->is_complete = true;
        exchange_done(exchange);
    }
}

static void send_sending(struct exchange *exchange)
{
    struct buf *head = &exchange->out;
    struct buf *sending = &exchange->stream.sending;
    uv_buf_t bufs[2] = {uv_buf_init((char *)head->ptr, (unsigned)head->len),
                        uv_buf_init((char *)sending->ptr, (unsigned)sending->len)};
    unsigned first = head->len > 0 ? 0 : 1;
    exchange->sent_bytes += head->len + sending->len;
    exchange->is_writing = true;
    exchange->write.data = exchange;
    conn_send_later(exchange->conn, &exchange->write, bufs + first, 2 - first, on_written);
}

/* Sends what there is, one write at a time; called again when that is done. */
static void pump(struct exchange *exchange)
{
    struct exchange_stream *stream = &exchange->stream;
    if (exchange->is_writing) {
        return;
    }
    buf_clear(&exchange->out);
    if (!stream->has_head) {
        stream->has_head = true;
        exchange_make_head(exchange);
        exchange->phase = EXCHANGE_STREAM;
    }
    bool is_ending = take_queued(exchange);
    if (exchange->out.len > 0 || stream->sending.len > 0) {
        send_sending(exchange);
    } else if (is_ending && !exchange->is_held) {
        finish(exchange);
    }
}

/* ---- Appending ---- */

/* With the lock held: one chunk, or plain bytes for HTTP/1.0. */
static void append_piece(struct exchange *exchange, slice piece)
{
    struct buf *queued = &exchange->stream.queued;
    bool is_chunked = exchange->request.version_minor == 1;
    if (is_chunked) {
        buf_append_format(queued, "%zx\r\n", piece.len);
    }
    buf_append(queued, piece);
    if (is_chunked) {
        buf_append(queued, SLICE("\r\n"));
    }
    ASSERT(!queued->failed);
}

static bool sends_body(const struct exchange *exchange)
{
    return exchange->request.method != HTTP_HEAD;
}

/* With the lock held. */
static void append_end(struct exchange *exchange)
{
    struct exchange_stream *stream = &exchange->stream;
    stream->is_ending = true;
    if (!stream->is_broken && sends_body(exchange) && exchange->request.version_minor == 1) {
        buf_append(&stream->queued, SLICE("0\r\n\r\n"));
        ASSERT(!stream->queued.failed);
    }
}

void stream_end(struct exchange *exchange)
{
    exchange->is_held = false;
    if (exchange->conn == NULL) {
        exchange_let_go(exchange);
        return;
    }
    mutex_lock(&exchange->stream.lock);
    append_end(exchange);
    mutex_unlock(&exchange->stream.lock);
    pump(exchange);
}

/* ---- From a blocking handler ---- */

/* With the lock held. */
static bool wait_for_room(struct exchange *exchange)
{
    struct exchange_stream *stream = &exchange->stream;
    while (!exchange->is_gone && stream->queued.len > bytes_max(exchange) / 2) {
        condition_wait(&stream->has_room, &stream->lock);
    }
    return !exchange->is_gone;
}

enum err http_write(struct http_request *request, slice bytes)
{
    struct exchange *exchange = exchange_of(request);
    struct exchange_stream *stream = &exchange->stream;
    ASSERT(request->route->blocking != NULL);
    mutex_lock(&stream->lock);
    bool is_wanted = !exchange->is_gone && !stream->is_broken;
    if (is_wanted && !stream->is_open) {
        stream->is_open = true;
        post_pump(exchange);
    }
    is_wanted = is_wanted && sends_body(exchange);
    while (is_wanted && bytes.len > 0) {
        is_wanted = wait_for_room(exchange);
        if (is_wanted) {
            size_t n = bytes.len < PIECE_BYTES ? bytes.len : PIECE_BYTES;
            append_piece(exchange, slice_take(&bytes, n));
            post_pump(exchange);
        }
    }
    mutex_unlock(&stream->lock);
    return is_wanted ? OK : ERR_GONE;
}

void http_write_break(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    mutex_lock(&exchange->stream.lock);
    if (!exchange->stream.is_open) { /* else the loop may be reading that it is */
        exchange->stream.is_open = true;
    }
    exchange->stream.is_broken = true;
    mutex_unlock(&exchange->stream.lock);
}

/* ---- From a parked handler ---- */

void http_stream_open(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    ASSERT(exchange->is_held && !exchange->stream.is_open);
    exchange->stream.is_open = true;
    if (exchange->conn != NULL) {
        pump(exchange);
    }
}

enum err http_stream_send(struct http_request *request, slice bytes)
{
    struct exchange *exchange = exchange_of(request);
    struct exchange_stream *stream = &exchange->stream;
    ASSERT(exchange->is_held && stream->is_open);
    if (exchange->conn == NULL || !sends_body(exchange)) {
        return ERR_GONE;
    }
    if (bytes.len == 0) {
        return OK;
    }
    bool was_told = exchange->is_abort_told;
    exchange->is_abort_told = true; /* what goes wrong in here is told by the result */
    size_t waiting = stream->queued.len + (exchange->is_writing ? stream->sending.len : 0);
    size_t max = bytes_max(exchange);
    if (bytes.len > max || waiting + bytes.len > max) {
        conn_close(exchange->conn);
        return ERR_LIMIT;
    }
    mutex_lock(&stream->lock);
    append_piece(exchange, bytes);
    mutex_unlock(&stream->lock);
    pump(exchange);
    exchange->is_abort_told = was_told;
    return exchange->conn != NULL ? OK : ERR_GONE;
}

void http_stream_end(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    ASSERT(exchange->is_held && exchange->stream.is_open);
    stream_end(exchange);
}
