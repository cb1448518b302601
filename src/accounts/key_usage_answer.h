/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * key_usage_answer - where requests meet what is counted of them (key_usage.h): the hook that
 * counts, and the parameter that says of how many days.
 *
 * Threads: any.
 */

#include "gate/gate.h"

/* Behind an answer: counts it for the key that was shown. `version` as in key_usage_count(). */
void api_key_usage_note(struct api *api, const struct http_request *request,
                        const struct http_outcome *outcome, const char *version);

/* A parameter that is a number of days of which the use of keys is kept; without it *days stays as
 * it is. INVALID. */
#define KEY_USAGE_DAYS_DEFAULT 30
enum err key_usage_days(const struct http_request *request, const char *name, uint64_t *days,
                        struct diag *diag);
