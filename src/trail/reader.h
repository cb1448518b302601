/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reader - what a request to read events says: who asks, what of the log they may see, and the
 * parameters of the query.
 *
 * Threads: any.
 */

#include "gate/gate.h"

/* All that the caller may see; its texts live with the request. */
void reader_context(const struct http_request *request, struct query_context *out);

/* Parameters of the request in the form that queries take, in its arena. LIMIT. */
enum err reader_params(const struct http_request *request, struct query_param **out, size_t *count);
