/* SPDX-License-Identifier: Apache-2.0 */
#include "api/auth.h"

#include "access/rights.h"
#include "api/meter.h"
#include "base/log.h"
#include "codec/json_write.h"
#include "os/clock.h"
#include "people/people.h"

static enum http_pass refuse(struct http_request *request, int status, const char *detail)
{
    if (status == 401) {
        http_response_header_cstr(request->response, "WWW-Authenticate", "Bearer realm=\"cairn\"");
    }
    http_problem(request, status, detail);
    return HTTP_PASS_ANSWER;
}

/* "Bearer <key>", the word in any case. */
static bool take_bearer(slice value, slice *key)
{
    static const char word[] = "bearer ";
    if (value.len < sizeof(word) - 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof(word) - 1; i++) {
        uint8_t byte = value.ptr[i];
        byte = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A') : byte;
        if (byte != (uint8_t)word[i]) {
            return false;
        }
    }
    (void)slice_take(&value, sizeof(word) - 1);
    slice_skip_spaces(&value);
    *key = value;
    return true;
}

/* ANSWER: the request shows a key in a way that is refused. */
static enum http_pass find_key(struct http_request *request, const struct api *api, slice *key)
{
    slice value = {0};
    slice in_url = {0};
    *key = (slice){0};
    if (http_query(request, "api_key", &in_url) &&
        !running_bool(api->running, OPTION_QUERY_KEY_ALLOWED)) {
        return refuse(request, 401,
                      "a key in the URL is refused, because URLs are logged; send it as "
                      "Authorization: Bearer or X-API-Key");
    }
    if (http_header(request, "authorization", &value)) {
        if (!take_bearer(value, key)) {
            return refuse(request, 401, "send the key as Authorization: Bearer <key>");
        }
    } else if (!http_header(request, "x-api-key", key)) {
        *key = in_url;
    }
    return HTTP_PASS_ON;
}

static void extend_needed(struct json_writer *json, const void *data)
{
    UNUSED(data);
    json_cstr(json, "error", "code_needed");
}

void auth_need_code(struct http_request *request)
{
    const struct http_problem problem = {
        .status = 401,
        .type = "/docs/problems#code-needed",
        .detail = SLICE("this user has a second factor; send its code in `code`"),
        .extend = extend_needed,
    };
    http_problem_write(request, &problem);
}

static void become(struct caller *caller)
{
    caller->is_known = true;
    caller->org = slice_from_cstr(caller->who.org);
    caller->actor = slice_from_cstr(caller->who.name);
    caller->version_default = slice_from_cstr(caller->who.api_version);
    if (caller->who.kind == CALLER_KEY) {
        caller->key_id = slice_from_cstr(caller->who.id);
    }
}

enum http_pass auth_identify(struct http_request *request, void *data)
{
    struct api *api = data;
    struct caller *caller = arena_take_zeroed(request->arena, sizeof(*caller));
    if (caller == NULL) {
        return refuse(request, 431, "the request's headers are too large");
    }
    caller->api = api;
    request->caller = caller;
    if (find_key(request, api, &caller->shown) != HTTP_PASS_ON) {
        return HTTP_PASS_ANSWER;
    }
    if (caller->shown.len == 0) {
        return HTTP_PASS_ON;
    }
    enum callers_answer answer =
        callers_find(api->callers, caller->shown, clock_now_us(), &caller->who);
    enum people_answer person = PEOPLE_REFUSED;
    if (answer == CALLERS_NO_KEY) {
        person = people_find(api->people, caller->shown, clock_now_us(), &caller->who);
    }
    if (answer == CALLERS_KNOWN || person == PEOPLE_KNOWN) {
        become(caller);
        return HTTP_PASS_ON;
    }
    bool waits = person == PEOPLE_UNVERIFIED || limits_wait(api->limits);
    return waits ? HTTP_PASS_WAIT : auth_ask(request, api);
}

/* Whose key or token it is. False: *why is for the log. */
static bool ask(const struct api *api, struct caller *caller, const char **why)
{
    int64_t now_us = clock_now_us();
    enum callers_answer answer = callers_find(api->callers, caller->shown, now_us, &caller->who);
    if (answer == CALLERS_NO_KEY) {
        return people_ask(api->people, caller->shown, now_us, &caller->who, why);
    }
    *why = callers_reason(answer);
    return answer == CALLERS_KNOWN;
}

/* Whoever has a right key is let in whatever others behind the same address show. */
enum http_pass auth_ask(struct http_request *request, void *data)
{
    struct api *api = data;
    struct caller *caller = request->caller;
    if (!meter_address_is_open(request, api)) {
        return HTTP_PASS_ANSWER;
    }
    const char *why = "";
    if (!ask(api, caller, &why)) {
        meter_wrong_key(request, api);
        LOG_INFO("a key was refused", kv_str("why", why), kv_slice("peer", request->peer),
                 kv_slice("request_id", request->request_id));
        return refuse(request, 401, "the key is not known here");
    }
    become(caller);
    return HTTP_PASS_ON;
}

void caller_write(struct json_writer *json, const struct http_request *request)
{
    const struct caller *caller = request->caller;
    bool is_known = caller != NULL && caller->is_known;
    json_cstr(json, "actor_type", is_known ? caller_kind_name(caller->who.kind) : "anonymous");
    if (is_known) {
        json_str(json, "actor_id", caller->actor);
    }
    if (is_known && caller->who.session[0] != '\0') {
        json_cstr(json, "session_id", caller->who.session);
    }
    json_str(json, "actor_ip", request->peer);
}

/* Of this machine; what a proxy says of itself does not count. */
static bool is_loopback(const struct http_request *request)
{
    slice peer = request->peer;
    if (request->is_forwarded) {
        return false;
    }
    return slice_equal(peer, SLICE("::1")) || slice_take_literal(&peer, SLICE("127."));
}

static bool is_open(const struct http_request *request, const struct api *api,
                    enum openness openness)
{
    switch (openness) {
    case OPEN_TO_NONE:
    case OPEN_TO_KNOWN:
        return false;
    case OPEN_TO_ALL:
        return true;
    case OPEN_TO_LOOPBACK:
        return running_bool(api->running, OPTION_METRICS_PUBLIC) || is_loopback(request);
    case OPEN_TILES:
        return running_bool(api->running, OPTION_TILES_PUBLIC);
    }
    return false;
}

static enum http_pass refuse_right(struct http_request *request, uint32_t right)
{
    struct diag diag = {0};
    enum err e =
        diag_fail(&diag, ERR_DENIED, "", "this needs a key with the right %s", right_name(right));
    api_fail(request, e, &diag);
    return HTTP_PASS_ANSWER;
}

enum http_pass auth_authorise(struct http_request *request, void *data)
{
    UNUSED(data);
    const struct caller *caller = request->caller;
    const struct api_route *route = request->route != NULL ? request->route->data : NULL;
    /* 404 and 405 tell nothing that the documents do not */
    if (route == NULL || is_open(request, caller->api, route->openness)) {
        return HTTP_PASS_ON;
    }
    if (!caller->is_known) {
        return refuse(request, 401,
                      "a key is needed: send Authorization: Bearer <key>; the first one is in the "
                      "file admin.key of the data directory");
    }
    bool may = route->openness == OPEN_TO_KNOWN || (caller->who.rights & route->right) != 0;
    return may ? HTTP_PASS_ON : refuse_right(request, route->right);
}
