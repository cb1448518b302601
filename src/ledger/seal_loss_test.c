/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal_loss - the power goes while a segment comes to rest: while its file is written, the index of
 * its group, while WAL files are retired and used again, and while the segment is written anew
 * without erased rows. What is lost is what was not synced, as in loss_test.c.
 */
#include "ledger/story_segment.h"

#ifdef __SANITIZE_THREAD__ /* ten times slower; what it looks for is in any cut */
#define CUTS 2
#else
#define CUTS 8
#endif

/* CUTS are spread over the operations; all of them if CAIRN_TEST_LONG is set. */
enum {
    LOOKED_AT = 1009, /* every so many events */
};

static enum err append_tiny(struct story *story)
{
    return story_append_some(story, STORY_BATCH, true);
}

static enum err settle(struct story *story)
{
    ledger_settle(story->f.ledger);
    return atomic_load(&story->is_fatal) ? ERR_IO : OK;
}

static enum err append_thousands(struct story *story)
{
    return story_fill(story, story->acknowledged + STORY_TINY_BATCH);
}

static enum err (*const steps[])(struct story *story) = {
    append_tiny,      settle,      append_tiny, append_thousands, append_thousands,
    story_checkpoint, story_erase, append_tiny, append_thousands, story_close,
    story_open,       append_tiny, story_close,
};

static enum err live_on(struct story *story)
{
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        TRY(steps[i](story));
    }
    return OK;
}

/* How many operations there were: all of them when the power did not go. */
static uint64_t run_with_cut(bool buffered, uint64_t n, uint64_t seed)
{
    struct story story;
    story_init(&story, buffered);
    story.f.options.wal_file_bytes = MIB(2);
    assert_int_equal(story_fill_all_but(&story, STORY_BATCH), OK);
    fault_disk_cut_at(story.disk, n);
    enum err e = live_on(&story);
    fixture_close(&story.f);
    uint64_t operations = fault_disk_operations(story.disk);
    (void)snprintf(story.what, sizeof(story.what), "cut at %llu of %llu (%s), seed %llu",
                   (unsigned long long)n, (unsigned long long)operations,
                   fault_disk_last(story.disk), (unsigned long long)seed);
    assert_true(e == OK || n != 0);
    fault_disk_lose(story.disk, seed);
    story_check_after(&story, LOOKED_AT, true);
    story_release(&story);
    return operations;
}

static void cut_all_over(bool buffered, uint64_t first)
{
    uint64_t operations = run_with_cut(buffered, 0, first);
    uint64_t step = story_is_long() ? 1 : operations / CUTS;
    assert_true(operations > 100);
    for (uint64_t n = story_is_long() ? 1 : first; n <= operations; n += step) {
        (void)run_with_cut(buffered, n, n * 31);
    }
}

static void test_a_power_cut_while_a_segment_is_sealed_loses_nothing(void **state)
{
    UNUSED(state);
    cut_all_over(false, 1);
}

static void test_a_power_cut_while_a_segment_is_sealed_behind_a_buffered_wal(void **state)
{
    UNUSED(state);
    cut_all_over(true, 7);
}

int main(void)
{
    story_keep_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_power_cut_while_a_segment_is_sealed_loses_nothing),
        cmocka_unit_test(test_a_power_cut_while_a_segment_is_sealed_behind_a_buffered_wal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
