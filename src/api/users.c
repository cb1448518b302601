/* SPDX-License-Identifier: Apache-2.0 */
/* users - what a change of a user must keep, and what it ends. */
#include "access/rights.h"
#include "api/people.h"
#include "people/people.h"

static uint32_t rights_of(const json_t *user)
{
    const char *role = json_string_value(json_object_get(user, "role"));
    return role != NULL ? rights_of_role(role) : 0;
}

enum err users_check(const struct http_request *request, const json_t *old, const json_t *new,
                     struct diag *diag)
{
    const struct caller *caller = request->caller;
    uint32_t rights = rights_of(old) | rights_of(new);
    return (rights & ~caller->who.rights) == 0
               ? OK
               : diag_fail(diag, ERR_DENIED, "/role", "this is for those who may do as much");
}

enum err users_end_sessions(struct people *people, const json_t *old, const json_t *new,
                            bool *ended_out, struct diag *diag)
{
    const char *id = json_string_value(json_object_get(old, "id"));
    bool is_same = json_equal(json_object_get(old, "password"), json_object_get(new, "password"));
    *ended_out = id != NULL && !(is_same && json_is_true(json_object_get(new, "is_active")));
    return *ended_out ? people_end_sessions(people, slice_from_cstr(id), (slice){0}, diag) : OK;
}
