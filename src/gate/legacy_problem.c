/* SPDX-License-Identifier: Apache-2.0 */
/* legacy_problem - problem documents as the errors that older clients know. */
#include <jansson.h>

#include "gate/legacy.h"

/* Members of a problem document that have another name in an older error, or none. */
static bool is_renamed(const char *key)
{
    static const char *const names[] = {"type",  "title",   "status",     "detail",
                                        "error", "message", "request_id", "instance"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(key, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A member of the problem, or of several the first that is there. */
static json_t *first_of(json_t *problem, const char *name, const char *other, const char *third)
{
    json_t *value = json_object_get(problem, name);
    value = value != NULL ? value : json_object_get(problem, other);
    return value != NULL ? value : json_object_get(problem, third);
}

/* The caller ends it with json_decref(); NULL when there is no memory. */
static json_t *make_error(json_t *problem, enum legacy_errors errors)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_t *error = json_object();
    if (errors == LEGACY_STATUS) {
        (void)json_object_set_new(error, "status", json_string("error"));
    } else {
        (void)json_object_set(error, "error", first_of(problem, "error", "title", "status"));
    }
    (void)json_object_set(error, "message", first_of(problem, "message", "detail", "title"));
    (void)json_object_set(error, "correlation_id", json_object_get(problem, "request_id"));
    json_object_foreach(problem, key, value)
    {
        if (!is_renamed(key)) {
            (void)json_object_set(error, key, value);
        }
    }
    return errors == LEGACY_DETAIL ? json_pack("{s:o}", "detail", error) : error;
}

static int append_piece(const char *piece, size_t len, void *out)
{
    buf_append(out, (slice){(const uint8_t *)piece, len});
    return 0;
}

void legacy_adapt_problem(const struct api *api, struct http_request *request)
{
    struct http_response *response = request->response;
    if (response->content_type == NULL || strcmp(response->content_type, HTTP_TYPE_PROBLEM) != 0) {
        return;
    }
    const struct legacy *legacy = legacy_of(api, request);
    if (legacy == NULL || response->body.len == 0) {
        return;
    }
    json_t *problem = json_loadb((const char *)response->body.ptr, response->body.len, 0, NULL);
    if (problem == NULL) { /* not ours to mend: it goes out as it is */
        return;
    }
    json_t *error = make_error(problem, legacy->errors);
    buf_clear(&response->body);
    response->content_type = HTTP_TYPE_JSON;
    (void)json_dump_callback(error, append_piece, &response->body, JSON_COMPACT);
    json_decref(error);
    json_decref(problem);
}
