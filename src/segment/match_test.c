/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/conformance.h"
#include "segment/match.h"
#include "segment/row_set.h"
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

/* Which rows match: by bounds, and by filter_match() of those in doubt. */
static void rows_matching(const struct rows *rows, slice org, const struct filter *filter,
                          struct row_set *out)
{
    CLEANUP(mem_freep) struct match_bounds *bounds = mem_zeroed(sizeof(*bounds));
    CLEANUP(mem_freep) char *scratch = mem_zeroed(ROWS_EVENT_SCRATCH_BYTES);
    assert_int_equal(match_rows(rows, rows->count, org, filter, bounds), OK);
    *out = bounds->must;
    row_set_and_not(out, &bounds->may);
    assert_true(row_set_is_empty(out)); /* what matches for sure may match */
    *out = bounds->must;
    row_set_and_not(&bounds->may, &bounds->must);
    struct rows_reader *reader = rows->ops->reader_new(rows);
    for (uint32_t row = row_set_next(&bounds->may, 0); row < ROWS_MAX;
         row = row_set_next(&bounds->may, row + 1)) {
        struct event event;
        assert_int_equal(rows_event(reader, row, scratch, &event), OK);
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
    rows_matching(memory, (slice){0}, filter, &found);
    assert_int_equal(found.words[0], row->expected);
    rows_matching(segment_rows(segment), (slice){0}, filter, &found);
    assert_int_equal(found.words[0], row->expected);
    filter_release(filter);
}

/* Random filters over random rows say what filter_match() says of each event. */
static void compare_all(const struct rows *rows, const struct samples *samples,
                        const struct row_set *gone, uint64_t seed, size_t filters)
{
    struct filter_random random = {.seed = seed};
    static const char *const orgs[] = {"", "acme", "other"};
    for (size_t i = 0; i < filters; i++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
        CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(64));
        const struct filter *filter = NULL;
        struct row_set found;
        slice org = slice_from_cstr(orgs[i % COUNT_OF(orgs)]);
        random_filter_text(&random, &text);
        assert_int_equal(filter_parse(buf_slice(&text), &context, &arena, &filter, NULL), OK);
        rows_matching(rows, org, filter, &found);
        for (uint32_t row = 0; row < samples->count; row++) {
            const struct event *event = &samples->events[row];
            bool is_of = org.len == 0 || slice_equal(event->value[FIELD_ORG].text, org);
            bool is_gone = gone != NULL && row_set_has(gone, row);
            if (row_set_has(&found, row) != (is_of && !is_gone && filter_match(filter, event))) {
                fail_msg("row %u: %.*s", row, SLICE_ARG(buf_slice(&text)));
            }
        }
        filter_release(filter);
    }
}

static void test_random(void **state)
{
    enum { COUNT = 700, FILTERS = 1500 };
    CLEANUP(samples_release) struct samples samples;
    struct row_set gone = {0};
    UNUSED(state);
    samples_init(&samples, 11, COUNT);
    for (uint32_t row = 0; row < COUNT; row += 5) {
        row_set_add(&gone, row);
    }
    struct rows *rows = rows_memory_new(samples.events, COUNT, 0, NULL);
    OWNED(segment) whole = support_segment(rows, NULL, dir, "w.seg");
    OWNED(segment) part = support_segment(rows, &gone, dir, "p.seg");
    compare_all(rows, &samples, NULL, 1, FILTERS);
    compare_all(segment_rows(whole), &samples, NULL, 2, FILTERS);
    compare_all(segment_rows(part), &samples, &gone, 3, FILTERS);
    rows_memory_free(rows);
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
    tests[COUNT_OF(conformance_rows)] = (struct CMUnitTest)cmocka_unit_test(test_random);
    tests[COUNT_OF(conformance_rows) + 1] =
        (struct CMUnitTest)cmocka_unit_test(test_bounds_are_tight);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
