/* SPDX-License-Identifier: Apache-2.0 */
#include "api/health.h"
#include "base/test.h"

static void HLT_06_thresholds(void **state)
{
    UNUSED(state);
    assert_int_equal(health_of(0, false), HEALTHY);
    assert_int_equal(health_of(99999, false), HEALTHY);
    assert_int_equal(health_of(100000, false), DEGRADED);
    assert_int_equal(health_of(500000, false), DEGRADED);
    assert_int_equal(health_of(500001, false), UNHEALTHY);
    assert_int_equal(health_of(1, true), UNHEALTHY);
    assert_int_equal(health_worse(HEALTHY, DEGRADED), DEGRADED);
    assert_int_equal(health_worse(UNHEALTHY, DEGRADED), UNHEALTHY);
    assert_string_equal(health_name(DEGRADED), "degraded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(HLT_06_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
