/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf - events whose leaf hash the store makes itself (`leaf_due`), also when it has to judge one
 * of them while the other is not on disk yet. What they must be is made apart: an entry of the log
 * from the event, its hash, and a tree of those.
 */
#include "ledger/ledger_support.h"

/* ---- What must come out ---- */

static struct merkle_hash leaf_of(const struct event *event)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(1));
    CLEANUP(buf_release) struct buf entry = BUF_INIT(MIB(1));
    event_write_line(event, &line);
    event_write_entry(buf_slice(&line), &entry);
    return merkle_leaf(buf_slice(&entry));
}

static void assert_leaf(const struct leaf_hash *got, const struct merkle_hash *expected)
{
    assert_memory_equal(got->bytes, expected->bytes, LEAF_HASH_BYTES);
}

/* The log is the one that was made apart, and its last leaf can be proven. */
static void assert_log(struct ledger_fixture *f, const struct merkle_frontier *expected,
                       const struct merkle_hash *last)
{
    struct merkle_hash root = {0};
    struct merkle_hash must_be = merkle_root(expected);
    struct merkle_proof proof;
    assert_int_equal(store_size(f->store), expected->size);
    assert_int_equal(merkle_root_at(expected->size, store_node, f->store, &root), OK);
    assert_true(merkle_hash_equal(&root, &must_be));
    assert_int_equal(merkle_prove_inclusion(expected->size - 1, expected->size, store_node,
                                            f->store, &proof),
                     OK);
    assert_true(
        merkle_verify_inclusion(expected->size - 1, expected->size, last, &proof, &must_be));
}

/* The same, as ledger_verify() makes it from the events, and after a start. */
static void assert_log_at_rest(struct ledger_fixture *f, const struct merkle_frontier *expected,
                               const struct merkle_hash *last)
{
    struct ledger_verify_result result = {0};
    fixture_close(f);
    assert_int_equal(ledger_verify(f->temp.path, (slice){0}, NULL, NULL, &result, &f->diag), OK);
    assert_int_equal(fixture_open(f), OK);
    assert_log(f, expected, last);
}

static void add_due(struct batch *batch, const struct event *event)
{
    static const struct leaf_hash none;
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(1));
    batch_clear(batch);
    batch->leaf_due = true;
    assert_int_equal(batch_add(batch, event, event->present, &line), OK);
    assert_true(batch->leaf_due);
    assert_memory_equal(batch->events[0].leaf.bytes, none.bytes, LEAF_HASH_BYTES);
}

static void test_a_leaf_hash_that_is_due_is_made_before_the_event_is_told(void **state)
{
    struct ledger_fixture *f = *state;
    struct batch made;
    struct batch due;
    batch_init(&made);
    batch_init(&due);
    add_numbered(&made, 7, NULL);
    due.leaf_due = true;
    add_numbered(&due, 7, NULL);
    assert_memory_not_equal(due.events[0].leaf.bytes, made.events[0].leaf.bytes, LEAF_HASH_BYTES);
    assert_int_equal(commit_batch(f->store, &due), OK);
    assert_memory_equal(due.events[0].leaf.bytes, made.events[0].leaf.bytes, LEAF_HASH_BYTES);

    batch_clear(&due); /* a repeat is told the leaf hash of what is stored */
    due.leaf_due = true;
    add_numbered(&due, 7, NULL);
    assert_int_equal(commit_batch(f->store, &due), OK);
    assert_int_equal(due.duplicates, 1);
    assert_memory_equal(due.events[0].leaf.bytes, made.events[0].leaf.bytes, LEAF_HASH_BYTES);
    batch_release(&made);
    batch_release(&due);
}

/* ---- Batches in one frame ---- */

/* Holds the sequencer in the `done` of one batch, so that all that come meanwhile go into the next
 * frame together. */
struct gate {
    struct mutex lock;
    struct condition moved;
    bool is_held, is_open;
    size_t told;
    enum err results[2];
};

static void on_held(struct batch *batch, enum err result, const struct diag *diag)
{
    struct gate *gate = batch->owner;
    UNUSED(diag);
    assert_int_equal(result, OK);
    mutex_lock(&gate->lock);
    gate->is_held = true;
    condition_broadcast(&gate->moved);
    while (!gate->is_open) {
        condition_wait(&gate->moved, &gate->lock);
    }
    mutex_unlock(&gate->lock);
}

static void on_told(struct batch *batch, enum err result, const struct diag *diag)
{
    struct gate *gate = batch->owner;
    UNUSED(diag);
    mutex_lock(&gate->lock);
    gate->results[gate->told++] = result;
    condition_broadcast(&gate->moved);
    mutex_unlock(&gate->lock);
}

static void append_with(struct store *store, struct batch *batch, struct gate *gate,
                        void (*done)(struct batch *batch, enum err result, const struct diag *diag))
{
    batch->owner = gate;
    batch->done = done;
    assert_int_equal(store_append(store, batch, NULL), OK);
}

/* Commits `head`, and both others behind it in one frame. */
static void commit_together(struct store *store, struct batch *head, struct batch *one,
                            struct batch *two, enum err results[2])
{
    struct gate gate = {.lock = MUTEX_INIT};
    struct store_figures before;
    struct store_figures after;
    condition_init(&gate.moved);
    append_with(store, head, &gate, on_held);
    mutex_lock(&gate.lock);
    while (!gate.is_held) {
        condition_wait(&gate.moved, &gate.lock);
    }
    store_figures(store, &before);
    append_with(store, one, &gate, on_told);
    append_with(store, two, &gate, on_told);
    gate.is_open = true;
    condition_broadcast(&gate.moved);
    while (gate.told < 2) {
        condition_wait(&gate.moved, &gate.lock);
    }
    mutex_unlock(&gate.lock);
    store_figures(store, &after);
    assert_int_equal(after.commits, before.commits + 1);
    memcpy(results, gate.results, sizeof(gate.results));
    condition_release(&gate.moved);
    mutex_release(&gate.lock);
}

struct twins {
    const char *name;
    const char *second; /* what the second event with the id says; NULL: the same */
    bool skips;         /* its batch skips conflicts */
    enum err result;
    enum batch_event_state state;
};

static const struct twins twins[] = {
    {"the same", NULL, false, OK, BATCH_DUPLICATE},
    {"the same, with conflicts skipped", NULL, true, OK, BATCH_DUPLICATE},
    {"another content", "{\"n\":\"other\"}", false, ERR_CONFLICT, BATCH_CONFLICT},
    {"another content, which is skipped", "{\"n\":\"other\"}", true, OK, BATCH_CONFLICT},
};

/* One id twice in one frame, both leaf hashes due: the second one is told the hash of the first,
 * which was made a moment before. The batches are used again and again. */
static void test_one_id_twice_in_a_frame(void **state)
{
    struct ledger_fixture *f = *state;
    struct batch batches[3];
    struct merkle_frontier expected = {0};
    struct merkle_hash leaf = {0};
    for (size_t i = 0; i < COUNT_OF(batches); i++) {
        batch_init(&batches[i]);
    }
    for (uint64_t i = 0; i < COUNT_OF(twins); i++) {
        struct numbered_event head;
        struct numbered_event one;
        struct numbered_event two;
        enum err results[2];
        print_message("# %s\n", twins[i].name);
        numbered_event_init(&head, 2 * i, NULL);
        numbered_event_init(&one, 2 * i + 1, NULL);
        numbered_event_init(&two, 2 * i + 1, twins[i].second);
        add_due(&batches[0], &head.event);
        add_due(&batches[1], &one.event);
        add_due(&batches[2], &two.event);
        batches[2].skip_conflicts = twins[i].skips;
        commit_together(f->store, &batches[0], &batches[1], &batches[2], results);

        leaf = leaf_of(&head.event);
        merkle_append(&expected, &leaf);
        assert_leaf(&batches[0].events[0].leaf, &leaf);
        leaf = leaf_of(&one.event);
        merkle_append(&expected, &leaf);
        assert_leaf(&batches[1].events[0].leaf, &leaf);
        assert_leaf(&batches[2].events[0].leaf, &leaf); /* of what is stored */
        assert_int_equal(results[0], OK);
        assert_int_equal(results[1], twins[i].result);
        assert_int_equal(batches[1].events[0].seq, 2 * i + 1);
        assert_int_equal(batches[2].events[0].seq, 2 * i + 1);
        assert_int_equal(batches[2].events[0].state, twins[i].state);
        assert_int_equal(batches[2].stored, 0);
        assert_log(f, &expected, &leaf);
    }
    for (size_t i = 0; i < COUNT_OF(batches); i++) {
        batch_release(&batches[i]);
    }
    assert_log_at_rest(f, &expected, &leaf);
}

/* ---- Any events ---- */

/* A batch that is used again, for one whose hash is due, for several, and with and without
 * conflicts skipped: nothing of what it was stays. */
static void test_a_batch_that_is_used_again(void **state)
{
    struct ledger_fixture *f = *state;
    struct batch batch;
    struct merkle_frontier expected = {0};
    struct merkle_hash leaf = {0};
    batch_init(&batch);
    for (uint64_t n = 0; n < 60; n += 3) {
        struct numbered_event due;
        batch.skip_conflicts = n % 2 == 0;
        numbered_event_init(&due, n, NULL);
        add_due(&batch, &due.event);
        assert_int_equal(commit_batch(f->store, &batch), OK);
        leaf = leaf_of(&due.event);
        assert_leaf(&batch.events[0].leaf, &leaf);
        merkle_append(&expected, &leaf);

        numbered_event_init(&due, n, "{\"n\":\"other\"}");
        add_due(&batch, &due.event);
        assert_int_equal(commit_batch(f->store, &batch), batch.skip_conflicts ? OK : ERR_CONFLICT);
        assert_int_equal(batch.conflicts, 1);

        batch_clear(&batch);
        assert_false(batch.leaf_due);
        for (uint64_t i = 1; i < 3; i++) {
            add_numbered(&batch, n + i, NULL);
            numbered_event_init(&due, n + i, NULL);
            leaf = leaf_of(&due.event);
            merkle_append(&expected, &leaf);
        }
        assert_int_equal(commit_batch(f->store, &batch), OK);
        assert_leaf(&batch.events[1].leaf, &leaf);
        assert_log(f, &expected, &leaf);
    }
    batch_release(&batch);
    assert_log_at_rest(f, &expected, &leaf);
}

/* Something that is awkward to write, of the type of the field. */
static void set_any(struct event *event, enum field field, uint64_t n)
{
    union value *value = &event->value[field];
    event->present |= FIELD_BIT(field);
    switch (fields[field].type) {
    case TYPE_UUID:
        value->uuid = numbered_id(n);
        break;
    case TYPE_TIME:
        value->number = SUPPORT_T0 + (int64_t)n;
        break;
    case TYPE_INTEGER:
        value->number = (int64_t)n;
        break;
    case TYPE_BOOLEAN:
        value->number = (int64_t)(n % 2);
        break;
    case TYPE_TEXT:
        value->text = SLICE("a \"quoted\" \\ and\x01\ttext \xc3\xa9");
        break;
    case TYPE_ADDRESS:
        value->text = SLICE("2001:db8::1");
        break;
    case TYPE_CHOICE:
        assert_true(choice_at(field, 0, &value->text));
        break;
    case TYPE_JSON:
        value->text = SLICE("{\"k\":[1,2.50,\"\\u0001\"]}");
        break;
    }
}

/* Whatever an event has, the row says the same, since the hash is made from that. Each has another
 * field; the last one a text of which the line has six bytes for each, so that a digest stands for
 * the line. */
static void test_any_event(void **state)
{
    enum { LONG = 12 * 1024 };
    struct ledger_fixture *f = *state;
    static char control[LONG + 1];
    struct batch batch;
    struct merkle_frontier expected = {0};
    struct merkle_hash leaf = {0};
    batch_init(&batch);
    memset(control, '\x01', LONG);
    for (unsigned n = 0; n <= FIELD_COUNT; n++) {
        struct numbered_event e;
        numbered_event_init(&e, n, NULL);
        if (n == FIELD_COUNT) {
            set_text(&e.event, FIELD_ERROR_MESSAGE, control);
        } else {
            set_any(&e.event, (enum field)n, n);
        }
        add_due(&batch, &e.event);
        assert_int_equal(commit_batch(f->store, &batch), OK);
        assert_int_equal(batch.stored, 1);
        leaf = leaf_of(&e.event);
        assert_leaf(&batch.events[0].leaf, &leaf);
        merkle_append(&expected, &leaf);
    }
    batch_release(&batch);
    assert_log(f, &expected, &leaf);
    assert_log_at_rest(f, &expected, &leaf);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_a_leaf_hash_that_is_due_is_made_before_the_event_is_told),
        WITH_FIXTURE(test_one_id_twice_in_a_frame),
        WITH_FIXTURE(test_a_batch_that_is_used_again),
        WITH_FIXTURE(test_any_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
