/* SPDX-License-Identifier: Apache-2.0 */
/* migrations - the steps that the catalog's database went through. */
#include "codec/time.h"
#include "config/config.h"

static void add_step(void *context, slice name, int64_t applied_us)
{
    char text[TIME_TEXT_BYTES];
    json_t *list = context;
    time_format_rfc3339(applied_us, text);
    (void)json_array_append_new(list, json_pack("{s:s%, s:s%}", "name", (const char *)name.ptr,
                                                name.len, "applied_at", text, sizeof(text)));
}

void api_migrations_get(struct http_request *request)
{
    struct diag diag = {0};
    json_t *list = json_array();
    enum err e = catalog_steps(api_of(request)->catalog, add_step, list, &diag);
    if (e != OK) {
        api_fail(request, e, &diag);
    } else {
        json_t *answer = json_pack("{s:O}", "data", list);
        config_answer(request, 200, answer);
        json_decref(answer);
    }
    json_decref(list);
}
