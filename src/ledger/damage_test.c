/* SPDX-License-Identifier: Apache-2.0 */
/* damage - what an erasure or a start meets damaged is told, and stays as it is. */
#include "columns/row_set.h"
#include "ledger/core.h"
#include "ledger/story_segment.h"

#define FIRST_SEGMENT "000000000000.seg"
enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

struct bytes {
    uint8_t *ptr;
    size_t len;
};

static void bytes_release(struct bytes *bytes)
{
    free(bytes->ptr);
}

static struct dir *ledger_dir(const struct ledger_fixture *f)
{
    OWNED(dir) data = NULL;
    struct dir *dir = NULL;
    assert_int_equal(dir_open(f->temp.path, false, &data, NULL), OK);
    assert_int_equal(dir_open_in(data, "ledger", false, &dir, NULL), OK);
    return dir;
}

static struct bytes read_first_segment(const struct dir *dir)
{
    struct bytes bytes;
    assert_int_equal(file_read_all(dir, FIRST_SEGMENT, FILE_BYTES_MAX, &bytes.ptr, &bytes.len,
                                   NULL),
                     OK);
    return bytes;
}

/* Turns the first byte of where `needle` stands in the first segment. */
static void damage(const struct dir *dir, slice needle)
{
    CLEANUP(bytes_release) struct bytes bytes = read_first_segment(dir);
    OWNED(file) file = NULL;
    const uint8_t *at = memmem(bytes.ptr, bytes.len, needle.ptr, needle.len);
    assert_non_null(at);
    uint8_t turned = *at ^ 3;
    assert_int_equal(file_open(dir, FIRST_SEGMENT, FILE_WRITE, &file, NULL), OK);
    assert_int_equal(file_write_at(file, (uint64_t)(at - bytes.ptr), (slice){&turned, 1}, NULL),
                     OK);
}

static enum err choose_some(void *context, const struct rows *rows, struct row_set *set)
{
    const uint32_t *step = context;
    for (uint32_t row = 0; rows->first_seq == 0 && row < rows->count; row += *step) {
        row_set_add(set, row);
    }
    return OK;
}

/* Erases every `step`th row of a sealed segment in which something is damaged. */
static void refuse_to_erase(struct ledger_fixture *f, uint32_t step, slice damaged)
{
    uint64_t erased = 0;
    OWNED(dir) dir = ledger_dir(f);
    damage(dir, damaged);
    CLEANUP(bytes_release) struct bytes before = read_first_segment(dir);
    assert_int_equal(ledger_erase(f->ledger, choose_some, &step, &erased, &f->diag), ERR_CORRUPT);
    CLEANUP(bytes_release) struct bytes after = read_first_segment(dir);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.ptr, after.ptr, after.len);
}

static void seal_one(struct ledger_fixture *f)
{
    append_range(f->store, 0, ROWS_MAX, 4096);
    ledger_settle(f->ledger);
}

static void test_a_segment_with_other_rows_than_its_root_says_is_not_written_anew(void **state)
{
    seal_one(*state);
    refuse_to_erase(*state, 50, SLICE("auth.login")); /* a value of its dictionaries */
}

static void test_a_segment_whose_tile_roots_are_damaged_does_not_go(void **state)
{
    struct ledger_fixture *f = *state;
    OWNED(segment) segment = NULL;
    struct merkle_hash root;
    seal_one(f);
    OWNED(dir) dir = ledger_dir(f);
    assert_int_equal(segment_open(dir, FIRST_SEGMENT, &segment, NULL), OK);
    assert_int_equal(segment_tile_root(segment, 100, &root), OK);
    refuse_to_erase(f, 1, (slice){root.bytes, sizeof(root.bytes)});
    assert_false(dir_has(dir, ROOTS_NAME));
}

static void test_an_index_of_other_events_than_its_name_says_is_refused(void **state)
{
    UNUSED(state);
    struct story story;
    struct ledger_verify_result result = {0};
    struct segment *segments[GROUP_SEGMENTS] = {0};
    story_init(&story, false);
    story_make_gone(&story);
    assert_int_equal(story_open(&story), OK);
    assert_int_equal(story_fill(&story, ROWS_MAX), OK);
    ledger_settle(story.f.ledger);
    fixture_close(&story.f);
    {
        OWNED(dir) dir = ledger_dir(&story.f);
        OWNED(segment) last = NULL;
        assert_int_equal(segment_open(dir, "000000000063.seg", &last, NULL), OK);
        segments[STORY_GONE] = last;
        assert_int_equal(group_write(segments, GROUP_ROWS, dir, "000000000000.idx", NULL), OK);
    }
    assert_int_equal(story_open(&story), ERR_CORRUPT);
    assert_string_equal(story.f.diag.where, "000000000000.idx");
    assert_int_equal(ledger_verify(story.f.temp.path, (slice){0}, NULL, NULL, &result,
                                   &story.f.diag),
                     ERR_CORRUPT);
    story_release(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_segment_with_other_rows_than_its_root_says_is_not_written_anew, fixture_set_up,
            fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_a_segment_whose_tile_roots_are_damaged_does_not_go,
                                        fixture_set_up, fixture_tear_down),
        cmocka_unit_test(test_an_index_of_other_events_than_its_name_says_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
