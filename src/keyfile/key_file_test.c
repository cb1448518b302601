/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/test.h"
#include "keyfile/key_file.h"
#include "os/tempdir.h"

static const struct key_file key = {
    .label = "abc+def",
    .created_us = INT64_C(1700000000123456),
    .retires_us = INT64_C(1800000000000001),
    .seed = {1, 2, 3, 255},
};

struct place {
    struct tempdir temp;
    struct dir *dir;
};

static void enter(struct place *place)
{
    tempdir_init(&place->temp);
    assert_int_equal(dir_open(place->temp.path, false, &place->dir, NULL), OK);
}

static void leave(struct place *place)
{
    dir_free(place->dir);
    tempdir_release(&place->temp);
}

static void test_there_and_back(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    struct key_file back = {0};
    enter(&place);
    assert_int_equal(key_file_write(place.dir, "a.key", "vkey", &key, NULL), OK);
    assert_int_equal(key_file_read(place.dir, "a.key", "vkey", &back, NULL), OK);
    assert_memory_equal(&back, &key, sizeof(key));
    assert_int_equal(key_file_read(place.dir, "a.key", "kid", &back, NULL), ERR_CORRUPT);
    assert_int_equal(key_file_read(place.dir, "b.key", "vkey", &back, NULL), ERR_NOT_FOUND);

    char path[TEMPDIR_PATH_BYTES + 8];
    struct stat status = {0};
    (void)snprintf(path, sizeof(path), "%s/a.key", place.temp.path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* The text of one key, which docs/format.md describes, so that it never changes unnoticed. */
static void test_the_text_stays(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    uint8_t *bytes = NULL;
    size_t len = 0;
    enter(&place);
    assert_int_equal(key_file_write(place.dir, "a.key", "vkey", &key, NULL), OK);
    assert_int_equal(file_read_all(place.dir, "a.key", 1024, &bytes, &len, NULL), OK);
    static const char text[] =
        "cairn-key 1\nvkey abc+def\ncreated 2023-11-14T22:13:20.123456Z\n"
        "retires 2027-01-15T08:00:00.000001Z\n"
        "seed 010203ff00000000000000000000000000000000000000000000000000000000\ncrc32c ";
    assert_true(len == sizeof(text) - 1 + 9);
    assert_memory_equal(bytes, text, sizeof(text) - 1);
    free(bytes);
}

static void test_every_changed_byte_is_found(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    struct key_file back = {0};
    uint8_t *bytes = NULL;
    size_t len = 0;
    enter(&place);
    assert_int_equal(key_file_write(place.dir, "a.key", "vkey", &key, NULL), OK);
    assert_int_equal(file_read_all(place.dir, "a.key", 1024, &bytes, &len, NULL), OK);
    for (size_t i = 0; i < len; i++) {
        bytes[i] ^= 1;
        assert_int_equal(file_replace(place.dir, "b.key", (slice){bytes, len}, NULL), OK);
        assert_int_equal(key_file_read(place.dir, "b.key", "vkey", &back, NULL), ERR_CORRUPT);
        bytes[i] ^= 1;
        assert_int_equal(file_replace(place.dir, "b.key", (slice){bytes, i}, NULL), OK);
        assert_int_equal(key_file_read(place.dir, "b.key", "vkey", &back, NULL), ERR_CORRUPT);
    }
    free(bytes);
}

static enum err count(void *context, const char *name, const struct key_file *one,
                      struct diag *diag)
{
    size_t *seen = context;
    UNUSED(diag);
    assert_true(key_file_has_suffix(name));
    assert_string_equal(one->label, key.label);
    return ++*seen == 3 ? ERR_LIMIT : OK;
}

static void test_reads_all_keys_and_nothing_else(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    size_t seen = 0;
    enter(&place);
    assert_int_equal(key_file_write(place.dir, "a.key", "kid", &key, NULL), OK);
    assert_int_equal(key_file_write(place.dir, "b.key", "kid", &key, NULL), OK);
    assert_int_equal(file_replace(place.dir, "c.key.tmp", SLICE("half"), NULL), OK);
    assert_int_equal(file_replace(place.dir, "key", SLICE("other"), NULL), OK);
    assert_int_equal(key_files_read(place.dir, "kid", count, &seen, NULL), OK);
    assert_int_equal(seen, 2);
    assert_int_equal(key_files_read(place.dir, "kid", count, &seen, NULL), ERR_LIMIT);
    assert_int_equal(file_replace(place.dir, "a.key", SLICE("damaged"), NULL), OK);
    assert_int_equal(key_files_read(place.dir, "kid", count, &seen, NULL), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_the_text_stays),
        cmocka_unit_test(test_every_changed_byte_is_found),
        cmocka_unit_test(test_reads_all_keys_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
