/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that are read, and those that are not, are in tests/vectors/tree.json: vectors_test.c. */
#include "base/test.h"
#include "tree/tile.h"

/* The subtree at (level, index) is 32 bytes that say so; leaf 777 was erased. */
static enum err node_by_name(void *context, unsigned level, uint64_t index, struct merkle_hash *out)
{
    UNUSED(context);
    if (level == 0 && index == 777) {
        return ERR_GONE;
    }
    memset(out->bytes, (int)(uint8_t)index, sizeof(out->bytes));
    out->bytes[0] = (uint8_t)level;
    return OK;
}

static void test_hashes_are_the_subtrees_in_a_row(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf out = BUF_INIT(TILE_WIDTH * MERKLE_HASH_BYTES);
    const struct tile full = {.level = 1, .index = 2, .width = 256};
    assert_int_equal(tile_write_hashes(&full, node_by_name, NULL, &out), OK);
    assert_int_equal(out.len, 8192);
    for (size_t i = 0; i < TILE_WIDTH; i++) {
        struct merkle_hash expected;
        assert_int_equal(node_by_name(NULL, 8, 2 * 256 + i, &expected), OK);
        assert_memory_equal(out.ptr + 32 * i, expected.bytes, 32);
    }
    buf_clear(&out);
    const struct tile partial = {.level = 0, .index = 3, .width = 9}; /* 768..776 */
    assert_int_equal(tile_write_hashes(&partial, node_by_name, NULL, &out), OK);
    assert_int_equal(out.len, 9 * 32);
}

static void test_a_tile_that_cannot_be_had_writes_nothing(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf out = BUF_INIT(100);
    const struct tile erased = {.level = 0, .index = 3, .width = 10};
    const struct tile too_big = {.level = 0, .index = 0, .width = 4};
    buf_append_cstr(&out, "before");
    assert_int_equal(tile_write_hashes(&erased, node_by_name, NULL, &out), ERR_GONE);
    assert_slice_equal(buf_slice(&out), "before");
    assert_int_equal(tile_write_hashes(&too_big, node_by_name, NULL, &out), ERR_LIMIT);
    assert_slice_equal(buf_slice(&out), "before");
}

static void test_an_entry_is_its_length_and_its_bytes(void **state)
{
    UNUSED(state);
    static uint8_t longest[65535];
    CLEANUP(buf_release) struct buf out = BUF_INIT(2 + 65535 + 2 + 1);
    tile_write_entry((slice){longest, sizeof(longest)}, &out);
    tile_write_entry((slice){0}, &out);
    assert_int_equal(out.len, 2 + 65535 + 2);
    assert_memory_equal(out.ptr, "\xff\xff", 2);
    assert_memory_equal(out.ptr + 2 + 65535, "\0\0", 2);
    tile_write_entry((slice){0}, &out);
    assert_int_equal(buf_check(&out), ERR_LIMIT);
    assert_int_equal(out.len, 2 + 65535 + 2); /* not half an entry */
}

static void test_the_largest_tree_has_its_last_tile(void **state)
{
    UNUSED(state);
    const struct tile last = {.level = 0, .index = (UINT64_MAX >> 8), .width = 255};
    const struct tile behind = {.level = 0, .index = (UINT64_MAX >> 8), .width = 256};
    const struct tile far = {.level = 0, .index = UINT64_MAX, .width = 1};
    const struct tile top = {.level = 7, .index = 0, .width = 255};
    const struct tile above = {.level = 8, .index = 0, .width = 1};
    assert_true(tile_exists(&last, UINT64_MAX));
    assert_false(tile_exists(&behind, UINT64_MAX));
    assert_false(tile_exists(&far, UINT64_MAX));
    assert_true(tile_exists(&top, UINT64_MAX));
    assert_false(tile_exists(&above, UINT64_MAX));
    assert_false(tile_exists(&last, 0));
}

static void test_a_narrower_partial_exists_as_well(void **state)
{
    UNUSED(state);
    struct tile tile = {.level = 0, .index = 1, .width = 1};
    for (; tile.width <= TILE_WIDTH; tile.width++) {
        assert_true(tile_exists(&tile, 300) == (tile.width <= 44));
        assert_true(tile_exists(&tile, 512));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes_are_the_subtrees_in_a_row),
        cmocka_unit_test(test_a_tile_that_cannot_be_had_writes_nothing),
        cmocka_unit_test(test_an_entry_is_its_length_and_its_bytes),
        cmocka_unit_test(test_the_largest_tree_has_its_last_tile),
        cmocka_unit_test(test_a_narrower_partial_exists_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
