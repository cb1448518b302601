/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * users - users as objects of configuration: who may change them, and what a change ends.
 *
 * Threads: the pool.
 */

#include "config/config.h"

/* Sessions end with the password, the right to be let in, or the user. */
extern const struct resource resource_users;

/* Nobody makes, changes or removes a user who may do more than they; of `old` and `new` one may be
 * NULL. DENIED. */
enum err users_check(const struct http_request *request, const json_t *old, const json_t *new,
                     struct diag *diag);
