/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * validation_quota - how many validations an organisation may have accepted in a calendar month.
 *
 *     if (!validation_quota_take(request, &quota)) return;
 *     ... the validation ...
 *     validation_quota_settle(request, &quota, it_was_accepted);
 *
 * Threads: the pool; with Redis it waits for that.
 */

#include "http/server.h"
#include "limits/quota.h"

/* Takes one of the caller's organisation. False: answered, with 429 when none is left. */
bool validation_quota_take(struct http_request *request, struct quota_answer *out);

/* Of what was taken: the answer says what is left; or it is given back, because the request was
 * refused or failed. */
void validation_quota_settle(struct http_request *request, const struct quota_answer *taken,
                             bool is_accepted);
