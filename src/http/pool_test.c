/* SPDX-License-Identifier: Apache-2.0 */
/* pool_test - jobs that wait find more threads, up to a maximum; then they queue; then not. */
#include <stdatomic.h>

#include "base/test.h"
#include "http/pool.h"
#include "os/thread.h"

enum { THREADS_MAX = 3, WAITING_MAX = 2, JOBS = THREADS_MAX + WAITING_MAX + 1 };

static struct mutex gate;
static _Atomic uint32_t begun;

static void pass_gate(struct pool_job *job)
{
    UNUSED(job);
    begun++;
    mutex_lock(&gate);
    mutex_unlock(&gate);
}

static void wait_for_begun(uint32_t count)
{
    while (begun < count) {
    }
}

static void test_threads_come_when_they_are_needed(void **state)
{
    UNUSED(state);
    static const struct pool_options options = {"job", 1, THREADS_MAX, WAITING_MAX};
    struct pool_job jobs[JOBS] = {0};
    struct pool *pool = NULL;
    mutex_init(&gate);
    assert_int_equal(pool_new(&options, &pool, NULL), OK);
    assert_int_equal(pool_counts(pool).threads, 1);
    mutex_lock(&gate);
    for (uint32_t i = 0; i < JOBS; i++) {
        jobs[i].run = pass_gate;
        assert_int_equal(pool_submit(pool, &jobs[i]), i < JOBS - 1);
        uint32_t running = i + 1 < THREADS_MAX ? i + 1 : THREADS_MAX;
        wait_for_begun(running);
        assert_int_equal(pool_counts(pool).threads, running);
    }
    assert_int_equal(pool_counts(pool).busy, THREADS_MAX);
    assert_int_equal(pool_counts(pool).waiting, WAITING_MAX);
    mutex_unlock(&gate);
    pool_free(pool); /* when all have run */
    assert_int_equal(begun, JOBS - 1);
    mutex_release(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_come_when_they_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
