/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/test.h"
#include "os/system.h"

static void figures_are_plausible(void **state)
{
    UNUSED(state);
    struct system_figures figures;
    system_figures(&figures);
    assert_in_range(figures.processors, 1, 100000);
    assert_true(figures.load_1m >= 0 && figures.load_15m < 100000);
    assert_true(figures.memory_total_bytes > MIB(16));
    assert_true(figures.memory_available_bytes <= figures.memory_total_bytes);
    assert_true(figures.resident_bytes > KIB(64));
    assert_true(figures.resident_bytes < figures.memory_total_bytes);
    assert_int_equal(figures.threads, 1);
    assert_true(figures.descriptors >= 1);
    assert_true(figures.descriptors_max > figures.descriptors);
}

static void an_open_file_is_one_descriptor_more(void **state)
{
    UNUSED(state);
    struct system_figures before;
    struct system_figures after;
    system_figures(&before);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    system_figures(&after);
    (void)close(fd);
    assert_int_equal(after.descriptors, before.descriptors + 1);
}

/* The last of them: the limit stays so low. */
static void the_soft_limit_of_descriptors_becomes_the_hard_one(void **state)
{
    UNUSED(state);
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = 200};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(system_raise_descriptors(), 200);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 200);
    assert_int_equal(limit.rlim_max, 200);
    assert_int_equal(system_raise_descriptors(), 200); /* there is nothing to raise any more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_plausible),
        cmocka_unit_test(an_open_file_is_one_descriptor_more),
        cmocka_unit_test(the_soft_limit_of_descriptors_becomes_the_hard_one),
    };
    return cmocka_run_group_tests_name("system", tests, NULL, NULL);
}
