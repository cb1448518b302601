/* SPDX-License-Identifier: Apache-2.0 */
/*
 * concurrent - writers, readers, an eraser and a sealer at once. What this shows is shown by
 * running it under the thread sanitizer, too.
 */
#include <stdatomic.h>

#include "ledger/ledger_support.h"

enum {
    WRITERS = 2,
    READERS = 2,
    EVENTS_EACH = 40000, /* together more than a segment */
    BATCH_EVENTS = 200,
};

struct crowd {
    struct ledger_fixture *f;
    _Atomic uint32_t writing;
    _Atomic uint64_t scans;
};

struct writer {
    struct crowd *crowd;
    uint64_t first;
    struct thread thread;
};

static void write_all(void *arg)
{
    struct writer *writer = arg;
    append_range(writer->crowd->f->store, writer->first, writer->first + EVENTS_EACH, BATCH_EVENTS);
    atomic_fetch_sub(&writer->crowd->writing, 1);
}

/* A page of the newest, seen whole: no event twice, none out of order. */
static void read_page(struct store *store)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter_context context = {.now_us = SUPPORT_T0};
    const struct filter *filter = NULL;
    assert_int_equal(filter_parse(SLICE("event_outcome:failure data.n>5"), &context, &arena,
                                  &filter, NULL),
                     OK);
    const struct store_scan_options options = {.org = SLICE("default"),
                                               .filter = filter,
                                               .order = STORE_SEQ_DESC,
                                               .size = UINT64_MAX};
    OWNED(store_scan) scan = NULL;
    const struct store_event *event = NULL;
    uint64_t last = UINT64_MAX;
    assert_int_equal(store_scan_open(store, &options, &scan, NULL), OK);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(store_scan_next(scan, &event, NULL), OK);
        if (event == NULL) {
            break;
        }
        assert_true(event->seq < last);
        last = event->seq;
    }
    filter_release(filter);
}

static void read_all(void *arg)
{
    struct crowd *crowd = arg;
    struct merkle_proof proof;
    while (atomic_load(&crowd->writing) > 0) {
        read_page(crowd->f->store);
        uint64_t size = store_wait(crowd->f->store, store_size(crowd->f->store), 5);
        if (size > 0) {
            enum err e =
                merkle_prove_inclusion(size / 2, size, store_node, crowd->f->store, &proof);
            assert_true(e == OK || e == ERR_GONE);
        }
        struct store_figures figures;
        store_figures(crowd->f->store, &figures);
        atomic_fetch_add(&crowd->scans, 1);
    }
}

static enum err choose_some(void *context, const struct rows *rows, struct row_set *set)
{
    for (uint32_t row = 0; row < rows->count; row += 97) {
        row_set_add(set, row);
    }
    return OK;
}

static void test_writers_readers_and_an_eraser_at_once(void **state)
{
    struct ledger_fixture *f = *state;
    struct crowd crowd = {.f = f};
    struct writer writers[WRITERS] = {0};
    struct thread readers[READERS] = {0};
    uint64_t erased = 0;
    atomic_store(&crowd.writing, WRITERS);
    for (uint64_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.crowd = &crowd, .first = i * EVENTS_EACH};
        assert_int_equal(thread_start(&writers[i].thread, "writer", write_all, &writers[i], NULL),
                         OK);
    }
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(thread_start(&readers[i], "reader", read_all, &crowd, NULL), OK);
    }
    while (atomic_load(&crowd.writing) > 0) {
        uint64_t n = 0;
        (void)store_wait(f->store, store_size(f->store) + 10000, 300);
        assert_int_equal(ledger_erase(f->ledger, choose_some, NULL, &n, &f->diag), OK);
        erased += n;
    }
    for (size_t i = 0; i < WRITERS; i++) {
        thread_join(&writers[i].thread);
    }
    for (size_t i = 0; i < READERS; i++) {
        thread_join(&readers[i]);
    }
    assert_int_equal(store_size(f->store), (uint64_t)WRITERS * EVENTS_EACH);
    assert_true(atomic_load(&crowd.scans) > 0);
    assert_true(erased > 0);
    fixture_close(f);
    struct ledger_verify_result result = {0};
    assert_int_equal(ledger_verify(f->temp.path, (slice){0}, NULL, NULL, &result, &f->diag), OK);
    assert_int_equal(result.events, (uint64_t)WRITERS * EVENTS_EACH);
    assert_int_equal(result.erased, erased);
    assert_int_equal(fixture_open(f), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writers_readers_and_an_eraser_at_once, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
