/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "codec/wire.h"
#include "os/fault.h"
#include "os/tempdir.h"
#include "wal/wal_window.h"

struct fixture {
    struct tempdir temp;
    struct dir *dir;
    struct wal *wal;
};

static int set_up(void **state)
{
    struct fixture *f = mem_zeroed(sizeof(*f));
    const struct wal_options options = {.file_bytes = WAL_FILE_BYTES_MIN, .direct = true};
    tempdir_init(&f->temp);
    assert_int_equal(dir_open(f->temp.path, false, &f->dir, NULL), OK);
    assert_int_equal(wal_open(f->dir, &options, 0, &f->wal, NULL), OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    wal_free(f->wal);
    dir_free(f->dir);
    tempdir_release(&f->temp);
    free(f);
    return 0;
}

/* One frame of one row that consists of `len` times `byte`; the file that it went to. */
static struct wal_file *append(struct wal *wal, uint64_t seq, uint8_t byte, size_t len)
{
    struct wal_place place = {0};
    size_t body_len = WAL_ENTRY_HEAD_BYTES + len;
    CLEANUP(mem_freep) uint8_t *frame = mem_aligned(WAL_FRAME_ALIGN, wal_frame_bytes(body_len));
    uint8_t *entry = frame + WAL_FRAME_HEAD_BYTES;
    wire_put_u32le(entry, (uint32_t)len);
    memset(entry + 4, 0xee, LEAF_HASH_BYTES);
    memset(entry + WAL_ENTRY_HEAD_BYTES, byte, len);
    assert_int_equal(wal_reserve(wal, body_len, NULL), OK);
    const struct wal_frame_info info = {body_len, seq, 1, 12345};
    assert_int_equal(wal_append(wal, frame, &info, &place, NULL), OK);
    CLEANUP(wal_window_release) struct wal_window window;
    slice back = {0};
    wal_window_init(&window);
    assert_int_equal(wal_window_read(&window, place.file, place.body_at, 4, &back), OK);
    assert_int_equal(wire_get_u32le(back.ptr), len);
    return place.file;
}

/* Rows of a file in order as "<seq>:<first byte>x<length> "; returns how the reading ended. */
static enum err read_all(const struct dir *dir, const char *name, char *out, size_t out_bytes)
{
    OWNED(wal_reader) reader = NULL;
    size_t used = 0;
    out[0] = '\0';
    TRY(wal_reader_open(dir, name, &reader, NULL));
    for (;;) {
        struct wal_frame frame;
        TRY(wal_reader_next(reader, &frame, NULL));
        if (frame.count == 0) {
            return OK;
        }
        slice rest = frame.body;
        for (uint32_t i = 0; i < frame.count; i++) {
            struct leaf_hash leaf;
            slice row = {0};
            TRY(wal_take_row(&rest, &leaf, &row));
            used += (size_t)snprintf(out + used, out_bytes - used, "%llu:%cx%zu ",
                                     (unsigned long long)(frame.first_seq + i),
                                     row.len > 0 ? row.ptr[0] : '-', row.len);
        }
    }
}

static void flip(const struct fixture *f, const char *name, off_t at)
{
    char path[512];
    uint8_t byte = 0;
    (void)snprintf(path, sizeof(path), "%s/%s", f->temp.path, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

static void test_frames_come_back_in_order(void **state)
{
    struct fixture *f = *state;
    char text[256];
    append(f->wal, 0, 'a', 10);
    append(f->wal, 1, 'b', 5000);
    append(f->wal, 2, 'c', 0);
    assert_int_equal(read_all(f->dir, "000000000002.wal", text, sizeof(text)), OK);
    assert_string_equal(text, "0:ax10 1:bx5000 2:-x0 ");
}

static void test_a_full_file_is_followed_by_the_next(void **state)
{
    struct fixture *f = *state;
    char text[256];
    append(f->wal, 0, 'a', 600 * 1024);
    append(f->wal, 1, 'b', 600 * 1024);
    assert_int_equal(read_all(f->dir, "000000000002.wal", text, sizeof(text)), OK);
    assert_string_equal(text, "0:ax614400 ");
    assert_int_equal(read_all(f->dir, "000000000004.wal", text, sizeof(text)), OK);
    assert_string_equal(text, "1:bx614400 ");
}

static void test_a_torn_last_frame_is_cut(void **state)
{
    struct fixture *f = *state;
    char text[256];
    append(f->wal, 0, 'a', 10);
    append(f->wal, 1, 'b', 10);
    flip(f, "000000000002.wal", 2 * 4096 + 105);
    assert_int_equal(read_all(f->dir, "000000000002.wal", text, sizeof(text)), OK);
    assert_string_equal(text, "0:ax10 ");
}

static void test_damage_before_a_good_frame_is_refused(void **state)
{
    struct fixture *f = *state;
    char text[256];
    append(f->wal, 0, 'a', 10);
    append(f->wal, 1, 'b', 10);
    flip(f, "000000000002.wal", 4096 + 16);
    assert_int_equal(read_all(f->dir, "000000000002.wal", text, sizeof(text)), ERR_CORRUPT);
}

static void test_a_damaged_header_is_refused(void **state)
{
    struct fixture *f = *state;
    char text[256];
    append(f->wal, 0, 'a', 10);
    for (off_t at = 0; at < 48; at++) {
        flip(f, "000000000002.wal", at);
        assert_int_equal(read_all(f->dir, "000000000002.wal", text, sizeof(text)), ERR_CORRUPT);
        flip(f, "000000000002.wal", at);
    }
    assert_int_equal(read_all(f->dir, "000000000002.wal", text, sizeof(text)), OK);
}

/* Eight bytes at 64 * n of a file hold n. */
static uint64_t number_at(struct wal_window *window, const struct wal_file *file, uint64_t n)
{
    slice bytes = {0};
    assert_int_equal(wal_window_read(window, file, 64 * n, 8, &bytes), OK);
    assert_int_equal(bytes.len, 8);
    return wire_get_u64le(bytes.ptr);
}

static void test_a_window_reads_ahead_for_who_goes_on_and_no_further(void **state)
{
    struct fixture *f = *state;
    enum { NUMBERS = 3 * 1024 * 1024 / 64 };
    CLEANUP(mem_freep) uint8_t *bytes = mem_aligned(WAL_FRAME_ALIGN, (size_t)NUMBERS * 64);
    CLEANUP(wal_window_release) struct wal_window window;
    OWNED(file) file = NULL;
    for (uint64_t n = 0; n < NUMBERS; n++) {
        wire_put_u64le(bytes + 64 * n, n);
    }
    assert_int_equal(file_open(f->dir, "numbers", FILE_CREATE_NEW, &file, NULL), OK);
    assert_int_equal(file_write_at(file, 0, (slice){bytes, (size_t)NUMBERS * 64}, NULL), OK);
    struct wal_file whole = {.file = file, .bytes = (uint64_t)NUMBERS * 64};
    wal_window_init(&window);
    assert_int_equal(number_at(&window, &whole, 40000), 40000);
    assert_int_equal(window.len, WAL_FRAME_ALIGN); /* one that stands alone */
    size_t most = 0;
    for (uint64_t n = 0; n < NUMBERS; n++) {
        assert_int_equal(number_at(&window, &whole, n), n);
        most = window.len > most ? window.len : most;
    }
    assert_int_equal(window.from + window.len, whole.bytes);
    assert_int_equal(most, MIB(1) + WAL_FRAME_ALIGN);
    assert_int_equal(number_at(&window, &whole, 7), 7); /* back at the beginning */
    assert_int_equal(window.len, WAL_FRAME_ALIGN);
    slice beyond = {0};
    assert_int_not_equal(wal_window_read(&window, &whole, whole.bytes - 4, 8, &beyond), OK);
    assert_int_equal(number_at(&window, &whole, NUMBERS - 1), NUMBERS - 1);
}

static void test_frames_of_an_earlier_life_are_not_seen(void **state)
{
    struct fixture *f = *state;
    char text[256];
    for (uint64_t i = 0; i < 3; i++) { /* fills three files; the first is free again */
        append(f->wal, i, 'a', 600 * 1024);
    }
    assert_int_equal(wal_retire(f->wal, NULL), OK);
    append(f->wal, 3, 'b', 10 * 1024);
    append(f->wal, 4, 'c', 700 * 1024);
    append(f->wal, 5, 'd', 700 * 1024); /* in a file that was used before */
    CLEANUP(dir_names_release) struct dir_names names = {0};
    assert_int_equal(dir_list(f->dir, &names, NULL), OK);
    char all[1024] = "";
    for (size_t i = 0; i < names.count; i++) {
        uint64_t number = 0;
        if (wal_parse_name(names.names[i], &number)) {
            assert_int_equal(read_all(f->dir, names.names[i], text, sizeof(text)), OK);
            (void)strncat(all, text, sizeof(all) - strlen(all) - 1);
        }
    }
    assert_string_equal(all, "2:ax614400 3:bx10240 4:cx716800 5:dx716800 ");
}

/* Behind the header, whose salt may have any byte. */
static bool has_byte(const struct dir *dir, const char *name, uint8_t byte)
{
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    assert_int_equal(file_read_all(dir, name, MIB(2), &bytes, &len, NULL), OK);
    return memchr(bytes + WAL_FRAME_ALIGN, byte, len - WAL_FRAME_ALIGN) != NULL;
}

static void test_a_purge_leaves_nothing_of_what_was_condemned(void **state)
{
    struct fixture *f = *state;
    bool done = true;
    append(f->wal, 0, 'S', 600 * 1024);
    struct wal_file *second = append(f->wal, 1, 'S', 600 * 1024);
    wal_file_use(second);                           /* by a reader */
    append(f->wal, 2, 'T', 600 * 1024);             /* the others have no writer any more */
    assert_int_equal(wal_retire(f->wal, NULL), OK); /* the first is a spare, as it is */
    assert_true(has_byte(f->dir, "spare-000000000002.wal", 'S'));
    wal_condemn(f->wal, 6);
    assert_int_equal(wal_purge(f->wal, &done, NULL), OK);
    assert_false(done);
    assert_false(has_byte(f->dir, "spare-000000000002.wal", 'S'));
    wal_file_unuse(second);
    assert_int_equal(wal_purge(f->wal, &done, NULL), OK);
    assert_true(done);
    assert_false(has_byte(f->dir, "spare-000000000004.wal", 'S'));
    append(f->wal, 3, 'x', 600 * 1024); /* and they are used again */
}

/* The n-th operation of `kind` fails; what the purge did not do, the next one does. */
static void purge_twice(struct fixture *f, enum fault_kind kind, uint64_t n, bool *has_failed)
{
    bool done = false;
    struct fault_nth nth = {.kind = kind, .n = n, .action = FAULT_FAIL};
    struct fault_plan plan = fault_plan_nth(&nth);
    struct wal_file *second = NULL;
    append(f->wal, 0, 'S', 600 * 1024);
    second = append(f->wal, 1, 'S', 600 * 1024);
    wal_file_use(second);
    append(f->wal, 2, 'T', 600 * 1024);
    assert_int_equal(wal_retire(f->wal, NULL), OK); /* the first is a spare, as it is */
    uint64_t lowest = wal_lowest(f->wal);
    wal_file_unuse(second);
    wal_condemn(f->wal, 6);
    fault_install(&plan);
    enum err e = wal_purge(f->wal, &done, NULL);
    fault_install(NULL);
    *has_failed = e != OK;
    if (*has_failed) {
        assert_int_equal(e, ERR_IO);
        bool is_there = dir_has(f->dir, "000000000004.wal");
        assert_true(!is_there || wal_lowest(f->wal) == lowest); /* to be superseded */
        assert_int_equal(wal_purge(f->wal, &done, NULL), OK);
    }
    assert_true(done);
    assert_false(dir_has(f->dir, "000000000004.wal"));
    assert_false(has_byte(f->dir, "spare-000000000002.wal", 'S'));
    assert_false(has_byte(f->dir, "spare-000000000004.wal", 'S'));
    append(f->wal, 3, 'x', 600 * 1024);
}

static void test_a_purge_that_failed_is_done_by_the_next(void **state)
{
    static const struct {
        enum fault_kind kind;
        uint64_t times; /* of that kind that a purge has */
    } kinds[] = {{FAULT_OPEN, 2}, {FAULT_ALLOCATE, 2}, {FAULT_RENAME, 1}, {FAULT_SYNC, 1}};
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        bool has_failed = true;
        uint64_t n = 1;
        for (; has_failed; n++) {
            void *f = NULL;
            assert_int_equal(set_up(&f), 0);
            purge_twice(f, kinds[i].kind, n, &has_failed);
            assert_int_equal(tear_down(&f), 0);
        }
        assert_true(n > kinds[i].times + 1);
    }
}

static void test_a_row_cannot_reach_outside_its_frame(void **state)
{
    UNUSED(state);
    uint8_t bytes[WAL_ENTRY_HEAD_BYTES + 4] = {0};
    struct leaf_hash leaf;
    slice row = {0};
    wire_put_u32le(bytes, 5);
    slice body = {bytes, sizeof(bytes)};
    assert_int_equal(wal_take_row(&body, &leaf, &row), ERR_CORRUPT);
    assert_int_equal(body.len, sizeof(bytes));
    wire_put_u32le(bytes, 4);
    assert_int_equal(wal_take_row(&body, &leaf, &row), OK);
    assert_int_equal(row.len, 4);
    assert_int_equal(body.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_frames_come_back_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_file_is_followed_by_the_next, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_torn_last_frame_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage_before_a_good_frame_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_damaged_header_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_window_reads_ahead_for_who_goes_on_and_no_further,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_frames_of_an_earlier_life_are_not_seen, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_purge_leaves_nothing_of_what_was_condemned, set_up,
                                        tear_down),
        cmocka_unit_test(test_a_purge_that_failed_is_done_by_the_next),
        cmocka_unit_test(test_a_row_cannot_reach_outside_its_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
