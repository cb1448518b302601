/* SPDX-License-Identifier: Apache-2.0 */
/* keys - API keys: made with a secret that is shown once, changed, revoked, and rotated. */

#include <stdio.h>
#include <stdlib.h>

#include "access/api_key_over.h"
#include "access/rights.h"
#include "accounts/accounts.h"
#include "accounts/key_policy.h"
#include "base/mem.h"
#include "codec/hex.h"
#include "codec/time.h"
#include "crypto/secret.h"
#include "gate/auth.h"
#include "os/clock.h"

#define GRACE_SECONDS_MAX (30 * 86400)
#define OWNERS_AT_ONCE    100 /* that are looked at before one is revoked */

struct keying {
    struct http_request *request;
    struct catalog *catalog;
    struct catalog_author author;
    json_t *body;
    json_t *old, *made; /* keys; NULL: there is none */
    int64_t grace_s;    /* that a rotated one still works */
    struct api_key key; /* the new one */
    struct kind_errors errors;
    struct diag diag;
};

/* A change of keys in a transaction of its own. False: the answer says what went wrong. Either way
 * end() lets go of what is held. */
static bool change(struct http_request *request, enum err (*inside)(struct keying *keying),
                   struct keying *keying)
{
    *keying = (struct keying){.request = request, .catalog = api_of(request)->catalog};
    enum err e = config_change(request, &keying->author, &keying->body, &keying->diag);
    e = e == OK ? catalog_begin(keying->catalog, &keying->diag) : e;
    if (e == OK) {
        e = catalog_end(keying->catalog, inside(keying), &keying->diag);
    }
    if (e != OK) {
        config_fail(request, e, &keying->diag, &keying->errors);
    }
    return e == OK;
}

static void end(struct keying *keying)
{
    json_decref(keying->body);
    json_decref(keying->old);
    json_decref(keying->made);
    secret_wipe(&keying->key, sizeof(keying->key));
}

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* ---- Making ---- */

/* Nobody makes or changes a key that may do more than they; nor does a key that sees a part, lest
 * keys see more. */
static enum err check_rights(const struct http_request *request, const json_t *key,
                             struct diag *diag)
{
    const struct caller *caller = request->caller;
    const json_t *role = json_object_get(key, "role");
    uint32_t rights = rights_of_key(json_is_string(role) ? json_string_value(role) : "writer",
                                    json_object_get(key, "scopes"));
    return (rights & ~caller->who.rights) == 0
               ? OK
               : diag_fail(diag, ERR_DENIED, "", "this is for those who may do as much as the key");
}

static json_t *given_members(struct keying *keying)
{
    api_key_make(api_of(keying->request)->key_environment, &keying->key);
    return api_key_given(&keying->key);
}

/* `wanted` gets the end that the organisation asks for. */
static enum err insert_inside(struct keying *keying, json_t *wanted)
{
    TRY(check_rights(keying->request, wanted, &keying->diag));
    TRY(key_policy_fill(keying->catalog, keying->author.org, wanted, &keying->diag));
    json_t *given = given_members(keying);
    const struct catalog_change change = {.kind = &kind_api_keys,
                                          .author = &keying->author,
                                          .sent = wanted,
                                          .given = given};
    enum err e =
        catalog_insert(keying->catalog, &change, &keying->made, &keying->errors, &keying->diag);
    json_decref(given);
    TRY(e);
    return key_policy_check(keying->catalog, NULL, keying->made, &keying->errors, &keying->diag);
}

/* A secret is shown once, also to a request that comes twice. */
static enum err create_inside(struct keying *keying)
{
    struct config_once once;
    char *made CLEANUP(mem_freep) = NULL;
    TRY(config_once(keying->request, keying->author.org, &once, &made, &keying->diag));
    if (made != NULL) {
        return diag_fail(&keying->diag, ERR_CONFLICT, "Idempotency-Key",
                         "this request made the key %s before, whose secret is not shown again",
                         made);
    }
    TRY(insert_inside(keying, keying->body));
    return config_once_done(keying->catalog, keying->author.org, &once, keying->made,
                            &keying->diag);
}

void api_key_create(struct http_request *request)
{
    struct keying keying;
    if (change(request, create_inside, &keying)) {
        json_t *shown = kind_show(&kind_api_keys, keying.made);
        (void)json_object_set_new(shown, "key", json_string(keying.key.text));
        http_response_header_cstr(request->response, "Cache-Control", "no-store");
        config_answer(request, 201, shown);
        json_decref(shown);
    }
    end(&keying);
}

/* ---- The last owner key ---- */

struct owner_search {
    const json_t *key; /* which is not looked for */
    bool found;
};

/* Neither its scopes nor a filter take that from it. */
static bool may_make_keys(const json_t *key)
{
    uint32_t rights = rights_of_key(text_in(key, "role"), json_object_get(key, "scopes"));
    return (rights & RIGHT_CONFIG_WRITE) != 0 && !json_is_string(json_object_get(key, "filter"));
}

static enum err look_at_owner(void *context, const struct kind *kind, const json_t *owner,
                              bool *is_enough)
{
    struct owner_search *search = context;
    bool is_this = strcmp(text_in(owner, "id"), text_in(search->key, "id")) == 0;
    bool is_ending = json_is_string(json_object_get(owner, "revoked_at"));
    bool does_as_much = may_make_keys(owner) || !may_make_keys(search->key);
    UNUSED(kind);
    search->found =
        !is_this && !is_ending && does_as_much && !api_key_is_over(owner, clock_now_us());
    *is_enough = search->found;
    return OK;
}

/* Of an owner's key: that there is another one, which may make others if this one may. Within the
 * transaction, so that of two that end at once one stays. */
static enum err check_not_last(struct catalog *catalog, const json_t *key, struct diag *diag)
{
    struct owner_search search = {.key = key};
    const struct catalog_list owners = {
        .org = kind_text(key, "org"),
        .filters = {{kind_field(&kind_api_keys, SLICE("role")), SLICE("owner")},
                    {kind_field(&kind_api_keys, SLICE("is_active")), SLICE("true")}},
        .filter_count = 2,
        .limit = OWNERS_AT_ONCE,
    };
    if (strcmp(text_in(key, "role"), "owner") != 0) {
        return OK;
    }
    TRY(catalog_each(catalog, &kind_api_keys, &owners, look_at_owner, &search, diag));
    return search.found ? OK
                        : diag_fail(diag, ERR_INVALID, "",
                                    "Cannot revoke the last active API key of role owner");
}

/* ---- Changing ---- */

/* Its role and scopes never change; but its end does, which is a way to revoke it, and its filter,
 * which leaves it nothing but events. */
static enum err check(const struct http_request *request, const json_t *old, const json_t *new,
                      struct kind_errors *errors, struct diag *diag)
{
    struct catalog *catalog = api_of(request)->catalog;
    int64_t now_us = clock_now_us();
    TRY(check_rights(request, old, diag));
    bool ends = !api_key_is_over(old, now_us) && api_key_is_over(new, now_us);
    if (ends || (may_make_keys(old) && !may_make_keys(new))) {
        TRY(check_not_last(catalog, old, diag));
    }
    return key_policy_check(catalog, old, new, errors, diag);
}

const struct resource resource_api_keys = {
    .kind = &kind_api_keys,
    .check = check,
};

/* ---- Revoking ---- */

static enum err find_old(struct keying *keying)
{
    slice id = http_path_param(keying->request, "id");
    TRY(catalog_get(keying->catalog, &kind_api_keys, keying->author.org, id, &keying->old,
                    &keying->diag));
    return api_key_is_over(keying->old, clock_now_us())
               ? diag_fail(&keying->diag, ERR_INVALID, "", "the key is not active")
               : OK;
}

/* The old key ends after so many seconds; at once, it is not active any more. */
static enum err end_old(struct keying *keying, int64_t grace_s, const char *verb)
{
    char end_text[TIME_TEXT_BYTES];
    struct catalog_author author = keying->author;
    json_t *ended = NULL;
    author.verb = verb;
    time_format_rfc3339(clock_now_us() + grace_s * 1000000, end_text);
    json_t *given = json_pack("{s:s%, s:b}", "revoked_at", end_text, sizeof(end_text), "is_active",
                              grace_s > 0);
    json_t *nothing = json_object();
    const struct catalog_change change = {
        .kind = &kind_api_keys,
        .author = &author,
        .id = http_path_param(keying->request, "id"),
        .how = KIND_PATCH,
        .sent = nothing,
        .given = given,
    };
    enum err e = catalog_update(keying->catalog, &change, &ended, &keying->errors, &keying->diag);
    json_decref(nothing);
    json_decref(given);
    if (e == OK) {
        json_decref(keying->old);
        keying->old = ended;
    }
    return e;
}

static enum err revoke_inside(struct keying *keying)
{
    TRY(find_old(keying));
    TRY(check_rights(keying->request, keying->old, &keying->diag));
    TRY(check_not_last(keying->catalog, keying->old, &keying->diag));
    return end_old(keying, 0, "revoke");
}

void api_key_revoke(struct http_request *request)
{
    struct keying keying;
    if (change(request, revoke_inside, &keying)) {
        request->response->status = 204;
    }
    end(&keying);
}

/* ---- Rotating ---- */

static enum err take_grace(struct keying *keying)
{
    const json_t *value = json_object_get(keying->body, "grace_seconds");
    int64_t seconds = json_integer_value(value);
    keying->grace_s = seconds;
    bool is_fine =
        value == NULL || (json_is_integer(value) && seconds >= 0 && seconds <= GRACE_SECONDS_MAX);
    return is_fine ? OK
                   : diag_fail(&keying->diag, ERR_INVALID, "/grace_seconds",
                               "expected a number from 0 to %d", GRACE_SECONDS_MAX);
}

/* What the new key has of the old one. */
static json_t *successor_of(const json_t *old)
{
    static const char *const kept[] = {"role", "scopes", "filter", "user_id", "expires_at"};
    char name[128];
    json_t *wanted = json_object();
    slice base = slice_cut(slice_from_cstr(text_in(old, "name")), 80);
    (void)snprintf(name, sizeof(name), "%.*s (Rotated)", SLICE_ARG(base));
    (void)json_object_set_new(wanted, "name", json_string(name));
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        (void)json_object_set(wanted, kept[i], json_object_get(old, kept[i]));
    }
    return wanted;
}

/* A key that was rotated before, and works until its end, gets no later one. */
static int64_t grace_left(const json_t *old, int64_t grace_s)
{
    int64_t end_us = 0;
    const char *end = json_string_value(json_object_get(old, "revoked_at"));
    if (end == NULL || !time_parse_rfc3339(slice_from_cstr(end), &end_us)) {
        return grace_s;
    }
    int64_t left_s = (end_us - clock_now_us()) / 1000000;
    return left_s < grace_s ? left_s : grace_s;
}

static enum err rotate_inside(struct keying *keying)
{
    TRY(take_grace(keying));
    TRY(find_old(keying));
    keying->grace_s = grace_left(keying->old, keying->grace_s);
    json_t *wanted = successor_of(keying->old);
    enum err e = insert_inside(keying, wanted);
    json_decref(wanted);
    TRY(e);
    TRY(end_old(keying, keying->grace_s, "revoke"));
    json_t *ids = json_pack("{s:O, s:O, s:I}", "old_key_id", json_object_get(keying->old, "id"),
                            "new_key_id", json_object_get(keying->made, "id"), "grace_seconds",
                            (json_int_t)keying->grace_s); /* AUT-10 */
    e = catalog_note(keying->catalog, &keying->author, "api_key.rotate", "success", ids,
                     &keying->diag);
    json_decref(ids);
    return e;
}

static void answer_rotated(struct keying *keying)
{
    char message[128];
    json_t *old = kind_show(&kind_api_keys, keying->old);
    json_t *made = kind_show(&kind_api_keys, keying->made);
    (void)json_object_set_new(made, "key_value", json_string(keying->key.text));
    (void)snprintf(message, sizeof(message),
                   keying->grace_s > 0 ? "The old key works for another %lld seconds."
                                       : "The old key does not work any more.",
                   (long long)keying->grace_s);
    json_t *answer =
        json_pack("{s:o, s:o, s:s}", "old_key", old, "new_key", made, "message", message);
    http_response_header_cstr(keying->request->response, "Cache-Control", "no-store");
    config_answer(keying->request, 200, answer);
    json_decref(answer);
}

void api_key_rotate(struct http_request *request)
{
    struct keying keying;
    if (change(request, rotate_inside, &keying)) {
        answer_rotated(&keying);
    }
    end(&keying);
}
