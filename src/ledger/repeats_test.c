/* SPDX-License-Identifier: Apache-2.0 */
/* repeats - an event that comes again is known, wherever the first one is by then. */
#include "base/hash.h"
#include "ledger/ledger.h"
#include "ledger/ledger_support.h"

/* ---- In the same frame ---- */

/* Two batches that the sequencer finds together: they are queued from its own thread. */
struct pair {
    struct store *store;
    struct batch batches[2];
    struct append_wait waits[2];
};

static enum err queue_both(void *context, const struct rows *rows, struct row_set *set)
{
    struct pair *pair = context;
    UNUSED(rows);
    UNUSED(set);
    for (size_t i = 0; i < COUNT_OF(pair->batches); i++) {
        assert_int_equal(append_begin(pair->store, &pair->batches[i], &pair->waits[i]), OK);
    }
    return OK;
}

static void pair_init(struct pair *pair, struct store *store)
{
    pair->store = store;
    for (size_t i = 0; i < COUNT_OF(pair->batches); i++) {
        batch_init(&pair->batches[i]);
        add_numbered(&pair->batches[i], 7, NULL);
    }
}

static void pair_release(struct pair *pair)
{
    for (size_t i = 0; i < COUNT_OF(pair->batches); i++) {
        batch_release(&pair->batches[i]);
    }
}

static void repeat_in_one_frame(struct ledger_fixture *f)
{
    struct pair pair;
    uint64_t erased = 0;
    append_range(f->store, 0, 1, 1); /* something to choose from */
    pair_init(&pair, f->store);
    assert_int_equal(ledger_erase(f->ledger, queue_both, &pair, &erased, &f->diag), OK);
    assert_int_equal(append_end(&pair.waits[0]), OK);
    assert_int_equal(append_end(&pair.waits[1]), OK);
    assert_int_equal(pair.batches[0].events[0].state, BATCH_STORED);
    assert_int_equal(pair.batches[1].events[0].state, BATCH_DUPLICATE);
    assert_int_equal(pair.batches[1].events[0].seq, pair.batches[0].events[0].seq);
    pair_release(&pair);
}

static void test_a_repeat_in_the_same_frame_is_a_duplicate(void **state)
{
    repeat_in_one_frame(*state);
}

static void test_a_repeat_in_a_frame_whose_memory_is_not_kept_is_one_too(void **state)
{
    struct ledger_fixture *f = *state;
    fixture_close(f);
    f->options.cache_bytes_max = 1; /* spent from the start */
    assert_int_equal(fixture_open(f), OK);
    repeat_in_one_frame(f);
}

/* ---- Ids that were made to collide ---- */

enum { HOSTILE = 200 };

/* Number n of ids that all have one hash in org "default": what the first half adds to it, the
 * second takes away again. */
static struct uuid hostile_id(uint64_t n)
{
    uint64_t seed =
        hash_bytes(SLICE("default"), HASH_STORED) ^ UINT64_C(16) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t halves[2] = {n, hash_mix(seed ^ n, UINT64_C(0xa0761d6478bd642f)) ^ 1};
    struct uuid id;
    memcpy(id.bytes, halves, sizeof(id.bytes));
    return id;
}

static void add_hostile(struct batch *batch)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(1));
    struct numbered_event e;
    for (uint64_t n = 0; n < HOSTILE; n++) {
        numbered_event_init(&e, n, NULL);
        e.event.value[FIELD_EVENT_ID].uuid = hostile_id(n);
        buf_clear(&line);
        assert_int_equal(batch_add(batch, &e.event, e.event.present, &line), OK);
        assert_int_equal(batch->events[n].id_hash, batch->events[0].id_hash);
    }
}

static void test_ids_that_were_made_to_collide_are_told_apart(void **state)
{
    struct ledger_fixture *f = *state;
    struct batch batch;
    batch_init(&batch);
    add_hostile(&batch);
    assert_int_equal(commit_batch(f->store, &batch), OK);
    assert_int_equal(batch.stored, HOSTILE);
    for (int again = 0; again < 2; again++) {
        batch_clear(&batch);
        add_hostile(&batch);
        assert_int_equal(commit_batch(f->store, &batch), OK);
        assert_int_equal(batch.duplicates, HOSTILE);
        fixture_reopen(f);
    }
    batch_release(&batch);
}

int main(void)
{
#define STORY(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        STORY(test_a_repeat_in_the_same_frame_is_a_duplicate),
        STORY(test_a_repeat_in_a_frame_whose_memory_is_not_kept_is_one_too),
        STORY(test_ids_that_were_made_to_collide_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
