/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in order of time, and words inside ids. */
#include "base/hash.h"
#include "base/test.h"
#include "search/time_sort.h"
#include "search/uuid_words.h"

static uint64_t seed = 1;

static uint64_t next(uint64_t below)
{
    seed = hash_u64(seed, 7);
    return seed % below;
}

static void test_time_sort(void **state)
{
    static struct timed_row rows[5000];
    UNUSED(state);
    for (size_t round = 0; round < 10; round++) {
        uint32_t count = (uint32_t)next(5000) + 1;
        for (uint32_t i = 0; i < count; i++) {
            rows[i] = (struct timed_row){(int64_t)next(round % 2 == 0 ? 50 : 1ull << 50), i};
        }
        time_sort(rows, count);
        for (uint32_t i = 1; i < count; i++) {
            assert_true(rows[i - 1].time_us < rows[i].time_us ||
                        (rows[i - 1].time_us == rows[i].time_us && rows[i - 1].row < rows[i].row));
        }
    }
}

static void test_uuid_words(void **state)
{
    static const struct {
        const char *phrase;
        bool is_in;
    } cases[] = {
        {"0190a1b2", true},
        {"C3D4", true},
        {"7e5f 8a9b", true},
        {"7e5f-8a9b", true},
        {"8a9b 7e5f", false},
        {"000000000abc", true},
        {"0190a1b", false},
        {"0190a1b2c3d4", false},
        {"zzzz", false},
        {"c3d4 c3d4", false},
        {"a1b2", false},
        {"0190a1b2-c3d4-7e5f-8a9b-000000000abc", true},
        {"0190a1b2-c3d4-7e5f-8a9b-000000000abc-0", false},
    };
    struct uuid uuid;
    UNUSED(state);
    assert_true(uuid_parse(SLICE("0190a1b2-c3d4-7e5f-8a9b-000000000abc"), &uuid));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct uuid_words words;
        uuid_words_find(slice_from_cstr(cases[i].phrase), &words);
        assert_int_equal(uuid_words_match(&words, &uuid), cases[i].is_in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_sort),
        cmocka_unit_test(test_uuid_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
