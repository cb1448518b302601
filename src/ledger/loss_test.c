/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss - the power goes at any operation on files, and what was not synced is lost, torn, or there
 * without what came before it: what was acknowledged is there afterwards.
 *
 * A life (several WAL files, rotations, erasures, checkpoints, three times opened) ends at each of
 * its operations, with a few seeds each. Or the process dies there, the ledger is opened again, and
 * then the power goes.
 */
#include "ledger/story_check.h"

enum {
    STEP = 7, /* every so many operations; all of them, if CAIRN_TEST_LONG is set */
    SEEDS_LONG = 10,
    SEEDS_OF_BIRTH = 4,
    OPERATIONS_MAX = 2000,
};

static enum err (*const steps[])(struct story *story) = {
    story_open,   story_append,     story_append, story_append, story_checkpoint,
    story_rotate, story_append,     story_erase,  story_append, story_append,
    story_close,  story_open,       story_append, story_append, story_append,
    story_erase,  story_checkpoint, story_rotate, story_append, story_append,
    story_append, story_close,      story_open,   story_append, story_close,
};

static enum err live(struct story *story)
{
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        TRY(steps[i](story));
    }
    return OK;
}

static void describe(struct story *story, const char *how, uint64_t n, uint64_t seed)
{
    (void)snprintf(story->what, sizeof(story->what), "%s at %llu (%s), seed %llu", how,
                   (unsigned long long)n, fault_disk_last(story->disk), (unsigned long long)seed);
}

/* True when the power went before the life was over. */
static bool run_with_cut(bool buffered, uint64_t n, uint64_t seed)
{
    struct story story;
    story_init(&story, buffered);
    fault_disk_cut_at(story.disk, n);
    enum err e = live(&story);
    fixture_close(&story.f);
    bool was_cut = fault_disk_is_off(story.disk);
    assert_int_equal(e == OK, !was_cut);
    describe(&story, "cut", n, seed);
    fault_disk_lose(story.disk, seed);
    story_check_after(&story, 1, false);
    story_release(&story);
    return was_cut;
}

/* Runs a life that ends at every operation from `first` on, until one comes to its end. */
static void end_everywhere(bool (*run)(bool buffered, uint64_t n, uint64_t seed), bool buffered,
                           uint64_t first)
{
    bool is_long = story_is_long();
    bool has_ended = true;
    uint64_t n = is_long ? 1 : first;
    for (; has_ended && n < OPERATIONS_MAX; n += is_long ? 1 : STEP) {
        for (uint64_t seed = 1; seed <= (is_long ? SEEDS_LONG : 1); seed++) {
            has_ended = run(buffered, n, n * 1009 + seed * 31);
        }
    }
    assert_false(has_ended);
    assert_true(n > 200); /* the life has that many operations at least */
}

static void test_what_was_acknowledged_outlives_a_disk_that_forgets(void **state)
{
    UNUSED(state);
    end_everywhere(run_with_cut, false, 1);
}

static void test_the_same_with_a_buffered_wal(void **state)
{
    UNUSED(state);
    end_everywhere(run_with_cut, true, 2);
}

/* The process dies at the n-th operation, which loses nothing; while it is opened again, or soon
 * after, the power goes. What was shown in between counts as acknowledged. */
static bool run_with_death(bool buffered, uint64_t n, uint64_t seed)
{
    struct story story;
    story_init(&story, buffered);
    fault_disk_cut_at(story.disk, n);
    enum err e = live(&story);
    fixture_close(&story.f);
    bool has_died = fault_disk_is_off(story.disk);
    assert_int_equal(e == OK, !has_died);
    describe(&story, "death", n, seed);
    atomic_store(&story.is_fatal, false);
    fault_disk_cut_at(story.disk, 1 + seed % 97);
    e = story_open(&story);
    e = e == OK ? story_append(&story) : e;
    e = e == OK ? story_append(&story) : e;
    e = e == OK ? story_append(&story) : e;
    fixture_close(&story.f);
    UNUSED(e);
    size_t len = strlen(story.what);
    (void)snprintf(story.what + len, sizeof(story.what) - len, ", then a cut (%s)",
                   fault_disk_last(story.disk));
    fault_disk_lose(story.disk, seed);
    story_check_after(&story, 1, false);
    story_release(&story);
    return has_died;
}

static void test_what_a_dead_process_left_unsynced_is_made_durable_before_it_is_shown(void **state)
{
    UNUSED(state);
    end_everywhere(run_with_death, false, 3);
}

static void test_the_same_with_a_buffered_wal_after_a_death(void **state)
{
    UNUSED(state);
    end_everywhere(run_with_death, true, 4);
}

/* The process that makes the directories, the first keys and the first WAL file dies at the n-th
 * operation; the next one finds some of it, acknowledges events, and then the power goes. False
 * when the first one came to its end. */
static bool run_with_birth(uint64_t n, uint64_t seed)
{
    struct story story;
    story_init(&story, false);
    fault_disk_cut_at(story.disk, n);
    enum err e = story_open(&story);
    fixture_close(&story.f);
    UNUSED(e);
    bool has_died = fault_disk_is_off(story.disk);
    describe(&story, "death at birth", n, seed);
    atomic_store(&story.is_fatal, false);
    fault_disk_cut_at(story.disk, 0);
    assert_int_equal(story_open(&story), OK);
    assert_int_equal(story_append(&story), OK);
    fixture_close(&story.f);
    fault_disk_lose(story.disk, seed);
    story_check_after(&story, 1, false);
    story_release(&story);
    return has_died;
}

static void test_what_a_dead_process_began_to_make_is_durable_before_it_is_used(void **state)
{
    uint64_t n = 1;
    bool has_died = true;
    UNUSED(state);
    for (; has_died; n++) {
        for (uint64_t seed = 1; seed <= (story_is_long() ? SEEDS_LONG : SEEDS_OF_BIRTH); seed++) {
            has_died = run_with_birth(n, n * 1009 + seed * 31);
        }
    }
    assert_true(n > 30); /* there are that many operations at least */
}

int main(void)
{
    story_keep_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_acknowledged_outlives_a_disk_that_forgets),
        cmocka_unit_test(test_the_same_with_a_buffered_wal),
        cmocka_unit_test(test_what_a_dead_process_left_unsynced_is_made_durable_before_it_is_shown),
        cmocka_unit_test(test_the_same_with_a_buffered_wal_after_a_death),
        cmocka_unit_test(test_what_a_dead_process_began_to_make_is_durable_before_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
