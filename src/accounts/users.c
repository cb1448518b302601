/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts/users.h"

#include "access/api_key_over.h"
#include "access/rights.h"
#include "accounts/accounts.h"
#include "gate/auth.h"
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

static bool ends_sessions(const json_t *old, const json_t *new)
{
    bool is_same = json_equal(json_object_get(old, "password"), json_object_get(new, "password"));
    return old != NULL && !(is_same && json_is_true(json_object_get(new, "is_active")));
}

static enum err check(const struct http_request *request, const json_t *old, const json_t *new,
                      struct kind_errors *errors, struct diag *diag)
{
    UNUSED(errors);
    TRY(users_check(request, old, new, diag));
    return ends_sessions(old, new) ? people_end_sessions(api_of(request)->people,
                                                         kind_text(old, "id"), (slice){0}, diag)
                                   : OK;
}

static void done(const struct http_request *request, const json_t *old, const json_t *new)
{
    if (ends_sessions(old, new)) {
        people_forget(api_of(request)->people, kind_text(old, "id"), (slice){0});
    }
}

const struct resource resource_users = {
    .kind = &kind_users,
    .check = check,
    .goes_first = api_key_leave_user,
    .done = done,
};
