/* SPDX-License-Identifier: Apache-2.0 */
/* validate - a document is checked against rules that come with it, or a schema that is registered;
 * nothing of it is stored. */
#include "codec/hex.h"
#include "gate/access_event.h"
#include "gate/auth.h"
#include "ingest/requirements.h"
#include "json/write.h"
#include "os/clock.h"
#include "os/random.h"
#include "rules/rules.h"
#include "trail/trail.h"
#include "trail/validation_quota.h"

enum { ID_BYTES = 8 };

static const char *status_name(enum rules_status status)
{
    return status == RULES_PASSED ? "passed" : status == RULES_WARNING ? "warning" : "failed";
}

static void write_outcome(struct json_writer *json, const void *data)
{
    const struct rules_result *result = data;
    json_cstr(json, "status", status_name(result->status));
    json_u64(json, "errors", result->error_count);
    json_u64(json, "warnings", result->warning_count);
}

/* ING-31: that it was asked, and what came of it. */
static void note_event(const struct http_request *request, const char *id,
                       const struct rules_result *result)
{
    const char *outcome = result->status == RULES_FAILED ? "failure" : "success";
    access_put(request, &(struct request_event){.type = "validation.request",
                                                .outcome = outcome,
                                                .resource_type = "validation",
                                                .resource_id = slice_from_cstr(id),
                                                .write_data = write_outcome,
                                                .data = result});
}

/* False: the result is too large for an answer. */
static bool answer(struct http_request *request, const char *id, const struct rules_result *result)
{
    struct http_response *response = request->response;
    struct json_writer json = json_writer_to(&response->body);
    response->content_type = HTTP_TYPE_JSON;
    json_begin_object(&json, NULL);
    rules_write(result, &json);
    json_cstr(&json, "validation_id", id);
    json_u64(&json, "latency_ms", (uint64_t)(clock_monotonic_us() - request->started_us) / 1000);
    json_time(&json, "timestamp", clock_now_us());
    if (json_end(&json) == OK) {
        return true;
    }
    buf_clear(&response->body);
    api_fail(request, ERR_LIMIT, NULL);
    return false;
}

static enum err find_schema(void *owner, slice event_type, struct arena *arena, slice *schema_out,
                            struct diag *diag)
{
    const struct caller *caller = owner;
    return requirements_find(caller->api->ingest.requirements, caller->org, event_type, arena,
                             schema_out, diag);
}

/* False: it was refused, or failed. */
static bool validate(struct http_request *request)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
    struct rules_result result = {0};
    struct diag diag = {0};
    uint8_t random[ID_BYTES];
    char id[sizeof("val_") + 2 * ID_BYTES] = "val_";
    const struct rules_context context = {
        .now_us = clock_now_us(),
        .find_schema = find_schema,
        .owner = request->caller,
    };
    enum err e = rules_run(request->body, &context, &arena, &result, &diag);
    if (e != OK) {
        api_fail(request, e, &diag);
        return false;
    }
    random_bytes(random, sizeof(random));
    hex_encode((slice){random, sizeof(random)}, id + 4);
    bool is_answered = answer(request, id, &result);
    note_event(request, id, &result);
    return is_answered;
}

void api_validate_post(struct http_request *request)
{
    struct quota_answer quota;
    if (validation_quota_take(request, &quota)) {
        validation_quota_settle(request, &quota, validate(request));
    }
}
