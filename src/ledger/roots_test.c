/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "ledger/roots.h"
#include "os/tempdir.h"

struct fixture {
    struct tempdir temp;
    struct dir *dir;
};

static int set_up(void **state)
{
    struct fixture *f = mem_zeroed(sizeof(*f));
    tempdir_init(&f->temp);
    assert_int_equal(dir_open(f->temp.path, false, &f->dir, NULL), OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    dir_free(f->dir);
    tempdir_release(&f->temp);
    free(f);
    return 0;
}

static void add(struct fixture *f, struct roots *roots, uint64_t index)
{
    struct roots_entry entry = {.index = index};
    memset(entry.tile_roots, (int)index, sizeof(entry.tile_roots));
    assert_int_equal(roots_add(roots, f->dir, &entry, NULL), OK);
}

static void test_roots_come_back_in_order(void **state)
{
    struct fixture *f = *state;
    CLEANUP(roots_release) struct roots roots = {0};
    CLEANUP(roots_release) struct roots read = {0};
    assert_int_equal(roots_read(f->dir, &read, NULL), OK); /* there is no file yet */
    assert_int_equal(read.count, 0);
    add(f, &roots, 9);
    add(f, &roots, 2);
    add(f, &roots, 5);
    add(f, &roots, 2); /* again: the same */
    assert_int_equal(roots_read(f->dir, &read, NULL), OK);
    assert_int_equal(read.count, 3);
    assert_memory_equal(read.entries, roots.entries, 3 * sizeof(*read.entries));
    assert_int_equal(read.entries[0].index, 2);
    assert_int_equal(roots_find(&read, 5)->tile_roots[255].bytes[31], 5);
    assert_null(roots_find(&read, 4));
}

static void test_every_bit_counts(void **state)
{
    struct fixture *f = *state;
    CLEANUP(roots_release) struct roots roots = {0};
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    OWNED(file) file = NULL;
    size_t len = 0;
    add(f, &roots, 3);
    add(f, &roots, 4);
    assert_int_equal(file_read_all(f->dir, ROOTS_NAME, MIB(1), &bytes, &len, NULL), OK);
    assert_int_equal(file_open(f->dir, ROOTS_NAME, FILE_WRITE, &file, NULL), OK);
    for (size_t bit = 0; bit < len * 8; bit++) {
        CLEANUP(roots_release) struct roots read = {0};
        uint8_t flipped = bytes[bit / 8] ^ (uint8_t)(1u << bit % 8);
        assert_int_equal(file_write_at(file, bit / 8, (slice){&flipped, 1}, NULL), OK);
        if (roots_read(f->dir, &read, NULL) != ERR_CORRUPT) {
            fail_msg("bit %zu of byte %zu goes unnoticed", bit % 8, bit / 8);
        }
        assert_int_equal(file_write_at(file, bit / 8, (slice){bytes + bit / 8, 1}, NULL), OK);
    }
}

static void test_a_file_that_is_cut_is_found(void **state)
{
    struct fixture *f = *state;
    CLEANUP(roots_release) struct roots roots = {0};
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    add(f, &roots, 3);
    add(f, &roots, 4);
    assert_int_equal(file_read_all(f->dir, ROOTS_NAME, MIB(1), &bytes, &len, NULL), OK);
    for (size_t shorter = 0; shorter < len; shorter += shorter < 32 ? 1 : 101) {
        CLEANUP(roots_release) struct roots read = {0};
        assert_int_equal(file_replace(f->dir, ROOTS_NAME, (slice){bytes, shorter}, NULL), OK);
        assert_int_equal(roots_read(f->dir, &read, NULL), ERR_CORRUPT);
    }
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_roots_come_back_in_order),
        WITH_FIXTURE(test_every_bit_counts),
        WITH_FIXTURE(test_a_file_that_is_cut_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
