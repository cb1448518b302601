/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal_behind - what may happen while a segment is sealed in the background: an erasure, the end,
 * a disk that is full or fails, a power cut. Nothing acknowledged is lost, the ledger goes on where
 * it can, and nothing is left of a file that did not become one.
 */
#include <errno.h>

#include "ledger/core.h"
#include "ledger/story_segment.h"

#ifdef __SANITIZE_THREAD__ /* ten times slower; what it looks for is in any cut */
#define CUTS 2
#else
#define CUTS 6
#endif

enum {
    REPEATS = ROWS_MAX / 16, /* batches, from which on a segment does not come in bulk */
    LOOKED_AT = 1009,        /* every so many events */
    POLL_US = 1000,
};

/* Event 0 in many batches, which are counted and change nothing. */
static void repeat_often(struct story *story)
{
    CLEANUP(mem_freep) struct story_event *e = mem_zeroed(sizeof(*e));
    CLEANUP(mem_freep) struct batch *batches = mem_array(REPEATS, sizeof(*batches));
    CLEANUP(mem_freep) struct append_wait *waits = mem_array(REPEATS, sizeof(*waits));
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(1));
    story_event_init(e, 0, true);
    for (size_t i = 0; i < REPEATS; i++) {
        batch_init(&batches[i]);
        buf_clear(&line);
        assert_int_equal(batch_add(&batches[i], &e->numbered.event, e->numbered.event.present,
                                   &line),
                         OK);
        assert_int_equal(append_begin(story->f.store, &batches[i], &waits[i]), OK);
    }
    for (size_t i = 0; i < REPEATS; i++) {
        assert_int_equal(append_end(&waits[i]), OK);
        assert_int_equal(batches[i].duplicates, 1);
        batch_release(&batches[i]);
    }
}

/* All but the last rows of the first segment, which come one by one as far as anybody knows. */
static void begin(struct story *story)
{
    story_init(story, false);
    story->f.options.wal_file_bytes = MIB(2);
    assert_int_equal(story_open(story), OK);
    assert_int_equal(story_fill(story, ROWS_MAX - STORY_BATCH), OK);
    repeat_often(story);
}

static enum err append_tiny(struct story *story)
{
    return story_append_some(story, STORY_BATCH, true);
}

static bool has_file(const struct story *story, const char *suffix)
{
    char path[PATH_MAX];
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, 0);
    (void)snprintf(path, sizeof(path), "%s/ledger/%s%s", story->f.temp.path, name, suffix);
    return access(path, F_OK) == 0;
}

static uint64_t sealed_behind(struct story *story)
{
    struct store_figures figures;
    store_figures(story->f.store, &figures);
    return figures.sealed_behind;
}

static void wait_until_begun(struct story *story)
{
    while (sealed_behind(story) == 0) {
        (void)usleep(POLL_US);
    }
}

/* Looks at the directory itself, so that operations on files are as many each time. */
static enum err wait_until_sealed(struct story *story)
{
    while (!has_file(story, "") && !atomic_load(&story->is_fatal)) {
        (void)usleep(POLL_US);
    }
    return atomic_load(&story->is_fatal) ? ERR_IO : OK;
}

static void check_sealed(struct story *story)
{
    ledger_settle(story->f.ledger);
    assert_true(has_file(story, ""));
    assert_false(has_file(story, ".tmp"));
    story_check_open(story, LOOKED_AT, true);
    fixture_close(&story->f);
    story_check_whole(story);
}

static void test_an_erasure_ends_it_and_it_is_begun_anew(void **state)
{
    UNUSED(state);
    struct story story;
    begin(&story);
    assert_int_equal(append_tiny(&story), OK);
    wait_until_begun(&story);
    assert_int_equal(story_erase(&story), OK);
    assert_int_equal(append_tiny(&story), OK);
    check_sealed(&story);
    story_release(&story);
}

static void test_a_ledger_that_closes_does_not_wait_for_it(void **state)
{
    UNUSED(state);
    struct story story;
    begin(&story);
    assert_int_equal(append_tiny(&story), OK);
    wait_until_begun(&story);
    fixture_close(&story.f);
    assert_false(has_file(&story, ".tmp"));
    story_check_whole(&story);
    assert_int_equal(story_open(&story), OK);
    check_sealed(&story);
    story_release(&story);
}

/* ---- The disk ---- */

/* The file in the making is not written, the first `left` times. */
struct refusal {
    _Atomic unsigned left;
};

static enum fault_action refuse(void *context, const struct fault_op *op)
{
    struct refusal *refusal = context;
    if (op->kind != FAULT_WRITE || strstr(op->name, ".seg.tmp") == NULL || refusal->left == 0) {
        return FAULT_NONE;
    }
    refusal->left--;
    return FAULT_SHORT;
}

static void test_it_is_begun_anew_until_there_is_room(void **state)
{
    UNUSED(state);
    struct story story;
    struct refusal refusal = {.left = 2};
    struct fault_plan plan = {.decide = refuse, .ctx = &refusal, .error = ENOSPC};
    begin(&story);
    fault_install(&plan);
    assert_int_equal(append_tiny(&story), OK);
    assert_int_equal(wait_until_sealed(&story), OK);
    assert_int_equal(refusal.left, 0);
    assert_int_equal(sealed_behind(&story), 3);
    check_sealed(&story);
    story_release(&story);
}

static void test_a_write_that_fails_ends_the_acknowledging(void **state)
{
    UNUSED(state);
    struct story story;
    struct refusal refusal = {.left = 1};
    struct fault_plan plan = {.decide = refuse, .ctx = &refusal, .error = EIO};
    begin(&story);
    fault_install(&plan);
    assert_int_equal(append_tiny(&story), OK);
    assert_int_equal(wait_until_sealed(&story), ERR_IO);
    assert_int_equal(append_tiny(&story), ERR_IO);
    fixture_close(&story.f);
    assert_false(has_file(&story, ".tmp"));
    story_check_after(&story, LOOKED_AT, true);
    story_release(&story);
}

/* When the file is begun, the WAL wants a spare, and none can be made. */
static enum fault_action fail_spare(void *context, const struct fault_op *op)
{
    struct ledger *ledger = context;
    if (op->kind != FAULT_OPEN || !op->creates) {
        return FAULT_NONE;
    }
    if (strstr(op->name, ".seg.tmp") != NULL) {
        wal_condemn(ledger->wal, 0); /* what spares there were are not to be used */
        sealer_want_spare(ledger);
    }
    return strncmp(op->name, "spare-", 6) == 0 ? FAULT_FAIL : FAULT_NONE;
}

/* False: the file was whole before the failure was seen. */
static bool is_cut_short_by_failed_spare(void)
{
    struct story story;
    struct fault_plan plan = {.decide = fail_spare};
    begin(&story);
    plan.ctx = story.f.ledger;
    fault_install(&plan);
    assert_int_equal(append_tiny(&story), OK);
    while (!atomic_load(&story.is_fatal)) {
        (void)usleep(POLL_US);
    }
    assert_int_equal(append_tiny(&story), ERR_IO);
    fixture_close(&story.f);
    assert_false(has_file(&story, ".tmp"));
    bool is_cut_short = !has_file(&story, "");
    story_release(&story);
    return is_cut_short;
}

static void test_a_spare_that_cannot_be_made_does_not_wait_for_it(void **state)
{
    UNUSED(state);
    enum { TRIES = 5 }; /* on a busy machine the sealer may be late */
    unsigned tries = 1;
    while (!is_cut_short_by_failed_spare()) {
        assert_true(++tries <= TRIES);
    }
}

static void test_without_a_thread_for_it_the_sealer_makes_it(void **state)
{
    UNUSED(state);
    struct story story;
    pthread_attr_t usual;
    pthread_attr_t huge;
    begin(&story);
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_getattr_default_np(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 47), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    assert_int_equal(append_tiny(&story), OK);
    assert_int_equal(wait_until_sealed(&story), OK);
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
    assert_int_equal(pthread_attr_destroy(&huge), 0);
    assert_int_equal(pthread_attr_destroy(&usual), 0);
    assert_int_equal(sealed_behind(&story), 0);
    check_sealed(&story);
    story_release(&story);
}

static enum err (*const steps[])(struct story *story) = {
    append_tiny, wait_until_sealed, append_tiny, story_erase, story_close,
};

/* How many operations there were: all of them when the power did not go. */
static uint64_t run_with_cut(uint64_t n)
{
    struct story story;
    enum err e = OK;
    begin(&story);
    fault_disk_cut_at(story.disk, n);
    for (size_t i = 0; i < COUNT_OF(steps) && e == OK; i++) {
        e = steps[i](&story);
    }
    fixture_close(&story.f);
    uint64_t operations = fault_disk_operations(story.disk);
    (void)snprintf(story.what, sizeof(story.what), "cut at %llu of %llu (%s)",
                   (unsigned long long)n, (unsigned long long)operations,
                   fault_disk_last(story.disk));
    assert_true(e == OK || n != 0);
    fault_disk_lose(story.disk, n);
    story_check_after(&story, LOOKED_AT, true);
    story_release(&story);
    return operations;
}

static void test_a_power_cut_loses_nothing(void **state)
{
    UNUSED(state);
    uint64_t operations = run_with_cut(0);
    uint64_t step = story_is_long() ? 1 : operations / CUTS;
    assert_true(step > 0);
    for (uint64_t n = 1; n <= operations; n += step) {
        (void)run_with_cut(n);
    }
}

/* ---- Whoever waits for it ---- */

/* An erasure wants the sealer, which works: what is ahead of it may not grow meanwhile. */
struct throttled {
    struct ledger *ledger;
    struct thread thread;
    bool has_passed; /* under seal_lock, as the other */
    bool has_passed_busy;
};

static void pass(void *arg)
{
    struct throttled *throttled = arg;
    struct ledger *ledger = throttled->ledger;
    assert_int_equal(sealer_throttle(ledger, NULL), OK);
    mutex_lock(&ledger->seal_lock);
    throttled->has_passed = true;
    throttled->has_passed_busy = ledger->seal_busy;
    condition_broadcast(&ledger->seal_wanted);
    mutex_unlock(&ledger->seal_lock);
}

static void test_rows_do_not_pile_up_while_an_erasure_waits_for_the_sealer(void **state)
{
    UNUSED(state);
    enum { GIVEN_US = 200 * 1000 }; /* to go wrong in; a slow machine only sees less */
    CLEANUP(mem_freep) struct ledger *ledger = mem_zeroed(sizeof(*ledger));
    struct throttled throttled = {.ledger = ledger};
    mutex_init(&ledger->seal_lock);
    condition_init(&ledger->seal_wanted);
    condition_init(&ledger->seal_done);
    ledger->seal_count = SEAL_BACKLOG_MAX;
    ledger->seal_paused = true;
    ledger->seal_busy = true;
    assert_int_equal(thread_start(&throttled.thread, "sequencer", pass, &throttled, NULL), OK);
    mutex_lock(&ledger->seal_lock);
    while (!throttled.has_passed &&
           condition_wait_us(&ledger->seal_wanted, &ledger->seal_lock, GIVEN_US)) {
    }
    ledger->seal_busy = false;
    condition_broadcast(&ledger->seal_done);
    mutex_unlock(&ledger->seal_lock);
    thread_join(&throttled.thread);
    assert_true(throttled.has_passed);
    assert_false(throttled.has_passed_busy);
    condition_release(&ledger->seal_done);
    condition_release(&ledger->seal_wanted);
    mutex_release(&ledger->seal_lock);
}

int main(void)
{
    story_keep_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_erasure_ends_it_and_it_is_begun_anew),
        cmocka_unit_test(test_a_ledger_that_closes_does_not_wait_for_it),
        cmocka_unit_test(test_it_is_begun_anew_until_there_is_room),
        cmocka_unit_test(test_a_write_that_fails_ends_the_acknowledging),
        cmocka_unit_test(test_a_spare_that_cannot_be_made_does_not_wait_for_it),
        cmocka_unit_test(test_without_a_thread_for_it_the_sealer_makes_it),
        cmocka_unit_test(test_a_power_cut_loses_nothing),
        cmocka_unit_test(test_rows_do_not_pile_up_while_an_erasure_waits_for_the_sealer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
