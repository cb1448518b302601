/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds/kinds.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

static const struct kind *const all[] = {
    &kind_organizations, &kind_users,   &kind_api_keys,  &kind_settings, &kind_schemas,
    &kind_rules,         &kind_targets, &kind_dev_hosts, &kind_teams,
};

const struct kind *const *kinds_all(size_t *count)
{
    *count = COUNT_OF(all);
    return all;
}

const struct kind *kind_find(slice name)
{
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (slice_equal(slice_from_cstr(all[i]->name), name)) {
            return all[i];
        }
    }
    return NULL;
}

const struct kind_field *kind_field(const struct kind *kind, slice name)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        if (slice_equal(slice_from_cstr(kind->fields[i].name), name)) {
            return &kind->fields[i];
        }
    }
    return NULL;
}

void kind_wrong(struct kind_errors *errors, const char *field, const char *format, ...)
{
    if (errors->count++ >= KIND_ERRORS_MAX) {
        return;
    }
    struct kind_error *error = &errors->list[errors->count - 1];
    va_list args;
    (void)snprintf(error->pointer, sizeof(error->pointer), "%s%s", field[0] != '\0' ? "/" : "",
                   field);
    va_start(args, format);
    (void)vsnprintf(error->detail, sizeof(error->detail), format, args);
    va_end(args);
    cstr_trim(error->pointer);
    cstr_trim(error->detail);
}
