/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "os/file.h"
#include "os/tempdir.h"

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

static void assert_content(const struct dir *dir, const char *name, const char *text)
{
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    assert_int_equal(file_read_all(dir, name, 1000, &bytes, &len, NULL), OK);
    assert_slice_equal(((slice){bytes, len}), text);
}

static void test_modes_of_opening(void **state)
{
    struct fixture *fixture = *state;
    struct diag diag = {0};
    OWNED(file) file = NULL;
    assert_int_equal(file_open(fixture->dir, "a", FILE_READ, &file, &diag), ERR_NOT_FOUND);
    assert_string_equal(diag.where, "a");
    assert_string_equal(diag.text, "cannot open: No such file or directory");
    assert_int_equal(file_open(fixture->dir, "a", FILE_WRITE, &file, NULL), ERR_NOT_FOUND);
    assert_int_equal(file_open(fixture->dir, "a", FILE_WRITE_DIRECT, &file, NULL), ERR_NOT_FOUND);
    assert_null(file);
    assert_int_equal(file_open(fixture->dir, "a", FILE_CREATE_NEW, &file, NULL), OK);
    file_freep(&file);
    assert_int_equal(file_open(fixture->dir, "a", FILE_CREATE_NEW, &file, NULL), ERR_CONFLICT);
    assert_int_equal(file_open(fixture->dir, "a", FILE_CREATE, &file, NULL), OK);
    file_freep(&file);
    assert_int_equal(file_open(fixture->dir, "b", FILE_CREATE, &file, NULL), OK);
    file_freep(&file);

    struct stat stat = {0};
    char path[TEMPDIR_PATH_BYTES + 8];
    (void)snprintf(path, sizeof(path), "%s/b", fixture->temp.path);
    assert_int_equal(lstat(path, &stat), 0);
    assert_int_equal(stat.st_mode & 0777, 0600);
}

static void test_writes_and_reads_at_offsets(void **state)
{
    struct fixture *fixture = *state;
    OWNED(file) file = NULL;
    uint64_t size = 0;
    assert_int_equal(file_open(fixture->dir, "a", FILE_CREATE, &file, NULL), OK);
    assert_int_equal(file_write_at(file, 3, SLICE("defg"), NULL), OK);
    assert_int_equal(file_write_at(file, 0, SLICE("abc"), NULL), OK);
    assert_int_equal(file_write_at(file, 0, (slice){0}, NULL), OK);
    assert_int_equal(file_sync(file, NULL), OK);
    assert_int_equal(file_size(file, &size, NULL), OK);
    assert_int_equal(size, 7);
    char out[8] = {0};
    assert_int_equal(file_read_at(file, 2, out, 3, NULL), OK);
    assert_string_equal(out, "cde");
    assert_int_equal(file_truncate(file, 4, NULL), OK);
    assert_content(fixture->dir, "a", "abcd");
}

static void test_reading_past_the_end_is_corrupt(void **state)
{
    struct fixture *fixture = *state;
    struct diag diag = {0};
    OWNED(file) file = NULL;
    char out[8] = {0};
    assert_int_equal(file_replace(fixture->dir, "a", SLICE("abc"), NULL), OK);
    assert_int_equal(file_open(fixture->dir, "a", FILE_READ, &file, NULL), OK);
    assert_int_equal(file_read_at(file, 0, out, 3, &diag), OK);
    assert_int_equal(file_read_at(file, 1, out, 3, &diag), ERR_CORRUPT);
    assert_string_equal(diag.where, "a");
    assert_string_equal(diag.text, "ends at byte 3, before the 3 that were asked for at 1");
    assert_int_equal(file_read_at(file, 3, out, 1, NULL), ERR_CORRUPT);
    assert_int_equal(file_read_at(file, 3, out, 0, NULL), OK);
}

static void test_a_handle_for_reading_does_not_write(void **state)
{
    struct fixture *fixture = *state;
    OWNED(file) file = NULL;
    assert_int_equal(file_replace(fixture->dir, "a", SLICE("abc"), NULL), OK);
    assert_int_equal(file_open(fixture->dir, "a", FILE_READ, &file, NULL), OK);
    assert_int_equal(file_write_at(file, 0, SLICE("x"), NULL), ERR_IO);
    assert_int_equal(file_truncate(file, 0, NULL), ERR_IO);
    assert_content(fixture->dir, "a", "abc");
}

/* With a limit of the system in the middle, the kernel writes a part first and then refuses. */
static void test_a_short_write_is_continued_until_it_fails(void **state)
{
    struct fixture *fixture = *state;
    OWNED(file) file = NULL;
    struct rlimit before = {0}, limit = {0};
    assert_int_equal(file_open(fixture->dir, "a", FILE_CREATE, &file, NULL), OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 5;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct diag diag = {0};
    enum err e = file_write_at(file, 0, SLICE("abcdefgh"), &diag);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(e, ERR_IO);
    assert_string_equal(diag.text, "cannot write: File too large");
    assert_content(fixture->dir, "a", "abcde");
}

static void test_zeros_are_written_and_nothing_beside_them(void **state)
{
    struct fixture *fixture = *state;
    OWNED(file) file = NULL;
    const size_t len = MIB(2) + 5000;
    assert_int_equal(file_open(fixture->dir, "a", FILE_CREATE, &file, NULL), OK);
    CLEANUP(mem_freep) uint8_t *bytes = mem_zeroed(len + 2);
    memset(bytes, 0xee, len + 2);
    assert_int_equal(file_write_at(file, 0, (slice){bytes, len + 2}, NULL), OK);
    assert_int_equal(file_fill_zeros(file, 1, len, NULL), OK);
    assert_int_equal(file_read_at(file, 0, bytes, len + 2, NULL), OK);
    assert_int_equal(bytes[0], 0xee);
    assert_int_equal(bytes[len + 1], 0xee);
    for (size_t i = 1; i <= len; i++) {
        assert_int_equal(bytes[i], 0);
    }
    assert_int_equal(file_fill_zeros(file, len, 10, NULL), OK); /* past the end it grows */
    uint64_t size = 0;
    assert_int_equal(file_size(file, &size, NULL), OK);
    assert_int_equal(size, len + 10);
}

static void test_direct_writes(void **state)
{
    struct fixture *fixture = *state;
    OWNED(file) made = NULL;
    OWNED(file) file = NULL;
    assert_int_equal(file_open(fixture->dir, "a", FILE_CREATE_NEW, &made, NULL), OK);
    struct diag diag = {0};
    enum err e = file_open(fixture->dir, "a", FILE_WRITE_DIRECT, &file, &diag);
    if (e == ERR_INVALID) { /* the temporary directory is on such a file system */
        assert_string_equal(diag.text, "the file system has no direct writes");
        skip();
    }
    assert_int_equal(e, OK);
    CLEANUP(mem_freep) uint8_t *block = mem_aligned(FILE_BLOCK, 2 * FILE_BLOCK);
    block[0] = 'x';
    block[FILE_BLOCK] = 'y';
    assert_int_equal(file_fill_zeros(file, 0, MIB(1) + 2 * FILE_BLOCK, NULL), OK);
    assert_int_equal(file_write_at(file, FILE_BLOCK, (slice){block, 2 * FILE_BLOCK}, NULL), OK);
    memset(block, 0, 2 * FILE_BLOCK);
    assert_int_equal(file_read_at(file, 2 * FILE_BLOCK, block, FILE_BLOCK, NULL), OK);
    assert_int_equal(block[0], 'y');
    char byte = 0;
    assert_int_equal(file_read_at(made, FILE_BLOCK, &byte, 1, NULL), OK);
    assert_int_equal(byte, 'x');
}

static void test_a_map_outlives_its_handle(void **state)
{
    struct fixture *fixture = *state;
    slice map = {0};
    assert_int_equal(file_replace(fixture->dir, "a", SLICE("mapped"), NULL), OK);
    {
        OWNED(file) file = NULL;
        assert_int_equal(file_open(fixture->dir, "a", FILE_READ, &file, NULL), OK);
        assert_int_equal(file_map(file, &map, NULL), OK);
    }
    assert_slice_equal(map, "mapped");
    file_unmap(map);
}

static void test_an_empty_file_maps_to_nothing(void **state)
{
    struct fixture *fixture = *state;
    OWNED(file) file = NULL;
    slice map = SLICE("before");
    assert_int_equal(file_open(fixture->dir, "a", FILE_CREATE, &file, NULL), OK);
    assert_int_equal(file_map(file, &map, NULL), OK);
    assert_int_equal(map.len, 0);
    file_unmap(map);
}

static void test_replace_leaves_the_new_bytes_and_no_trace(void **state)
{
    struct fixture *fixture = *state;
    OWNED(file) left = NULL;
    assert_int_equal(file_open(fixture->dir, "a.tmp", FILE_CREATE, &left, NULL), OK);
    assert_int_equal(file_write_at(left, 0, SLICE("left by a crash, and longer"), NULL), OK);
    assert_int_equal(file_replace(fixture->dir, "a", SLICE("one"), NULL), OK);
    assert_content(fixture->dir, "a", "one");
    assert_int_equal(file_replace(fixture->dir, "a", SLICE(""), NULL), OK);
    assert_content(fixture->dir, "a", "");
    assert_false(dir_has(fixture->dir, "a.tmp"));
}

static void test_read_all_has_a_limit(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = NULL;
    size_t len = 42;
    struct diag diag = {0};
    assert_int_equal(file_read_all(fixture->dir, "a", 10, &bytes, &len, NULL), ERR_NOT_FOUND);
    assert_int_equal(file_replace(fixture->dir, "a", SLICE("12345"), NULL), OK);
    assert_int_equal(file_read_all(fixture->dir, "a", 4, &bytes, &len, &diag), ERR_LIMIT);
    assert_string_equal(diag.text, "has 5 bytes; 4 is the most");
    assert_null(bytes);
    assert_int_equal(len, 42);
    assert_int_equal(file_read_all(fixture->dir, "a", 5, &bytes, &len, NULL), OK);
    assert_int_equal(len, 5);
    assert_memory_equal(bytes, "12345", 5);
    free(bytes);
}

static void test_a_file_is_read_by_its_path(void **state)
{
    struct fixture *fixture = *state;
    static const char *const bad[] = {"", "/", ".", "/etc/", "/etc/.", "a/.."};
    char path[TEMPDIR_PATH_BYTES + 8];
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    (void)snprintf(path, sizeof(path), "%s/a", fixture->temp.path);
    assert_int_equal(file_read_path(path, 10, &bytes, &len, NULL), ERR_NOT_FOUND);
    assert_int_equal(file_replace(fixture->dir, "a", SLICE("12345"), NULL), OK);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(file_read_path(bad[i], 10, &bytes, &len, NULL), ERR_INVALID);
    }
    assert_int_equal(file_read_path(path, 10, &bytes, &len, NULL), OK);
    assert_slice_equal(((slice){bytes, len}), "12345");
}

/* Whether asking for the name ends the program; in a child, so that this one goes on. */
static bool is_our_mistake(const struct dir *dir, const char *name)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(dir_has(dir, name) ? 1 : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_names_that_lead_elsewhere_are_our_mistake(void **state)
{
    struct fixture *fixture = *state;
    static const char *const bad[] = {"", ".", "..", "a/b", "/etc", "a/"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_true(is_our_mistake(fixture->dir, bad[i]));
    }
    assert_false(is_our_mistake(fixture->dir, "..."));
    assert_false(is_our_mistake(fixture->dir, ".a"));
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_modes_of_opening),
        WITH_FIXTURE(test_writes_and_reads_at_offsets),
        WITH_FIXTURE(test_reading_past_the_end_is_corrupt),
        WITH_FIXTURE(test_a_handle_for_reading_does_not_write),
        WITH_FIXTURE(test_a_short_write_is_continued_until_it_fails),
        WITH_FIXTURE(test_zeros_are_written_and_nothing_beside_them),
        WITH_FIXTURE(test_direct_writes),
        WITH_FIXTURE(test_a_map_outlives_its_handle),
        WITH_FIXTURE(test_an_empty_file_maps_to_nothing),
        WITH_FIXTURE(test_replace_leaves_the_new_bytes_and_no_trace),
        WITH_FIXTURE(test_read_all_has_a_limit),
        WITH_FIXTURE(test_a_file_is_read_by_its_path),
        WITH_FIXTURE(test_names_that_lead_elsewhere_are_our_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
