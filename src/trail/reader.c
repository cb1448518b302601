/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/reader.h"

#include "base/mem.h"
#include "gate/auth.h"
#include "os/clock.h"

/* The filter of the caller's key, in the request's arena. Where it cannot be had, nothing
 * matches. */
static slice narrow_of(const struct http_request *request, const struct caller *caller)
{
    slice kept = SLICE("NOT *");
    if (caller->who.filter == 0) {
        return (slice){0};
    }
    CLEANUP(mem_freep)
    char *filter = callers_filter(caller->api->callers, caller->actor);
    if (filter != NULL) {
        (void)arena_copy(request->arena, slice_from_cstr(filter), &kept);
    }
    return kept;
}

void reader_context(const struct http_request *request, struct query_context *out)
{
    const struct caller *caller = request->caller;
    *out = (struct query_context){
        .store = caller->api->store,
        .org = caller->org,
        .narrow = narrow_of(request, caller),
        .may_see_all = api_may_see_all(request),
        .cursor_key = caller->api->cursor_key,
        .now_us = clock_now_us(),
    };
}

enum err reader_params(const struct http_request *request, struct query_param **out, size_t *count)
{
    struct query_param *params =
        arena_take(request->arena, (request->query_count + 1) * sizeof(*params));
    size_t taken = 0;
    if (params == NULL) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < request->query_count; i++) {
        if (!slice_equal(request->query[i].name, SLICE("api_key")) &&
            !slice_equal(request->query[i].name, SLICE("api_version"))) {
            params[taken++] = (struct query_param){request->query[i].name, request->query[i].value};
        }
    }
    *out = params;
    *count = taken;
    return OK;
}
