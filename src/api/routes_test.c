/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes as a whole. */
#include "api/api.h"
#include "base/test.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(VER_13_the_routes_of_the_program_keep_it),
        cmocka_unit_test(HLT_02_live_is_answered_on_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
