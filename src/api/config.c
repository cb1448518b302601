/* SPDX-License-Identifier: Apache-2.0 */
/* config - the routes of objects of configuration, the same for every kind. */
#include "api/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/handlers.h"
#include "api/key_policy.h"
#include "api/legacy_config.h"
#include "api/people.h"
#include "base/mem.h"
#include "gate/auth.h"
#include "ingest/requirements.h"
#include "people/people.h"

/* ---- One object ---- */

void api_config_get(struct http_request *request)
{
    struct diag diag = {0};
    slice org = {0};
    json_t *object = NULL;
    const struct caller *caller = request->caller;
    const struct kind *kind = config_kind(request);
    enum err e = config_org(request, &org, &diag);
    if (kind->is_organization && caller->who.is_system) {
        org = (slice){0}; /* its id says which */
    }
    if (e == OK) {
        e = config_find(request, org, &object, &diag);
    }
    if (e != OK) {
        api_fail(request, e, &diag);
        return;
    }
    config_answer_object(request, 200, object);
    json_decref(object);
}

/* ---- Changes ---- */

struct changing {
    struct http_request *request;
    struct catalog *catalog;
    const struct kind *kind;
    struct catalog_author author;
    json_t *body;
    json_t *given;  /* hashes of passwords; NULL: there are none */
    json_t *object; /* the result; NULL: there is none */
    uint64_t if_match;
    char ended_user[CALLERS_ID_BYTES + 1]; /* whose sessions end; "": nobody's */
    struct kind_errors errors;
    struct diag diag;
};

/* Organisations are made and removed by the first one alone; what is said of itself, is. */
static enum err check_organizations(const struct changing *changing, bool is_own, struct diag *diag)
{
    const struct caller *caller = changing->request->caller;
    bool is_allowed = !changing->kind->is_organization || caller->who.is_system || is_own;
    return is_allowed ? OK
                      : diag_fail(diag, ERR_DENIED, "",
                                  "only the first organisation's administrators may do this");
}

static enum err take_change(struct changing *changing)
{
    struct http_request *request = changing->request;
    TRY(config_change(request, &changing->author, &changing->body, &changing->diag));
    TRY(config_if_match(request, &changing->if_match, &changing->diag));
    return catalog_hash(changing->catalog, changing->kind, changing->body, &changing->given,
                        &changing->diag);
}

typedef enum err (*change_fn)(struct changing *changing);

static enum err in_transaction(struct changing *changing, change_fn fn)
{
    bool is_alone = changing->kind == &kind_schemas; /* check_room() asks what listeners know */
    TRY(is_alone ? catalog_begin_alone(changing->catalog, &changing->diag)
                 : catalog_begin(changing->catalog, &changing->diag));
    TRY(catalog_end(changing->catalog, fn(changing), &changing->diag));
    if (changing->ended_user[0] != '\0') {
        people_forget(api_of(changing->request)->people, slice_from_cstr(changing->ended_user),
                      (slice){0});
    }
    return OK;
}

static void end(struct changing *changing, enum err e, int status)
{
    const struct legacy_kind *legacy = legacy_kind_of(changing->request);
    if (e != OK) {
        config_fail(changing->request, e, &changing->diag, &changing->errors);
    } else if (legacy != NULL) {
        legacy_answer_change(changing->request, legacy, status, changing->object);
    } else if (changing->object != NULL) {
        config_answer_object(changing->request, status, changing->object);
    } else {
        changing->request->response->status = 204;
    }
    json_decref(changing->object);
    json_decref(changing->given);
    json_decref(changing->body);
}

static void run_change(struct http_request *request, change_fn fn, int status)
{
    struct changing changing = {
        .request = request,
        .catalog = api_of(request)->catalog,
        .kind = config_kind(request),
    };
    enum err e = take_change(&changing);
    e = e == OK ? in_transaction(&changing, fn) : e;
    end(&changing, e, status);
}

static slice id_of(const struct changing *changing)
{
    return http_path_param(changing->request, "id");
}

/* What is granted to an organisation it does not grant to itself. */
static enum err check_granted(struct changing *changing, const json_t *old)
{
    const struct caller *caller = changing->request->caller;
    const struct kind_field *field = kind_granted_change(changing->kind, old, changing->object);
    return field == NULL || caller->who.is_system
               ? OK
               : diag_fail(&changing->diag, ERR_DENIED, field->name,
                           "%s is for the first organisation's administrators to change",
                           field->name);
}

/* What is to be said of users, old and new; of another kind nothing. */
static enum err check_users(struct changing *changing, const json_t *old, const json_t *new)
{
    bool ended = false;
    if (changing->kind != &kind_users) {
        return OK;
    }
    TRY(users_check(changing->request, old, new, &changing->diag));
    TRY(users_end_sessions(api_of(changing->request)->people, old, new, &ended, &changing->diag));
    if (ended) {
        (void)snprintf(changing->ended_user, sizeof(changing->ended_user), "%s",
                       json_string_value(json_object_get(old, "id")));
    }
    return OK;
}

/* Its role and scopes never change; but its end does, and what it sees. */
static enum err check_key(struct changing *changing, const json_t *old)
{
    if (changing->kind != &kind_api_keys) {
        return OK;
    }
    TRY(keys_check(changing->request, old, &changing->diag));
    return key_policy_check(changing->catalog, old, changing->object, &changing->errors,
                            &changing->diag);
}

/* Schemas that events are checked by are kept in memory, which has an end. */
static enum err check_room(struct changing *changing)
{
    const char *mode = json_string_value(json_object_get(changing->object, "mode"));
    const char *type = json_string_value(json_object_get(changing->object, "event_type"));
    const char *org = json_string_value(json_object_get(changing->object, "org"));
    if (changing->kind != &kind_schemas || strcmp(mode, "off") == 0) {
        return OK;
    }
    char *text = json_dumps(json_object_get(changing->object, "schema"), KIND_JSON);
    ASSERT(text != NULL);
    enum err e =
        requirements_admit(api_of(changing->request)->ingest.requirements, slice_from_cstr(org),
                           slice_from_cstr(type), slice_from_cstr(text), &changing->diag);
    free(text);
    return e;
}

/* The object as it is: a new reference; and the change of it, which lives as long. */
static enum err begin_change(struct changing *changing, struct catalog_author *author, json_t **old,
                             struct catalog_change *change)
{
    *author = changing->author;
    author->org = changing->kind->is_organization ? id_of(changing) : author->org;
    TRY(config_find(changing->request, author->org, old, &changing->diag));
    *change = (struct catalog_change){
        .kind = changing->kind,
        .author = author,
        .id = slice_from_cstr(json_string_value(json_object_get(*old, "id"))),
        .if_match = changing->if_match,
        .sent = changing->body,
        .given = changing->given,
    };
    return OK;
}

static enum err update_inside(struct changing *changing, enum kind_change how)
{
    struct catalog_author author;
    struct catalog_change change;
    json_t *old = NULL;
    bool is_own = slice_equal(id_of(changing), changing->author.org);
    TRY(check_organizations(changing, is_own, &changing->diag));
    TRY(begin_change(changing, &author, &old, &change));
    change.how = how;
    enum err e = catalog_update(changing->catalog, &change, &changing->object, &changing->errors,
                                &changing->diag);
    e = e == OK ? check_granted(changing, old) : e;
    e = e == OK ? check_users(changing, old, changing->object) : e;
    e = e == OK ? check_key(changing, old) : e;
    e = e == OK ? check_room(changing) : e;
    json_decref(old);
    return e;
}

/* Version 1.0 changes what is sent, of which there must be something. */
static enum err check_has_field(struct changing *changing)
{
    for (size_t i = 0; i < changing->kind->field_count; i++) {
        if (json_object_get(changing->body, changing->kind->fields[i].name) != NULL) {
            return OK;
        }
    }
    return diag_fail(&changing->diag, ERR_INVALID, "", "name at least one field that changes");
}

static enum err replace_inside(struct changing *changing)
{
    if (legacy_kind_of(changing->request) == NULL) {
        return update_inside(changing, KIND_REPLACE);
    }
    TRY(check_has_field(changing));
    return update_inside(changing, KIND_PATCH);
}

void api_config_replace(struct http_request *request)
{
    run_change(request, replace_inside, 200);
}

static enum err patch_inside(struct changing *changing)
{
    return update_inside(changing, KIND_PATCH);
}

void api_config_patch(struct http_request *request)
{
    run_change(request, patch_inside, 200);
}

static enum err delete_inside(struct changing *changing)
{
    struct catalog_author author;
    struct catalog_change change;
    json_t *old = NULL;
    TRY(check_organizations(changing, false, &changing->diag));
    TRY(begin_change(changing, &author, &old, &change));
    enum err e = check_users(changing, old, NULL);
    e = e == OK ? catalog_delete(changing->catalog, &change, &changing->errors, &changing->diag)
                : e;
    json_decref(old);
    return e;
}

void api_config_delete(struct http_request *request)
{
    run_change(request, delete_inside, 204);
}

/* ---- New ones, which may be asked for twice ---- */

/* The object that the same request made before. */
static enum err get_made(struct changing *changing, const char *id)
{
    slice org = changing->kind->is_organization ? (slice){0} : changing->author.org;
    return catalog_get(changing->catalog, changing->kind, org, slice_from_cstr(id),
                       &changing->object, &changing->diag);
}

static enum err insert_inside(struct changing *changing)
{
    const struct catalog_change change = {.kind = changing->kind,
                                          .author = &changing->author,
                                          .sent = changing->body,
                                          .given = changing->given};
    TRY(catalog_insert(changing->catalog, &change, &changing->object, &changing->errors,
                       &changing->diag));
    TRY(check_users(changing, NULL, changing->object));
    return check_room(changing);
}

static enum err create_inside(struct changing *changing)
{
    struct config_once once;
    char *made CLEANUP(mem_freep) = NULL;
    slice org = changing->author.org;
    TRY(check_organizations(changing, false, &changing->diag));
    TRY(config_once(changing->request, org, &once, &made, &changing->diag));
    if (made != NULL) {
        return get_made(changing, made);
    }
    TRY(insert_inside(changing));
    return config_once_done(changing->catalog, org, &once, changing->object, &changing->diag);
}

void api_config_create(struct http_request *request)
{
    run_change(request, create_inside, 201);
}
