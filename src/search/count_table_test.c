/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/test.h"
#include "search/count_table.h"

enum { GROUPS = 2000, RUN_MAX = 400 };

/* The second half undoes what the first made of the hash: with a seed that is known, all texts
 * share one hash. */
static slice made_text(uint64_t number, uint64_t seed, uint64_t text[2])
{
    uint64_t begun = seed ^ 16 * UINT64_C(0x9e3779b97f4a7c15);
    text[0] = number;
    text[1] = hash_mix(begun ^ number, UINT64_C(0xa0761d6478bd642f));
    return (slice){(const uint8_t *)text, 16};
}

static size_t longest_run(const struct count_table *table)
{
    size_t longest = 0;
    size_t run = 0;
    for (size_t slot = 0; slot <= table->slot_mask; slot++) {
        run = table->slots[slot] != 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void test_texts_made_to_collide_are_kept_apart(void **state)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    CLEANUP(count_table_release) struct count_table table;
    UNUSED(state);
    count_table_init(&table, &arena, 1, GROUPS);
    assert_int_equal(hash_bytes(made_text(1, hash_u64(0, 0), (uint64_t[2]){0}), hash_u64(0, 0)),
                     hash_bytes(made_text(2, hash_u64(0, 0), (uint64_t[2]){0}), hash_u64(0, 0)));
    for (uint64_t i = 0; i < GROUPS; i++) {
        uint64_t text[2];
        slice value = made_text(i, hash_u64(0, 0), text);
        assert_int_equal(count_table_add(&table, &value, 0, 1), OK);
    }
    assert_int_equal(table.count, GROUPS);
    assert_true(longest_run(&table) < RUN_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_made_to_collide_are_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
