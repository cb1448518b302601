/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may come of an operation is a set; each test goes through enough seeds to see all of it and
 * asserts that it sees nothing else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "os/fault_disk.h"
#include "os/file.h"
#include "os/tempdir.h"

enum { SEEDS = 64, BYTES = 8192, SECTOR = 512 };

struct fixture {
    struct tempdir temp;
    struct dir *dir;
    struct fault_disk *disk;
    uint8_t *old, *fresh; /* BYTES of 'o' and of 'n', aligned */
};

/* "a" is there, durably, with `old`. */
static void begin(struct fixture *f)
{
    OWNED(file) file = NULL;
    tempdir_init(&f->temp);
    assert_int_equal(dir_open(f->temp.path, false, &f->dir, NULL), OK);
    assert_int_equal(file_open(f->dir, "a", FILE_CREATE, &file, NULL), OK);
    assert_int_equal(file_write_at(file, 0, (slice){f->old, BYTES}, NULL), OK);
    f->disk = fault_disk_new();
    fault_install(fault_disk_plan(f->disk));
}

static void end(struct fixture *f)
{
    fault_install(NULL);
    fault_disk_freep(&f->disk);
    dir_freep(&f->dir);
    tempdir_release(&f->temp);
}

static int set_up(void **state)
{
    struct fixture *f = mem_zeroed(sizeof(*f));
    f->old = mem_aligned(FILE_BLOCK, BYTES);
    f->fresh = mem_aligned(FILE_BLOCK, BYTES);
    memset(f->old, 'o', BYTES);
    memset(f->fresh, 'n', BYTES);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    fault_install(NULL);
    free(f->old);
    free(f->fresh);
    free(f);
    return 0;
}

static enum err write_fresh(struct fixture *f, const char *name, enum file_mode mode, bool sync)
{
    OWNED(file) file = NULL;
    TRY(file_open(f->dir, name, mode, &file, NULL));
    TRY(file_write_at(file, 0, (slice){f->fresh, BYTES}, NULL));
    return sync ? file_sync(file, NULL) : OK;
}

/* What a file has: '-' it is absent, 'o', 'n', '0' zeros, 's' shorter than written, 't' a mixture
 * within 4,096 bytes, 'T' one whose parts are that large. */
static char read_back(struct fixture *f, const char *name)
{
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    bool mixed = false;
    bool mixed_within = false;
    if (!dir_has(f->dir, name)) {
        return '-';
    }
    assert_int_equal(file_read_all(f->dir, name, BYTES, &bytes, &len, NULL), OK);
    if (len < BYTES) {
        return 's';
    }
    for (size_t at = 0; at < BYTES; at++) {
        assert_int_equal(bytes[at], bytes[at / SECTOR * SECTOR]); /* a sector is whole */
        mixed = mixed || bytes[at] != bytes[0];
        mixed_within = mixed_within || bytes[at] != bytes[at / FILE_BLOCK * FILE_BLOCK];
    }
    char whole = bytes[0] == 0 ? '0' : (char)bytes[0];
    return mixed_within ? 't' : mixed ? 'T' : whole;
}

/* ---- Operations, and what may come of them ---- */

static enum err do_write(struct fixture *f)
{
    return write_fresh(f, "a", FILE_WRITE, false);
}

static enum err do_write_and_sync(struct fixture *f)
{
    return write_fresh(f, "a", FILE_WRITE, true);
}

static enum err do_write_direct(struct fixture *f)
{
    return write_fresh(f, "a", FILE_WRITE_DIRECT, false);
}

static enum err do_write_twice(struct fixture *f)
{
    TRY(do_write(f));
    return do_write_direct(f);
}

static enum err do_fill(struct fixture *f)
{
    OWNED(file) file = NULL;
    TRY(file_open(f->dir, "a", FILE_WRITE, &file, NULL));
    return file_fill_zeros(file, 0, BYTES, NULL);
}

static enum err do_truncate(struct fixture *f)
{
    OWNED(file) file = NULL;
    TRY(file_open(f->dir, "a", FILE_WRITE, &file, NULL));
    return file_truncate(file, 0, NULL);
}

static enum err do_create(struct fixture *f)
{
    return write_fresh(f, "b", FILE_CREATE, true);
}

static enum err do_create_and_sync(struct fixture *f)
{
    TRY(do_create(f));
    return dir_sync(f->dir, NULL);
}

static enum err do_name_without_bytes(struct fixture *f)
{
    TRY(write_fresh(f, "b", FILE_CREATE, false));
    return dir_sync(f->dir, NULL);
}

static enum err do_rename_over(struct fixture *f)
{
    TRY(do_create_and_sync(f));
    return dir_rename(f->dir, "b", "a", NULL);
}

static enum err do_remove(struct fixture *f)
{
    return dir_remove(f->dir, "a", NULL);
}

static enum err do_remove_and_sync(struct fixture *f)
{
    TRY(do_remove(f));
    return dir_sync(f->dir, NULL);
}

/* "b" is made, takes the place of "a", and goes: five names changed, none of them for sure. */
static enum err do_much(struct fixture *f)
{
    TRY(do_create(f));
    TRY(dir_rename(f->dir, "a", "c", NULL));
    TRY(dir_rename(f->dir, "b", "a", NULL));
    return dir_remove(f->dir, "c", NULL);
}

static const struct row {
    const char *name;
    enum err (*run)(struct fixture *f);
    const char *a, *b; /* what the files may have afterwards, each of which is seen */
    uint64_t cut_at;   /* 0: after the last operation */
} rows[] = {
    {"a write without a sync may be lost, in parts, too", do_write, "onTt", "-", 0},
    {"a synced write stays", do_write_and_sync, "n", "-", 0},
    {"a direct write stays", do_write_direct, "n", "-", 0},
    {"a direct write is torn when the power goes meanwhile", do_write_direct, "onTt", "-", 2},
    {"a direct write settles what was written before", do_write_twice, "n", "-", 0},
    {"zeros that are written and synced stay", do_fill, "0", "-", 0},
    {"zeros of which the sync did not come may be lost", do_fill, "o0Tt", "-", 3},
    {"a truncation may be lost, also with the bytes", do_truncate, "so0Tt", "-", 0},
    {"a new file whose directory is not synced may be lost", do_create, "o", "-n", 0},
    {"a new file whose directory is synced stays", do_create_and_sync, "o", "n", 0},
    {"a name may be there without its bytes", do_name_without_bytes, "o", "sn0tT", 0},
    {"a rename may be lost, and is never half", do_rename_over, "on", "-n", 0},
    {"a removal may be lost", do_remove, "-o", "-", 0},
    {"a synced removal stays", do_remove_and_sync, "-", "-", 0},
    {"names are lost so that what is left was there once", do_much, "on-", "-n", 0},
};

static void note(char *seen, const char *allowed, char what)
{
    const char *at = strchr(allowed, what);
    if (at == NULL) {
        fail_msg("seen: %c, allowed: %s", what, allowed);
        return;
    }
    seen[at - allowed] = what;
}

static void test_what_may_come_of_an_operation(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char seen_a[8] = "";
        char seen_b[8] = "";
        print_message("# %s\n", rows[i].name);
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            begin(f);
            fault_disk_cut_at(f->disk, rows[i].cut_at);
            assert_int_equal(rows[i].run(f), rows[i].cut_at == 0 ? OK : ERR_IO);
            assert_int_equal(fault_disk_is_off(f->disk), rows[i].cut_at != 0);
            fault_disk_lose(f->disk, seed);
            note(seen_a, rows[i].a, read_back(f, "a"));
            note(seen_b, rows[i].b, read_back(f, "b"));
            end(f);
        }
        assert_int_equal(strlen(seen_a), strlen(rows[i].a));
        assert_int_equal(strlen(seen_b), strlen(rows[i].b));
    }
}

static void test_the_same_seed_loses_the_same(void **state)
{
    struct fixture *f = *state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        CLEANUP(mem_freep) uint8_t *first = NULL;
        CLEANUP(mem_freep) uint8_t *second = NULL;
        size_t len = 0;
        begin(f);
        assert_int_equal(do_write(f), OK);
        fault_disk_lose(f->disk, seed);
        assert_int_equal(file_read_all(f->dir, "a", BYTES, &first, &len, NULL), OK);
        end(f);
        begin(f);
        assert_int_equal(do_write(f), OK);
        fault_disk_lose(f->disk, seed);
        assert_int_equal(file_read_all(f->dir, "a", BYTES, &second, &len, NULL), OK);
        end(f);
        assert_memory_equal(first, second, BYTES);
    }
}

/* A process that dies takes nothing along; the power that goes later does. */
static void test_a_dead_process_loses_nothing_until_the_power_goes(void **state)
{
    struct fixture *f = *state;
    bool was_lost = false;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(f);
        fault_disk_cut_at(f->disk, 3);
        assert_int_equal(do_write_and_sync(f), ERR_IO);
        assert_string_equal(fault_disk_last(f->disk), "SYNC a at 0");
        fault_disk_cut_at(f->disk, 0);
        assert_int_equal(read_back(f, "a"), 'n');
        fault_disk_lose(f->disk, seed);
        was_lost = was_lost || read_back(f, "a") == 'o';
        end(f);
    }
    assert_true(was_lost);
}

static void test_a_failed_sync_keeps_nothing_safe(void **state)
{
    struct fixture *f = *state;
    bool was_lost = false;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(f);
        fault_disk_fail_at(f->disk, 3, ENOSPC);
        assert_string_equal(fault_disk_last(f->disk), "");
        assert_int_equal(do_write_and_sync(f), ERR_FULL);
        assert_int_equal(write_fresh(f, "b", FILE_CREATE, true), OK); /* later ones work */
        fault_disk_lose(f->disk, seed);
        was_lost = was_lost || read_back(f, "a") == 'o';
        end(f);
    }
    assert_true(was_lost);
}

static void test_reads_can_be_passed_over(void **state)
{
    struct fixture *f = *state;
    begin(f);
    fault_disk_fail_change_at(f->disk, 3, EIO);
    assert_int_equal(read_back(f, "a"), 'o'); /* OPEN, READ, READ */
    assert_int_equal(write_fresh(f, "a", FILE_WRITE, false), ERR_IO);
    assert_string_equal(fault_disk_last(f->disk), "WRITE a at 0");
    assert_int_equal(write_fresh(f, "a", FILE_WRITE, true), OK);
    end(f);
}

static void test_a_replaced_file_is_old_or_new_wherever_the_power_goes(void **state)
{
    struct fixture *f = *state;
    for (uint64_t n = 1; n <= 7; n++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            begin(f);
            fault_disk_cut_at(f->disk, n);
            enum err e = file_replace(f->dir, "a", (slice){f->fresh, BYTES}, NULL);
            assert_int_equal(e, n <= 6 ? ERR_IO : OK);
            fault_disk_lose(f->disk, seed);
            char what = read_back(f, "a");
            assert_true(what == 'n' || (what == 'o' && n <= 6));
            end(f);
        }
    }
}

/* "d/e/b" is there, synced with the directories that it is in, up to "d". Whether the name "d" is
 * safe depends on how often it was tried to make it: the first sync behind it fails. */
static void make_deep(struct fixture *f, bool is_made_again)
{
    OWNED(dir) outer = NULL;
    OWNED(dir) inner = NULL;
    struct dir *dir = f->dir;
    fault_disk_fail_at(f->disk, 3, EIO);
    assert_int_equal(dir_open_in(f->dir, "d", true, &outer, NULL), ERR_IO);
    assert_true(strncmp(fault_disk_last(f->disk), "SYNC ", 5) == 0);
    assert_int_equal(dir_open_in(f->dir, "d", is_made_again, &outer, NULL), OK);
    assert_int_equal(dir_open_in(outer, "e", true, &inner, NULL), OK);
    f->dir = inner;
    assert_int_equal(do_create_and_sync(f), OK);
    f->dir = dir;
}

/* '-' without "d", else what "d/e/b" has. */
static char read_deep(struct fixture *f)
{
    OWNED(dir) outer = NULL;
    OWNED(dir) inner = NULL;
    struct dir *dir = f->dir;
    if (!dir_has(f->dir, "d")) {
        return '-';
    }
    assert_int_equal(dir_open_in(f->dir, "d", false, &outer, NULL), OK);
    assert_int_equal(dir_open_in(outer, "e", false, &inner, NULL), OK);
    f->dir = inner;
    char what = read_back(f, "b");
    f->dir = dir;
    assert_int_equal(what, 'n'); /* never a part of it */
    return what;
}

static void see_deep(struct fixture *f, bool is_made_again, const char *allowed)
{
    char seen[8] = "";
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(f);
        make_deep(f, is_made_again);
        fault_disk_lose(f->disk, seed);
        note(seen, allowed, read_deep(f));
        assert_int_equal(write_fresh(f, "a", FILE_WRITE, true), OK); /* it goes on */
        end(f);
    }
    assert_int_equal(strlen(seen), strlen(allowed));
}

static void test_a_directory_is_lost_with_all_that_is_in_it(void **state)
{
    see_deep(*state, false, "-n");
}

static void test_a_directory_that_is_made_again_is_safe(void **state)
{
    see_deep(*state, true, "n");
}

/* Makes "d/e" with a failure at the n-th operation, and again without; what is put into it then
 * stays. False when there is no such operation. */
static bool make_path_twice(struct fixture *f, uint64_t n, uint64_t seed)
{
    OWNED(dir) dir = NULL;
    char path[TEMPDIR_PATH_BYTES + 8];
    begin(f);
    (void)snprintf(path, sizeof(path), "%s/d/e", f->temp.path);
    fault_disk_fail_at(f->disk, n, EIO);
    bool has_failed = dir_open(path, true, &dir, NULL) != OK;
    fault_disk_cut_at(f->disk, 0);
    if (has_failed) {
        assert_int_equal(dir_open(path, true, &dir, NULL), OK);
    }
    assert_int_equal(file_replace(dir, "b", (slice){f->fresh, BYTES}, NULL), OK);
    fault_disk_lose(f->disk, seed);
    assert_int_equal(read_deep(f), 'n');
    end(f);
    return has_failed;
}

/* The same of a path: whoever made its last name may have died before that was safe. */
static void test_a_path_that_is_made_again_is_safe(void **state)
{
    uint64_t n = 1;
    bool has_failed = true;
    for (; has_failed; n++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            has_failed = make_path_twice(*state, n, seed);
        }
    }
    assert_true(n > 5); /* at least: opened, and two are made, each with its sync */
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_what_may_come_of_an_operation),
        WITH_FIXTURE(test_a_directory_is_lost_with_all_that_is_in_it),
        WITH_FIXTURE(test_a_directory_that_is_made_again_is_safe),
        WITH_FIXTURE(test_a_path_that_is_made_again_is_safe),
        WITH_FIXTURE(test_the_same_seed_loses_the_same),
        WITH_FIXTURE(test_a_dead_process_loses_nothing_until_the_power_goes),
        WITH_FIXTURE(test_a_failed_sync_keeps_nothing_safe),
        WITH_FIXTURE(test_reads_can_be_passed_over),
        WITH_FIXTURE(test_a_replaced_file_is_old_or_new_wherever_the_power_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
