/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write - the three ways in: events, batch, foreign formats.
 *
 * The request is parked on the loop. Pieces of its body go into an intake; while both of its
 * groups are being committed the body is not read. A commit that is done brings the request back
 * to its loop, which answers it (write_answer.h).
 */
#include "base/arena.h"
#include "gate/auth.h"
#include "gate/gate.h"
#include "gate/metrics.h"
#include "os/clock.h"
#include "trail/receipts.h"
#include "trail/trail.h"
#include "trail/write_answer.h"

struct write;

struct wake {
    struct http_task task;
    struct write *write;
};

/* In the request's arena. */
struct write {
    struct http_request *request;
    struct api *api;
    struct intake *intake;
    struct wake wakes[INTAKE_SLOTS];
    bool is_paused;
    bool is_gone;      /* the client left: there is no answer */
    bool keeps_status; /* a bad body's own problem stands in the response */
    bool is_stored;    /* all of it; now the receipt is waited for */
    struct write_wishes wishes;
};

static void end_request(struct write *write)
{
    struct http_request *request = write->request;
    intake_free(write->intake);
    http_answer(request);
}

static void finish(struct write *write)
{
    const struct intake_result *result = intake_result(write->intake);
    int64_t took_us = clock_monotonic_us() - write->request->started_us;
    if (!write->is_gone && !write->keeps_status) {
        api_metrics_write_took(write->api->metrics, took_us);
        if (result->err != OK) {
            write_answer_refused(write->request, result);
        } else {
            write_answer_stored(write->request, result, &write->wishes);
        }
    }
    if (write->keeps_status) {
        write_answer_extend(write->request, result);
    }
    end_request(write);
}

/* ---- Receipts: the wait for a checkpoint happens on a thread of its own room ---- */

static void receipt_ready(struct http_task *task)
{
    finish(((struct wake *)task)->write);
}

static void on_receipt(void *context, enum err result)
{
    struct write *write = context;
    UNUSED(result); /* without a checkpoint in time the answer has none; the event is safe */
    http_post(write->request->loop, &write->wakes[0].task);
}

/* The size of the log that holds all events of the request. Where an array's duplicates stand is
 * not known one by one: all there is now holds them. */
static uint64_t size_to_cover(const struct write *write, const struct intake_result *result)
{
    if (result->is_single) {
        return result->seq + 1;
    }
    if (result->duplicates > 0) {
        return store_size(write->api->store);
    }
    return result->has_seqs ? result->last_seq + 1 : 0;
}

static void after_commit(struct write *write)
{
    const struct intake_result *result = intake_result(write->intake);
    if (write->wishes.receipt && result->err == OK && !write->is_gone) {
        write->wakes[0].task.run = receipt_ready;
        write->is_stored = true;
        api_receipts_wait(write->api->receipts, size_to_cover(write, result), on_receipt, write);
        return;
    }
    finish(write);
}

/* ---- The way of the bytes ---- */

static void follow(struct write *write, enum intake_state state)
{
    switch (state) {
    case INTAKE_WANTS_MORE:
        if (write->is_paused) {
            write->is_paused = false;
            http_body_resume(write->request);
        }
        break;
    case INTAKE_WAITS:
        if (!write->is_paused && !write->is_gone) {
            write->is_paused = true;
            http_body_pause(write->request);
        }
        break;
    case INTAKE_FINISHED:
        after_commit(write);
        break;
    }
}

static void continue_slot(struct http_task *task)
{
    struct wake *wake = (struct wake *)task;
    struct write *write = wake->write;
    follow(write, intake_continue(write->intake, (size_t)(wake - write->wakes)));
}

static void on_wake(void *context, size_t slot)
{
    struct write *write = context;
    http_post(write->request->loop, &write->wakes[slot].task);
}

static void on_body(struct http_request *request, slice piece)
{
    struct write *write = request->state;
    bool is_whole = http_body_is_whole(request, piece); /* then its end is next */
    follow(write, intake_feed(write->intake, piece, is_whole));
}

static void on_body_end(struct http_request *request)
{
    struct write *write = request->state;
    follow(write, intake_end(write->intake));
}

static void on_abort(struct http_request *request, enum http_abort why)
{
    struct write *write = request->state;
    write->is_gone = why != HTTP_ABORT_BODY;
    write->keeps_status = why == HTTP_ABORT_BODY;
    if (write->is_stored) {
        return; /* `receipts` still holds the request and brings it back */
    }
    if (intake_abandon(write->intake) == INTAKE_FINISHED) {
        finish(write);
    }
}

/* ---- What kind of request it is ---- */

/* The media type without its parameters, in lower case. */
static slice media_type(const struct http_request *request, char scratch[64])
{
    slice value = {0};
    size_t len = 0;
    if (!http_header(request, "content-type", &value)) {
        return (slice){0};
    }
    while (len < value.len && len < 64 && value.ptr[len] != ';' && value.ptr[len] != ' ') {
        scratch[len] = (char)byte_lower(value.ptr[len]);
        len++;
    }
    return (slice){(const uint8_t *)scratch, len};
}

static bool is_one_of(slice name, const slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* NDJSON, or JSON (also as curl -d labels it); anything else is 415. */
static bool find_shape(struct http_request *request, struct intake_options *options)
{
    static const slice lines[] = {
        SLICE_INIT("application/x-ndjson"),
        SLICE_INIT("application/ndjson"),
        SLICE_INIT("application/jsonl"),
        SLICE_INIT("application/x-jsonlines"),
    };
    static const slice json[] = {
        SLICE_INIT("application/json"),
        SLICE_INIT("application/x-www-form-urlencoded"),
    };
    char scratch[64];
    slice type = media_type(request, scratch);
    if (is_one_of(type, lines, COUNT_OF(lines))) {
        options->shape = INTAKE_LINES;
        return true;
    }
    if (type.len == 0 || is_one_of(type, json, COUNT_OF(json))) {
        options->shape = INTAKE_JSON;
        return true;
    }
    http_problem(request, 415,
                 "send Content-Type: application/json for one event or an array, or "
                 "application/x-ndjson for a stream of lines");
    return false;
}

static void take_headers(const struct http_request *request, struct read_options *read)
{
    struct {
        const char *name;
        slice *value;
    } headers[] = {
        {"x-event-type", &read->header_event_type},
        {"x-service", &read->header_service},
        {"x-correlation-id", &read->header_correlation_id},
        {"x-resource-type", &read->header_resource_type},
        {"x-outcome", &read->header_outcome},
    };
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        if (!http_header(request, headers[i].name, headers[i].value)) {
            *headers[i].value = (slice){0};
        }
    }
}

static bool flag_is_set(const struct http_request *request, const char *name)
{
    slice value = {0};
    return http_query(request, name, &value) &&
           (slice_equal(value, SLICE("1")) || slice_equal(value, SLICE("true")));
}

/* Parameters that a write takes; a misspelt one is said, not passed over. */
static bool params_are_known(struct http_request *request)
{
    static const slice known[] = {
        SLICE_INIT("on_error"), SLICE_INIT("receipt"),     SLICE_INIT("backfill"),
        SLICE_INIT("api_key"),  SLICE_INIT("api_version"),
    };
    slice value = {0};
    for (size_t i = 0; i < request->query_count; i++) {
        if (!is_one_of(request->query[i].name, known, COUNT_OF(known))) {
            struct diag diag = {0};
            enum err e = diag_fail(&diag, ERR_INVALID, "", "%.*s is no parameter of a write",
                                   SLICE_ARG(request->query[i].name));
            api_fail(request, e, &diag);
            return false;
        }
    }
    if (http_query(request, "on_error", &value) && !slice_equal(value, SLICE("skip")) &&
        !slice_equal(value, SLICE("stop"))) {
        const struct diag diag = {"on_error", "expected skip or stop"};
        api_fail(request, ERR_INVALID, &diag);
        return false;
    }
    return true;
}

/* How old, how far ahead and how deep an event may be now. */
static void bound_events(const struct api *api, bool is_backfill, struct read_options *read)
{
    const struct running *running = api->running;
    int64_t past_days = (int64_t)running_u64(running, OPTION_PAST_DAYS_MAX);
    int64_t future_minutes = (int64_t)running_u64(running, OPTION_FUTURE_MINUTES_MAX);
    read->past_us_max = is_backfill ? 0 : past_days * 86400 * 1000000;
    read->future_us_max = future_minutes * 60 * 1000000;
    read->depth_max = (uint32_t)running_u64(running, OPTION_EVENT_DEPTH_MAX);
}

/* A refusal before the body was read: nothing was begun. */
static void refuse_now(struct http_request *request)
{
    request->state = NULL;
    http_answer(request);
}

static void start(struct http_request *request, struct intake_options *options)
{
    struct api *api = api_of(request);
    struct write *write = arena_take_zeroed(request->arena, sizeof(*write));
    slice on_error = {0};
    if (write == NULL) {
        http_problem(request, 431, "the request's headers are too large");
        refuse_now(request);
        return;
    }
    write->request = request;
    write->api = api;
    write->wishes.receipt = flag_is_set(request, "receipt");
    write->wishes.event_ids = options->keep_ids;
    for (size_t i = 0; i < INTAKE_SLOTS; i++) {
        write->wakes[i] = (struct wake){.task = {.run = continue_slot}, .write = write};
    }
    options->skip_errors = !options->atomic && http_query(request, "on_error", &on_error) &&
                           slice_equal(on_error, SLICE("skip"));
    options->leaf_due = request->is_crowded;
    options->wake = on_wake;
    options->context = write;
    options->read.org = ((const struct caller *)request->caller)->org;
    bound_events(api, flag_is_set(request, "backfill"), &options->read);
    write->intake = intake_new(&api->ingest, options);
    request->state = write;
}

static void on_events(struct http_request *request)
{
    struct intake_options options = {0};
    take_headers(request, &options.read);
    if (!params_are_known(request) || !find_shape(request, &options)) {
        refuse_now(request);
        return;
    }
    start(request, &options);
}

static void on_batch(struct http_request *request)
{
    struct intake_options options = {.atomic = true, .keep_ids = true};
    if (!params_are_known(request) || !find_shape(request, &options)) {
        refuse_now(request);
        return;
    }
    start(request, &options);
}

static void on_format(struct http_request *request)
{
    slice name = http_path_param(request, "format");
    struct intake_options options = {.shape = INTAKE_FORMAT, .format = format_find(name)};
    if (options.format == NULL) {
        struct diag diag = {0};
        enum err e = diag_fail(&diag, ERR_NOT_FOUND, "", "%.*s is not a format that is read here",
                               SLICE_ARG(name));
        api_fail(request, e, &diag);
        refuse_now(request);
        return;
    }
    if (!params_are_known(request)) {
        refuse_now(request);
        return;
    }
    options.read.source_format = format_name(options.format);
    start(request, &options);
}

static void on_mutt(struct http_request *request)
{
    struct intake_options options = {.shape = INTAKE_FORMAT, .format = format_find(SLICE("mutt"))};
    if (!params_are_known(request)) {
        refuse_now(request);
        return;
    }
    options.read.source_format = format_name(options.format);
    options.read.header_correlation_id = write_correlation_id(request);
    start(request, &options);
}

const struct http_parked api_events_post = {on_events, on_body, on_body_end, on_abort};
const struct http_parked api_events_batch = {on_batch, on_body, on_body_end, on_abort};
const struct http_parked api_ingest_post = {on_format, on_body, on_body_end, on_abort};
const struct http_parked api_mutt_post = {on_mutt, on_body, on_body_end, on_abort};
