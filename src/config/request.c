/* SPDX-License-Identifier: Apache-2.0 */
/* request - what the routes of configuration take from a request, and answer with. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/hex.h"
#include "config/internal.h"
#include "config/legacy_config.h"
#include "gate/auth.h"

const struct resource *config_resource(const struct http_request *request)
{
    return ((const struct api_route *)request->route->data)->resource;
}

const struct kind *config_kind(const struct http_request *request)
{
    return config_resource(request)->kind;
}

static slice header_or_nothing(const struct http_request *request, const char *name)
{
    slice value = {0};
    (void)http_header(request, name, &value);
    return value;
}

struct catalog_author config_author(const struct http_request *request, const json_t *body)
{
    enum { AGENT_BYTES_MAX = 1024, REASON_BYTES_MAX = 1000 };
    const struct caller *caller = request->caller;
    slice reason = kind_text(body, "reason");
    if (reason.len == 0 && !http_query(request, "reason", &reason)) {
        reason = header_or_nothing(request, "x-reason");
    }
    return (struct catalog_author){
        .org = caller->org,
        .changed_by = caller->actor,
        .actor_type = slice_from_cstr(caller_kind_name(caller->who.kind)),
        .actor_id = caller->actor,
        .session_id = slice_from_cstr(caller->who.session),
        .actor_ip = request->peer,
        .user_agent = slice_cut(header_or_nothing(request, "user-agent"), AGENT_BYTES_MAX),
        .request_id = request->request_id,
        .correlation_id = slice_cut(header_or_nothing(request, "x-correlation-id"), 255),
        .reason = slice_cut(reason, REASON_BYTES_MAX),
    };
}

enum err config_org(const struct http_request *request, slice *out, struct diag *diag)
{
    const struct caller *caller = request->caller;
    *out = caller->org;
    if (!http_query(request, "org", out) || slice_equal(*out, caller->org)) {
        return OK;
    }
    if (!caller->who.is_system) {
        return diag_fail(diag, ERR_DENIED, "org", "another organisation's configuration");
    }
    if (slice_equal(*out, SLICE("*"))) {
        *out = (slice){0};
    }
    return OK;
}

enum err config_body(const struct http_request *request, json_t **out, struct diag *diag)
{
    json_error_t error;
    if (request->body.len == 0) {
        *out = json_object();
        return OK;
    }
    *out = json_loadb((const char *)request->body.ptr, request->body.len, JSON_REJECT_DUPLICATES,
                      &error);
    return *out != NULL ? OK
                        : diag_fail(diag, ERR_INVALID, "", "the body is not JSON: %s, at byte %d",
                                    error.text, error.position);
}

enum err config_change(const struct http_request *request, struct catalog_author *author,
                       json_t **body, struct diag *diag)
{
    slice org = {0};
    TRY(config_org(request, &org, diag));
    TRY(config_body(request, body, diag));
    *author = config_author(request, *body);
    if (org.len == 0) {
        return diag_fail(diag, ERR_INVALID, "org", "name one organisation");
    }
    author->org = org;
    return OK;
}

/* "7" with its quotes, weak or not; * is any. */
enum err config_if_match(const struct http_request *request, uint64_t *out, struct diag *diag)
{
    slice value = {0};
    *out = 0;
    if (!http_header(request, "if-match", &value) || slice_equal(value, SLICE("*"))) {
        return OK;
    }
    (void)slice_take_literal(&value, SLICE("W/"));
    bool is_quoted = value.len > 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"';
    if (!is_quoted || !slice_parse_u64((slice){value.ptr + 1, value.len - 2}, out) || *out == 0) {
        return diag_fail(diag, ERR_INVALID, "If-Match", "expected an ETag, as in \"3\"");
    }
    return OK;
}

enum err config_find(const struct http_request *request, slice org, json_t **out, struct diag *diag)
{
    struct catalog *catalog = api_of(request)->catalog;
    const struct kind *kind = config_kind(request);
    const struct legacy_kind *legacy = legacy_kind_of(request);
    slice id = http_path_param(request, "id");
    uint64_t number = 0;
    if (legacy == NULL || legacy->number == NULL) {
        return catalog_get(catalog, kind, org, id, out, diag);
    }
    if (!slice_parse_u64(id, &number)) {
        return diag_fail(diag, ERR_NOT_FOUND, "",
                         "there is no such %s: in version 1.0 its id is "
                         "a number",
                         kind->singular);
    }
    return catalog_find(catalog, kind, org, legacy->number, id, out, diag);
}

json_t *config_show(const struct http_request *request, const json_t *object)
{
    const struct legacy_kind *legacy = legacy_kind_of(request);
    json_t *shown = kind_show(config_kind(request), object);
    if (legacy != NULL) {
        legacy_show(legacy, shown);
    }
    return shown;
}

/* ---- What may come twice ---- */

enum err config_once(const struct http_request *request, slice org, struct config_once *out,
                     char **made, struct diag *diag)
{
    enum { KEY_BYTES_MAX = 255 };
    uint8_t hash[SHA256_BYTES];
    int status = 0;
    *out = (struct config_once){0};
    if (!http_header(request, "idempotency-key", &out->key) || out->key.len == 0) {
        return OK;
    }
    if (out->key.len > KEY_BYTES_MAX) {
        return diag_fail(diag, ERR_INVALID, "Idempotency-Key", "is longer than %d bytes",
                         KEY_BYTES_MAX);
    }
    sha256_two(request->path, request->body, hash);
    hex_encode((slice){hash, sizeof(hash)}, out->fingerprint);
    slice fingerprint = {(const uint8_t *)out->fingerprint, sizeof(out->fingerprint)};
    enum err e =
        catalog_recall(api_of(request)->catalog, org, out->key, fingerprint, &status, made, diag);
    if (e == ERR_NOT_FOUND) {
        *diag = (struct diag){0};
        return OK;
    }
    return e;
}

enum err config_once_done(struct catalog *catalog, slice org, const struct config_once *once,
                          const json_t *object, struct diag *diag)
{
    slice fingerprint = {(const uint8_t *)once->fingerprint, sizeof(once->fingerprint)};
    const char *id = json_string_value(json_object_get(object, "id"));
    return once->key.len == 0 ? OK
                              : catalog_remember(catalog, org, once->key, fingerprint, 201,
                                                 slice_from_cstr(id), diag);
}

/* ---- Answers ---- */

void config_answer(struct http_request *request, int status, const json_t *value)
{
    char *text = json_dumps(value, KIND_JSON);
    ASSERT(text != NULL);
    http_response_text(request->response, status, HTTP_TYPE_JSON, slice_from_cstr(text));
    free(text);
}

void config_answer_object(struct http_request *request, int status, const json_t *object)
{
    const struct kind *kind = config_kind(request);
    char etag[32];
    char location[512];
    json_t *shown = config_show(request, object);
    (void)snprintf(etag, sizeof(etag), "\"%lld\"",
                   (long long)json_integer_value(json_object_get(object, "version")));
    http_response_header_cstr(request->response, "ETag", etag);
    if (status == 201) {
        (void)snprintf(location, sizeof(location), "/api/v1/%s/%s", kind->name,
                       json_string_value(json_object_get(object, "id")));
        http_response_header_cstr(request->response, "Location", location);
    }
    config_answer(request, status, shown);
    json_decref(shown);
}

void config_fail(struct http_request *request, enum err e, const struct diag *diag,
                 const struct kind_errors *errors)
{
    struct api_wrong list[KIND_ERRORS_MAX];
    size_t count = 0;
    while (errors != NULL && count < errors->count && count < KIND_ERRORS_MAX) {
        list[count] = (struct api_wrong){errors->list[count].pointer, errors->list[count].detail};
        count++;
    }
    if (e == ERR_CONFLICT && strcmp(diag->where, "If-Match") == 0) {
        http_problem(request, 412, diag->text);
        return;
    }
    api_fail_listed(request, e, diag, list, count);
}
