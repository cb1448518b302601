/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/tempdir.h"
#include "os/thread.h"

#define PATH_BYTES (TEMPDIR_PATH_BYTES + 64)

struct fixture {
    struct tempdir temp;
    struct dir *dir;
};

static int set_up(void **state)
{
    struct fixture *fixture = mem_zeroed(sizeof(*fixture));
    tempdir_init(&fixture->temp);
    if (dir_open(fixture->temp.path, false, &fixture->dir, NULL) != OK) {
        return -1;
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    dir_free(fixture->dir);
    tempdir_release(&fixture->temp);
    free(fixture);
    return 0;
}

static const char *below(const struct fixture *fixture, const char *rest, char out[PATH_BYTES])
{
    (void)snprintf(out, PATH_BYTES, "%s/%s", fixture->temp.path, rest);
    return out;
}

static void test_opens_what_is_there(void **state)
{
    struct fixture *fixture = *state;
    char path[PATH_BYTES];
    struct diag diag = {0};
    OWNED(dir) dir = NULL;
    assert_int_equal(dir_open(below(fixture, "x", path), false, &dir, &diag), ERR_NOT_FOUND);
    assert_null(dir);
    assert_string_equal(diag.text, "cannot open: No such file or directory");
    assert_int_equal(file_replace(fixture->dir, "f", SLICE(""), NULL), OK);
    assert_int_equal(dir_open(below(fixture, "f", path), false, &dir, NULL), ERR_IO);
    assert_int_equal(dir_open(below(fixture, "f", path), true, &dir, NULL), ERR_IO);
    assert_int_equal(dir_open(below(fixture, "f/g", path), true, &dir, NULL), ERR_IO);
    assert_int_equal(dir_open("", false, &dir, NULL), ERR_NOT_FOUND);
    assert_int_equal(dir_open(fixture->temp.path, false, &dir, NULL), OK);
    assert_string_equal(dir_path(dir), fixture->temp.path);
}

static void test_makes_the_parents(void **state)
{
    struct fixture *fixture = *state;
    static const char *const paths[] = {"a/b/c", "a//d///", "e/", "a/b/../f", "./g"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        char path[PATH_BYTES];
        OWNED(dir) dir = NULL;
        assert_int_equal(dir_open(below(fixture, paths[i], path), true, &dir, NULL), OK);
        struct stat stat = {0};
        assert_int_equal(lstat(path, &stat), 0);
        assert_int_equal(stat.st_mode & 07777, 0700);
    }
    char path[PATH_BYTES];
    assert_int_equal(access(below(fixture, "a/d", path), F_OK), 0);
    assert_int_equal(access(below(fixture, "a/f", path), F_OK), 0);
}

static void test_makes_a_relative_path(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(mem_freep) char *before = getcwd(NULL, 0);
    assert_non_null(before);
    assert_int_equal(chdir(fixture->temp.path), 0);
    OWNED(dir) one = NULL;
    OWNED(dir) two = NULL;
    enum err made_one = dir_open("one", true, &one, NULL);
    enum err made_two = dir_open("two/three", true, &two, NULL);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(made_one, OK);
    assert_int_equal(made_two, OK);
    assert_true(dir_has(fixture->dir, "one"));
    assert_true(dir_has(fixture->dir, "two"));
    assert_string_equal(dir_path(two), "two/three");
}

static void test_opens_within_a_directory(void **state)
{
    struct fixture *fixture = *state;
    char path[PATH_BYTES];
    OWNED(dir) made = NULL;
    OWNED(dir) again = NULL;
    assert_int_equal(dir_open_in(fixture->dir, "x", false, &made, NULL), ERR_NOT_FOUND);
    assert_int_equal(dir_open_in(fixture->dir, "x", true, &made, NULL), OK);
    assert_string_equal(dir_path(made), below(fixture, "x", path));
    assert_int_equal(file_replace(made, "f", SLICE("text"), NULL), OK);
    assert_int_equal(dir_open_in(fixture->dir, "x", true, &again, NULL), OK);
    assert_true(dir_has(again, "f"));
    dir_freep(&again);
    assert_int_equal(dir_open_in(made, "f", true, &again, NULL), ERR_IO);
}

static void test_renames_and_removes(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(file_replace(fixture->dir, "a", SLICE("1"), NULL), OK);
    assert_int_equal(file_replace(fixture->dir, "b", SLICE("2"), NULL), OK);
    assert_int_equal(dir_rename(fixture->dir, "a", "b", NULL), OK); /* over it */
    assert_false(dir_has(fixture->dir, "a"));
    assert_true(dir_has(fixture->dir, "b"));
    assert_int_equal(dir_rename(fixture->dir, "a", "c", NULL), ERR_NOT_FOUND);
    assert_int_equal(dir_remove(fixture->dir, "b", NULL), OK);
    assert_int_equal(dir_remove(fixture->dir, "b", NULL), OK); /* gone is gone */
    assert_false(dir_has(fixture->dir, "b"));
    assert_int_equal(dir_sync(fixture->dir, NULL), OK);
}

static void test_lists_all_names_in_order(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(dir_names_release) struct dir_names names = {0};
    assert_int_equal(dir_list(fixture->dir, &names, NULL), OK);
    assert_int_equal(names.count, 0);
    for (int i = 39; i >= 0; i--) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%02d", i);
        assert_int_equal(file_replace(fixture->dir, name, SLICE(""), NULL), OK);
    }
    assert_int_equal(file_replace(fixture->dir, ".hidden", SLICE(""), NULL), OK);
    for (int round = 0; round < 2; round++) { /* every list begins at the beginning */
        dir_names_release(&names);
        assert_int_equal(dir_list(fixture->dir, &names, NULL), OK);
        assert_int_equal(names.count, 41);
        assert_string_equal(names.names[0], ".hidden");
        assert_string_equal(names.names[1], "00");
        assert_string_equal(names.names[40], "39");
    }
}

static void test_knows_its_space(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_bytes = UINT64_MAX, total_bytes = 0;
    assert_int_equal(dir_space(fixture->dir, &free_bytes, &total_bytes, NULL), OK);
    assert_true(total_bytes > 0);
    assert_true(free_bytes <= total_bytes);
}

static void test_a_lock_is_one_owners(void **state)
{
    struct fixture *fixture = *state;
    struct diag diag = {0};
    OWNED(file) one = NULL;
    OWNED(file) two = NULL;
    assert_int_equal(file_replace(fixture->dir, "lock", SLICE("an old and longer text"), NULL), OK);
    assert_int_equal(dir_lock(fixture->dir, "lock", SLICE("process\t17\n"), &one, NULL), OK);
    assert_int_equal(dir_lock(fixture->dir, "lock", SLICE("process 18"), &two, &diag),
                     ERR_CONFLICT);
    assert_null(two);
    assert_string_equal(diag.where, "lock");
    assert_string_equal(diag.text, "is held by another: process?17");
    file_freep(&one);
    assert_int_equal(dir_lock(fixture->dir, "lock", SLICE(""), &two, &diag), OK);
    assert_int_equal(dir_lock(fixture->dir, "lock", SLICE("x"), &one, &diag), ERR_CONFLICT);
    assert_string_equal(diag.text, "is held by another");
}

static void test_who_asks_for_a_lock_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    bool is_locked = true;
    OWNED(file) owner = NULL;
    OWNED(file) asker = NULL;
    assert_int_equal(file_replace(fixture->dir, "lock", SLICE("from before"), NULL), OK);
    assert_int_equal(file_open(fixture->dir, "lock", FILE_READ, &asker, NULL), OK);
    assert_int_equal(file_is_locked(asker, &is_locked, NULL), OK);
    assert_false(is_locked);
    assert_int_equal(dir_lock(fixture->dir, "lock", SLICE("process 17"), &owner, NULL), OK);
    assert_int_equal(file_is_locked(asker, &is_locked, NULL), OK);
    assert_true(is_locked);
    char text[10];
    assert_int_equal(file_read_at(asker, 0, text, sizeof(text), NULL), OK);
    assert_memory_equal(text, "process 17", sizeof(text));
    file_freep(&owner);
    assert_int_equal(file_is_locked(asker, &is_locked, NULL), OK);
    assert_false(is_locked);
}

struct locker {
    const struct dir *dir;
    struct file *lock;
    enum err result;
    _Atomic bool is_done;
};

static void take_lock(void *context)
{
    struct locker *locker = context;
    locker->result = dir_lock(locker->dir, "lock", SLICE("x"), &locker->lock, NULL);
    atomic_store(&locker->is_done, true);
}

static void test_who_asks_for_a_lock_is_waited_for(void **state)
{
    enum { LOOK_US = 30 * 1000 };
    struct fixture *fixture = *state;
    char path[PATH_BYTES];
    struct locker locker = {.dir = fixture->dir, .result = ERR_IO};
    struct thread thread = {0};
    assert_int_equal(file_replace(fixture->dir, "lock", SLICE(""), NULL), OK);
    int asker = open(below(fixture, "lock", path), O_RDONLY); /* in the middle of its question */
    assert_int_equal(flock(asker, LOCK_SH), 0);
    assert_int_equal(thread_start(&thread, "locker", take_lock, &locker, NULL), OK);
    for (int64_t end_us = clock_monotonic_us() + LOOK_US; clock_monotonic_us() < end_us;) {
        assert_false(atomic_load(&locker.is_done));
    }
    (void)close(asker);
    thread_join(&thread);
    assert_int_equal(locker.result, OK);
    file_free(locker.lock);
}

static void test_a_file_tells_whose_it_is(void **state)
{
    struct fixture *fixture = *state;
    char path[PATH_BYTES];
    struct file_owner owner = {0};
    OWNED(file) file = NULL;
    assert_int_equal(file_replace(fixture->dir, "f", SLICE("x"), NULL), OK);
    assert_int_equal(file_open(fixture->dir, "f", FILE_READ, &file, NULL), OK);
    assert_int_equal(file_owner(file, &owner, NULL), OK);
    assert_int_equal(owner.user, geteuid());
    assert_true(owner.is_ours && owner.is_private);
    assert_int_equal(chmod(below(fixture, "f", path), 0640), 0);
    assert_int_equal(file_owner(file, &owner, NULL), OK);
    assert_true(owner.is_ours && !owner.is_private);
}

static void test_tempdir_takes_everything_with_it(void **state)
{
    UNUSED(state);
    struct tempdir temp = {0};
    char path[PATH_BYTES];
    OWNED(dir) dir = NULL;
    tempdir_init(&temp);
    (void)snprintf(path, sizeof(path), "%s/a/b/c", temp.path);
    assert_int_equal(dir_open(path, true, &dir, NULL), OK);
    assert_int_equal(file_replace(dir, "f", SLICE("text"), NULL), OK);
    (void)snprintf(path, sizeof(path), "%s/a/link", temp.path);
    assert_int_equal(symlink("/", path), 0);
    (void)snprintf(path, sizeof(path), "%s", temp.path);
    tempdir_release(&temp);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access("/", F_OK), 0);
    assert_string_equal(temp.path, "");
    tempdir_release(&temp); /* twice is fine */
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_opens_what_is_there),
        WITH_FIXTURE(test_makes_the_parents),
        WITH_FIXTURE(test_makes_a_relative_path),
        WITH_FIXTURE(test_opens_within_a_directory),
        WITH_FIXTURE(test_renames_and_removes),
        WITH_FIXTURE(test_lists_all_names_in_order),
        WITH_FIXTURE(test_knows_its_space),
        WITH_FIXTURE(test_a_lock_is_one_owners),
        WITH_FIXTURE(test_who_asks_for_a_lock_changes_nothing),
        WITH_FIXTURE(test_who_asks_for_a_lock_is_waited_for),
        WITH_FIXTURE(test_a_file_tells_whose_it_is),
        cmocka_unit_test(test_tempdir_takes_everything_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
