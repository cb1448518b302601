/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/test.h"

static void test_gives_aligned_bytes_that_do_not_overlap(void **state)
{
    UNUSED(state);
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    uint8_t *a = arena_take(&arena, 3);
    uint8_t *b = arena_take(&arena, KIB(40));
    uint8_t *c = arena_take(&arena, 1);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_int_equal((uintptr_t)a % 16, 0);
    assert_int_equal((uintptr_t)b % 16, 0);
    memset(a, 1, 3);
    memset(b, 2, KIB(40));
    *c = 3;
    assert_int_equal(a[2], 1);
    assert_int_equal(b[KIB(40) - 1], 2);
}

static void test_refuses_what_passes_its_limit(void **state)
{
    UNUSED(state);
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(KIB(32));
    assert_non_null(arena_take(&arena, KIB(20)));
    assert_null(arena_take(&arena, KIB(20)));
    assert_null(arena_take(&arena, SIZE_MAX));
    assert_non_null(arena_take(&arena, KIB(8)));
}

static void test_clear_starts_again_within_the_limit(void **state)
{
    UNUSED(state);
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(KIB(32));
    for (size_t i = 0; i < 100; i++) {
        assert_non_null(arena_take(&arena, KIB(12)));
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_aligned_bytes_that_do_not_overlap),
        cmocka_unit_test(test_refuses_what_passes_its_limit),
        cmocka_unit_test(test_clear_starts_again_within_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
