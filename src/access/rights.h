/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rights - what a caller may do: scopes as bits, and the roles that are sets of them.
 *
 *     owner     everything                admin    everything but erase
 *     auditor   reads and exports         operator operations, reads
 *     writer    events:write
 *
 * Threads: any.
 */

#include "base/slice.h"

enum right {
    RIGHT_EVENTS_WRITE = 1 << 0,
    RIGHT_EVENTS_READ = 1 << 1,
    RIGHT_AUDIT_EXPORT = 1 << 2,
    RIGHT_CONFIG_READ = 1 << 3,
    RIGHT_CONFIG_WRITE = 1 << 4,
    RIGHT_OPS_READ = 1 << 5,
    RIGHT_OPS_WRITE = 1 << 6,
    RIGHT_HOLDS_WRITE = 1 << 7,
    RIGHT_ERASE = 1 << 8,
};

/* What is left to a key with a filter: all else shows, or changes, more than the filter lets
 * through. */
#define RIGHTS_NARROWED ((uint32_t)(RIGHT_EVENTS_WRITE | RIGHT_EVENTS_READ | RIGHT_AUDIT_EXPORT))

/* 0: there is no such scope. */
uint32_t right_of_scope(const char *scope);
/* "events:write"; NULL: no single right. */
const char *right_name(uint32_t right);
/* 0: there is no such role. */
uint32_t rights_of_role(const char *role);
/* Roles that may look at every organisation when they belong to the first. */
bool role_sees_all(const char *role);
struct json_t; /* of jansson, whose header some who include this cannot have */
/* What a key may do: its role, and of that what its scopes name (NULL or null: all). */
uint32_t rights_of_key(const char *role, const struct json_t *scopes);
