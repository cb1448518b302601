/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/access_event.h"

#include "access/rights.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "gate/auth.h"
#include "ingest/journal.h"
#include "json/write.h"
#include "os/clock.h"

#define HIDDEN "[hidden]"

enum {
    EVENT_BYTES_MAX = 64 * 1024,
    PARAMS_MAX = 64, /* of a request, that are listed */
    VALUE_BYTES_MAX = 1024,
    AGENT_BYTES_MAX = 512,
    WORDS_BYTES_MAX = 8 * 1024, /* more than the option may have: words are never left out */
};

/* ---- What is sensitive ---- */

bool access_is_sensitive(slice text, slice words)
{
    while (words.len > 0) {
        const uint8_t *comma = memchr(words.ptr, ',', words.len);
        slice word = slice_take(&words, comma != NULL ? (size_t)(comma - words.ptr) : words.len);
        (void)slice_take(&words, comma != NULL ? 1 : 0);
        slice_skip_spaces(&word);
        while (word.len > 0 && word.ptr[word.len - 1] == ' ') {
            word.len--;
        }
        if (slice_holds_any_case(text, word)) {
            return true;
        }
    }
    return false;
}

/* ---- Which requests ---- */

static bool is_recorded(const struct api *api, const struct http_request *request)
{
    const struct api_route *route = request->route != NULL ? request->route->data : NULL;
    size_t wanted = running_choice(api->running, OPTION_ACCESS_EVENTS);
    if (route == NULL || api->journal == NULL || wanted == ACCESS_EVENTS_NONE) {
        return false;
    }
    bool is_open = route->openness != OPEN_TO_NONE && route->openness != OPEN_TO_KNOWN;
    bool is_counted = (is_open && route->action == NULL) || route->right == RIGHT_EVENTS_WRITE;
    return !is_counted || wanted == ACCESS_EVENTS_ALL;
}

static const char *action_of(const struct http_request *request)
{
    const struct api_route *route = request->route->data;
    if (route->action != NULL) {
        return route->action;
    }
    switch (request->method) {
    case HTTP_POST:
        return "CREATE";
    case HTTP_PUT:
    case HTTP_PATCH:
        return "UPDATE";
    case HTTP_DELETE:
        return "DELETE";
    case HTTP_GET:
    case HTTP_HEAD:
    case HTTP_OPTIONS:
        return "READ";
    }
    return "READ";
}

static const char *outcome_of(int status)
{
    return status == 401 || status == 403  ? "denied"
           : status >= 200 && status < 400 ? "success"
                                           : "failure";
}

/* ---- The event ---- */

/* Text of strangers, not longer than `most`; what is no UTF-8 is no text. */
static void write_text(struct json_writer *json, const char *key, slice text, size_t most)
{
    text = slice_cut(text, most);
    json_str(json, key, utf8_is_valid(text) ? text : SLICE("[not UTF-8]"));
}

static void write_params(struct json_writer *json, const struct api *api,
                         const struct http_request *request)
{
    struct arena arena CLEANUP(arena_release) = ARENA_INIT(WORDS_BYTES_MAX);
    slice words = running_text(api->running, OPTION_SENSITIVE_FIELDS, &arena);
    json_begin_object(json, "parameters");
    for (size_t i = 0; i < request->query_count && i < PARAMS_MAX; i++) {
        const struct http_param *param = &request->query[i];
        bool is_repeat = false;
        for (size_t j = 0; j < i; j++) {
            is_repeat = is_repeat || slice_equal(request->query[j].name, param->name);
        }
        if (is_repeat || !utf8_is_valid(param->name)) {
            continue;
        }
        bool is_hidden =
            access_is_sensitive(param->name, words) || access_is_sensitive(param->value, words);
        json_key(json, param->name);
        write_text(json, NULL, is_hidden ? SLICE(HIDDEN) : param->value, VALUE_BYTES_MAX);
    }
    json_end_object(json);
}

static void write_actor(struct json_writer *json, const struct http_request *request)
{
    caller_write(json, request);
    slice agent = {0};
    if (http_header(request, "user-agent", &agent) && agent.len > 0) {
        write_text(json, "user_agent", agent, AGENT_BYTES_MAX);
    }
}

static void write_event(struct json_writer *json, const struct api *api,
                        const struct http_request *request, const struct http_outcome *outcome)
{
    json_begin_object(json, NULL);
    json_cstr(json, "event_type", "api.request");
    json_cstr(json, "event_action", action_of(request));
    json_cstr(json, "event_outcome", outcome_of(outcome->status));
    write_actor(json, request);
    json_cstr(json, "resource_type", "route");
    json_cstr(json, "resource_id", request->route->path);
    json_str(json, "request_id", request->request_id);
    json_u64(json, "duration_ms", outcome->duration_us / 1000);
    json_begin_object(json, "event_data");
    json_cstr(json, "method", http_method_name(request->method));
    json_cstr(json, "route", request->route->path);
    for (size_t i = 0; i < request->path_param_count; i++) {
        json_key(json, request->path_params[i].name);
        write_text(json, NULL, request->path_params[i].value, VALUE_BYTES_MAX);
    }
    json_u64(json, "status", (uint64_t)outcome->status);
    json_u64(json, "request_bytes", outcome->request_bytes);
    json_u64(json, "response_bytes", outcome->response_bytes);
    if (request->query_count > 0) {
        write_params(json, api, request);
    }
    json_end_object(json);
}

void access_put(const struct http_request *request, const struct request_event *event)
{
    const struct caller *caller = request->caller;
    struct journal *journal = caller->api->journal;
    if (journal == NULL) {
        return;
    }
    CLEANUP(buf_release) struct buf text = BUF_INIT(EVENT_BYTES_MAX);
    struct json_writer json = json_writer_to(&text);
    json_begin_object(&json, NULL);
    json_cstr(&json, "event_type", event->type);
    json_cstr(&json, "event_outcome", event->outcome);
    caller_write(&json, request);
    json_str(&json, "request_id", request->request_id);
    json_cstr(&json, "resource_type", event->resource_type);
    json_str(&json, "resource_id", event->resource_id);
    json_begin_object(&json, "event_data");
    event->write_data(&json, event->data);
    if (json_end(&json) == OK) {
        journal_put(journal, caller->org, buf_slice(&text));
    }
}

void access_event(struct api *api, const struct http_request *request,
                  const struct http_outcome *outcome)
{
    if (!is_recorded(api, request)) {
        return;
    }
    const struct caller *caller = request->caller;
    bool is_known = caller != NULL && caller->is_known;
    CLEANUP(buf_release) struct buf text = BUF_INIT(EVENT_BYTES_MAX);
    struct json_writer json = json_writer_to(&text);
    write_event(&json, api, request, outcome);
    enum err e = json_end(&json);
    if (e == OK) {
        journal_put(api->journal, is_known ? caller->org : SLICE(SYSTEM_ORGANIZATION),
                    buf_slice(&text));
    }
}
