/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/test.h"

static slice key_of(int number, char text[16])
{
    return (slice){(const uint8_t *)text, (size_t)snprintf(text, 16, "key %d", number)};
}

static void test_what_was_put_in_is_found(void **state)
{
    UNUSED(state);
    struct map map = {0};
    int values[1000];
    char text[16];
    assert_null(map_find(&map, SLICE("key 1")));
    assert_null(map_take(&map, SLICE("key 1")));
    for (int i = 0; i < 1000; i++) {
        assert_null(map_put(&map, key_of(i, text), &values[i]));
    }
    assert_int_equal(map.count, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_ptr_equal(map_find(&map, key_of(i, text)), &values[i]);
    }
    assert_null(map_find(&map, SLICE("key 1000")));
    assert_null(map_find(&map, SLICE("")));
    map_release(&map, NULL);
    assert_int_equal(map.count, 0);
}

static void test_another_value_gives_the_one_before_back(void **state)
{
    UNUSED(state);
    struct map map = {0};
    int first = 1;
    int second = 2;
    assert_null(map_put(&map, SLICE("a"), &first));
    assert_ptr_equal(map_put(&map, SLICE("a"), &second), &first);
    assert_int_equal(map.count, 1);
    assert_ptr_equal(map_take(&map, SLICE("a")), &second);
    assert_null(map_find(&map, SLICE("a")));
    assert_int_equal(map.count, 0);
    map_release(&map, NULL);
}

static bool is_even(void *context, void *value)
{
    ++*(int *)context;
    return *(const int *)value % 2 == 0;
}

static void test_a_sweep_frees_what_is_not_kept(void **state)
{
    UNUSED(state);
    struct map map = {0};
    char text[16];
    int seen = 0;
    for (int i = 0; i < 100; i++) {
        int *value = mem_zeroed(sizeof(*value));
        *value = i;
        (void)map_put(&map, key_of(i, text), value);
    }
    map_sweep(&map, is_even, &seen, free);
    assert_int_equal(seen, 100);
    assert_int_equal(map.count, 50);
    assert_null(map_find(&map, SLICE("key 7")));
    assert_int_equal(*(const int *)map_find(&map, SLICE("key 8")), 8);
    map_release(&map, free);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_put_in_is_found),
        cmocka_unit_test(test_another_value_gives_the_one_before_back),
        cmocka_unit_test(test_a_sweep_frees_what_is_not_kept),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
