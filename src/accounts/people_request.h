/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * people_request - what handlers of logins and accounts share: a request with a JSON object.
 *
 * Threads: the pool.
 */

#include "catalog/catalog.h"
#include "gate/auth.h"

struct people;

/* people_request(), then, whatever became of it, people_request_end(), which releases it. */
struct people_request {
    struct http_request *request;
    struct people *people;
    json_t *body;
    struct catalog_author from;
    struct kind_errors errors;
    struct diag diag;
};
/* INVALID. Also: nothing of the answer is kept by caches. */
enum err people_request(struct http_request *request, struct people_request *out);
/* A member that is a text, borrowed from the body; INVALID. One that is not required and not there
 * is empty. */
enum err people_member(struct people_request *asked, const char *name, bool is_required,
                       slice *out);
/* Answers if it failed. */
void people_request_end(struct people_request *asked, enum err e);
