/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/ledger.h"
#include "ledger/ledger_support.h"
#include "os/clock.h"
#include "os/fault.h"
#include "os/file.h"

static void assert_whole(struct ledger_fixture *f)
{
    struct ledger_verify_result result = {0};
    enum err e = ledger_verify(f->temp.path, (slice){0}, NULL, NULL, &result, &f->diag);
    if (e != OK) {
        print_message("verify: %s: %s\n", f->diag.where, f->diag.text);
    }
    assert_int_equal(e, OK);
}

static struct merkle_hash root_of(struct store *store, uint64_t size)
{
    struct merkle_hash root;
    assert_int_equal(merkle_root_at(size, store_node, store, &root), OK);
    return root;
}

static void test_what_is_appended_is_found_at_once(void **state)
{
    struct ledger_fixture *f = *state;
    uint64_t seqs[10];
    append_range(f->store, 0, 100, 7);
    assert_int_equal(store_size(f->store), 100);
    assert_int_equal(find_seqs(f->store, "correlation_id:corr-3", seqs, 10), 6);
    assert_int_equal(seqs[0], 18);
    assert_int_equal(seqs[5], 23);
    assert_int_equal(find_seqs(f->store, "event_outcome:failure", seqs, 10), 10);
    assert_int_equal(find_seqs(f->store, "data.n:42", seqs, 10), 1);
    assert_int_equal(seqs[0], 42);
}

static void test_a_restart_changes_nothing(void **state)
{
    struct ledger_fixture *f = *state;
    uint64_t seqs[10];
    append_range(f->store, 0, 1000, 100);
    struct merkle_hash before = root_of(f->store, 1000);
    fixture_reopen(f);
    assert_int_equal(store_size(f->store), 1000);
    struct merkle_hash after = root_of(f->store, 1000);
    assert_memory_equal(before.bytes, after.bytes, MERKLE_HASH_BYTES);
    assert_int_equal(find_seqs(f->store, "data.n:999", seqs, 10), 1);
    append_range(f->store, 1000, 1100, 100);
    assert_int_equal(store_size(f->store), 1100);
    fixture_close(f);
    assert_whole(f);
    assert_int_equal(fixture_open(f), OK);
}

static void test_a_repeat_is_a_duplicate_and_another_content_a_conflict(void **state)
{
    struct ledger_fixture *f = *state;
    struct batch batch;
    batch_init(&batch);
    append_range(f->store, 0, 10, 10);
    fixture_reopen(f);

    add_numbered(&batch, 3, NULL);
    assert_int_equal(commit_batch(f->store, &batch), OK);
    assert_int_equal(batch.duplicates, 1);
    assert_int_equal(batch.stored, 0);
    assert_int_equal(batch.events[0].state, BATCH_DUPLICATE);
    assert_int_equal(batch.events[0].seq, 3);

    batch_clear(&batch);
    add_numbered(&batch, 100, NULL);
    add_numbered(&batch, 3, "{\"n\":\"other\"}");
    assert_int_equal(commit_batch(f->store, &batch), ERR_CONFLICT);
    assert_int_equal(batch.conflict_at, 1);
    assert_int_equal(store_size(f->store), 10); /* all or nothing */

    batch_clear(&batch);
    add_numbered(&batch, 100, NULL); /* which the refused batch has not made known */
    add_numbered(&batch, 100, NULL); /* twice in one batch */
    assert_int_equal(commit_batch(f->store, &batch), OK);
    assert_int_equal(batch.stored, 1);
    assert_int_equal(batch.duplicates, 1);

    batch_clear(&batch);
    batch.skip_conflicts = true;
    add_numbered(&batch, 3, "{\"n\":\"other\"}");
    add_numbered(&batch, 101, NULL);
    assert_int_equal(commit_batch(f->store, &batch), OK);
    assert_int_equal(batch.events[0].state, BATCH_CONFLICT);
    assert_int_equal(batch.events[1].seq, 11);
    batch_release(&batch);
}

static void test_a_second_process_is_kept_out(void **state)
{
    struct ledger_fixture *f = *state;
    struct ledger *second = NULL;
    assert_int_equal(ledger_describe(f->ledger, SLICE("pid 7 listen 127.0.0.1:1\n"), NULL), OK);
    assert_int_equal(ledger_open(f->temp.path, &f->options, &second, &f->diag), ERR_CONFLICT);
    assert_non_null(strstr(f->diag.text, "pid 7"));
}

static void test_a_checkpoint_covers_what_was_acknowledged(void **state)
{
    struct ledger_fixture *f = *state;
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    struct store_identity identity;
    struct checkpoint head;
    struct note_verifier known[STORE_KEYS_MAX];
    uint64_t size = 0;
    append_range(f->store, 0, 300, 50);
    assert_int_equal(store_wait_checkpoint(f->store, 300, 5000), OK);
    assert_int_equal(store_checkpoint(f->store, &note, &size, NULL), OK);
    assert_int_equal(size, 300);
    store_identity(f->store, &identity);
    for (size_t i = 0; i < identity.key_count; i++) {
        known[i] = identity.keys[i].verifier;
    }
    assert_int_equal(checkpoint_open(buf_slice(&note), slice_from_cstr(identity.origin), known,
                                     identity.key_count, &head, NULL),
                     OK);
    struct merkle_hash root = root_of(f->store, 300);
    assert_memory_equal(root.bytes, head.root.bytes, MERKLE_HASH_BYTES);
}

static void test_keys_rotate_with_overlap(void **state)
{
    struct ledger_fixture *f = *state;
    struct store_identity identity;
    append_range(f->store, 0, 10, 10);
    assert_int_equal(store_rotate_key(f->store, INT64_C(3600000000), NULL), OK);
    assert_int_equal(store_rotate_key(f->store, 0, NULL), ERR_CONFLICT);
    append_range(f->store, 10, 20, 10);
    assert_int_equal(store_wait_checkpoint(f->store, 20, 5000), OK);
    store_identity(f->store, &identity);
    assert_int_equal(identity.key_count, 3); /* new, old, cosigner */
    assert_int_equal(identity.keys[0].retires_us, 0);
    assert_true(identity.keys[1].retires_us > 0);
    fixture_reopen(f);
    fixture_close(f);
    assert_whole(f);
    assert_int_equal(fixture_open(f), OK);
}

/* Each start writes into a new WAL file; what many of them left is brought together. */
static void test_many_starts_do_not_scatter_the_wal(void **state)
{
    enum { STARTS = 100 };
    struct ledger_fixture *f = *state;
    struct store_figures figures;
    f->options.wal_file_bytes = MIB(1);
    for (uint64_t n = 0; n < STARTS; n++) {
        fixture_reopen(f);
        append_range(f->store, n, n + 1, 1);
        store_figures(f->store, &figures);
        assert_true(figures.wal_bytes <= MIB(8));
    }
    fixture_reopen(f);
    uint64_t seqs[STARTS + 1];
    assert_int_equal(find_seqs(f->store, "*", seqs, STARTS + 1), STARTS);
    append_range(f->store, STARTS, ROWS_MAX + 1, 5000);
    ledger_settle(f->ledger);
    fixture_reopen(f);
    assert_int_equal(store_size(f->store), ROWS_MAX + 1);
    fixture_close(f);
    assert_whole(f);
    assert_int_equal(fixture_open(f), OK);
}

/* ---- Time and trouble ---- */

static void read_note(struct ledger_fixture *f, struct buf *note)
{
    uint64_t size = 0;
    buf_clear(note);
    assert_int_equal(store_checkpoint(f->store, note, &size, NULL), OK);
}

/* The cosigner's name is the log's and a little more: what does not fit is cut between
 * characters. */
static void test_a_log_may_have_the_longest_name(void **state)
{
    struct ledger_fixture *f = *state;
    struct store_identity identity;
    char name[NOTE_NAME_BYTES_MAX + 1] = "";
    for (size_t i = 0; i + 1 < NOTE_NAME_BYTES_MAX; i += 2) {
        memcpy(name + i, "\xc3\xbc", 2);
    }
    fixture_close(f);
    tempdir_release(&f->temp);
    tempdir_init(&f->temp);
    f->options.origin = slice_from_cstr(name);
    assert_int_equal(fixture_open(f), OK);
    store_identity(f->store, &identity);
    assert_string_equal(identity.origin, name);
    assert_int_equal(identity.key_count, 2);
    f->options.origin = (slice){0};
}

static void test_silence_is_dated(void **state)
{
    struct ledger_fixture *f = *state;
    CLEANUP(buf_release) struct buf before = BUF_INIT(NOTE_BYTES_MAX);
    CLEANUP(buf_release) struct buf after = BUF_INIT(NOTE_BYTES_MAX);
    f->options.cosign_interval_ms = 10;
    fixture_reopen(f);
    read_note(f, &before);
    clock_advance_for_tests(5000000);
    for (int i = 0; i < 1000; i++) {
        (void)store_wait(f->store, 0, 5); /* nothing comes */
        read_note(f, &after);
        if (!slice_equal(buf_slice(&before), buf_slice(&after))) {
            return;
        }
    }
    fail_msg("the cosignature was not renewed");
}

/* Fails the syncs of WAL files while it is switched on. */
static _Atomic bool syncs_fail;

static enum fault_action decide_syncs(void *ctx, const struct fault_op *op)
{
    bool is_wal = strstr(op->name, ".wal") != NULL;
    return op->kind == FAULT_SYNC && is_wal && atomic_load(&syncs_fail) ? FAULT_FAIL : FAULT_NONE;
}

static void count_fatal(void *context, const struct diag *diag)
{
    atomic_fetch_add((_Atomic int *)context, 1);
}

static enum err note_asked(void *context, const struct rows *rows, struct row_set *set)
{
    UNUSED(rows);
    UNUSED(set);
    *(bool *)context = true;
    return OK;
}

static void test_a_failed_sync_ends_the_acknowledging(void **state)
{
    struct ledger_fixture *f = *state;
    struct fault_plan plan = {.decide = decide_syncs};
    _Atomic int fatal = 0;
    uint64_t erased = 0;
    struct batch batch;
    batch_init(&batch);
    fixture_close(f);
    f->options.buffered_wal = true;
    f->options.on_fatal = count_fatal;
    f->options.fatal_context = &fatal;
    fault_install(&plan);
    assert_int_equal(fixture_open(f), OK);
    append_range(f->store, 0, 10, 10);
    atomic_store(&syncs_fail, true);
    add_numbered(&batch, 10, NULL);
    assert_int_equal(commit_batch(f->store, &batch), ERR_IO);
    assert_int_equal(atomic_load(&fatal), 1);
    assert_int_equal(store_size(f->store), 10);
    atomic_store(&syncs_fail, false); /* it is never tried again */
    batch_clear(&batch);
    add_numbered(&batch, 11, NULL);
    assert_int_equal(commit_batch(f->store, &batch), ERR_IO);
    batch_release(&batch);
    bool is_asked = false; /* about rows of which nobody knows whether they are stored */
    assert_int_equal(ledger_erase(f->ledger, note_asked, &is_asked, &erased, &f->diag), ERR_IO);
    assert_false(is_asked);
    fixture_close(f);
    fault_install(NULL);
    assert_int_equal(fixture_open(f), OK);
    assert_true(store_size(f->store) >= 10);
}

/* ---- Sealing ---- */

static void test_a_full_segment_is_sealed_and_says_the_same(void **state)
{
    struct ledger_fixture *f = *state;
    uint64_t seqs[10];
    struct store_figures figures;
    append_range(f->store, 0, 70000, 5000);
    struct merkle_hash before = root_of(f->store, 70000);
    ledger_settle(f->ledger);
    store_figures(f->store, &figures);
    assert_int_equal(figures.segments, 1);
    struct merkle_hash after = root_of(f->store, 70000);
    assert_memory_equal(before.bytes, after.bytes, MERKLE_HASH_BYTES);
    assert_int_equal(find_seqs(f->store, "data.n:65535", seqs, 10), 1);
    assert_int_equal(find_seqs(f->store, "data.n:65536", seqs, 10), 1);
    assert_int_equal(find_seqs(f->store, "correlation_id:corr-10922", seqs, 10), 6);
    assert_int_equal(seqs[0], 65532);
    struct batch batch;
    batch_init(&batch);
    add_numbered(&batch, 5, NULL); /* sealed by now */
    assert_int_equal(commit_batch(f->store, &batch), OK);
    assert_int_equal(batch.events[0].state, BATCH_DUPLICATE);
    batch_release(&batch);
    fixture_reopen(f);
    struct merkle_hash reopened = root_of(f->store, 70000);
    assert_memory_equal(before.bytes, reopened.bytes, MERKLE_HASH_BYTES);
    fixture_close(f);
    assert_whole(f);
    assert_int_equal(fixture_open(f), OK);
}

/* As many clients: batches of 15 that come at once, each for itself. */
static void append_as_many(struct store *store, uint64_t from, uint64_t to)
{
    enum { EACH = 15 };
    size_t count = (size_t)(to - from + EACH - 1) / EACH;
    CLEANUP(mem_freep) struct batch *batches = mem_array(count, sizeof(*batches));
    CLEANUP(mem_freep) struct append_wait *waits = mem_array(count, sizeof(*waits));
    for (size_t i = 0; i < count; i++) {
        batch_init(&batches[i]);
        for (uint64_t n = 0; n < EACH && from < to; n++) {
            add_numbered(&batches[i], from++, NULL);
        }
        assert_int_equal(append_begin(store, &batches[i], &waits[i]), OK);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(append_end(&waits[i]), OK);
        batch_release(&batches[i]);
    }
}

static struct store_figures figures_of(struct store *store)
{
    struct store_figures figures;
    store_figures(store, &figures);
    return figures;
}

/* Requests of single events should not wait for it; in bulk it is half of the work. */
static void test_a_segment_of_small_batches_is_sealed_in_the_background(void **state)
{
    struct ledger_fixture *f = *state;
    append_range(f->store, 0, ROWS_MAX, 5000);
    while (figures_of(f->store).segments == 0) {
        (void)usleep(1000);
    }
    assert_int_equal(figures_of(f->store).sealed_behind, 0);
    append_as_many(f->store, ROWS_MAX, 2 * ROWS_MAX);
    while (figures_of(f->store).sealed_behind == 0) {
        (void)usleep(1000);
    }
    append_range(f->store, 2 * ROWS_MAX, 3 * ROWS_MAX, 5000); /* before its end it is wanted */
    struct merkle_hash before = root_of(f->store, 3 * ROWS_MAX);
    ledger_settle(f->ledger);
    assert_int_equal(figures_of(f->store).sealed_behind, 1);
    fixture_reopen(f);
    struct merkle_hash after = root_of(f->store, 3 * ROWS_MAX);
    assert_memory_equal(before.bytes, after.bytes, MERKLE_HASH_BYTES);
    fixture_close(f);
    assert_whole(f);
    assert_int_equal(fixture_open(f), OK);
}

/* ---- Erasure ---- */

/* Erases the rows of a user. */
static enum err choose_actor(void *context, const struct rows *rows, struct row_set *set)
{
    struct rows_reader *reader = rows->ops->reader_new(rows);
    char *scratch = mem_zeroed(ROWS_EVENT_SCRATCH_BYTES);
    enum err e = OK;
    for (uint32_t row = 0; row < rows->count && e == OK; row++) {
        struct event event;
        e = rows_event(reader, row, scratch, &event);
        if (e == OK && slice_equal(event.value[FIELD_ACTOR_ID].text, slice_from_cstr(context))) {
            row_set_add(set, row);
        }
        e = e == ERR_GONE ? OK : e;
    }
    free(scratch);
    rows->ops->reader_free(reader);
    return e;
}

static enum err choose_first_segment(void *context, const struct rows *rows, struct row_set *set)
{
    for (uint32_t row = 0; rows->first_seq == 0 && row < rows->count; row++) {
        row_set_add(set, row);
    }
    return OK;
}

static void test_unsealed_rows_are_erased_from_the_wal(void **state)
{
    struct ledger_fixture *f = *state;
    uint64_t erased = 0;
    uint64_t seqs[10];
    append_range(f->store, 0, 1000, 100);
    struct merkle_hash before = root_of(f->store, 1000);
    assert_true(disk_has(f, "user-7"));
    char actor[] = "user-7";
    assert_int_equal(ledger_erase(f->ledger, choose_actor, actor, &erased, &f->diag), OK);
    assert_int_equal(erased, 20);
    assert_false(disk_has(f, "user-7"));
    assert_true(disk_has(f, "user-8"));
    assert_int_equal(find_seqs(f->store, "actor_id:user-7", seqs, 10), 0);
    assert_int_equal(find_seqs(f->store, "actor_id:user-8", seqs, 10), 20);
    struct merkle_hash after = root_of(f->store, 1000);
    assert_memory_equal(before.bytes, after.bytes, MERKLE_HASH_BYTES);
    assert_int_equal(ledger_erase(f->ledger, choose_actor, actor, &erased, &f->diag), OK);
    assert_int_equal(erased, 0); /* run again, nothing is left to do */
    append_range(f->store, 1000, 1100, 100);
    fixture_reopen(f);
    assert_int_equal(find_seqs(f->store, "actor_id:user-8", seqs, 10), 22);
    after = root_of(f->store, 1000);
    assert_memory_equal(before.bytes, after.bytes, MERKLE_HASH_BYTES);
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    struct store_event event;
    assert_int_equal(store_get(f->store, 7, (slice){0}, &arena, &event, NULL), ERR_GONE);
    fixture_close(f);
    assert_whole(f);
    assert_int_equal(fixture_open(f), OK);
}

static void test_sealed_rows_are_erased_and_their_hashes_stay(void **state)
{
    struct ledger_fixture *f = *state;
    uint64_t erased = 0;
    uint64_t seqs[10];
    append_range(f->store, 0, 66000, 5000);
    ledger_settle(f->ledger);
    struct merkle_hash before = root_of(f->store, 66000);
    char actor[] = "user-7";
    assert_int_equal(ledger_erase(f->ledger, choose_actor, actor, &erased, &f->diag), OK);
    assert_int_equal(erased, 1320);
    assert_false(disk_has(f, "user-7"));
    assert_int_equal(find_seqs(f->store, "actor_id:user-7", seqs, 10), 0);
    assert_int_equal(find_seqs(f->store, "actor_id:user-8", seqs, 10), 1320);
    struct merkle_hash after = root_of(f->store, 66000);
    assert_memory_equal(before.bytes, after.bytes, MERKLE_HASH_BYTES);
    fixture_close(f);
    assert_whole(f);
    assert_int_equal(fixture_open(f), OK);
}

/* When a spare file that held something is to be overwritten; others are made. */
static enum fault_action cut_at_a_spare(void *context, const struct fault_op *op)
{
    struct stat stat = {0};
    UNUSED(context);
    bool is_spare = op->kind == FAULT_ALLOCATE && strncmp(op->name, "spare-", 6) == 0 &&
                    fstat(op->fd, &stat) == 0 && stat.st_size > 0;
    return is_spare ? FAULT_POWER_OFF : FAULT_NONE;
}

/* Everything is erased but for what spare files held; the next start does the rest. */
static void test_an_erasure_that_is_cut_before_its_end_leaves_nothing_behind_a_start(void **state)
{
    struct ledger_fixture *f = *state;
    struct fault_plan plan = {.decide = cut_at_a_spare};
    uint64_t erased = 0;
    uint64_t seqs[10];
    char actor[] = "user-7";
    fixture_close(f);
    f->options.wal_file_bytes = MIB(1);
    assert_int_equal(fixture_open(f), OK);
    append_range(f->store, 0, 66000, 5000);
    ledger_settle(f->ledger);
    fault_install(&plan);
    assert_int_equal(ledger_erase(f->ledger, choose_actor, actor, &erased, &f->diag), ERR_IO);
    fixture_close(f);
    fault_install(NULL);
    assert_true(disk_has(f, "user-7"));
    assert_int_equal(fixture_open(f), OK);
    assert_false(disk_has(f, "user-7"));
    assert_int_equal(find_seqs(f->store, "actor_id:user-7", seqs, 10), 0);
    assert_int_equal(find_seqs(f->store, "actor_id:user-8", seqs, 10), 1320);
}

static void test_a_segment_that_is_all_erased_is_unlinked(void **state)
{
    struct ledger_fixture *f = *state;
    uint64_t erased = 0;
    uint64_t seqs[10];
    struct store_figures figures;
    append_range(f->store, 0, 66000, 5000);
    ledger_settle(f->ledger);
    struct merkle_hash before = root_of(f->store, 66000);
    assert_int_equal(ledger_erase(f->ledger, choose_first_segment, NULL, &erased, &f->diag), OK);
    assert_int_equal(erased, 65536);
    assert_false(disk_has(f, "event number 1000\"")); /* nor in WAL files that it was once in */
    assert_true(disk_has(f, "event number 65999\""));
    store_figures(f->store, &figures);
    assert_int_equal(figures.segments, 0);
    struct merkle_hash after = root_of(f->store, 66000);
    assert_memory_equal(before.bytes, after.bytes, MERKLE_HASH_BYTES);
    assert_int_equal(find_seqs(f->store, "*", seqs, 10), 464);
    struct merkle_proof proof;
    assert_int_equal(merkle_prove_inclusion(65600, 66000, store_node, f->store, &proof), OK);
    assert_int_equal(merkle_prove_inclusion(600, 66000, store_node, f->store, &proof), ERR_GONE);
    fixture_reopen(f);
    after = root_of(f->store, 66000);
    assert_memory_equal(before.bytes, after.bytes, MERKLE_HASH_BYTES);
    fixture_close(f);
    assert_whole(f);
    assert_int_equal(fixture_open(f), OK);
}

static void test_the_reserve_changes_while_it_is_open(void **state)
{
    struct ledger_fixture *f = *state;
    struct store_figures figures;
    struct batch batch;
    batch_init(&batch);
    append_range(f->store, 0, 10, 10);
    ledger_set_reserve(f->ledger, UINT64_MAX, 0);
    store_figures(f->store, &figures);
    assert_false(figures.writable);
    add_numbered(&batch, 10, NULL);
    assert_int_equal(commit_batch(f->store, &batch), ERR_FULL);
    ledger_set_reserve(f->ledger, 0, 100);
    assert_int_equal(commit_batch(f->store, &batch), ERR_FULL);
    ledger_set_reserve(f->ledger, 0, 0);
    assert_int_equal(commit_batch(f->store, &batch), OK);
    assert_int_equal(store_size(f->store), 11);
    batch_release(&batch);
}

int main(void)
{
#define STORY(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        STORY(test_what_is_appended_is_found_at_once),
        STORY(test_a_restart_changes_nothing),
        STORY(test_a_repeat_is_a_duplicate_and_another_content_a_conflict),
        STORY(test_a_second_process_is_kept_out),
        STORY(test_a_checkpoint_covers_what_was_acknowledged),
        STORY(test_keys_rotate_with_overlap),
        STORY(test_many_starts_do_not_scatter_the_wal),
        STORY(test_a_log_may_have_the_longest_name),
        STORY(test_silence_is_dated),
        STORY(test_a_failed_sync_ends_the_acknowledging),
        STORY(test_a_full_segment_is_sealed_and_says_the_same),
        STORY(test_a_segment_of_small_batches_is_sealed_in_the_background),
        STORY(test_unsealed_rows_are_erased_from_the_wal),
        STORY(test_sealed_rows_are_erased_and_their_hashes_stay),
        STORY(test_an_erasure_that_is_cut_before_its_end_leaves_nothing_behind_a_start),
        STORY(test_a_segment_that_is_all_erased_is_unlinked),
        STORY(test_the_reserve_changes_while_it_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
