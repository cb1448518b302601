/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/auth.h"

#include <stdio.h>

#include "access/rights.h"
#include "access/token_review.h"
#include "base/log.h"
#include "gate/meter.h"
#include "json/write.h"
#include "os/clock.h"
#include "people/people.h"

enum { ACTOR_BYTES_MAX = 255 }; /* as events have it; longer are service accounts, in ASCII */

static enum http_pass refuse(struct http_request *request, int status, const char *detail)
{
    http_problem(request, status, detail);
    return HTTP_PASS_ANSWER;
}

/* "Bearer <key>", the word in any case. */
static bool take_bearer(slice value, slice *key)
{
    slice word = SLICE("bearer ");
    if (value.len < word.len || !slice_equal_any_case(slice_take(&value, word.len), word)) {
        return false;
    }
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
    caller->actor.len = caller->actor.len < ACTOR_BYTES_MAX ? caller->actor.len : ACTOR_BYTES_MAX;
    caller->version_default = slice_from_cstr(caller->who.api_version);
    if (caller->who.kind == CALLER_KEY) {
        caller->key_id = slice_from_cstr(caller->who.id);
    }
}

/* Whether a service account of a cluster may come in, as whom it is mapped to. */
static bool take_service(const struct api *api, const struct token_reviewed *account,
                         struct known_caller *out)
{
    bool is_known =
        callers_find_service(api->callers, account->username, account->org, account->role, out);
    (void)snprintf(out->id, sizeof(out->id), "%s", account->uid);
    return is_known;
}

/* From memory alone. False: auth_ask() tells. *may_be_known: there is something to be asked. */
static bool find(const struct api *api, struct caller *caller, bool *may_be_known)
{
    int64_t now_us = clock_now_us();
    struct token_reviewed account;
    enum callers_answer answer = callers_find(api->callers, caller->shown, now_us, &caller->who);
    *may_be_known = false;
    if (answer != CALLERS_NO_KEY) {
        return answer == CALLERS_KNOWN;
    }
    enum people_answer person = people_find(api->people, caller->shown, now_us, &caller->who);
    *may_be_known = person == PEOPLE_UNVERIFIED;
    if (person == PEOPLE_UNVERIFIED && api->reviews != NULL &&
        token_review_find(api->reviews, caller->shown, now_us, &account)) {
        return take_service(api, &account, &caller->who);
    }
    return person == PEOPLE_KNOWN;
}

bool auth_still_holds(const struct http_request *request)
{
    struct caller now = *(const struct caller *)request->caller;
    const struct known_caller was = now.who;
    bool may_be_known = false;
    if (!find(now.api, &now, &may_be_known)) {
        return may_be_known && was.kind == CALLER_SERVICE;
    }
    return strcmp(now.who.id, was.id) == 0 && strcmp(now.who.org, was.org) == 0 &&
           (was.rights & ~now.who.rights) == 0 && now.who.is_system == was.is_system &&
           now.who.filter == was.filter;
}

enum http_pass auth_identify(struct http_request *request, void *data)
{
    struct api *api = data;
    bool may_be_known = false;
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
    if (find(api, caller, &may_be_known)) {
        become(caller);
        return HTTP_PASS_ON;
    }
    return may_be_known || limits_wait(api->limits) ? HTTP_PASS_WAIT : auth_ask(request, api);
}

/* Whose key or token it is. NOT_FOUND: nobody's; BUSY: it cannot be told. `why` is for the log. */
static enum err ask(const struct api *api, struct caller *caller, struct diag *why)
{
    int64_t now_us = clock_now_us();
    struct token_reviewed account;
    const char *reason = NULL;
    enum callers_answer answer = callers_find(api->callers, caller->shown, now_us, &caller->who);
    if (answer != CALLERS_NO_KEY) {
        return answer == CALLERS_KNOWN
                   ? OK
                   : diag_fail(why, ERR_NOT_FOUND, "", "%s", callers_reason(answer));
    }
    if (api->reviews != NULL &&
        token_review_looks_like(caller->shown, people_issuer(api->people))) {
        TRY(token_review(api->reviews, caller->shown, now_us, &account, why));
        return take_service(api, &account, &caller->who)
                   ? OK
                   : diag_fail(why, ERR_NOT_FOUND, "", "its organisation is not let in");
    }
    return people_ask(api->people, caller->shown, now_us, &caller->who, &reason)
               ? OK
               : diag_fail(why, ERR_NOT_FOUND, "", "%s", reason);
}

/* Whoever has a right key is let in whatever others behind the same address show. */
enum http_pass auth_ask(struct http_request *request, void *data)
{
    struct api *api = data;
    struct caller *caller = request->caller;
    struct diag why = {0};
    if (!meter_address_is_open(request, api)) {
        return HTTP_PASS_ANSWER;
    }
    enum err e = ask(api, caller, &why);
    if (e == OK) {
        become(caller);
        return HTTP_PASS_ON;
    }
    LOG_INFO("a key was refused", kv_str("why", why.text), kv_slice("peer", request->peer),
             kv_slice("request_id", request->request_id));
    if (e == ERR_BUSY) { /* neither yes nor no, and nobody's mistake */
        http_response_header_cstr(request->response, "Retry-After", "1");
        return refuse(request, 503, "the cluster cannot be asked whose this token is");
    }
    meter_wrong_key(request, api);
    return refuse(request, 401, "the key is not known here");
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

static enum err check_right(const struct api_route *route, const struct known_caller *who,
                            struct diag *diag)
{
    if (route->openness != OPEN_TO_KNOWN && (who->rights & route->right) == 0) {
        return diag_fail(diag, ERR_DENIED, "", "this needs a key with the right %s",
                         right_name(route->right));
    }
    if (route->reaches_all && !who->is_system) {
        return diag_fail(diag, ERR_DENIED, "",
                         "this reaches every organisation: it takes a caller of the first");
    }
    return OK;
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
    struct diag diag = {0};
    enum err e = check_right(route, &caller->who, &diag);
    if (e != OK) {
        api_fail(request, e, &diag);
        return HTTP_PASS_ANSWER;
    }
    return HTTP_PASS_ON;
}

struct api *api_of(const struct http_request *request)
{
    return ((const struct caller *)request->caller)->api;
}

bool api_may_see_all(const struct http_request *request)
{
    return ((const struct caller *)request->caller)->who.is_system;
}
