/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * users - who may change whom.
 *
 * Threads: the pool.
 */

#include <jansson.h>

#include "http/request.h"

/* Nobody makes, changes or removes a user who may do more than they; of `old` and `new` one may be
 * NULL. DENIED. */
enum err users_check(const struct http_request *request, const json_t *old, const json_t *new,
                     struct diag *diag);
