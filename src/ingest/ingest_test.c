/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest_test - what becomes of the bytes of a request, however they are cut, over a store that
 * keeps nothing but counts. The real store is behind the black-box tests.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "ingest/ingest.h"
#include "ingest/pool.h"
#include "store/ops.h"

/* Commits at once, gives seqs, and refuses as a conflict what has the actor "clash". */
struct small_store {
    struct store store;
    uint64_t size;
    uint64_t due;    /* batches whose leaf hash it was to make */
    enum err refuse; /* answers this instead; OK: it works */
};

static bool clashes(const struct batch *batch, size_t i)
{
    struct event event;
    slice row = {batch->rows.ptr + batch->events[i].row_at, batch->events[i].row_len};
    assert_int_equal(event_from_row(row, &event, NULL), OK);
    return event_has(&event, FIELD_ACTOR_ID) &&
           slice_equal(event.value[FIELD_ACTOR_ID].text, SLICE("clash"));
}

static enum err small_append(struct store *store, struct batch *batch, struct diag *diag)
{
    struct small_store *small = (struct small_store *)store;
    enum err result = OK;
    if (small->refuse != OK) {
        return diag_fail(diag, small->refuse, "", "refused");
    }
    small->due += batch->leaf_due ? 1 : 0;
    batch->stored = batch->duplicates = batch->conflicts = 0;
    batch->conflict_at = SIZE_MAX;
    for (size_t i = 0; i < batch->count; i++) {
        bool conflict = clashes(batch, i);
        if (conflict && !batch->skip_conflicts) {
            batch->conflict_at = i;
            result = ERR_CONFLICT;
            break;
        }
        batch->events[i].state = conflict ? BATCH_CONFLICT : BATCH_STORED;
        batch->conflicts += conflict ? 1 : 0;
    }
    for (size_t i = 0; i < batch->count && result == OK; i++) {
        if (batch->events[i].state == BATCH_STORED) {
            batch->first_seq = batch->stored == 0 ? small->size : batch->first_seq;
            batch->last_seq = batch->events[i].seq = small->size++;
            batch->stored++;
        }
    }
    batch->done(batch, result, NULL);
    return OK;
}

static const struct store_ops small_ops = {.append = small_append};

/* Which slots are done; the test continues the intake by itself. */
static void on_wake(void *context, size_t slot)
{
    ((bool *)context)[slot] = true;
}

static enum intake_state drain(struct intake *intake, bool *woken, enum intake_state state)
{
    while (state == INTAKE_WAITS) {
        size_t slot = woken[0] ? 0 : 1;
        assert_true(woken[slot]);
        woken[slot] = false;
        state = intake_continue(intake, slot);
    }
    return state;
}

struct outcome {
    enum err err;
    uint64_t index, line, count, errors;
};

struct intake_case {
    const char *name;
    enum intake_shape shape;
    bool skip;
    const char *body;
    struct outcome expect;
};

/* Feeds `body` in pieces of `piece` bytes. */
static struct outcome take_in(struct small_store *small, struct intake_pool *pool,
                              const struct intake_case *c, size_t piece)
{
    bool woken[INTAKE_SLOTS] = {false};
    const struct ingest ingest = {.store = &small->store, .pool = pool};
    const struct intake_options options = {
        .shape = c->shape,
        .skip_errors = c->skip,
        .read = {.org = SLICE("default")},
        .wake = on_wake,
        .context = woken,
    };
    struct intake *intake = intake_new(&ingest, &options);
    slice rest = slice_from_cstr(c->body);
    enum intake_state state = INTAKE_WANTS_MORE;
    while (rest.len > 0 && state == INTAKE_WANTS_MORE) {
        slice part = slice_take(&rest, rest.len < piece ? rest.len : piece);
        bool is_whole = part.len == strlen(c->body);
        state = drain(intake, woken, intake_feed(intake, part, is_whole));
    }
    if (state == INTAKE_WANTS_MORE) {
        state = drain(intake, woken, intake_end(intake));
    }
    assert_int_equal(state, INTAKE_FINISHED);
    const struct intake_result *result = intake_result(intake);
    struct outcome outcome = {result->err, result->index, result->line, result->count,
                              result->error_total};
    intake_free(intake);
    return outcome;
}

static struct intake_case cases[] = {
    {"one event", INTAKE_JSON, false, "{\"event_type\":\"a.b\"}", {OK, 0, 0, 1, 0}},
    {"an array",
     INTAKE_JSON,
     false,
     "[{\"event_type\":\"a\"} , {\"event_type\":\"b\"}]",
     {OK, 0, 0, 2, 0}},
    {"an empty array", INTAKE_JSON, false, "[]", {OK, 0, 0, 0, 0}},
    {"an array is all or nothing",
     INTAKE_JSON,
     false,
     "[{\"event_type\":\"a\"},{}]",
     {ERR_INVALID, 1, 0, 0, 0}},
    {"an array that does not end",
     INTAKE_JSON,
     false,
     "[{\"event_type\":\"a\"}",
     {ERR_INVALID, 1, 0, 0, 0}},
    {"an array with a comma too many",
     INTAKE_JSON,
     false,
     "[{\"event_type\":\"a\"},]",
     {ERR_INVALID, 1, 0, 0, 0}},
    {"bytes behind an array",
     INTAKE_JSON,
     false,
     "[{\"event_type\":\"a\"}]x",
     {ERR_INVALID, 1, 0, 0, 0}},
    {"no body", INTAKE_JSON, false, "", {ERR_INVALID, 0, 0, 0, 0}},
    {"a conflict in an array",
     INTAKE_JSON,
     false,
     "[{\"event_type\":\"a\"},{\"event_type\":\"b\",\"actor_id\":\"clash\"}]",
     {ERR_CONFLICT, 1, 0, 0, 0}},
    {"lines",
     INTAKE_LINES,
     false,
     "{\"event_type\":\"a\"}\n\n{\"event_type\":\"b\"}\r\n",
     {OK, 0, 0, 2, 0}},
    {"a last line without its end",
     INTAKE_LINES,
     false,
     "{\"event_type\":\"a\"}\n{\"event_type\":\"b\"}",
     {OK, 0, 0, 2, 0}},
    {"a bad line ends a stream, what came before is stored",
     INTAKE_LINES,
     false,
     "{\"event_type\":\"a\"}\n\nnonsense\n{\"event_type\":\"b\"}\n",
     {ERR_INVALID, 1, 3, 1, 0}},
    {"bad lines are told and passed over",
     INTAKE_LINES,
     true,
     "{\"event_type\":\"a\"}\nnonsense\n{}\n{\"event_type\":\"b\"}\n",
     {OK, 0, 0, 2, 2}},
    {"a conflict in a stream has its line",
     INTAKE_LINES,
     false,
     "{\"event_type\":\"a\"}\n{\"event_type\":\"b\",\"actor_id\":\"clash\"}\n",
     {ERR_CONFLICT, 1, 2, 1, 0}},
    {"no lines", INTAKE_LINES, false, "\n\n", {OK, 0, 0, 0, 0}},
};

static void test_intake(void **state)
{
    const struct intake_case *c = *state;
    static const size_t pieces[] = {1, 2, 7, 1000};
    struct intake_pool *pool = intake_pool_new();   /* all but the first had an earlier life */
    for (size_t i = 0; i < COUNT_OF(pieces); i++) { /* however it is cut, it is the same */
        struct small_store small = {.store = {.ops = &small_ops}};
        struct outcome got = take_in(&small, pool, c, pieces[i]);
        assert_int_equal(got.err, c->expect.err);
        assert_int_equal(got.index, c->expect.index);
        assert_int_equal(got.line, c->expect.line);
        assert_int_equal(got.count, c->expect.count);
        assert_int_equal(got.errors, c->expect.errors);
        assert_int_equal(small.size, c->expect.count);
    }
    intake_pool_free(pool);
}

/* How many leaf hashes of a JSON body are left to the store, if they may be. */
static uint64_t count_due(bool may_be, slice body)
{
    bool woken[INTAKE_SLOTS] = {false};
    struct small_store small = {.store = {.ops = &small_ops}};
    const struct ingest ingest = {.store = &small.store};
    const struct intake_options options = {
        .shape = INTAKE_JSON,
        .leaf_due = may_be,
        .read = {.org = SLICE("default")},
        .wake = on_wake,
        .context = woken,
    };
    OWNED(intake) intake = intake_new(&ingest, &options);
    assert_int_equal(intake_feed(intake, body, false), INTAKE_WANTS_MORE);
    assert_int_equal(drain(intake, woken, intake_end(intake)), INTAKE_FINISHED);
    assert_true(small.size > 0);
    return small.due;
}

static void test_only_of_a_small_event_alone_the_leaf_hash_can_be_due(void **state)
{
    static char large[BATCH_LEAF_DUE_BYTES + 100];
    slice small = SLICE("{\"event_type\":\"a\"}");
    UNUSED(state);
    assert_int_equal(count_due(true, small), 1);
    assert_int_equal(count_due(false, small), 0);
    assert_int_equal(count_due(true, SLICE("[{\"event_type\":\"a\"}]")), 0);
    int len =
        snprintf(large, sizeof(large), "{\"event_type\":\"a\",\"event_data\":{\"t\":\"%0*d\"}}",
                 BATCH_LEAF_DUE_BYTES, 0);
    assert_int_equal(count_due(true, (slice){(const uint8_t *)large, (size_t)len}), 0);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 1];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tests[i] = (struct CMUnitTest){.name = cases[i].name,
                                       .test_func = test_intake,
                                       .initial_state = &cases[i]};
    }
    tests[COUNT_OF(cases)] = (struct CMUnitTest)cmocka_unit_test(
        test_only_of_a_small_event_alone_the_leaf_hash_can_be_due);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
