/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal_errors - one operation on files fails, once, while a segment comes to rest: while its file
 * is written, the index of its group, while WAL files are retired, while rows of it are erased. As
 * in errors_test.c, nothing acknowledged is lost or hidden; a ledger whose disk was full goes on
 * when there is room again. What fails is anything but a READ, of which there are thousands.
 */
#include <errno.h>

#include "ledger/story_segment.h"

#ifdef __SANITIZE_THREAD__ /* ten times slower; what it looks for is in any failure */
#define STEP 24
#else
#define STEP 6
#endif

/* Of the operations before it is closed, one in STEP; all, if CAIRN_TEST_LONG is set. */
enum {
    BEFORE_CLOSE = 80,
    LOOKED_AT = 1009, /* every so many events */
    OPERATIONS_MAX = 1000,
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

/* The last row of the segment, the seal, and the first rows behind it; then all of it is erased
 * from, closed, and opened. */
static enum err (*const steps[])(struct story *story) = {
    append_tiny, settle,      append_tiny, story_checkpoint, story_erase,
    append_tiny, story_close, story_open,  append_tiny,
};

static void begin(struct story *story)
{
    story_init(story, false);
    story->f.options.wal_file_bytes = MIB(2);
    assert_int_equal(story_fill_all_but(story, STORY_BATCH), OK);
}

/* Whether nothing will be acknowledged any more. If there is no room, that is looked for. */
static bool is_over(struct story *story)
{
    struct store_figures figures = {.writable = true};
    if (story->f.ledger != NULL) {
        ledger_set_reserve(story->f.ledger, 0, 0);
        store_figures(story->f.store, &figures);
    }
    while (!figures.writable && !atomic_load(&story->is_fatal)) {
        (void)usleep(1000); /* it is about to be told */
    }
    return !figures.writable;
}

/* What more room does not help: a sync that failed, and a frame that may be there in part. */
static bool is_beyond_help(const struct story *story)
{
    const char *last = fault_disk_last(story->disk);
    return strncmp(last, "SYNC ", 5) == 0 || strstr(last, ".wal at ") != NULL;
}

/* A step, and again when it was refused: for want of room, or because what it reads or begins
 * failed. There is one failure, so the second try succeeds, or nothing does any more. */
static void take_step(struct story *story, enum err (*step)(struct story *story), int error)
{
    enum err e = step(story);
    if (e == OK || is_over(story)) {
        return;
    }
    if (error == ENOSPC && e != ERR_FULL && !is_beyond_help(story)) {
        STORY_FAIL(story, "a full disk gave %s", err_name(e));
    }
    e = step(story);
    if (e != OK && !is_over(story)) {
        STORY_FAIL(story, "it does not go on: %s", err_name(e));
    }
}

static void live_on(struct story *story, int error, uint64_t n)
{
    for (size_t i = 0; i < COUNT_OF(steps) && !atomic_load(&story->is_fatal); i++) {
        take_step(story, steps[i], error);
        (void)is_over(story);
        (void)snprintf(story->what, sizeof(story->what), "errno %d at %llu (%s)", error,
                       (unsigned long long)n, fault_disk_last(story->disk));
    }
}

/* What readers see of it while it is open is what there is after the next start. */
static void check_running(struct story *story)
{
    struct merkle_hash before = {0};
    struct merkle_hash after = {0};
    uint64_t size = store_size(story->f.store);
    story_check_open(story, LOOKED_AT, true);
    assert_int_equal(merkle_root_at(size, store_node, story->f.store, &before), OK);
    fixture_reopen(&story->f);
    assert_int_equal(merkle_root_at(size, store_node, story->f.store, &after), OK);
    if (!merkle_hash_equal(&before, &after)) {
        STORY_FAIL(story, "the tree was another one while it ran");
    }
}

/* False when the life has no n-th operation. */
static bool run_with_error(int error, uint64_t n)
{
    struct story story;
    begin(&story);
    fault_disk_fail_change_at(story.disk, n, error);
    live_on(&story, error, n);
    bool has_failed = *fault_disk_last(story.disk) != '\0';
    if (!atomic_load(&story.is_fatal)) {
        check_running(&story);
    } else if (error == ENOSPC && !is_beyond_help(&story)) {
        STORY_FAIL(&story, "a full disk ended it where it could have gone on");
    } else {
        assert_int_equal(append_tiny(&story), ERR_IO);
    }
    fixture_close(&story.f);
    fault_disk_lose(story.disk, n);
    story_check_after(&story, LOOKED_AT, true);
    story_release(&story);
    return has_failed;
}

static void fail_everywhere(int error, uint64_t first)
{
    bool is_long = story_is_long();
    uint64_t n = is_long ? 1 : first;
    while ((is_long || n < BEFORE_CLOSE) && run_with_error(error, n)) {
        n += is_long ? 1 : STEP;
        assert_true(n < OPERATIONS_MAX);
    }
    assert_true(n >= BEFORE_CLOSE); /* the life has that many operations at least */
}

static void test_a_disk_that_is_full_while_a_segment_is_sealed_loses_nothing(void **state)
{
    UNUSED(state);
    fail_everywhere(ENOSPC, 2);
}

static void test_an_operation_that_fails_while_a_segment_is_sealed_loses_nothing(void **state)
{
    UNUSED(state);
    fail_everywhere(EIO, 3);
}

int main(void)
{
    story_keep_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_disk_that_is_full_while_a_segment_is_sealed_loses_nothing),
        cmocka_unit_test(test_an_operation_that_fails_while_a_segment_is_sealed_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
