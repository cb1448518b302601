/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "os/random.h"
#include "os/thread.h"

enum { DRAWS = 4096 };

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static void test_nothing_comes_twice(void **state)
{
    UNUSED(state);
    static uint64_t numbers[DRAWS];
    for (size_t i = 0; i < DRAWS; i++) {
        numbers[i] = random_u64();
    }
    qsort(numbers, DRAWS, sizeof(numbers[0]), compare_u64);
    for (size_t i = 1; i < DRAWS; i++) {
        assert_true(numbers[i] != numbers[i - 1]);
    }
}

static void test_every_length_is_filled_and_no_more(void **state)
{
    UNUSED(state);
    static uint8_t bytes[2000];
    for (size_t len = 0; len < 1500; len += len < 130 ? 1 : 117) {
        uint8_t seen[1500] = {0};
        for (int round = 0; round < 8; round++) {
            memset(bytes, 0, sizeof(bytes));
            random_bytes(bytes, len);
            for (size_t i = 0; i < len; i++) {
                seen[i] |= bytes[i];
            }
            assert_int_equal(bytes[len], 0);
        }
        for (size_t i = 0; i < len; i++) { /* zero eight times: one in 2^64 */
            assert_int_not_equal(seen[i], 0);
        }
    }
}

static void test_a_child_has_bytes_of_its_own(void **state)
{
    UNUSED(state);
    int pipe_fds[2];
    uint64_t ours = random_u64(), childs = 0; /* the first fills the pool */
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        childs = random_u64();
        _exit(write(pipe_fds[1], &childs, sizeof(childs)) == sizeof(childs) ? 0 : 1);
    }
    ours = random_u64();
    assert_int_equal(read(pipe_fds[0], &childs, sizeof(childs)), sizeof(childs));
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(ours != childs);
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
}

static void draw(void *arg)
{
    uint64_t *number = arg;
    *number = random_u64();
}

static void test_threads_have_bytes_of_their_own(void **state)
{
    UNUSED(state);
    struct thread threads[2] = {0};
    uint64_t numbers[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(thread_start(&threads[i], "draw", draw, &numbers[i], NULL), OK);
    }
    for (size_t i = 0; i < 2; i++) {
        thread_join(&threads[i]);
    }
    assert_true(numbers[0] != numbers[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_comes_twice),
        cmocka_unit_test(test_every_length_is_filled_and_no_more),
        cmocka_unit_test(test_a_child_has_bytes_of_its_own),
        cmocka_unit_test(test_threads_have_bytes_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
