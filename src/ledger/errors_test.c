/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errors - one operation on files fails, any of them, and all later ones work: nothing acknowledged
 * is lost, nothing refused turns up, and what can go on does.
 *
 * A full disk is an answer (FULL) wherever room is made, and the ledger goes on when there is room
 * again. After a failed sync, or a frame that could not be written, nothing is acknowledged any
 * more; what the disk holds then is seen by losing a part of what was not synced.
 */
#include <errno.h>

#include "ledger/story_check.h"

enum {
    STEP = 9, /* every so many operations; all of them if CAIRN_TEST_LONG is set */
    OPERATIONS_MAX = 2000,
};

static void assert_on_disk(struct story *story, uint64_t n, bool is_there)
{
    char data[32];
    (void)snprintf(data, sizeof(data), "{\"n\":%llu,\"", (unsigned long long)n);
    if (disk_has(&story->f, data) != is_there) {
        STORY_FAIL(story, "the disk %s event %llu", is_there ? "lacks" : "still has",
                   (unsigned long long)n);
    }
}

/* Confirmed is confirmed: no file has anything of the events any more, spares included. */
static enum err erase(struct story *story)
{
    TRY(story_erase(story));
    for (uint64_t n = STORY_CHOSEN; n < story->erased; n += STORY_EVERY) {
        assert_on_disk(story, n, false);
        assert_on_disk(story, n + 1, true);
    }
    return OK;
}

static const struct step {
    enum err (*run)(struct story *story);
    bool is_append;
} steps[] = {
    {story_open, false},
    {story_append, true},
    {story_append, true},
    {story_append, true},
    {story_checkpoint, false},
    {story_rotate, false},
    {story_append, true},
    {erase, false},
    {story_append, true},
    {story_append, true},
    {story_append, true},
    {story_close, false},
    {story_open, false},
    {story_append, true},
    {erase, false},
    {story_append, true},
    {story_append, true},
    {story_checkpoint, false},
    {story_close, false},
};

/* A sync, or the write of a frame: all that room cannot help. */
static bool was_the_end(const struct story *story)
{
    const char *last = fault_disk_last(story->disk);
    bool is_wal = strstr(last, ".wal at ") != NULL && strstr(last, ".wal at 0") == NULL;
    return strncmp(last, "SYNC ", 5) == 0 || (strncmp(last, "WRITE ", 6) == 0 && is_wal);
}

static void assert_not_shown(struct story *story)
{
    if (story->f.ledger != NULL &&
        store_size(story->f.store) != story->base + story->acknowledged) {
        STORY_FAIL(story, "what was refused is there");
    }
}

/* Nothing is acknowledged any more. What is on the disk is what was acknowledged, at least. */
static void end_fatally(struct story *story, int error, uint64_t seed)
{
    if (error == ENOSPC && !was_the_end(story)) {
        STORY_FAIL(story, "a full disk ended it where it could have gone on");
    }
    if (story->f.ledger != NULL) {
        assert_not_shown(story);
        assert_int_equal(story_append(story), ERR_IO);
    }
    fixture_close(&story->f);
    if (seed % 2 == 0) {
        fault_disk_lose(story->disk, seed);
    }
    story_check_after(story, 1, false);
}

/* The step was refused: the ledger goes on, and the next try succeeds. */
static void try_again(struct story *story, const struct step *step, enum err refused, int error)
{
    assert_not_shown(story);
    if (error == ENOSPC && step->is_append && refused != ERR_FULL) {
        STORY_FAIL(story, "a full disk gave %s", err_name(refused));
    }
    if (error == EIO && step->is_append) {
        STORY_FAIL(story, "an append failed, and it goes on");
    }
    enum err e = story->f.ledger != NULL ? story_append(story) : OK;
    e = e == OK ? step->run(story) : e;
    if (e != OK) {
        STORY_FAIL(story, "it does not go on: %s", err_name(e));
    }
}

/* True when the life had an n-th operation. */
static bool run_with_error(bool buffered, int error, uint64_t n, uint64_t seed)
{
    struct story story;
    story_init(&story, buffered);
    fault_disk_fail_at(story.disk, n, error);
    for (size_t i = 0; i < COUNT_OF(steps) && !atomic_load(&story.is_fatal); i++) {
        enum err e = steps[i].run(&story);
        (void)snprintf(story.what, sizeof(story.what), "errno %d at %llu (%s), seed %llu", error,
                       (unsigned long long)n, fault_disk_last(story.disk),
                       (unsigned long long)seed);
        if (e == OK || atomic_load(&story.is_fatal)) {
            continue;
        }
        if (seed % 2 == 0 && story.f.ledger != NULL) { /* it goes on, and stops */
            assert_int_equal(story_append(&story), OK);
            break;
        }
        try_again(&story, &steps[i], e, error);
    }
    bool has_failed = fault_disk_operations(story.disk) >= n;
    if (atomic_load(&story.is_fatal)) {
        end_fatally(&story, error, seed);
    } else {
        fixture_close(&story.f);
        fault_disk_lose(story.disk, seed);
        story_check_after(&story, 1, false);
    }
    story_release(&story);
    return has_failed;
}

static void fail_everywhere(bool buffered, int error, uint64_t first)
{
    bool is_long = story_is_long();
    uint64_t n = is_long ? 1 : first;
    bool has_failed = true;
    for (; has_failed && n < OPERATIONS_MAX; n += is_long ? 1 : STEP) {
        has_failed = run_with_error(buffered, error, n, n);
        has_failed = has_failed && (!is_long || run_with_error(buffered, error, n, n + 1));
    }
    assert_false(has_failed);
    assert_true(n > 150); /* the life has that many operations at least */
}

static void test_a_disk_that_is_full_once_loses_nothing(void **state)
{
    UNUSED(state);
    fail_everywhere(false, ENOSPC, 1);
    fail_everywhere(true, ENOSPC, 2);
}

static void test_an_operation_that_fails_loses_nothing(void **state)
{
    UNUSED(state);
    fail_everywhere(false, EIO, 2);
    fail_everywhere(true, EIO, 3);
}

int main(void)
{
    story_keep_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_disk_that_is_full_once_loses_nothing),
        cmocka_unit_test(test_an_operation_that_fails_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
