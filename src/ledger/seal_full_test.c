/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal_full - the disk is full when a segment, or the index of a group, is to be written: it is
 * tried again, and what was done before is not done twice.
 */
#include <errno.h>
#include <limits.h>

#include "ledger/story_segment.h"

/* The disk has no room for files whose name ends so, the first `left` times. */
struct full {
    const char *suffix;
    _Atomic unsigned left;
};

static enum fault_action decide(void *context, const struct fault_op *op)
{
    struct full *full = context;
    size_t len = strlen(op->name);
    size_t suffix_len = strlen(full->suffix);
    bool is_it = op->kind == FAULT_OPEN && op->creates && len >= suffix_len &&
                 strcmp(op->name + len - suffix_len, full->suffix) == 0;
    if (!is_it || full->left == 0) {
        return FAULT_NONE;
    }
    full->left--;
    return FAULT_FAIL;
}

static struct fault_plan plan_of(struct full *full)
{
    return (struct fault_plan){.decide = decide, .ctx = full, .error = ENOSPC};
}

static struct merkle_hash root_now(struct story *story)
{
    struct merkle_hash root;
    uint64_t size = store_size(story->f.store);
    assert_int_equal(merkle_root_at(size, store_node, story->f.store, &root), OK);
    return root;
}

/* Whatever the sealer met, appends look at the disk itself. */
static void fill(struct story *story, uint64_t count)
{
    enum err e = OK;
    do {
        clock_advance_for_tests(1000000);
        e = story_fill(story, count);
    } while (e == ERR_FULL);
    assert_int_equal(e, OK);
}

static void test_an_index_that_found_no_room_is_written_later(void **state)
{
    UNUSED(state);
    struct story story;
    struct full full = {.suffix = ".idx.tmp", .left = 1};
    struct fault_plan plan = plan_of(&full);
    story_init(&story, false);
    story_make_gone(&story);
    assert_int_equal(story_open(&story), OK);
    fault_install(&plan);
    fill(&story, ROWS_MAX + 2 * STORY_BATCH); /* the 64th segment, and a beginning of the next */
    ledger_settle(story.f.ledger);
    assert_int_equal(full.left, 0);
    story_check_open(&story, 1009, true);
    struct merkle_hash before = root_now(&story);
    fixture_close(&story.f);
    assert_int_equal(story_open(&story), OK);
    struct merkle_hash after = root_now(&story);
    assert_memory_equal(before.bytes, after.bytes, sizeof(before.bytes));
    story_check_open(&story, 1009, true);
    fixture_close(&story.f);
    story_check_whole(&story);
    story_release(&story);
}

static void test_a_ledger_closes_although_nothing_can_be_sealed(void **state)
{
    UNUSED(state);
    struct story story;
    struct full full = {.suffix = ".seg.tmp", .left = UINT_MAX};
    struct fault_plan plan = plan_of(&full);
    struct append_wait wait;
    struct batch batch;
    story_init(&story, false);
    assert_int_equal(story_open(&story), OK);
    fault_install(&plan);
    fill(&story, 2 * (uint64_t)ROWS_MAX); /* the backlog is full */
    batch_init(&batch);
    add_numbered(&batch, story.acknowledged, "{}");
    do {
        clock_advance_for_tests(1000000);
    } while (append_begin(story.f.store, &batch, &wait) == ERR_FULL);
    fixture_close(&story.f);
    assert_int_equal(append_end(&wait), ERR_FULL);
    fault_install(NULL);
    assert_int_equal(story_open(&story), OK);
    ledger_settle(story.f.ledger);
    story_check_open(&story, 1009, true);
    batch_release(&batch);
    story_release(&story);
}

static void test_rows_are_erased_although_nothing_can_be_sealed(void **state)
{
    UNUSED(state);
    struct story story;
    struct full full = {.suffix = ".seg.tmp", .left = UINT_MAX};
    struct fault_plan plan = plan_of(&full);
    story_init(&story, false);
    assert_int_equal(story_open(&story), OK);
    fault_install(&plan);
    fill(&story, ROWS_MAX);
    assert_int_equal(story_erase(&story), OK);
    story_check_open(&story, 1009, true);
    fixture_close(&story.f);
    story_check_whole(&story);
    story_release(&story);
}

int main(void)
{
    story_keep_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_index_that_found_no_room_is_written_later),
        cmocka_unit_test(test_a_ledger_closes_although_nothing_can_be_sealed),
        cmocka_unit_test(test_rows_are_erased_although_nothing_can_be_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
