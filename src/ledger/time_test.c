/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time - the wall clock jumps between appends and across restarts, and a second process comes while
 * the first one lives: nothing is lost or refused that should not be.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger/story_check.h"

#define HOUR_US INT64_C(3600000000)
#define YEAR_US (INT64_C(365) * 24 * HOUR_US)

/* ---- The clock jumps ---- */

static const struct jump {
    const char *name;
    int64_t at_us; /* what the clock says from now on */
    bool restart;  /* it jumps while the ledger is closed */
} jumps[] = {
    {"the time of the events", SUPPORT_T0, true},
    {"an hour back", SUPPORT_T0 - HOUR_US, false},
    {"ten years forward", SUPPORT_T0 + 10 * YEAR_US, false},
    {"back again", SUPPORT_T0, false},
    {"ten years forward, across a restart", SUPPORT_T0 + 10 * YEAR_US, true},
    {"an hour back from there, across a restart", SUPPORT_T0 + 10 * YEAR_US - HOUR_US, true},
    {"to when nothing was there yet", HOUR_US, true},
    {"the time of the events, at last", SUPPORT_T0 + 2 * HOUR_US, true},
};

/* The cosignature says what the clock says, neither more nor less: it is the clock's owner who
 * answers for it. */
static void check_cosignature(struct story *story, int64_t from_us)
{
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    struct note_verifier known[STORE_KEYS_MAX];
    struct store_identity identity;
    struct note_checked checked = {0};
    uint64_t size = 0;
    store_identity(story->f.store, &identity);
    for (size_t i = 0; i < identity.key_count; i++) {
        known[i] = identity.keys[i].verifier;
    }
    assert_int_equal(store_checkpoint(story->f.store, &note, &size, NULL), OK);
    assert_int_equal(note_open(buf_slice(&note), known, identity.key_count, &checked, NULL), OK);
    assert_true(checked.cosigned_time_s >= (uint64_t)(from_us / 1000000));
    assert_true(checked.cosigned_time_s <= (uint64_t)(clock_now_us() / 1000000));
    assert_true(checked.by_log_key);
}

static void live_through(struct story *story, const struct jump *jump)
{
    print_message("# %s\n", jump->name);
    (void)snprintf(story->what, sizeof(story->what), "%s", jump->name);
    if (jump->restart) {
        fixture_close(&story->f);
        story_check_whole(story);
    }
    clock_set_for_tests(jump->at_us);
    if (jump->restart) {
        assert_int_equal(story_open(story), OK);
    }
    assert_int_equal(story_append(story), OK);
    assert_int_equal(story_checkpoint(story), OK);
    check_cosignature(story, jump->at_us);
    story_check_open(story, 1, false);
}

static void test_nothing_is_lost_or_refused_when_the_clock_jumps(void **state)
{
    struct story story;
    UNUSED(state);
    story_init(&story, false);
    assert_int_equal(story_open(&story), OK);
    for (size_t i = 0; i < COUNT_OF(jumps); i++) {
        live_through(&story, &jumps[i]);
    }
    assert_int_equal(story.acknowledged, COUNT_OF(jumps) * STORY_BATCH);
    fixture_close(&story.f);
    story_check_after(&story, 1, false);
    clock_set_for_tests(0);
    story_release(&story);
}

static void test_repeats_are_known_whatever_the_clock_says(void **state)
{
    struct story story;
    UNUSED(state);
    story_init(&story, false);
    for (size_t i = 0; i < COUNT_OF(jumps); i++) {
        clock_set_for_tests(jumps[i].at_us);
        assert_int_equal(story_open(&story), OK);
        story.acknowledged = 0; /* the same again */
        assert_int_equal(story_append(&story), OK);
        assert_int_equal(store_size(story.f.store), STORY_BATCH);
        fixture_close(&story.f);
    }
    clock_set_for_tests(0);
    story_release(&story);
}

/* Rotates with the clock at `at_us`: the new key is the first, and signs, also after a restart. */
static void rotate_at(struct story *story, int64_t at_us)
{
    struct store_identity before;
    struct store_identity after;
    store_identity(story->f.store, &before);
    clock_set_for_tests(at_us);
    assert_int_equal(store_rotate_key(story->f.store, 0, NULL), OK);
    for (int i = 0; i < 2; i++) {
        store_identity(story->f.store, &after);
        assert_int_equal(after.key_count, before.key_count + 1);
        assert_int_not_equal(after.keys[0].verifier.id, before.keys[0].verifier.id);
        assert_int_equal(after.keys[0].retires_us, 0);
        assert_int_equal(after.keys[1].verifier.id, before.keys[0].verifier.id);
        assert_true(after.keys[1].retires_us > 0);
        fixture_reopen(&story->f);
        check_cosignature(story, at_us);
    }
}

static void test_keys_rotate_also_when_the_clock_went_back(void **state)
{
    struct story story;
    UNUSED(state);
    story_init(&story, false);
    clock_set_for_tests(SUPPORT_T0);
    assert_int_equal(story_open(&story), OK);
    rotate_at(&story, SUPPORT_T0 - HOUR_US);
    rotate_at(&story, SUPPORT_T0 - 2 * HOUR_US);
    rotate_at(&story, SUPPORT_T0 + HOUR_US);
    fixture_close(&story.f);
    story_check_whole(&story);
    clock_set_for_tests(0);
    story_release(&story);
}

/* ---- A second process ---- */

/* Tells through `fd` that 20 events are acknowledged, and waits to be killed. */
static void be_the_first(struct story *story, int fd)
{
    bool is_fine = story_open(story) == OK && story_append(story) == OK;
    ssize_t written = write(fd, is_fine ? "+" : "-", 1);
    UNUSED(written);
    for (;;) {
        (void)pause();
    }
}

static void test_a_second_process_waits_for_the_end_of_the_first(void **state)
{
    struct story story;
    int ends[2];
    char told = '\0';
    UNUSED(state);
    story_init(&story, false);
    assert_int_equal(pipe(ends), 0);
    pid_t first = fork();
    assert_true(first >= 0);
    if (first == 0) {
        be_the_first(&story, ends[1]);
    }
    assert_int_equal(read(ends[0], &told, 1), 1);
    assert_int_equal(told, '+');
    assert_int_equal(fixture_open(&story.f), ERR_CONFLICT);
    assert_string_equal(story.f.diag.where, "LOCK");
    story_check_whole(&story); /* verifying needs no lock */
    assert_int_equal(kill(first, SIGKILL), 0);
    assert_int_equal(waitpid(first, NULL, 0), first);
    story.offered = STORY_BATCH;
    story.acknowledged = STORY_BATCH;
    story_check_after(&story, 1, false);
    (void)close(ends[0]);
    (void)close(ends[1]);
    story_release(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost_or_refused_when_the_clock_jumps),
        cmocka_unit_test(test_repeats_are_known_whatever_the_clock_says),
        cmocka_unit_test(test_keys_rotate_also_when_the_clock_went_back),
        cmocka_unit_test(test_a_second_process_waits_for_the_end_of_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
