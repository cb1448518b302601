/* SPDX-License-Identifier: Apache-2.0 */
/*
 * concurrent - writers, readers, an eraser and a sealer at once. What this shows is shown by
 * running it under the thread sanitizer, too. With CAIRN_TEST_LONG it is a soak: some minutes, a
 * seal and an erasure after the other, and memory must not grow with the erasures.
 */
#include <stdatomic.h>

#include "ledger/ledger_support.h"

enum {
    WRITERS = 2,
    READERS = 2,
    EVENTS_EACH = 40000, /* together more than a segment */
    LONG_TIMES = 30,     /* as many, if CAIRN_TEST_LONG is set */
    BATCH_EVENTS = 200,
    PASSES_MAX = 10000,
    ID_BYTES = 48,                  /* of memory for an event that no group of segments indexes */
    SLACK_BYTES = 32 * 1024 * 1024, /* how full the active segment and the allocator are */
};

struct crowd {
    struct ledger_fixture *f;
    _Atomic uint32_t writing;
    _Atomic uint64_t scans;
    uint64_t events_each;
};

struct writer {
    struct crowd *crowd;
    uint64_t first;
    struct thread thread;
};

static void write_all(void *arg)
{
    struct writer *writer = arg;
    append_range(writer->crowd->f->store, writer->first, writer->first + writer->crowd->events_each,
                 BATCH_EVENTS);
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

/* What the process asked for, without pages of files. */
static uint64_t anonymous_bytes(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    assert_non_null(status);
    while (fgets(line, sizeof(line), status) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtoull(line + 8, NULL, 10);
        }
    }
    (void)fclose(status);
    return kib * 1024;
}

/* The most of some passes. */
static uint64_t most_of(const uint64_t *bytes, size_t from, size_t to)
{
    uint64_t most = 0;
    for (size_t i = from; i < to; i++) {
        most = bytes[i] > most ? bytes[i] : most;
    }
    return most;
}

/* Erases while somebody writes; returns how many events, and what memory was held each time. */
static uint64_t erase_all(struct crowd *crowd, uint64_t *bytes, size_t *passes)
{
    struct ledger_fixture *f = crowd->f;
    uint64_t erased = 0;
    for (*passes = 0; atomic_load(&crowd->writing) > 0 && *passes < PASSES_MAX; ++*passes) {
        uint64_t n = 0;
        (void)store_wait(f->store, store_size(f->store) + 10000, 300);
        assert_int_equal(ledger_erase(f->ledger, choose_some, NULL, &n, &f->diag), OK);
        erased += n;
        bytes[*passes] = anonymous_bytes();
    }
    return erased;
}

static void test_writers_readers_and_an_eraser_at_once(void **state)
{
    struct ledger_fixture *f = *state;
    bool is_long = getenv("CAIRN_TEST_LONG") != NULL;
    struct crowd crowd = {.f = f, .events_each = EVENTS_EACH * (is_long ? LONG_TIMES : 1)};
    static uint64_t bytes[PASSES_MAX];
    size_t passes = 0;
    uint64_t total = WRITERS * crowd.events_each;
    struct writer writers[WRITERS] = {0};
    struct thread readers[READERS] = {0};
    atomic_store(&crowd.writing, WRITERS);
    for (uint64_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.crowd = &crowd, .first = i * crowd.events_each};
        assert_int_equal(thread_start(&writers[i].thread, "writer", write_all, &writers[i], NULL),
                         OK);
    }
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(thread_start(&readers[i], "reader", read_all, &crowd, NULL), OK);
    }
    uint64_t erased = erase_all(&crowd, bytes, &passes);
    for (size_t i = 0; i < WRITERS; i++) {
        thread_join(&writers[i].thread);
    }
    for (size_t i = 0; i < READERS; i++) {
        thread_join(&readers[i]);
    }
    assert_int_equal(store_size(f->store), total);
    assert_true(atomic_load(&crowd.scans) > 0);
    assert_true(erased > 0);
    if (is_long) {
        uint64_t early = most_of(bytes, passes / 4, passes / 2);
        uint64_t late = most_of(bytes, passes * 3 / 4, passes);
        print_message("# %zu erasures, %llu MiB early, %llu MiB late\n", passes,
                      (unsigned long long)early >> 20, (unsigned long long)late >> 20);
        assert_true(late < early + total / 2 * ID_BYTES + SLACK_BYTES);
    }
    fixture_close(f);
    struct ledger_verify_result result = {0};
    assert_int_equal(ledger_verify(f->temp.path, (slice){0}, NULL, NULL, &result, &f->diag), OK);
    assert_int_equal(result.events, total);
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
