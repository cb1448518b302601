/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/resource.h>

#include "base/test.h"
#include "os/descriptors.h"

static void test_the_soft_limit_becomes_the_hard_one(void **state)
{
    UNUSED(state);
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = 200};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(descriptors_raise(), 200);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 200);
    assert_int_equal(limit.rlim_max, 200);
    assert_int_equal(descriptors_raise(), 200); /* there is nothing to raise any more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_soft_limit_becomes_the_hard_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
