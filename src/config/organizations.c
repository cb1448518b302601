/* SPDX-License-Identifier: Apache-2.0 */
/* organizations - who may change them, and what goes with them. */
#include "access/api_key_over.h"
#include "config/config.h"
#include "gate/auth.h"

/* They are made and removed by the first one alone; each says of itself what it is. */
static enum err may_change(const struct http_request *request, struct diag *diag)
{
    const struct caller *caller = request->caller;
    bool changes_one = request->method == HTTP_PUT || request->method == HTTP_PATCH;
    bool is_own = changes_one && slice_equal(http_path_param(request, "id"), caller->org);
    return caller->who.is_system || is_own
               ? OK
               : diag_fail(diag, ERR_DENIED, "",
                           "only the first organisation's administrators may do this");
}

const struct resource resource_organizations = {
    .kind = &kind_organizations,
    .may_change = may_change,
    .goes_first = api_key_leave_organization,
};
