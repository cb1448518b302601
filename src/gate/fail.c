/* SPDX-License-Identifier: Apache-2.0 */
/* fail - from enum err to a problem document: the one place where codes become statuses. */
#include "base/log.h"
#include "gate/gate.h"
#include "json/write.h"
#include "os/clock.h"

struct failure {
    const char *pointer;
    void (*extend)(struct json_writer *json, const void *data);
    const void *data;
};

static int status_of(enum err err)
{
    switch (err) {
    case OK:
        return 200;
    case ERR_INVALID:
        return 400;
    case ERR_NOT_FOUND:
        return 404;
    case ERR_DENIED:
        return 403;
    case ERR_CONFLICT:
        return 409;
    case ERR_LIMIT:
        return 413;
    case ERR_BUSY:
        return 503;
    case ERR_FULL:
        return 507;
    case ERR_GONE:
        return 410;
    case ERR_CORRUPT:
    case ERR_IO:
        return 500;
    }
    return 500;
}

static const char *problem_type(enum err err)
{
    switch (err) {
    case OK:
        break;
    case ERR_INVALID:
        return "/docs/problems#invalid";
    case ERR_NOT_FOUND:
        return "/docs/problems#not-found";
    case ERR_DENIED:
        return "/docs/problems#denied";
    case ERR_CONFLICT:
        return "/docs/problems#conflict";
    case ERR_LIMIT:
        return "/docs/problems#limit";
    case ERR_BUSY:
        return "/docs/problems#busy";
    case ERR_FULL:
        return "/docs/problems#full";
    case ERR_GONE:
        return "/docs/problems#gone";
    case ERR_CORRUPT:
    case ERR_IO:
        break;
    }
    return "/docs/problems#internal";
}

/* What a parameter or member was wrong, in the shape of all validation errors. */
static void extend(struct json_writer *json, const void *data)
{
    const struct failure *failure = data;
    if (failure->extend != NULL) {
        failure->extend(json, failure->data);
    } else if (failure->pointer != NULL && failure->pointer[0] != '\0') {
        json_cstr(json, "pointer", failure->pointer);
    }
}

/* What the caller is told instead of what a part of the server said, which is for the log: its
 * sentence names files, and may be that of a library. NULL: that is for the caller too. */
static const char *instead(enum err err, const struct diag *diag)
{
    if (err == ERR_CORRUPT || err == ERR_IO) {
        return "the server could not do this; its log says why, under the id of this request";
    }
    if (diag->where[0] == '\0') {
        return NULL;
    }
    if (err == ERR_BUSY) {
        return "the server is busy with something else, so nothing was done; its log says with "
               "what";
    }
    return err == ERR_FULL ? "the server has no room to store this; its log says where" : NULL;
}

/* Every request may find the server busy or full: once a second is said. */
static void log_inside(const struct http_request *request, enum err err, const struct diag *diag)
{
    static struct log_limit busy;
    static struct log_limit full;
    bool is_busy = err == ERR_BUSY;
    if (is_busy || err == ERR_FULL) {
        uint64_t left_out = 0;
        if (log_limit_pass(is_busy ? &busy : &full, clock_monotonic_us(), &left_out)) {
            LOG_WARN(is_busy ? "a request found the server busy" : "a request found the disk full",
                     kv_slice("request_id", request->request_id), kv_str("where", diag->where),
                     kv_str("why", diag->text), kv_u64("left_out", left_out));
        }
        return;
    }
    LOG_ERROR("a request failed inside", kv_slice("request_id", request->request_id),
              kv_str("error", err_name(err)), kv_str("where", diag->where),
              kv_str("why", diag->text));
}

void api_fail_with(struct http_request *request, enum err err, const struct diag *diag,
                   void (*extend_fn)(struct json_writer *json, const void *data), const void *data)
{
    static const struct diag none = {0};
    diag = diag != NULL ? diag : &none;
    struct failure failure = {diag->where, extend_fn, data};
    struct http_problem problem = {
        .status = status_of(err),
        .type = problem_type(err),
        .detail = slice_from_cstr(diag->text),
        .extend = extend,
        .extend_data = &failure,
    };
    const char *detail = instead(err, diag);
    if (detail != NULL) {
        log_inside(request, err, diag);
        failure.pointer = NULL; /* of what the server has, not of what was sent */
        problem.detail = slice_from_cstr(detail);
    }
    if (err == ERR_BUSY) {
        http_response_header_cstr(request->response, "Retry-After", "1");
    }
    http_problem_write(request, &problem);
}

void api_fail(struct http_request *request, enum err err, const struct diag *diag)
{
    api_fail_with(request, err, diag, NULL, NULL);
}

struct listed {
    const struct api_wrong *list;
    size_t count;
};

static void extend_listed(struct json_writer *json, const void *data)
{
    const struct listed *listed = data;
    json_begin_array(json, "errors");
    for (size_t i = 0; i < listed->count; i++) {
        json_begin_object(json, NULL);
        json_cstr(json, "pointer", listed->list[i].pointer);
        json_cstr(json, "detail", listed->list[i].detail);
        json_end_object(json);
    }
    json_end_array(json);
}

void api_fail_listed(struct http_request *request, enum err err, const struct diag *diag,
                     const struct api_wrong *list, size_t count)
{
    const struct listed listed = {list, count};
    api_fail_with(request, err, diag, count > 0 ? extend_listed : NULL, &listed);
}
