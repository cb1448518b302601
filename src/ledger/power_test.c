/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power - the power goes after any operation on files: what was acknowledged is there afterwards.
 *
 * A story (open, append, rotate, append, erase, close) is run once to count its operations, then
 * once for each of them, with the power going at that one, whole or torn in the middle of a
 * write.
 */
#include "ledger/ledger_support.h"
#include "os/fault.h"

enum {
    STORY_BATCHES = 4,
    BATCH_EVENTS = 30,
    BEFORE_ERASURE = STORY_BATCHES / 2 * BATCH_EVENTS,
};

struct story {
    struct ledger_fixture f;
    uint64_t acknowledged; /* events [0, acknowledged) were stored */
    bool erased;           /* the erasure of user-2 was confirmed */
};

static void on_fatal(void *context, const struct diag *diag)
{
    /* The story sees it by what is refused from now on. */
}

static enum err choose_user_2(void *context, const struct rows *rows, struct row_set *set)
{
    for (uint32_t row = 0; row < rows->count; row++) {
        if ((rows->first_seq + row) % 50 == 2) {
            row_set_add(set, row);
        }
    }
    return OK;
}

static enum err append_batch(struct story *story, uint64_t from, uint64_t to)
{
    struct batch batch;
    batch_init(&batch);
    for (uint64_t n = from; n < to; n++) {
        add_numbered(&batch, n, NULL);
    }
    enum err e = commit_batch(story->f.store, &batch);
    story->acknowledged = e == OK ? to : story->acknowledged;
    batch_release(&batch);
    return e;
}

static enum err live(struct story *story)
{
    uint64_t erased = 0;
    TRY(fixture_open(&story->f));
    for (uint64_t i = 0; i < STORY_BATCHES / 2; i++) {
        TRY(append_batch(story, i * BATCH_EVENTS, (i + 1) * BATCH_EVENTS));
    }
    TRY(store_rotate_key(story->f.store, 0, NULL));
    TRY(ledger_erase(story->f.ledger, choose_user_2, NULL, &erased, NULL));
    story->erased = true;
    for (uint64_t i = STORY_BATCHES / 2; i < STORY_BATCHES; i++) {
        TRY(append_batch(story, i * BATCH_EVENTS, (i + 1) * BATCH_EVENTS));
    }
    return OK;
}

static void story_init(struct story *story)
{
    *story = (struct story){0};
    tempdir_init(&story->f.temp);
    story->f.options = (struct ledger_options){.wal_file_bytes = MIB(1),
                                               .checkpoint_interval_ms = 1,
                                               .on_fatal = on_fatal};
}

static void check_event(struct story *story, uint64_t seq)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    struct store_event event;
    enum err e = store_get(story->f.store, seq, (slice){0}, &arena, &event, NULL);
    bool was_chosen = seq < BEFORE_ERASURE && seq % 50 == 2;
    if (was_chosen && story->erased) {
        assert_int_equal(e, ERR_GONE);
        return;
    }
    if (was_chosen && e == ERR_GONE) {
        return; /* erased, and the power went before it was confirmed */
    }
    struct uuid id = numbered_id(seq);
    assert_int_equal(e, OK);
    assert_memory_equal(event.event.value[FIELD_EVENT_ID].uuid.bytes, id.bytes, sizeof(id.bytes));
}

/* The power is back. */
static void check_after(struct story *story, uint64_t n)
{
    struct ledger_verify_result result = {0};
    enum err e = fixture_open(&story->f);
    if (e != OK) {
        fail_msg("cut at %llu: %s: %s", (unsigned long long)n, story->f.diag.where,
                 story->f.diag.text);
    }
    assert_true(store_size(story->f.store) >= story->acknowledged);
    for (uint64_t seq = 0; seq < story->acknowledged; seq++) {
        check_event(story, seq);
    }
    fixture_close(&story->f);
    e = ledger_verify(story->f.temp.path, (slice){0}, NULL, NULL, &result, &story->f.diag);
    if (e != OK) {
        fail_msg("verify after a cut at %llu: %s: %s", (unsigned long long)n, story->f.diag.where,
                 story->f.diag.text);
    }
}

/* True when the power went before the story ended. */
static bool run_with_cut(uint64_t n, enum fault_action action)
{
    struct story story;
    struct fault_nth nth = {.any_kind = true, .n = n, .action = action};
    struct fault_plan plan = fault_plan_nth(&nth);
    story_init(&story);
    fault_install(&plan);
    enum err e = live(&story);
    fixture_close(&story.f);
    bool was_cut = plan.is_off;
    fault_install(NULL);
    if (!was_cut) {
        assert_int_equal(e, OK);
        assert_int_equal(story.acknowledged, STORY_BATCHES * BATCH_EVENTS);
    }
    check_after(&story, n);
    tempdir_release(&story.f.temp);
    return was_cut;
}

static void cut_everywhere(enum fault_action action)
{
    uint64_t n = 1;
    while (run_with_cut(n, action)) {
        n++;
        assert_true(n < 2000);
    }
    assert_true(n > 40); /* the story has that many operations at least */
}

static void test_a_power_cut_after_any_operation_loses_nothing(void **state)
{
    UNUSED(state);
    cut_everywhere(FAULT_POWER_OFF);
}

static void test_a_torn_write_at_any_operation_loses_nothing(void **state)
{
    UNUSED(state);
    cut_everywhere(FAULT_TORN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_power_cut_after_any_operation_loses_nothing),
        cmocka_unit_test(test_a_torn_write_at_any_operation_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
