/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * problem - RFC 9457 problem documents, the one shape of errors.
 *
 * Members: type, title, status, detail, instance, request_id, and what `extend` adds.
 * Threads: whoever holds the request.
 */

#include "base/slice.h"

struct http_request;
struct json_writer;

struct http_problem {
    int status;
    const char *type;  /* NULL: "about:blank" */
    const char *title; /* NULL: the name of the status */
    slice detail;      /* for people: what was wrong and what to do; may be empty */
    slice instance;    /* empty: the path of the request */
    /* Adds members to the open object; NULL when there are none. */
    void (*extend)(struct json_writer *json, const void *data);
    const void *extend_data;
};

/* Makes request->response this problem; headers that it has already stay. */
void http_problem_write(struct http_request *request, const struct http_problem *problem);

/* Status and detail only. */
void http_problem(struct http_request *request, int status, const char *detail);
