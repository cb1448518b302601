/* SPDX-License-Identifier: Apache-2.0 */
/* schemas - those that events are checked by are kept in memory, which has an end. */
#include <stdlib.h>

#include "config/config.h"
#include "ingest/requirements.h"

static enum err check(const struct http_request *request, const json_t *old, const json_t *new,
                      struct kind_errors *errors, struct diag *diag)
{
    UNUSED(old);
    UNUSED(errors);
    if (new == NULL || slice_equal(kind_text(new, "mode"), SLICE("off"))) {
        return OK;
    }
    char *text = json_dumps(json_object_get(new, "schema"), KIND_JSON);
    ASSERT(text != NULL);
    enum err e = requirements_admit(api_of(request)->ingest.requirements, kind_text(new, "org"),
                                    kind_text(new, "event_type"), slice_from_cstr(text), diag);
    free(text);
    return e;
}

/* Alone, since check() asks what was told behind the commits before. */
const struct resource resource_schemas = {
    .kind = &kind_schemas,
    .changes_alone = true,
    .check = check,
};
