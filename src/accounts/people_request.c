/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts/people_request.h"

#include "config/config.h"

enum err people_request(struct http_request *request, struct people_request *out)
{
    *out = (struct people_request){.request = request, .people = api_of(request)->people};
    TRY(config_body(request, &out->body, &out->diag));
    if (!json_is_object(out->body)) {
        return diag_fail(&out->diag, ERR_INVALID, "", "the body is not a JSON object");
    }
    out->from = config_author(request, out->body);
    http_response_header_cstr(request->response, "Cache-Control", "no-store");
    return OK;
}

enum err people_member(struct people_request *asked, const char *name, bool is_required, slice *out)
{
    const json_t *value = json_object_get(asked->body, name);
    bool is_there = json_is_string(value) && json_string_length(value) > 0;
    *out = is_there ? (slice){(const uint8_t *)json_string_value(value), json_string_length(value)}
                    : (slice){0};
    if (is_there || (value == NULL && !is_required)) {
        return OK;
    }
    kind_wrong(&asked->errors, name, "must be a text");
    return diag_fail(&asked->diag, ERR_INVALID, name, "must be a text");
}

void people_request_end(struct people_request *asked, enum err e)
{
    if (e != OK) {
        config_fail(asked->request, e, &asked->diag, &asked->errors);
    }
    json_decref(asked->body);
}
