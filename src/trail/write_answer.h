/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * write_answer - what a client is told of what it sent.
 *
 * 201: all is on disk and in the tree. 400, 409, 413, 503, 507 say what was stored before (`count`,
 * `first_seq`, `last_seq`, `duplicates`, `line`). After 500 nobody knows: the client sends the same
 * events with the same ids again and gets one of each.
 *
 * Threads: the request's loop.
 */

#include "http/server.h"
#include "ingest/ingest.h"

struct write_wishes {
    bool receipt;   /* the checkpoint that covers the events; the request has waited for it */
    bool event_ids; /* all of them, in order */
};

/* All records were looked at, some of them perhaps passed over. */
void write_answer_stored(struct http_request *request, const struct intake_result *result,
                         const struct write_wishes *wishes);

/* One of them, or the store, ended it. */
void write_answer_refused(struct http_request *request, const struct intake_result *result);

/* The server has refused the body itself (400, 408, 413), and its document stands in the response:
 * it gets what of a stream was stored before. */
void write_answer_extend(struct http_request *request, const struct intake_result *result);

/* The id that the events of a request have in common: what it says, else its own. */
slice write_correlation_id(const struct http_request *request);
