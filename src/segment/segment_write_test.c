/* SPDX-License-Identifier: Apache-2.0 */
/* Writers of segments that are stopped, and ones of which a half fails. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "segment/segment_make.h"
#include "segment/segment_support.h"

/* ---- Stopping and going on ---- */

static _Atomic bool stop;
static _Atomic uint32_t payloads;
static const struct rows_ops *plain_ops;

/* Both halves ask for each row; now and then that is when somebody wants them to stop. */
static enum err payload_and_stop(struct rows_reader *reader, uint32_t row, slice *data,
                                 slice *metadata)
{
    if (atomic_fetch_add(&payloads, 1) % 1000 == 999) {
        atomic_store(&stop, true);
    }
    return plain_ops->payload(reader, row, data, metadata);
}

static void read_file(const struct dir *dir, const char *name, struct buf *out)
{
    OWNED(file) file = NULL;
    uint64_t size = 0;
    assert_int_equal(file_open(dir, name, FILE_READ, &file, NULL), OK);
    assert_int_equal(file_size(file, &size, NULL), OK);
    assert_true(buf_reserve(out, size));
    assert_int_equal(file_read_at(file, 0, out->ptr, size, NULL), OK);
    out->len = size;
}

static void check_same_file(const struct dir *dir, const char *a, const char *b)
{
    CLEANUP(buf_release) struct buf of_a = BUF_INIT(MIB(64));
    CLEANUP(buf_release) struct buf of_b = BUF_INIT(MIB(64));
    read_file(dir, a, &of_a);
    read_file(dir, b, &of_b);
    assert_int_equal(of_a.len, of_b.len);
    assert_memory_equal(of_a.ptr, of_b.ptr, of_a.len);
}

static void test_a_writer_that_is_stopped_goes_on_to_the_same_file(void **state)
{
    enum { COUNT = 3000 };
    CLEANUP(samples_release) struct samples samples;
    CLEANUP(tempdir_release) struct tempdir temp = {0};
    OWNED(dir) dir = support_dir(&temp);
    struct segment_writer *writer = NULL;
    const struct segment_write_options options = {0};
    struct segment_summary summary;
    unsigned stops = 0;
    UNUSED(state);
    samples_init(&samples, 4, COUNT);
    struct rows *rows = rows_memory_new(samples.events, COUNT, 0, NULL);
    OWNED(segment) whole = support_segment(rows, NULL, dir, "whole.seg");
    plain_ops = rows->ops;
    struct rows_ops ops = *plain_ops;
    ops.payload = payload_and_stop;
    rows->ops = &ops;
    assert_int_equal(segment_writer_new(rows, &options, dir, "parts.seg", &writer, NULL), OK);
    while (segment_writer_run(writer, &stop, &summary, NULL) != OK) {
        assert_true(atomic_exchange(&stop, false)); /* else it was no stop */
        assert_false(dir_has(dir, "parts.seg"));
        stops++;
    }
    assert_true(stops >= 3);
    assert_memory_equal(&summary, segment_summary(whole), sizeof(summary));
    check_same_file(dir, "whole.seg", "parts.seg");
    segment_writer_free(writer);
    rows_memory_free(rows);
}

static void test_a_writer_that_is_dropped_leaves_nothing(void **state)
{
    static const _Atomic bool at_once = true;
    CLEANUP(samples_release) struct samples samples;
    CLEANUP(tempdir_release) struct tempdir temp = {0};
    OWNED(dir) dir = support_dir(&temp);
    struct segment_writer *writer = NULL;
    struct segment_summary summary;
    UNUSED(state);
    samples_init(&samples, 5, 300);
    struct rows *rows = rows_memory_new(samples.events, 300, 0, NULL);
    plain_ops = rows->ops;
    struct rows_ops ops = *plain_ops;
    ops.payload = payload_and_stop;
    rows->ops = &ops;
    atomic_store(&payloads, 0);
    assert_int_equal(segment_writer_new(rows, &(struct segment_write_options){0}, dir, "a.seg",
                                        &writer, NULL),
                     OK);
    assert_int_equal(segment_writer_run(writer, &at_once, &summary, NULL), ERR_BUSY);
    assert_int_equal(atomic_load(&payloads), 0); /* not even to learn what is common in them */
    assert_true(dir_has(dir, "a.seg.tmp"));
    segment_writer_free(writer);
    assert_false(dir_has(dir, "a.seg.tmp"));
    assert_false(dir_has(dir, "a.seg"));
    rows_memory_free(rows);
}

/* ---- Failing ---- */

/* What is read of the rows, and what fails. */
static struct {
    bool payload_fails; /* else the leaf hashes do */
    enum err error;
    pid_t maker;                                /* the thread that runs the writer */
    _Atomic uint32_t leaves, payloads_of_maker; /* asked for */
} reading;

/* Whether this process has a thread of that name. */
static bool has_thread(const char *name)
{
    bool has_it = false;
    DIR *dir = opendir("/proc/self/task");
    assert_non_null(dir);
    for (const struct dirent *at = readdir(dir); at != NULL; at = readdir(dir)) {
        char path[64];
        char line[32] = "";
        (void)snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", at->d_name);
        FILE *file = fopen(path, "r"); /* NULL: of a thread that has just ended, or no thread */
        if (file != NULL) {
            bool is_it =
                fgets(line, sizeof(line), file) != NULL && strncmp(line, name, strlen(name)) == 0;
            has_it = has_it || is_it;
            (void)fclose(file);
        }
    }
    (void)closedir(dir);
    return has_it;
}

/* Whether the thread that runs the writer sleeps: it waits for the other one. */
static bool maker_sleeps(void)
{
    char path[64];
    char text[256] = "";
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)reading.maker);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    (void)fclose(file);
    const char *name_end = strrchr(text, ')');
    return name_end != NULL && strncmp(name_end, ") S", 3) == 0;
}

static enum err payload_or_fail(struct rows_reader *reader, uint32_t row, slice *data,
                                slice *metadata)
{
    if (gettid() == reading.maker) {
        atomic_fetch_add(&reading.payloads_of_maker, 1);
        if (reading.payload_fails) {
            return reading.error;
        }
        /* until the other half has failed */
        while (atomic_load(&reading.leaves) == 0 || has_thread("sealer-index")) {
            (void)usleep(1000);
        }
    }
    return plain_ops->payload(reader, row, data, metadata);
}

static enum err leaf_or_fail(struct rows_reader *reader, uint32_t row, struct leaf_hash *out)
{
    atomic_fetch_add(&reading.leaves, 1);
    if (!reading.payload_fails) {
        return reading.error;
    }
    while (!maker_sleeps()) {
        (void)usleep(1000);
    }
    return plain_ops->leaf(reader, row, out);
}

/* Writes 3,000 rows of which one half cannot read the first; what comes of it. */
static enum err write_failing(bool payload_fails, enum err error, struct diag *diag)
{
    CLEANUP(samples_release) struct samples samples;
    CLEANUP(tempdir_release) struct tempdir temp = {0};
    OWNED(dir) dir = support_dir(&temp);
    struct segment_summary summary;
    samples_init(&samples, 6, 3000);
    struct rows *rows = rows_memory_new(samples.events, 3000, 7 * ROWS_MAX, NULL);
    plain_ops = rows->ops;
    struct rows_ops ops = *plain_ops;
    ops.payload = payload_or_fail;
    ops.leaf = leaf_or_fail;
    rows->ops = &ops;
    reading.maker = gettid();
    reading.payload_fails = payload_fails;
    reading.error = error;
    atomic_store(&reading.leaves, 0);
    atomic_store(&reading.payloads_of_maker, 0);
    enum err e =
        segment_write(rows, &(struct segment_write_options){0}, dir, "a.seg", &summary, diag);
    assert_false(dir_has(dir, "a.seg"));
    assert_false(dir_has(dir, "a.seg.tmp"));
    rows_memory_free(rows);
    return e;
}

static void test_when_the_payload_fails_the_rest_is_not_made_to_its_end(void **state)
{
    struct diag diag = {0};
    UNUSED(state);
    assert_int_equal(write_failing(true, ERR_IO, &diag), ERR_IO);
    assert_string_equal(diag.text, "event 458752 cannot be read");
    assert_true(atomic_load(&reading.leaves) <= 2 * ROWS_TILE);
}

static void test_when_the_rest_fails_the_payload_is_not_made_to_its_end(void **state)
{
    enum { SAMPLED = 512 };
    struct diag diag = {0};
    UNUSED(state);
    assert_int_equal(write_failing(false, ERR_CORRUPT, &diag), ERR_CORRUPT);
    assert_string_equal(diag.text, "event 458752 cannot be read");
    assert_true(atomic_load(&reading.payloads_of_maker) <= SAMPLED);
}

static void test_a_section_that_is_too_large_is_told(void **state)
{
    CLEANUP(samples_release) struct samples samples;
    struct segment_make make;
    struct segment_make_cursor cursor = {0};
    struct section what;
    struct diag diag = {0};
    bool more = true;
    UNUSED(state);
    samples_init(&samples, 9, 300);
    struct rows *rows = rows_memory_new(samples.events, 300, 0, NULL);
    segment_make_init(&make, rows, NULL);
    buf_release(&make.section);
    buf_init(&make.section, 100);
    assert_int_equal(segment_make_rows(&make, NULL, NULL), OK);
    assert_int_equal(segment_make_next(&make, &cursor, &what, &more, &diag), ERR_LIMIT);
    assert_string_equal(diag.text, "a section would be larger than one may be");
    segment_make_release(&make);
    rows_memory_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_writer_that_is_stopped_goes_on_to_the_same_file),
        cmocka_unit_test(test_a_writer_that_is_dropped_leaves_nothing),
        cmocka_unit_test(test_when_the_payload_fails_the_rest_is_not_made_to_its_end),
        cmocka_unit_test(test_when_the_rest_fails_the_payload_is_not_made_to_its_end),
        cmocka_unit_test(test_a_section_that_is_too_large_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
