/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes as a whole. */
#include "api/api.h"
#include "base/test.h"
#include "config/config.h"
#include "gate/negotiate.h"

static void VER_13_the_routes_of_the_program_keep_it(void **state)
{
    UNUSED(state);
    size_t count = 0;
    const struct http_route *table_of_all = api_routes(&count);
    OWNED(api_versions) versions = NULL;
    assert_int_equal(api_versions_new(&all_versions, table_of_all, count, &versions, NULL), OK);
}

/* The pool may be busy with what waits for the disk; the loop never is. */
static void HLT_02_live_is_answered_on_the_loop(void **state)
{
    UNUSED(state);
    static const char *const paths[] = {"/health/live", "/healthz", "/livez"};
    size_t count = 0;
    size_t found = 0;
    const struct http_route *table_of_all = api_routes(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < COUNT_OF(paths); k++) {
            if (strcmp(table_of_all[i].path, paths[k]) == 0) {
                assert_non_null(table_of_all[i].parked);
                found++;
            }
        }
    }
    assert_int_equal(found, COUNT_OF(paths));
}

/* A second path, or another system's, is no way around what a kind asks for. */
static void all_paths_to_a_kind_ask_for_the_same(void **state)
{
    UNUSED(state);
    size_t count = 0;
    size_t compared = 0;
    const struct http_route *table_of_all = api_routes(&count);
    for (size_t i = 0; i < count; i++) {
        const struct resource *one = ((const struct api_route *)table_of_all[i].data)->resource;
        for (size_t k = 0; k < i && one != NULL; k++) {
            const struct resource *other =
                ((const struct api_route *)table_of_all[k].data)->resource;
            if (other != NULL && other->kind == one->kind) {
                assert_ptr_equal(other, one);
                compared++;
            }
        }
    }
    assert_true(compared > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(VER_13_the_routes_of_the_program_keep_it),
        cmocka_unit_test(HLT_02_live_is_answered_on_the_loop),
        cmocka_unit_test(all_paths_to_a_kind_ask_for_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
