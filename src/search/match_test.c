/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/row_set.h"
#include "filter/conformance.h"
#include "search/match.h"
#include "segment/segment_support.h"

static const struct filter_context context = {.now_us = SAMPLE_NOW_US};

static struct arena event_arena = ARENA_INIT(MIB(1));
static struct event events[CONFORMANCE_EVENTS];
static struct tempdir temp;
static struct dir *dir;
static struct rows *memory;
static struct segment *segment;

static int set_up(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < CONFORMANCE_EVENTS; i++) {
        slice json = slice_from_cstr(conformance_events[i]);
        assert_int_equal(sample_event(json, &event_arena, &events[i], NULL), OK);
    }
    dir = support_dir(&temp);
    memory = rows_memory_new(events, CONFORMANCE_EVENTS, 0, NULL);
    segment = support_segment(memory, NULL, dir, "a.seg");
    return 0;
}

static int tear_down(void **state)
{
    UNUSED(state);
    segment_free(segment);
    rows_memory_free(memory);
    dir_free(dir);
    tempdir_release(&temp);
    arena_release(&event_arena);
    return 0;
}

/* Which rows match: by bounds, and by filter_match() of those in doubt, which are read with those
 * fields alone that it looks at. */
static void rows_matching(const struct rows *rows, uint32_t count, slice org,
                          const struct filter *filter, struct row_set *out)
{
    CLEANUP(mem_freep) struct match_bounds *bounds = mem_zeroed(sizeof(*bounds));
    CLEANUP(mem_freep) char *scratch = mem_zeroed(ROWS_EVENT_SCRATCH_BYTES);
    assert_int_equal(match_rows(rows, count, org, filter, bounds), OK);
    *out = bounds->must;
    row_set_and_not(out, &bounds->may);
    assert_true(row_set_is_empty(out)); /* what matches for sure may match */
    *out = bounds->must;
    row_set_and_not(&bounds->may, &bounds->must);
    struct rows_reader *reader = rows->ops->reader_new(rows);
    for (uint32_t row = row_set_next(&bounds->may, 0); row < ROWS_MAX;
         row = row_set_next(&bounds->may, row + 1)) {
        struct event event;
        assert_int_equal(rows_event_fields(reader, row, match_fields(filter), scratch, &event), OK);
        if (filter_match(filter, &event)) {
            row_set_add(out, row);
        }
    }
    rows->ops->reader_free(reader);
}

static void test_conformance(void **state)
{
    const struct conformance_row *row = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter *filter = NULL;
    struct row_set found;
    assert_int_equal(filter_parse(slice_from_cstr(row->filter), &context, &arena, &filter, NULL),
                     OK);
    rows_matching(memory, memory->count, (slice){0}, filter, &found);
    assert_int_equal(found.words[0], row->expected);
    rows_matching(segment_rows(segment), CONFORMANCE_EVENTS, (slice){0}, filter, &found);
    assert_int_equal(found.words[0], row->expected);
    filter_release(filter);
}

/* ---- Random filters over random rows ---- */

enum { ROUND_ROWS = 300, ROUND_FILTERS = 500, FILTERS = 30000, FILTERS_LONG = 1000000 };

/* The rows of one round in each of their forms. */
struct round {
    uint64_t seed;
    struct samples samples;
    struct row_set gone;
    struct rows *unsealed;
    struct segment *whole;
    struct segment *part; /* without those that are gone */
};

static void round_init(struct round *round, uint64_t seed)
{
    struct filter_random random = {.seed = seed};
    static const char *const orgs[] = {"acme", "other"};
    *round = (struct round){.seed = seed};
    samples_init(&round->samples, seed, ROUND_ROWS);
    for (uint32_t row = 0; row < ROUND_ROWS; row++) {
        if (random_below(&random, 5) == 0) {
            row_set_add(&round->gone, row);
        }
        if (random_below(&random, 3) > 0) {
            support_text(&round->samples.events[row], FIELD_ORG,
                         slice_from_cstr(orgs[random_below(&random, COUNT_OF(orgs))]));
        }
    }
    round->unsealed = rows_memory_new(round->samples.events, ROUND_ROWS, 0, NULL);
    round->whole = support_segment(round->unsealed, NULL, dir, "w.seg");
    round->part = support_segment(round->unsealed, &round->gone, dir, "p.seg");
}

static void round_release(struct round *round)
{
    segment_free(round->whole);
    segment_free(round->part);
    rows_memory_free(round->unsealed);
    samples_release(&round->samples);
}

static void must_be_same(const struct round *round, const struct row_set *found,
                         const struct row_set *expected, const char *form, slice text)
{
    for (uint32_t row = 0; row < ROUND_ROWS; row++) {
        if (row_set_has(found, row) != row_set_has(expected, row)) {
            CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(1));
            event_write_line(&round->samples.events[row], &line);
            fail_msg("CAIRN_TEST_SEED=%llu: %s has %srow %u for %.*s: %.*s",
                     (unsigned long long)round->seed, form, row_set_has(found, row) ? "" : "no ",
                     row, SLICE_ARG(text), SLICE_ARG(buf_slice(&line)));
        }
    }
}

/* One filter, asked of every event and of the columns in all their forms. */
static void compare_filter(const struct round *round, slice org, uint32_t count, slice text)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter *filter = NULL;
    struct row_set expected = {0};
    struct row_set found;
    assert_int_equal(filter_parse(text, &context, &arena, &filter, NULL), OK);
    for (uint32_t row = 0; row < count; row++) {
        const struct event *event = &round->samples.events[row];
        bool is_of = org.len == 0 || slice_equal(event->value[FIELD_ORG].text, org);
        if (is_of && filter_match(filter, event)) {
            row_set_add(&expected, row);
        }
    }
    rows_matching(round->unsealed, count, org, filter, &found);
    must_be_same(round, &found, &expected, "what is unsealed", text);
    rows_matching(segment_rows(round->whole), count, org, filter, &found);
    must_be_same(round, &found, &expected, "the segment", text);
    row_set_and_not(&expected, &round->gone);
    rows_matching(segment_rows(round->part), count, org, filter, &found);
    must_be_same(round, &found, &expected, "the segment with erased rows", text);
    filter_release(filter);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void test_random_filters_say_the_same_of_events_and_of_columns(void **state)
{
    static const char *const orgs[] = {"", "", "acme", "default", "nobody"};
    bool is_long = number_from("CAIRN_TEST_LONG", 0) != 0;
    uint64_t left = number_from("CAIRN_TEST_FILTERS", is_long ? FILTERS_LONG : FILTERS);
    uint64_t seed = number_from("CAIRN_TEST_SEED", 1);
    UNUSED(state);
    for (; left > 0; seed++) {
        CLEANUP(round_release) struct round round;
        struct filter_random random = {.seed = ~seed};
        round_init(&round, seed);
        for (size_t i = 0; i < ROUND_FILTERS && left > 0; i++, left--) {
            CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(64));
            slice org = slice_from_cstr(orgs[random_below(&random, COUNT_OF(orgs))]);
            uint32_t count = random_below(&random, 4) == 0
                                 ? (uint32_t)random_below(&random, ROUND_ROWS + 1)
                                 : ROUND_ROWS;
            random_filter_text(&random, &text);
            compare_filter(&round, org, count, buf_slice(&text));
        }
    }
}

/* A token that is nowhere leaves hardly a tile; `must` is exact for columns. */
static void test_bounds_are_tight(void **state)
{
    static const struct {
        const char *filter;
        bool is_exact;
    } rows[] = {
        {"service:auth", true},   {"severity>=error", true},           {"duration_ms>=12", true},
        {"NOT actor_id:*", true}, {"data.user.name:nobodyhere", true},
    };
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
        CLEANUP(mem_freep) struct match_bounds *bounds = mem_zeroed(sizeof(*bounds));
        const struct filter *filter = NULL;
        assert_int_equal(filter_parse(slice_from_cstr(rows[i].filter), &context, &arena, &filter,
                                      NULL),
                         OK);
        assert_int_equal(match_rows(segment_rows(segment), CONFORMANCE_EVENTS, (slice){0}, filter,
                                    bounds),
                         OK);
        assert_int_equal(memcmp(&bounds->must, &bounds->may, sizeof(bounds->may)) == 0,
                         rows[i].is_exact);
        assert_int_equal(match_rows(segment_rows(segment), 3, (slice){0}, filter, bounds), OK);
        assert_true(row_set_next(&bounds->may, 3) == ROWS_MAX);
    }
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(conformance_rows) + 2];
    static struct conformance_row rows[COUNT_OF(conformance_rows)];
    for (size_t i = 0; i < COUNT_OF(conformance_rows); i++) {
        rows[i] = conformance_rows[i];
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = test_conformance,
                                       .initial_state = &rows[i]};
    }
    tests[COUNT_OF(conformance_rows)] = (struct CMUnitTest)cmocka_unit_test(
        test_random_filters_say_the_same_of_events_and_of_columns);
    tests[COUNT_OF(conformance_rows) + 1] =
        (struct CMUnitTest)cmocka_unit_test(test_bounds_are_tight);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
