/* SPDX-License-Identifier: Apache-2.0 */
#include "http/problem.h"

#include "http/request.h"
#include "json/write.h"

void http_problem_write(struct http_request *request, const struct http_problem *problem)
{
    struct http_response *response = request->response;
    response->status = problem->status;
    response->content_type = HTTP_TYPE_PROBLEM;
    buf_clear(&response->body);

    struct json_writer json = json_writer_to(&response->body);
    json_begin_object(&json, NULL);
    json_cstr(&json, "type", problem->type != NULL ? problem->type : "about:blank");
    json_cstr(&json, "title",
              problem->title != NULL ? problem->title : http_status_name(problem->status));
    json_u64(&json, "status", (uint64_t)problem->status);
    if (problem->detail.len > 0) {
        json_str(&json, "detail", problem->detail);
    }
    slice instance = problem->instance.len > 0 ? problem->instance : request->path;
    if (instance.len > 0) {
        json_str(&json, "instance", instance);
    }
    json_str(&json, "request_id", request->request_id);
    if (problem->extend != NULL) {
        problem->extend(&json, problem->extend_data);
    }
    if (json_end(&json) != OK) {
        buf_clear(&response->body); /* the status alone says enough */
        response->content_type = NULL;
    }
}

void http_problem(struct http_request *request, int status, const char *detail)
{
    struct http_problem problem = {.status = status, .detail = slice_from_cstr(detail)};
    http_problem_write(request, &problem);
}
