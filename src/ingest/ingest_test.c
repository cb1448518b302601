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
    bool skipped;    /* the last batch skips conflicts */
    enum err refuse; /* answers this instead; OK: it works */
    /* The next batch ends like this, in these words (NULL: in none); OK: it is stored. */
    enum err fail_next;
    const struct diag *words;
};

/* The leaf hash of an event is that of its row, or, of one alone, not made at all. */
static void check_leaf(const struct batch *batch, size_t i)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(EVENT_LINE_BYTES_MAX);
    struct event event;
    struct leaf_hash leaf = {0};
    slice row = {batch->rows.ptr + batch->events[i].row_at, batch->events[i].row_len};
    assert_int_equal(event_from_row(row, &event, NULL), OK);
    if (batch->leaf_due) {
        assert_int_equal(batch->count, 1);
    } else {
        assert_int_equal(event_leaf(&event, &line, &leaf), OK);
    }
    assert_memory_equal(batch->events[i].leaf.bytes, leaf.bytes, LEAF_HASH_BYTES);
}

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
    if (small->fail_next != OK) {
        result = small->fail_next;
        small->fail_next = OK;
        batch->done(batch, result, small->words);
        return OK;
    }
    small->due += batch->leaf_due ? 1 : 0;
    small->skipped = batch->skip_conflicts;
    batch->stored = batch->duplicates = batch->conflicts = 0;
    batch->conflict_at = SIZE_MAX;
    for (size_t i = 0; i < batch->count; i++) {
        bool conflict = clashes(batch, i);
        check_leaf(batch, i);
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

/* Takes in a body whose leaf hash may be due; returns for how many batches it was. `outcome` may be
 * NULL: then it must be stored. */
static uint64_t count_due(struct small_store *small, struct intake_pool *pool,
                          const struct intake_options *asked, slice body, enum err *outcome)
{
    bool woken[INTAKE_SLOTS] = {false};
    const struct ingest ingest = {.store = &small->store, .pool = pool};
    struct intake_options options = *asked;
    options.read.org = SLICE("default");
    options.wake = on_wake;
    options.context = woken;
    uint64_t before = small->due;
    OWNED(intake) intake = intake_new(&ingest, &options);
    enum intake_state state = drain(intake, woken, intake_feed(intake, body, false));
    if (state == INTAKE_WANTS_MORE) {
        state = drain(intake, woken, intake_end(intake));
    }
    assert_int_equal(state, INTAKE_FINISHED);
    if (outcome != NULL) {
        *outcome = intake_result(intake)->err;
    } else {
        assert_int_equal(intake_result(intake)->err, OK);
        assert_true(intake_result(intake)->count > 0);
    }
    return small->due - before;
}

static void test_only_of_a_small_event_alone_the_leaf_hash_can_be_due(void **state)
{
    static char large[BATCH_LEAF_DUE_BYTES + 100];
    static const struct intake_options may_be = {.shape = INTAKE_JSON, .leaf_due = true};
    static const struct intake_options may_not = {.shape = INTAKE_JSON};
    struct small_store small = {.store = {.ops = &small_ops}};
    slice one = SLICE("{\"event_type\":\"a\"}");
    UNUSED(state);
    assert_int_equal(count_due(&small, NULL, &may_be, one, NULL), 1);
    assert_int_equal(count_due(&small, NULL, &may_not, one, NULL), 0);
    assert_int_equal(count_due(&small, NULL, &may_be, SLICE("[{\"event_type\":\"a\"}]"), NULL), 0);
    int len =
        snprintf(large, sizeof(large), "{\"event_type\":\"a\",\"event_data\":{\"t\":\"%0*d\"}}",
                 BATCH_LEAF_DUE_BYTES, 0);
    slice body = {(const uint8_t *)large, (size_t)len};
    assert_int_equal(count_due(&small, NULL, &may_be, body, NULL), 0);
}

/* One request after the other takes the same intake out of the pool. What a request leaves to the
 * store, and whether it skips conflicts, is its own. */
static void test_an_intake_that_is_used_again_leaves_nothing_to_the_next(void **state)
{
    static const struct {
        struct intake_options options;
        const char *body;
        uint64_t due;
        enum err result;
        bool skipped;
    } requests[] = {
        {{.shape = INTAKE_JSON, .leaf_due = true, .skip_errors = true},
         "{\"event_type\":\"a\"}",
         1,
         OK,
         true},
        {{.shape = INTAKE_JSON}, "[{\"event_type\":\"a\"},{\"event_type\":\"b\"}]", 0, OK, false},
        {{.shape = INTAKE_JSON, .leaf_due = true}, "{\"event_type\":\"a\"}", 1, OK, false},
        {{.shape = INTAKE_LINES, .leaf_due = true},
         "{\"event_type\":\"a\"}\n{\"event_type\":\"b\"}\n",
         0,
         OK,
         true},
        {{.shape = INTAKE_JSON, .leaf_due = true},
         "{\"event_type\":\"a\",\"actor_id\":\"clash\"}",
         1,
         ERR_CONFLICT,
         false},
        {{.shape = INTAKE_JSON, .leaf_due = true, .skip_errors = true},
         "{\"event_type\":\"a\",\"actor_id\":\"clash\"}",
         1,
         OK,
         true},
        {{.shape = INTAKE_JSON, .leaf_due = true}, "nonsense", 0, ERR_INVALID, true},
        {{.shape = INTAKE_JSON}, "{\"event_type\":\"a\"}", 0, OK, false},
    };
    struct small_store small = {.store = {.ops = &small_ops}};
    struct intake_pool *pool = intake_pool_new();
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        enum err result = OK;
        print_message("# %zu\n", i);
        assert_int_equal(count_due(&small, pool, &requests[i].options,
                                   slice_from_cstr(requests[i].body), &result),
                         requests[i].due);
        assert_int_equal(result, requests[i].result);
        assert_int_equal(small.skipped, requests[i].skipped);
    }
    intake_pool_free(pool);
}

/* ---- Streams, however long ---- */

struct stream {
    struct small_store small;
    struct intake_pool *pool;
    struct ingest ingest;
    bool woken[INTAKE_SLOTS];
    struct intake *intake;
    struct buf text;
};

static void stream_begin(struct stream *stream, const struct intake_options *asked)
{
    struct intake_options options = *asked;
    options.read.org = SLICE("default");
    options.wake = on_wake;
    options.context = stream->woken;
    stream->intake = intake_new(&stream->ingest, &options);
}

static struct stream *stream_new(const struct intake_options *options)
{
    struct stream *stream = mem_zeroed(sizeof(*stream));
    stream->small.store.ops = &small_ops;
    stream->pool = intake_pool_new();
    stream->ingest = (struct ingest){.store = &stream->small.store, .pool = stream->pool};
    buf_init(&stream->text, 2 * (size_t)INTAKE_COLLECT_BYTES_MAX);
    stream_begin(stream, options);
    return stream;
}

static void stream_free(struct stream *stream)
{
    intake_free(stream->intake);
    intake_pool_free(stream->pool);
    buf_release(&stream->text);
    free(stream);
}

/* Feeds the text in pieces of `piece` bytes, and ends it; until it has failed. */
static const struct intake_result *stream_run(struct stream *stream, size_t piece)
{
    slice rest = buf_slice(&stream->text);
    enum intake_state state = INTAKE_WANTS_MORE;
    while (state == INTAKE_WANTS_MORE && rest.len > 0) {
        slice part = slice_take(&rest, rest.len < piece ? rest.len : piece);
        state = drain(stream->intake, stream->woken, intake_feed(stream->intake, part, false));
    }
    if (state == INTAKE_WANTS_MORE) {
        state = drain(stream->intake, stream->woken, intake_end(stream->intake));
    }
    assert_int_equal(state, INTAKE_FINISHED);
    return intake_result(stream->intake);
}

/* Lines of about 1 KiB. */
static void add_lines(struct stream *stream, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_append_format(&stream->text, "{\"event_type\":\"a\",\"event_data\":\"%01000zu\"}\n", i);
    }
    assert_false(stream->text.failed);
}

static const struct intake_options as_lines = {.shape = INTAKE_LINES};

static void test_a_piece_may_hold_more_than_is_committed_at_once(void **state)
{
    UNUSED(state);
    struct stream *stream = stream_new(&as_lines);
    add_lines(stream, 6000);
    const struct intake_result *result = stream_run(stream, stream->text.len);
    assert_int_equal(result->err, OK);
    assert_int_equal(result->count, 6000);
    stream_free(stream);
}

static void test_what_is_more_than_is_held_is_refused_not_lost(void **state)
{
    UNUSED(state);
    struct stream *stream = stream_new(&as_lines);
    add_lines(stream, 14000);
    const struct intake_result *result = stream_run(stream, stream->text.len);
    assert_int_equal(result->err, ERR_LIMIT);
    assert_true(result->count > 0 && result->count < 14000);
    assert_int_equal(result->index, result->count); /* whence the client goes on */
    assert_int_equal(result->line, result->count + 1);
    stream_free(stream);
}

/* To look at all of it for each of its bytes would take minutes. */
static void test_a_long_record_may_come_byte_by_byte(void **state)
{
    static const char *const begin[] = {"{\"event_type\":\"a.b\"",
                                        "{\"hostname\":\"a\",\"message\":\"b\","
                                        "\"timestamp\":\"2026-05-10T12:00:00Z\""};
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(begin); i++) {
        const struct intake_options options = {.shape = i == 0 ? INTAKE_LINES : INTAKE_FORMAT,
                                               .format = format_find(SLICE("mutt"))};
        struct stream *stream = stream_new(&options);
        buf_append_cstr(&stream->text, begin[i]);
        while (stream->text.len < 2000000) {
            buf_append_byte(&stream->text, ' ');
        }
        buf_append_cstr(&stream->text, "}\n");
        const struct intake_result *result = stream_run(stream, 1);
        assert_string_equal(result->diag.text, "");
        assert_int_equal(result->count, 1);
        stream_free(stream);
    }
}

static void test_a_record_that_does_not_end_is_refused_once_it_is_too_long(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < 2; i++) {
        const struct intake_options options = {.shape = i == 0 ? INTAKE_LINES : INTAKE_FORMAT,
                                               .format = format_find(SLICE("mutt"))};
        struct stream *stream = stream_new(&options);
        buf_append_cstr(&stream->text, "{\"event_type\":\"");
        while (stream->text.len < 3 * MIB(1)) {
            buf_append_cstr(&stream->text, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        }
        const struct intake_result *result = stream_run(stream, 1000);
        assert_int_equal(result->err, ERR_LIMIT);
        assert_int_equal(result->index, 0);
        assert_int_equal(result->line, i == 0 ? 1 : 0);
        stream_free(stream);
    }
}

/* Whoever goes on from the line that failed would else send twice what stands behind it. */
static void test_nothing_behind_a_failed_commit_is_stored(void **state)
{
    static const struct diag full = {"", "the disk is full"};
    UNUSED(state);
    struct stream *stream = stream_new(&as_lines);
    add_lines(stream, 1500); /* one group and a part of the other */
    stream->small.fail_next = ERR_FULL;
    stream->small.words = &full;
    slice text = buf_slice(&stream->text);
    assert_int_equal(intake_feed(stream->intake, text, false), INTAKE_WANTS_MORE);
    assert_true(stream->woken[0]);
    stream->woken[0] = false;
    assert_int_equal(intake_continue(stream->intake, 0), INTAKE_FINISHED);
    const struct intake_result *result = intake_result(stream->intake);
    assert_int_equal(result->err, ERR_FULL);
    assert_int_equal(result->line, 1);
    assert_int_equal(result->count, 0);
    assert_int_equal(stream->small.size, 0);
    assert_string_equal(result->diag.text, full.text);

    intake_free(stream->intake); /* and the words are the request's, not those of the next */
    stream_begin(stream, &as_lines);
    stream->small.fail_next = ERR_BUSY;
    stream->small.words = NULL;
    result = stream_run(stream, stream->text.len);
    assert_int_equal(result->err, ERR_BUSY);
    assert_string_equal(result->diag.text, "");
    stream_free(stream);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_only_of_a_small_event_alone_the_leaf_hash_can_be_due),
        cmocka_unit_test(test_an_intake_that_is_used_again_leaves_nothing_to_the_next),
        cmocka_unit_test(test_a_piece_may_hold_more_than_is_committed_at_once),
        cmocka_unit_test(test_what_is_more_than_is_held_is_refused_not_lost),
        cmocka_unit_test(test_a_long_record_may_come_byte_by_byte),
        cmocka_unit_test(test_a_record_that_does_not_end_is_refused_once_it_is_too_long),
        cmocka_unit_test(test_nothing_behind_a_failed_commit_is_stored),
    };
    struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(others)];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tests[i] = (struct CMUnitTest){.name = cases[i].name,
                                       .test_func = test_intake,
                                       .initial_state = &cases[i]};
    }
    memcpy(tests + COUNT_OF(cases), others, sizeof(others));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
