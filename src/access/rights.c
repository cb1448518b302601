/* SPDX-License-Identifier: Apache-2.0 */
#include "access/rights.h"

#include <jansson.h>

#include "base/macros.h"

static const struct {
    const char *name;
    uint32_t right;
} scope_table[] = {
    {"events:write", RIGHT_EVENTS_WRITE},
    {"events:read", RIGHT_EVENTS_READ},
    {"audit:export", RIGHT_AUDIT_EXPORT},
    {"config:read", RIGHT_CONFIG_READ},
    {"config:write", RIGHT_CONFIG_WRITE},
    {"ops:read", RIGHT_OPS_READ},
    {"ops:write", RIGHT_OPS_WRITE},
    {"holds:write", RIGHT_HOLDS_WRITE},
    {"erase", RIGHT_ERASE},
};

enum {
    ALL = RIGHT_EVENTS_WRITE | RIGHT_EVENTS_READ | RIGHT_AUDIT_EXPORT | RIGHT_CONFIG_READ |
          RIGHT_CONFIG_WRITE | RIGHT_OPS_READ | RIGHT_OPS_WRITE | RIGHT_HOLDS_WRITE | RIGHT_ERASE,
    READING = RIGHT_EVENTS_READ | RIGHT_CONFIG_READ | RIGHT_OPS_READ,
};

static const struct {
    const char *name;
    uint32_t rights;
    bool sees_all;
} role_table[] = {
    {"owner", ALL, true},
    {"admin", ALL & ~RIGHT_ERASE, true},
    {"auditor", READING | RIGHT_AUDIT_EXPORT, true},
    {"operator", READING | RIGHT_OPS_WRITE, true},
    {"writer", RIGHT_EVENTS_WRITE, false},
};

uint32_t right_of_scope(const char *scope)
{
    for (size_t i = 0; i < COUNT_OF(scope_table); i++) {
        if (strcmp(scope, scope_table[i].name) == 0) {
            return scope_table[i].right;
        }
    }
    return 0;
}

const char *right_name(uint32_t right)
{
    for (size_t i = 0; i < COUNT_OF(scope_table); i++) {
        if (right == scope_table[i].right) {
            return scope_table[i].name;
        }
    }
    return NULL;
}

uint32_t rights_of_role(const char *role)
{
    for (size_t i = 0; i < COUNT_OF(role_table); i++) {
        if (strcmp(role, role_table[i].name) == 0) {
            return role_table[i].rights;
        }
    }
    return 0;
}

bool role_sees_all(const char *role)
{
    for (size_t i = 0; i < COUNT_OF(role_table); i++) {
        if (strcmp(role, role_table[i].name) == 0) {
            return role_table[i].sees_all;
        }
    }
    return false;
}

uint32_t rights_of_key(const char *role, const json_t *scopes)
{
    uint32_t rights = rights_of_role(role);
    uint32_t named = 0;
    size_t i = 0;
    json_t *scope = NULL;
    if (!json_is_array(scopes)) {
        return rights;
    }
    json_array_foreach(scopes, i, scope)
    {
        named |= json_is_string(scope) ? right_of_scope(json_string_value(scope)) : 0;
    }
    return rights & named;
}
