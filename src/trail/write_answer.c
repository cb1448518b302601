/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/write_answer.h"

#include "gate/gate.h"
#include "gate/legacy.h"
#include "json/write.h"

static void write_seqs(struct json_writer *json, const struct intake_result *result)
{
    json_u64(json, "count", result->count);
    if (result->has_seqs) {
        json_u64(json, "first_seq", result->first_seq);
        json_u64(json, "last_seq", result->last_seq);
    }
    json_u64(json, "duplicates", result->duplicates);
}

/* Nothing, where there is nothing to tell; `total` is told where it is more than is listed. */
static void write_told(struct json_writer *json, const char *name, const char *total_name,
                       const struct intake_error *list, size_t count, uint64_t total)
{
    if (total == 0) {
        return;
    }
    json_begin_array(json, name);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(json, NULL);
        json_u64(json, "index", list[i].index);
        json_cstr(json, "pointer", list[i].pointer);
        json_cstr(json, "detail", list[i].detail);
        json_end_object(json);
    }
    json_end_array(json);
    if (total > count) {
        json_u64(json, total_name, total);
    }
}

static void write_errors(struct json_writer *json, const struct intake_result *result)
{
    write_told(json, "errors", "errors_total", result->errors, result->error_count,
               result->error_total);
}

/* Of events that are stored, but do not fit the schema of their type. */
static void write_warnings(struct json_writer *json, const struct intake_result *result)
{
    write_told(json, "warnings", "warnings_total", result->warnings, result->warning_count,
               result->warning_total);
}

static void write_id(struct json_writer *json, const char *key, const struct uuid *id)
{
    char text[UUID_TEXT_BYTES];
    uuid_format(id, text);
    json_str(json, key, (slice){(const uint8_t *)text, sizeof(text)});
}

static void write_single(struct json_writer *json, const struct intake_result *result)
{
    write_id(json, "event_id", &result->event_id);
    json_u64(json, "seq", result->seq);
    json_hex(json, "leaf_hash", (slice){result->leaf.bytes, sizeof(result->leaf.bytes)});
    json_time(json, "event_timestamp", result->event_timestamp_us);
    if (result->count == 0) {
        json_bool(json, "duplicate", true);
    }
}

/* The checkpoint that covers what was stored; the request waited for it. */
static void write_receipt(struct store *store, struct json_writer *json)
{
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    uint64_t size = 0;
    if (store_checkpoint(store, &note, &size, NULL) == OK) {
        json_str(json, "checkpoint", buf_slice(&note));
    }
}

slice write_correlation_id(const struct http_request *request)
{
    slice id = request->request_id;
    (void)http_header(request, "x-correlation-id", &id);
    return id;
}

/* As clients of /ingest know it; what is answered is stored, so that nothing waits. */
static void answer_queued(struct http_request *request)
{
    struct json_writer json = json_writer_to(&request->response->body);
    request->response->content_type = HTTP_TYPE_JSON;
    json_begin_object(&json, NULL);
    json_cstr(&json, "status", "queued");
    json_str(&json, "correlation_id", write_correlation_id(request));
    json_u64(&json, "queue_depth", 0);
    if (json_end(&json) != OK) {
        api_fail(request, ERR_LIMIT, NULL);
    }
}

void write_answer_stored(struct http_request *request, const struct intake_result *result,
                         const struct write_wishes *wishes)
{
    const struct api *api = api_of(request);
    const struct legacy *legacy = legacy_of(api, request);
    struct http_response *response = request->response;
    if (legacy == &legacy_ingest) {
        answer_queued(request);
        return;
    }
    struct json_writer json = json_writer_to(&response->body);
    response->content_type = HTTP_TYPE_JSON;
    response->status = result->error_total > 0 ? 207 : result->count > 0 ? 201 : 200;
    json_begin_object(&json, NULL);
    if (result->is_single && result->error_total == 0) {
        write_single(&json, result);
    } else {
        write_seqs(&json, result);
    }
    write_errors(&json, result);
    write_warnings(&json, result);
    if (wishes->event_ids) {
        json_begin_array(&json, "event_ids");
        for (size_t i = 0; i < result->event_id_count; i++) {
            write_id(&json, NULL, &result->event_ids[i]);
        }
        json_end_array(&json);
    }
    if (wishes->receipt) {
        write_receipt(api->store, &json);
    }
    if (legacy != NULL) {
        json_cstr(&json, "message", result->count > 0 ? "stored" : "was there already");
    }
    if (json_end(&json) != OK) {
        api_fail(request, ERR_LIMIT, NULL);
    }
}

/* What a client needs to mend and to go on. */
static void extend_refusal(struct json_writer *json, const void *data)
{
    const struct intake_result *result = data;
    if (result->line > 0) {
        json_u64(json, "line", result->line);
    }
    write_seqs(json, result);
    if (result->count > 0) {
        write_warnings(json, result);
    }
    if (result->err == ERR_INVALID || result->err == ERR_CONFLICT || result->err == ERR_LIMIT) {
        json_begin_array(json, "errors");
        json_begin_object(json, NULL);
        json_u64(json, "index", result->index);
        json_cstr(json, "pointer", result->diag.where);
        json_cstr(json, "detail", result->diag.text);
        json_end_object(json);
        json_end_array(json);
    }
}

void write_answer_refused(struct http_request *request, const struct intake_result *result)
{
    api_fail_with(request, result->err, &result->diag, extend_refusal, result);
}

void write_answer_extend(struct http_request *request, const struct intake_result *result)
{
    struct buf *body = &request->response->body;
    CLEANUP(buf_release) struct buf members = BUF_INIT(KIB(1));
    struct json_writer json = json_writer_to(&members);
    json_begin_object(&json, NULL);
    write_seqs(&json, result);
    if (json_end(&json) == OK && body->len > 0) {
        body->len--; /* } */
        members.ptr[0] = ',';
        buf_append(body, buf_slice(&members));
    }
}
