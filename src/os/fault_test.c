/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "os/fault.h"
#include "os/file.h"
#include "os/tempdir.h"

struct fixture {
    struct tempdir temp;
    struct dir *dir;
    struct file *file; /* "a" with "0123456789" */
};

static int set_up(void **state)
{
    struct fixture *fixture = mem_zeroed(sizeof(*fixture));
    tempdir_init(&fixture->temp);
    if (dir_open(fixture->temp.path, false, &fixture->dir, NULL) != OK ||
        file_open(fixture->dir, "a", FILE_CREATE, &fixture->file, NULL) != OK ||
        file_write_at(fixture->file, 0, SLICE("0123456789"), NULL) != OK) {
        return -1;
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fault_install(NULL);
    file_free(fixture->file);
    dir_free(fixture->dir);
    tempdir_release(&fixture->temp);
    free(fixture);
    return 0;
}

/* Every operation there is, each of which can fail by itself. */
static enum err do_open(struct fixture *fixture, struct diag *diag)
{
    OWNED(file) file = NULL;
    return file_open(fixture->dir, "a", FILE_READ, &file, diag);
}

static enum err do_dir_open(struct fixture *fixture, struct diag *diag)
{
    OWNED(dir) dir = NULL;
    return dir_open(fixture->temp.path, true, &dir, diag);
}

static enum err do_dir_open_in(struct fixture *fixture, struct diag *diag)
{
    OWNED(dir) dir = NULL;
    return dir_open_in(fixture->dir, "sub", true, &dir, diag);
}

static enum err do_write(struct fixture *fixture, struct diag *diag)
{
    return file_write_at(fixture->file, 0, SLICE("abcdef"), diag);
}

static enum err do_sync(struct fixture *fixture, struct diag *diag)
{
    return file_sync(fixture->file, diag);
}

static enum err do_dir_sync(struct fixture *fixture, struct diag *diag)
{
    return dir_sync(fixture->dir, diag);
}

static enum err do_rename(struct fixture *fixture, struct diag *diag)
{
    return dir_rename(fixture->dir, "a", "a", diag);
}

static enum err do_remove(struct fixture *fixture, struct diag *diag)
{
    return dir_remove(fixture->dir, "none", diag);
}

static enum err do_truncate(struct fixture *fixture, struct diag *diag)
{
    return file_truncate(fixture->file, 10, diag);
}

static enum err do_read(struct fixture *fixture, struct diag *diag)
{
    char out[10];
    return file_read_at(fixture->file, 0, out, sizeof(out), diag);
}

static enum err do_size(struct fixture *fixture, struct diag *diag)
{
    uint64_t size = 0;
    return file_size(fixture->file, &size, diag);
}

static enum err do_map(struct fixture *fixture, struct diag *diag)
{
    slice map = {0};
    enum err e = file_map(fixture->file, &map, diag);
    file_unmap(map);
    return e;
}

static enum err do_list(struct fixture *fixture, struct diag *diag)
{
    CLEANUP(dir_names_release) struct dir_names names = {0};
    return dir_list(fixture->dir, &names, diag);
}

static enum err do_space(struct fixture *fixture, struct diag *diag)
{
    uint64_t free_bytes = 0, total_bytes = 0;
    return dir_space(fixture->dir, &free_bytes, &total_bytes, diag);
}

static enum err do_allocate(struct fixture *fixture, struct diag *diag)
{
    return file_fill_zeros(fixture->file, 0, 10, diag);
}

static enum err do_lock(struct fixture *fixture, struct diag *diag)
{
    OWNED(file) file = NULL;
    return dir_lock(fixture->dir, "lock", SLICE("x"), &file, diag);
}

struct fault_case {
    const char *name;
    enum fault_kind kind;
    enum err (*run)(struct fixture *fixture, struct diag *diag);
};

static struct fault_case cases[] = {
    {"file_open", FAULT_OPEN, do_open},
    {"dir_open", FAULT_OPEN, do_dir_open},
    {"dir_open_in", FAULT_OPEN, do_dir_open_in},
    {"what dir_open makes", FAULT_MAKE, do_dir_open},
    {"what dir_open_in makes", FAULT_MAKE, do_dir_open_in},
    {"where dir_open makes", FAULT_SYNC, do_dir_open},
    {"where dir_open_in makes", FAULT_SYNC, do_dir_open_in},
    {"file_write_at", FAULT_WRITE, do_write},
    {"file_sync", FAULT_SYNC, do_sync},
    {"dir_sync", FAULT_SYNC, do_dir_sync},
    {"dir_rename", FAULT_RENAME, do_rename},
    {"dir_remove", FAULT_REMOVE, do_remove},
    {"file_truncate", FAULT_TRUNCATE, do_truncate},
    {"file_read_at", FAULT_READ, do_read},
    {"file_size", FAULT_READ, do_size},
    {"file_map", FAULT_READ, do_map},
    {"dir_list", FAULT_READ, do_list},
    {"dir_space", FAULT_READ, do_space},
    {"file_fill_zeros", FAULT_ALLOCATE, do_allocate},
    {"dir_lock", FAULT_LOCK, do_lock},
};

static void test_every_operation_can_fail(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("# %s\n", cases[i].name);
        struct diag diag = {0};
        /* The second of its kind, for want of room: but a failed sync spends the file. */
        struct fault_nth nth = {.kind = cases[i].kind,
                                .n = 2,
                                .action = FAULT_FAIL,
                                .error = ENOSPC};
        struct fault_plan plan = fault_plan_nth(&nth);
        fault_install(&plan);
        assert_int_equal(cases[i].run(fixture, NULL), OK);
        enum err expected = cases[i].run == do_dir_sync ? ERR_IO : ERR_FULL;
        assert_int_equal(cases[i].run(fixture, &diag), expected);
        fault_install(NULL);
        assert_non_null(strstr(diag.text, "No space left on device"));
        assert_string_not_equal(diag.where, "");
        file_freep(&fixture->file);
        assert_int_equal(file_open(fixture->dir, "a", FILE_CREATE, &fixture->file, NULL), OK);
        assert_int_equal(cases[i].run(fixture, NULL), OK);
    }
}

static void assert_file(struct fixture *fixture, const char *expected, size_t len)
{
    char out[16] = {0};
    uint64_t size = 0;
    assert_int_equal(file_size(fixture->file, &size, NULL), OK);
    assert_int_equal(size, len);
    assert_int_equal(file_read_at(fixture->file, 0, out, len, NULL), OK);
    assert_memory_equal(out, expected, len);
}

static void test_a_failed_write_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct fault_nth nth = {.kind = FAULT_WRITE, .n = 1, .action = FAULT_FAIL};
    struct fault_plan plan = fault_plan_nth(&nth);
    fault_install(&plan);
    assert_int_equal(file_write_at(fixture->file, 0, SLICE("abcdef"), NULL), ERR_IO);
    fault_install(NULL);
    assert_file(fixture, "0123456789", 10);
}

static void test_a_short_write_writes_half(void **state)
{
    struct fixture *fixture = *state;
    struct fault_nth nth = {.kind = FAULT_WRITE, .n = 1, .action = FAULT_SHORT, .error = ENOSPC};
    struct fault_plan plan = fault_plan_nth(&nth);
    fault_install(&plan);
    assert_int_equal(file_write_at(fixture->file, 0, SLICE("abcdef"), NULL), ERR_FULL);
    assert_int_equal(file_write_at(fixture->file, 9, SLICE("xyz"), NULL), OK);
    fault_install(NULL);
    assert_file(fixture, "abc345678xyz", 12);
}

static void test_a_short_fill_fills_half(void **state)
{
    struct fixture *fixture = *state;
    struct fault_nth nth = {.kind = FAULT_ALLOCATE, .n = 1, .action = FAULT_SHORT};
    struct fault_plan plan = fault_plan_nth(&nth);
    fault_install(&plan);
    assert_int_equal(file_fill_zeros(fixture->file, 2, 6, NULL), ERR_IO);
    fault_install(NULL);
    assert_file(fixture,
                "01\0\0\0"
                "56789",
                10);
}

static void test_after_power_off_nothing_works(void **state)
{
    struct fixture *fixture = *state;
    struct fault_nth nth = {.any_kind = true, .n = 1, .action = FAULT_POWER_OFF};
    struct fault_plan plan = fault_plan_nth(&nth);
    fault_install(&plan);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("# %s\n", cases[i].name);
        assert_int_equal(cases[i].run(fixture, NULL), ERR_IO);
    }
    assert_true(plan.is_off);
    fault_install(NULL);
    assert_file(fixture, "0123456789", 10);
}

static void test_a_torn_write_is_the_last(void **state)
{
    struct fixture *fixture = *state;
    struct fault_nth nth = {.kind = FAULT_WRITE, .n = 2, .action = FAULT_TORN};
    struct fault_plan plan = fault_plan_nth(&nth);
    fault_install(&plan);
    assert_int_equal(file_write_at(fixture->file, 0, SLICE("a"), NULL), OK);
    assert_int_equal(file_write_at(fixture->file, 1, SLICE("bcde"), NULL), ERR_IO);
    assert_int_equal(file_write_at(fixture->file, 5, SLICE("f"), NULL), ERR_IO);
    fault_install(NULL);
    assert_file(fixture, "abc3456789", 10);
}

static void test_after_a_failed_sync_the_file_is_spent(void **state)
{
    struct fixture *fixture = *state;
    struct diag diag = {0};
    struct fault_nth nth = {.kind = FAULT_SYNC, .n = 1, .action = FAULT_FAIL};
    struct fault_plan plan = fault_plan_nth(&nth);
    fault_install(&plan);
    assert_int_equal(file_sync(fixture->file, NULL), ERR_IO);
    fault_install(NULL);
    assert_int_equal(file_sync(fixture->file, &diag), ERR_IO);
    assert_string_equal(diag.text, "an earlier sync failed");
    assert_int_equal(file_write_at(fixture->file, 0, SLICE("x"), NULL), ERR_IO);
    assert_int_equal(file_truncate(fixture->file, 0, NULL), ERR_IO);
    assert_int_equal(file_fill_zeros(fixture->file, 0, 1, NULL), ERR_IO);
    assert_file(fixture, "0123456789", 10);
}

struct seen {
    struct fault_op ops[16];
    size_t count;
};

static enum fault_action remember(void *ctx, const struct fault_op *op)
{
    struct seen *seen = ctx;
    assert_true(seen->count < COUNT_OF(seen->ops));
    seen->ops[seen->count++] = *op;
    return FAULT_NONE;
}

static void test_a_plan_sees_each_operation(void **state)
{
    struct fixture *fixture = *state;
    struct seen seen = {0};
    struct fault_plan plan = {.decide = remember, .ctx = &seen};
    fault_install(&plan);
    assert_int_equal(file_write_at(fixture->file, 4, SLICE("abc"), NULL), OK);
    assert_int_equal(file_sync(fixture->file, NULL), OK);
    assert_int_equal(file_write_at(fixture->file, 7, SLICE("d"), NULL), OK);
    fault_install(NULL);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.ops[0].kind, FAULT_WRITE);
    assert_string_equal(seen.ops[0].name, "a");
    assert_int_equal(seen.ops[0].offset, 4);
    assert_int_equal(seen.ops[0].len, 3);
    assert_int_equal(seen.ops[0].number, 1);
    assert_int_equal(seen.ops[1].kind, FAULT_SYNC);
    assert_int_equal(seen.ops[2].number, 3);
    assert_int_equal(seen.ops[2].number_of_kind, 2);
}

/* The way a story is tested: count its operations, then let each of them be the last. */
static void test_replace_is_old_or_new_wherever_it_stops(void **state)
{
    struct fixture *fixture = *state;
    struct fault_plan count = fault_plan_count();
    fault_install(&count);
    assert_int_equal(file_replace(fixture->dir, "r", SLICE("old"), NULL), OK);
    fault_install(NULL);
    assert_int_equal(count.number, 6); /* open, truncate, write, sync; rename, sync */

    static const enum fault_action actions[] = {FAULT_FAIL, FAULT_SHORT, FAULT_POWER_OFF,
                                                FAULT_TORN};
    for (uint64_t i = 0; i < 6 * COUNT_OF(actions); i++) {
        struct fault_nth nth = {.any_kind = true,
                                .n = i / COUNT_OF(actions) + 1,
                                .action = actions[i % COUNT_OF(actions)]};
        struct fault_plan plan = fault_plan_nth(&nth);
        assert_int_equal(file_replace(fixture->dir, "r", SLICE("old"), NULL), OK);
        fault_install(&plan);
        assert_int_equal(file_replace(fixture->dir, "r", SLICE("fresh"), NULL), ERR_IO);
        fault_install(NULL);

        CLEANUP(mem_freep) uint8_t *bytes = NULL;
        size_t len = 0;
        assert_int_equal(file_read_all(fixture->dir, "r", 100, &bytes, &len, NULL), OK);
        assert_slice_equal(((slice){bytes, len}), nth.n <= 5 ? "old" : "fresh");
        assert_int_equal(dir_has(fixture->dir, "r.tmp"), plan.is_off && nth.n > 1 && nth.n < 6);
    }
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_every_operation_can_fail),
        WITH_FIXTURE(test_a_failed_write_writes_nothing),
        WITH_FIXTURE(test_a_short_write_writes_half),
        WITH_FIXTURE(test_a_short_fill_fills_half),
        WITH_FIXTURE(test_after_power_off_nothing_works),
        WITH_FIXTURE(test_a_torn_write_is_the_last),
        WITH_FIXTURE(test_after_a_failed_sync_the_file_is_spent),
        WITH_FIXTURE(test_a_plan_sees_each_operation),
        WITH_FIXTURE(test_replace_is_old_or_new_wherever_it_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
