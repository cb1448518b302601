/* SPDX-License-Identifier: Apache-2.0 */
/* account - what users change of their own, and what administrators take from them. */
#include "accounts/accounts.h"
#include "accounts/people_request.h"
#include "accounts/users.h"
#include "crypto/secret.h"
#include "gate/meter.h"
#include "os/clock.h"
#include "people/people.h"
#include "people/second_factor.h"

/* Those who logged in; a key has no password. */
static enum err begin(struct http_request *request, struct people_request *asked)
{
    const struct caller *caller = request->caller;
    TRY(people_request(request, asked));
    return caller->who.kind == CALLER_USER
               ? OK
               : diag_fail(&asked->diag, ERR_DENIED, "", "this is for users who logged in");
}

static const struct known_caller *who_asks(const struct people_request *asked)
{
    return &((const struct caller *)asked->request->caller)->who;
}

/* What a request came to that a password had to go with. */
static enum err answer_proven(struct people_request *asked, const struct password_proof *proof,
                              enum err e)
{
    if (e == ERR_LIMIT) {
        meter_wait(asked->request, "passwords were not right", proof->retry_after_us);
        return OK;
    }
    TRY(e);
    asked->request->response->status = 204;
    return OK;
}

/* ---- The password ---- */

static enum err set_password(struct people_request *asked)
{
    struct password_proof proof = {0};
    slice next = {0};
    TRY(people_member(asked, "current_password", true, &proof.password));
    TRY(people_member(asked, "password", true, &next));
    return answer_proven(asked, &proof,
                         people_set_password(asked->people, who_asks(asked), &proof, next,
                                             &asked->from, &asked->errors, &asked->diag));
}

void api_password(struct http_request *request)
{
    struct people_request asked;
    enum err e = begin(request, &asked);
    people_request_end(&asked, e == OK ? set_password(&asked) : e);
}

/* ---- The second factor ---- */

static enum err totp_begin(struct people_request *asked)
{
    CLEANUP(buf_release) struct buf uri = BUF_INIT(TOTP_URI_BYTES_MAX);
    struct password_proof proof = {0};
    TRY(people_member(asked, "password", true, &proof.password));
    enum err e =
        people_totp_begin(asked->people, who_asks(asked), &proof, &asked->from, &uri, &asked->diag);
    TRY(answer_proven(asked, &proof, e));
    if (e == OK) {
        json_t *answer = json_pack("{s:s%}", "uri", (const char *)uri.ptr, uri.len);
        config_answer(asked->request, 201, answer);
        json_decref(answer);
    }
    return OK;
}

void api_totp_begin(struct http_request *request)
{
    struct people_request asked;
    enum err e = begin(request, &asked);
    people_request_end(&asked, e == OK ? totp_begin(&asked) : e);
}

static enum err totp_confirm(struct people_request *asked)
{
    struct recovery_codes codes;
    slice code = {0};
    TRY(people_member(asked, "code", true, &code));
    TRY(people_totp_confirm(asked->people, who_asks(asked), code, &asked->from, &codes,
                            &asked->diag));
    json_t *list = json_array();
    for (size_t i = 0; i < RECOVERY_CODES; i++) {
        (void)json_array_append_new(list, json_string(codes.texts[i]));
    }
    json_t *answer = json_pack("{s:o}", "recovery_codes", list);
    config_answer(asked->request, 200, answer);
    json_decref(answer);
    secret_wipe(&codes, sizeof(codes));
    return OK;
}

void api_totp_confirm(struct http_request *request)
{
    struct people_request asked;
    enum err e = begin(request, &asked);
    people_request_end(&asked, e == OK ? totp_confirm(&asked) : e);
}

static enum err totp_end(struct people_request *asked)
{
    struct password_proof proof = {0};
    TRY(people_member(asked, "password", true, &proof.password));
    return answer_proven(asked, &proof,
                         people_totp_end(asked->people, who_asks(asked), &proof, &asked->from,
                                         &asked->diag));
}

void api_totp_end(struct http_request *request)
{
    struct people_request asked;
    enum err e = begin(request, &asked);
    people_request_end(&asked, e == OK ? totp_end(&asked) : e);
}

/* The role that counts is that of the transaction, lest it grew meanwhile. */
static enum err totp_reset_inside(struct people_request *asked, slice org)
{
    slice id = http_path_param(asked->request, "id");
    json_t *user = NULL;
    TRY(catalog_get(api_of(asked->request)->catalog, &kind_users, org, id, &user, &asked->diag));
    enum err e = users_check(asked->request, user, NULL, &asked->diag);
    slice whose = slice_from_cstr(json_string_value(json_object_get(user, "org")));
    e = e == OK ? people_totp_reset(asked->people, whose, id, &asked->from, &asked->diag) : e;
    json_decref(user);
    return e;
}

/* For a user who lost it; by those who may do as much as they. */
static enum err totp_reset(struct people_request *asked)
{
    struct catalog *catalog = api_of(asked->request)->catalog;
    slice org = {0};
    TRY(config_org(asked->request, &org, &asked->diag));
    TRY(catalog_begin(catalog, &asked->diag));
    TRY(catalog_end(catalog, totp_reset_inside(asked, org), &asked->diag));
    asked->request->response->status = 204;
    return OK;
}

void api_totp_reset(struct http_request *request)
{
    struct people_request asked;
    enum err e = people_request(request, &asked);
    people_request_end(&asked, e == OK ? totp_reset(&asked) : e);
}

/* ---- The keys of tokens ---- */

static enum err rotate_keys(struct people_request *asked)
{
    const json_t *value = json_object_get(asked->body, "at_once");
    bool at_once = json_is_true(value);
    if (value != NULL && !json_is_boolean(value)) {
        kind_wrong(&asked->errors, "at_once", "must be true or false");
        return diag_fail(&asked->diag, ERR_INVALID, "/at_once", "must be true or false");
    }
    TRY(people_rotate_keys(asked->people, at_once, &asked->from, clock_now_us(), &asked->diag));
    asked->request->response->status = 204;
    return OK;
}

void api_token_keys_rotate(struct http_request *request)
{
    struct people_request asked;
    enum err e = people_request(request, &asked);
    people_request_end(&asked, e == OK ? rotate_keys(&asked) : e);
}
