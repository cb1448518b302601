/* SPDX-License-Identifier: Apache-2.0 */
/* login - signing up, logging in and out, and who one is. */
#include <stdio.h>

#include "access/rights.h"
#include "accounts/accounts.h"
#include "accounts/people_request.h"
#include "codec/time.h"
#include "gate/auth.h"
#include "gate/meter.h"
#include "os/clock.h"
#include "people/people.h"

/* ---- Answers ---- */

static void set_time(json_t *object, const char *name, int64_t time_us)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(time_us, text);
    (void)json_object_set_new(object, name, json_stringn(text, sizeof(text)));
}

static json_t *rights_list(uint32_t rights)
{
    json_t *list = json_array();
    for (uint32_t right = 1; right != 0; right <<= 1) {
        const char *name = right_name(rights & right);
        if (name != NULL) {
            (void)json_array_append_new(list, json_string(name));
        }
    }
    return list;
}

static json_t *who_is(const struct known_caller *who)
{
    json_t *shown = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "type", caller_kind_name(who->kind),
                              "id", who->id, "name", who->name, "org", who->org, "role", who->role,
                              "scopes", rights_list(who->rights));
    if (who->session[0] != '\0') {
        (void)json_object_set_new(shown, "session_id", json_string(who->session));
    }
    return shown;
}

static void answer_tokens(struct http_request *request, const struct login_result *result,
                          int64_t now_us)
{
    json_t *answer =
        json_pack("{s:s, s:s, s:I, s:s, s:o}", "access_token", result->token, "token_type",
                  "Bearer", "expires_in", (json_int_t)(result->token_expires_us - now_us) / 1000000,
                  "refresh_token", result->refresh, "user", who_is(&result->who));
    set_time(answer, "expires_at", result->token_expires_us);
    set_time(answer, "session_expires_at", result->session_expires_us);
    config_answer(request, 200, answer);
    json_decref(answer);
}

/* ---- Logging in ---- */

static void refuse_login(struct http_request *request, const struct login_result *result)
{
    switch (result->answer) {
    case LOGIN_GOOD:
        break;
    case LOGIN_WRONG:
        http_problem(request, 401, "the address, the password or the code is not right");
        break;
    case LOGIN_CODE_NEEDED:
        auth_need_code(request);
        break;
    case LOGIN_ANSWERS:
        break;
    case LOGIN_LATER:
        meter_wait(request, "logins failed", result->retry_after_us);
        break;
    }
}

/* {organization_id, name, email, tier, api_key, monthly_quota}, as the seed's clients know it. */
static json_t *seed_shape(const struct signup_result *result, const char *email)
{
    const json_t *organization = result->organization;
    return json_pack("{s:O, s:O, s:s, s:O, s:s, s:O}", "organization_id",
                     json_object_get(organization, "id"), "name",
                     json_object_get(organization, "name"), "email", email, "tier",
                     json_object_get(organization, "tier"), "api_key", result->secret.text,
                     "monthly_quota", json_object_get(organization, "monthly_quota"));
}

static enum err answer_with_key(struct people_request *asked, const struct known_caller *who)
{
    CLEANUP(signup_result_release) struct signup_result result = {0};
    TRY(people_key_after_login(asked->people, who, api_of(asked->request)->key_environment,
                               &asked->from, &result, &asked->diag));
    json_t *answer = seed_shape(&result, who->name);
    config_answer(asked->request, 200, answer);
    json_decref(answer);
    return OK;
}

static enum err login(struct people_request *asked)
{
    CLEANUP(login_result_release) struct login_result result;
    struct login login = {.from = &asked->from};
    TRY(people_member(asked, "email", true, &login.email));
    TRY(people_member(asked, "password", true, &login.password));
    TRY(people_member(asked, "code", false, &login.code));
    TRY(people_login(asked->people, &login, &result, &asked->diag));
    if (result.answer != LOGIN_GOOD) {
        refuse_login(asked->request, &result);
        return OK;
    }
    const struct api_route *route = asked->request->route->data;
    if (route->legacy != NULL) {
        return answer_with_key(asked, &result.who);
    }
    answer_tokens(asked->request, &result, clock_now_us());
    return OK;
}

void api_login(struct http_request *request)
{
    struct people_request asked;
    enum err e = people_request(request, &asked);
    people_request_end(&asked, e == OK ? login(&asked) : e);
}

static enum err refresh(struct people_request *asked)
{
    CLEANUP(login_result_release) struct login_result result;
    slice token = {0};
    TRY(people_member(asked, "refresh_token", true, &token));
    TRY(people_refresh(asked->people, token, &asked->from, &result, &asked->diag));
    if (result.answer == LOGIN_GOOD) {
        answer_tokens(asked->request, &result, clock_now_us());
    } else {
        http_problem(asked->request, 401, "the refresh token is not good any more; log in again");
    }
    return OK;
}

void api_refresh(struct http_request *request)
{
    struct people_request asked;
    enum err e = people_request(request, &asked);
    people_request_end(&asked, e == OK ? refresh(&asked) : e);
}

/* With an access token, or a refresh token alone. */
static enum err logout(struct people_request *asked)
{
    const struct caller *caller = asked->request->caller;
    slice token = {0};
    bool has_session = caller->is_known && caller->who.session[0] != '\0';
    TRY(people_member(asked, "refresh_token", !has_session, &token));
    TRY(people_logout(asked->people, &caller->who, token, &asked->from, &asked->diag));
    asked->request->response->status = 204;
    return OK;
}

void api_logout(struct http_request *request)
{
    struct people_request asked;
    enum err e = people_request(request, &asked);
    people_request_end(&asked, e == OK ? logout(&asked) : e);
}

void api_me(struct http_request *request)
{
    const struct caller *caller = request->caller;
    json_t *shown = who_is(&caller->who);
    config_answer(request, 200, shown);
    json_decref(shown);
}

/* ---- Signing up ---- */

static void answer_signup(struct http_request *request, const struct signup_result *result)
{
    const struct api_route *route = request->route->data;
    json_t *key = kind_show(&kind_api_keys, result->key);
    (void)json_object_set_new(key, "key", json_string(result->secret.text));
    json_t *answer =
        route->legacy != NULL
            ? seed_shape(result, json_string_value(json_object_get(result->user, "email")))
            : json_pack("{s:o, s:o, s:O}", "organization",
                        kind_show(&kind_organizations, result->organization), "user",
                        kind_show(&kind_users, result->user), "api_key", key);
    config_answer(request, 201, answer);
    json_decref(answer);
    json_decref(key);
}

static enum err sign_up(struct people_request *asked)
{
    const struct api *api = api_of(asked->request);
    CLEANUP(signup_result_release) struct signup_result result = {0};
    const struct signup signup = {asked->body, api->key_environment, &asked->from};
    if (!running_bool(api->running, OPTION_SIGNUP)) {
        return diag_fail(&asked->diag, ERR_DENIED, "",
                         "nobody may sign up here; an administrator may switch it on (signup)");
    }
    enum err e = people_signup(asked->people, &signup, &result, &asked->errors, &asked->diag);
    if (e == ERR_LIMIT) {
        meter_wait(asked->request, "sign-ups from this address", result.retry_after_us);
        return OK;
    }
    TRY(e);
    answer_signup(asked->request, &result);
    return OK;
}

void api_signup(struct http_request *request)
{
    struct people_request asked;
    enum err e = people_request(request, &asked);
    people_request_end(&asked, e == OK ? sign_up(&asked) : e);
}
