/* SPDX-License-Identifier: Apache-2.0 */
/* config - the routes of objects of configuration, the same for every kind. */
#include "base/mem.h"
#include "config/internal.h"
#include "config/legacy_config.h"
#include "gate/auth.h"

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
    const struct resource *resource;
    struct catalog_author author;
    json_t *body;
    json_t *given;  /* hashes of passwords; NULL: there are none */
    json_t *old;    /* the object as it was; NULL: it is new */
    json_t *object; /* the result; NULL: there is none */
    uint64_t if_match;
    struct kind_errors errors;
    struct diag diag;
};

static enum err take_change(struct changing *changing)
{
    struct http_request *request = changing->request;
    TRY(config_change(request, &changing->author, &changing->body, &changing->diag));
    TRY(config_if_match(request, &changing->if_match, &changing->diag));
    return catalog_hash(changing->catalog, changing->resource->kind, changing->body,
                        &changing->given, &changing->diag);
}

typedef enum err (*change_fn)(struct changing *changing);

static enum err in_transaction(struct changing *changing, change_fn fn)
{
    const struct resource *resource = changing->resource;
    TRY(resource->changes_alone ? catalog_begin_alone(changing->catalog, &changing->diag)
                                : catalog_begin(changing->catalog, &changing->diag));
    TRY(catalog_end(changing->catalog, fn(changing), &changing->diag));
    if (resource->done != NULL) {
        resource->done(changing->request, changing->old, changing->object);
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
    json_decref(changing->old);
    json_decref(changing->given);
    json_decref(changing->body);
}

static void run_change(struct http_request *request, change_fn fn, int status)
{
    struct changing changing = {
        .request = request,
        .catalog = api_of(request)->catalog,
        .resource = config_resource(request),
    };
    enum err e = take_change(&changing);
    e = e == OK ? in_transaction(&changing, fn) : e;
    end(&changing, e, status);
}

/* ---- What the kind asks for ---- */

static enum err check_caller(struct changing *changing)
{
    const struct resource *resource = changing->resource;
    return resource->may_change != NULL ? resource->may_change(changing->request, &changing->diag)
                                        : OK;
}

/* Of what it was, and what it will be; NULL: it goes. */
static enum err check_change(struct changing *changing, const json_t *new)
{
    const struct resource *resource = changing->resource;
    return resource->check != NULL ? resource->check(changing->request, changing->old, new,
                                                     &changing->errors, &changing->diag)
                                   : OK;
}

static slice id_of(const struct changing *changing)
{
    return http_path_param(changing->request, "id");
}

/* What is granted to an organisation it does not grant to itself. */
static enum err check_granted(struct changing *changing)
{
    const struct caller *caller = changing->request->caller;
    const struct kind_field *field =
        kind_granted_change(changing->resource->kind, changing->old, changing->object);
    return field == NULL || caller->who.is_system
               ? OK
               : diag_fail(&changing->diag, ERR_DENIED, field->name,
                           "%s is for the first organisation's administrators to change",
                           field->name);
}

/* ---- Changes of what is there ---- */

/* The object as it is, and the change of it, which lives as long. */
static enum err begin_change(struct changing *changing, struct catalog_author *author,
                             struct catalog_change *change)
{
    *author = changing->author;
    author->org = changing->resource->kind->is_organization ? id_of(changing) : author->org;
    TRY(config_find(changing->request, author->org, &changing->old, &changing->diag));
    *change = (struct catalog_change){
        .kind = changing->resource->kind,
        .author = author,
        .id = slice_from_cstr(json_string_value(json_object_get(changing->old, "id"))),
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
    TRY(check_caller(changing));
    TRY(begin_change(changing, &author, &change));
    change.how = how;
    TRY(catalog_update(changing->catalog, &change, &changing->object, &changing->errors,
                       &changing->diag));
    TRY(check_granted(changing));
    return check_change(changing, changing->object);
}

/* Version 1.0 changes what is sent, of which there must be something. */
static enum err check_has_field(struct changing *changing)
{
    for (size_t i = 0; i < changing->resource->kind->field_count; i++) {
        if (json_object_get(changing->body, changing->resource->kind->fields[i].name) != NULL) {
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
    const struct resource *resource = changing->resource;
    TRY(check_caller(changing));
    TRY(begin_change(changing, &author, &change));
    TRY(check_change(changing, NULL));
    if (resource->goes_first != NULL) {
        TRY(resource->goes_first(changing->catalog, &author, changing->old, &changing->errors,
                                 &changing->diag));
    }
    return catalog_delete(changing->catalog, &change, &changing->errors, &changing->diag);
}

void api_config_delete(struct http_request *request)
{
    run_change(request, delete_inside, 204);
}

/* ---- New ones, which may be asked for twice ---- */

/* The object that the same request made before. */
static enum err get_made(struct changing *changing, const char *id)
{
    const struct kind *kind = changing->resource->kind;
    const slice anyones = {0};
    return catalog_get(changing->catalog, kind,
                       kind->is_organization ? anyones : changing->author.org, slice_from_cstr(id),
                       &changing->object, &changing->diag);
}

static enum err insert_inside(struct changing *changing)
{
    const struct catalog_change change = {.kind = changing->resource->kind,
                                          .author = &changing->author,
                                          .sent = changing->body,
                                          .given = changing->given};
    TRY(catalog_insert(changing->catalog, &change, &changing->object, &changing->errors,
                       &changing->diag));
    return check_change(changing, changing->object);
}

static enum err create_inside(struct changing *changing)
{
    struct config_once once;
    char *made CLEANUP(mem_freep) = NULL;
    slice org = changing->author.org;
    TRY(check_caller(changing));
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
