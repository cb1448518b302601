/* SPDX-License-Identifier: Apache-2.0 */
#include "client/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "client/request.h"
#include "codec/uuid.h"

enum {
    WINDOW_BYTES = 4 * 1024 * 1024,
    WAIT_MS_FIRST = 200,
    WAIT_MS_MAX = 10000,
    ASKED_S_MAX = 60, /* a server that asks for more, for a quota, is not waited for */
};

struct cairn_stream {
    struct cairn_client *client;
    struct cairn_send_options options;
    struct text window; /* lines that nobody has answered for */
    struct text target;
    struct cairn_counts counts;
    uint64_t done;
    bool is_spent;
};

/* ---- One line ---- */

/* The library does not go through os/random.h: that ends the process when there is none. */
static bool make_id(char out[37])
{
    uint8_t random[10];
    struct timespec now = {0};
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random) ||
        clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return false;
    }
    int64_t now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    struct uuid uuid = uuid_make_v7(now_us, random);
    uuid_format(&uuid, out);
    out[UUID_TEXT_BYTES] = '\0';
    return true;
}

/* Line feeds between members become spaces: a line feed ends a record on the way. */
static void append_without_feeds(struct text *out, slice bytes, bool has_feed)
{
    size_t from = out->len;
    text_append(out, bytes);
    for (size_t i = from; has_feed && i < out->len; i++) {
        if (out->ptr[i] == '\n') {
            out->ptr[i] = ' ';
        }
    }
}

static bool byte_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

bool stream_append_line(struct text *out, const struct split_record *record, char id_out[37])
{
    slice rest = record->text;
    id_out[0] = '\0';
    if (!record->has_id) {
        if (!make_id(id_out)) {
            return false;
        }
        (void)slice_take(&rest, 1); /* the opening brace */
        (void)slice_take_while(&rest, byte_is_blank);
        text_append_cstr(out, "{\"event_id\":\"");
        text_append_cstr(out, id_out);
        text_append_cstr(out, rest.len > 0 && rest.ptr[0] == '}' ? "\"" : "\",");
    }
    append_without_feeds(out, rest, record->has_feed);
    text_append_cstr(out, "\n");
    return true;
}

/* ---- Answers ---- */

static void report_refused(const struct cairn_stream *stream, const json_t *json)
{
    const json_t *errors = json_object_get(json, "errors");
    for (size_t i = 0; i < json_array_size(errors) && stream->options.on_refused != NULL; i++) {
        char pointer[128] = "", detail[512] = "refused";
        const json_t *error = json_array_get(errors, i);
        json_member_text(error, "pointer", pointer, sizeof(pointer));
        json_member_text(error, "detail", detail, sizeof(detail));
        stream->options.on_refused(stream->options.context,
                                   stream->done + json_member_u64(error, "index", 0) + 1, pointer,
                                   detail);
    }
}

/* The counts of an answer; of a document that held one event the answer is that event's receipt. */
static void add_counts(struct cairn_counts *counts, const json_t *json)
{
    bool is_receipt =
        json_object_get(json, "count") == NULL && json_object_get(json, "seq") != NULL;
    bool is_duplicate = json_is_true(json_object_get(json, "duplicate"));
    uint64_t stored = json_member_u64(json, "count", is_receipt && !is_duplicate ? 1 : 0);
    const char *first_name = is_receipt ? "seq" : "first_seq";
    if (stored > 0 && json_object_get(json, first_name) != NULL) {
        uint64_t first = json_member_u64(json, first_name, 0);
        counts->first_seq = counts->stored == 0 ? first : counts->first_seq;
        counts->last_seq = json_member_u64(json, "last_seq", first);
    }
    counts->stored += stored;
    counts->duplicates += json_member_u64(json, "duplicates", is_receipt && is_duplicate ? 1 : 0);
}

static size_t count_lines(slice window)
{
    size_t lines = 0;
    while (window.len > 0) {
        const uint8_t *feed = memchr(window.ptr, '\n', window.len);
        if (feed == NULL) {
            break;
        }
        (void)slice_take(&window, (size_t)(feed - window.ptr) + 1);
        lines++;
    }
    return lines;
}

static void drop_lines(struct cairn_stream *stream, uint64_t lines)
{
    slice rest = text_slice(&stream->window);
    for (uint64_t i = 0; i < lines && rest.len > 0; i++) {
        const uint8_t *feed = memchr(rest.ptr, '\n', rest.len);
        (void)slice_take(&rest, feed == NULL ? rest.len : (size_t)(feed - rest.ptr) + 1);
        stream->done++;
    }
    text_drop_front(&stream->window, stream->window.len - rest.len);
}

/* What an answer settles: all of the window, or the lines before `line`. True: all of it. */
static bool settle(struct cairn_stream *stream, enum cairn_result result)
{
    json_t *json = answer_json(stream->client);
    uint64_t lines = count_lines(text_slice(&stream->window));
    uint64_t line = json_member_u64(json, "line", 0);
    bool is_whole = result == CAIRN_OK;
    if (is_whole || line > 0) {
        add_counts(&stream->counts, json);
        /* Of very many the server tells the first ones, and how many there were. */
        uint64_t told = json_array_size(json_object_get(json, "errors"));
        uint64_t refused = json_member_u64(json, "errors_total", told);
        if (is_whole || (stream->options.skip_refused && result != CAIRN_INVALID)) {
            stream->counts.refused += refused;
            report_refused(stream, json);
        }
    }
    if (line > 0) {
        stream->client->problem.event = stream->done + line;
    }
    uint64_t settled = line > 0 ? line - 1 : 0;
    drop_lines(stream, is_whole ? lines : settled);
    json_decref(json);
    return is_whole;
}

/* ---- Sending ---- */

static void wait_ms(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static long wait_before(const struct cairn_client *client, unsigned failures)
{
    long ms = WAIT_MS_FIRST;
    for (unsigned i = 1; i < failures && ms < WAIT_MS_MAX; i++) {
        ms *= 2;
    }
    long asked_ms = client->problem.retry_after_s * 1000;
    ms = ms > WAIT_MS_MAX ? WAIT_MS_MAX : ms;
    return ms > asked_ms ? ms : asked_ms;
}

static bool may_try_again(const struct cairn_client *client, enum cairn_result result)
{
    bool too_many_requests = result == CAIRN_LIMIT && client->problem.status == 429;
    return (result == CAIRN_BUSY || result == CAIRN_UNREACHABLE || too_many_requests) &&
           client->problem.retry_after_s <= ASKED_S_MAX;
}

bool stream_wait_to_retry(const struct cairn_client *client, enum cairn_result result,
                          unsigned failures)
{
    if (!may_try_again(client, result) || failures > client->retries) {
        return false;
    }
    wait_ms(wait_before(client, failures));
    return true;
}

static void write_target(struct text *out, const struct cairn_send_options *options)
{
    if (options->format != NULL) {
        text_append_cstr(out, "/api/v1/ingest/");
        text_append_encoded(out, options->format);
    } else {
        text_append_cstr(out, "/api/v1/audit/events");
    }
    text_append_parameter(out, "on_error", options->skip_refused ? "skip" : NULL);
    text_append_parameter(out, "backfill", options->backfill ? "1" : NULL);
}

enum cairn_result cairn_stream_open(struct cairn_client *client,
                                    const struct cairn_send_options *options,
                                    struct cairn_stream **stream_out)
{
    problem_clear(client);
    if (options != NULL && options->format != NULL) {
        return problem_fail(client, CAIRN_INVALID, "a foreign format is sent by cairn_upload()");
    }
    struct cairn_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return problem_fail(client, CAIRN_MEMORY, "out of memory");
    }
    stream->client = client;
    if (options != NULL) {
        stream->options = *options;
    }
    if (stream->options.window_bytes == 0) {
        stream->options.window_bytes = WINDOW_BYTES;
    }
    write_target(&stream->target, &stream->options);
    if (stream->target.failed) {
        cairn_stream_free(stream);
        return problem_fail(client, CAIRN_MEMORY, "out of memory");
    }
    *stream_out = stream;
    return CAIRN_OK;
}

enum cairn_result cairn_stream_flush(struct cairn_stream *stream)
{
    struct cairn_client *client = stream->client;
    unsigned failures = 0;
    if (stream->is_spent) {
        return problem_fail(client, CAIRN_INVALID, "the stream has failed before");
    }
    while (stream->window.len > 0) {
        struct request request = {.target = stream->target.ptr,
                                  .content_type = "application/x-ndjson",
                                  .body = text_slice(&stream->window)};
        uint64_t before = stream->done;
        enum cairn_result result = request_run(client, &request);
        if (settle(stream, result)) {
            continue;
        }
        failures = stream->done > before ? 1 : failures + 1;
        if (!stream_wait_to_retry(client, result, failures)) {
            stream->is_spent = true;
            return result;
        }
    }
    return CAIRN_OK;
}

enum cairn_result stream_write_record(struct cairn_stream *stream,
                                      const struct split_record *record)
{
    char id[37];
    size_t before = stream->window.len;
    bool has_line = stream_append_line(&stream->window, record, id);
    if (!has_line || stream->window.failed) {
        stream->window.len = before;
        stream->window.failed = false;
        return problem_fail(stream->client, CAIRN_MEMORY,
                            has_line ? "out of memory" : "the system has no randomness to give");
    }
    return stream->window.len >= stream->options.window_bytes ? cairn_stream_flush(stream)
                                                              : CAIRN_OK;
}

/* The one object that `json` is. */
static enum cairn_result find_object(struct cairn_client *client, const char *json, size_t len,
                                     struct split_record *out)
{
    struct split split = {.layout = SPLIT_NESTED};
    slice text = {(const uint8_t *)json, len};
    size_t used = 0;
    enum split_state state = split_next(&split, text, true, &used, out);
    if (state == SPLIT_TOO_LONG) {
        return problem_fail(client, CAIRN_LIMIT, "an event is at most 2 MiB");
    }
    (void)slice_take(&text, used);
    (void)slice_take_while(&text, byte_is_blank);
    bool is_one = state == SPLIT_RECORD && out->is_object && text.len == 0;
    return is_one ? CAIRN_OK : problem_fail(client, CAIRN_INVALID, "an event is one JSON object");
}

enum cairn_result cairn_stream_write(struct cairn_stream *stream, const char *json, size_t len)
{
    struct split_record record = {0};
    problem_clear(stream->client);
    enum cairn_result result = find_object(stream->client, json, len, &record);
    return result == CAIRN_OK ? stream_write_record(stream, &record) : result;
}

uint64_t cairn_stream_done(const struct cairn_stream *stream)
{
    return stream->done;
}

struct cairn_counts cairn_stream_counts(const struct cairn_stream *stream)
{
    return stream->counts;
}

void cairn_stream_free(struct cairn_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    text_release(&stream->window);
    text_release(&stream->target);
    free(stream);
}

/* ---- Single calls ---- */

static void read_receipt(const struct cairn_client *client, struct cairn_receipt *receipt)
{
    json_t *json = answer_json(client);
    json_member_text(json, "event_id", receipt->event_id, sizeof(receipt->event_id));
    json_member_text(json, "leaf_hash", receipt->leaf_hash, sizeof(receipt->leaf_hash));
    receipt->seq = json_member_u64(json, "seq", 0);
    receipt->duplicate = json_is_true(json_object_get(json, "duplicate"));
    json_decref(json);
}

enum cairn_result cairn_send(struct cairn_client *client, const char *json, size_t len,
                             struct cairn_receipt *receipt_out)
{
    struct cairn_receipt receipt = {0};
    struct split_record record = {0};
    struct text body = {0};
    problem_clear(client);
    *receipt_out = receipt;
    enum cairn_result result = find_object(client, json, len, &record);
    if (result != CAIRN_OK) {
        return result;
    }
    if (!stream_append_line(&body, &record, receipt.event_id) || body.failed) {
        text_release(&body);
        return problem_fail(client, CAIRN_MEMORY, "out of memory");
    }
    *receipt_out = receipt;
    struct request request = {.target = "/api/v1/audit/events",
                              .content_type = "application/json",
                              .body = text_slice(&body)};
    result = request_run(client, &request);
    if (result == CAIRN_OK) {
        read_receipt(client, receipt_out);
    }
    text_release(&body);
    return result;
}

enum cairn_result cairn_upload(struct cairn_client *client,
                               const struct cairn_send_options *options, cairn_read_fn read,
                               void *context, struct cairn_counts *counts_out)
{
    static const struct cairn_send_options plain = {0};
    struct cairn_stream stream = {.client = client, .options = options == NULL ? plain : *options};
    write_target(&stream.target, &stream.options);
    *counts_out = (struct cairn_counts){0};
    if (stream.target.failed) {
        text_release(&stream.target);
        return problem_fail(client, CAIRN_MEMORY, "out of memory");
    }
    struct request request = {.target = stream.target.ptr,
                              .content_type = stream.options.format == NULL ? "application/x-ndjson"
                                                                            : "application/json",
                              .read = read,
                              .read_context = context,
                              .is_stream = true};
    enum cairn_result result = request_run(client, &request);
    (void)settle(&stream, result);
    *counts_out = stream.counts;
    text_release(&stream.target);
    return result;
}
