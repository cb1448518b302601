/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * key_policy - when the keys of an organisation end at the latest: `key_days_max` days after they
 * were made. Keys that were there before it was set stay as they are until their end is changed.
 *
 * Threads: the pool; within a transaction of the catalog.
 */

#include "catalog/catalog.h"

/* Of a new key: one without an end gets the latest that there is. */
enum err key_policy_fill(struct catalog *catalog, slice org, json_t *wanted, struct diag *diag);

/* INVALID: the end of the key is later than it may be; `old` (NULL: it is new) had another one. */
enum err key_policy_check(struct catalog *catalog, const json_t *old, const json_t *key,
                          struct kind_errors *errors, struct diag *diag);
