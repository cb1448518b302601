/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "filter/conformance.h"
#include "filter/random.h"

static struct arena event_arena = ARENA_INIT(MIB(1));
static struct event events[CONFORMANCE_EVENTS];

static int load_events(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < CONFORMANCE_EVENTS; i++) {
        slice json = slice_from_cstr(conformance_events[i]);
        assert_int_equal(sample_event(json, &event_arena, &events[i], NULL), OK);
    }
    return 0;
}

static int drop_events(void **state)
{
    UNUSED(state);
    arena_release(&event_arena);
    return 0;
}

static uint32_t matches_of(const struct filter *filter)
{
    uint32_t matches = 0;
    for (size_t i = 0; i < CONFORMANCE_EVENTS; i++) {
        matches |= filter_match(filter, &events[i]) ? UINT32_C(1) << i : 0;
    }
    return matches;
}

/* Each row as written, and again as printed. */
static void test_row(void **state)
{
    const struct conformance_row *row = *state;
    const struct filter_context context = {.now_us = SAMPLE_NOW_US};
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    CLEANUP(buf_release) struct buf printed = BUF_INIT(KIB(64));
    const struct filter *filter = NULL;
    const struct filter *again = NULL;
    struct diag diag = {0};
    if (filter_parse(slice_from_cstr(row->filter), &context, &arena, &filter, &diag) != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    assert_int_equal(matches_of(filter), row->expected);

    filter_print(filter, &printed);
    assert_int_equal(filter_parse(buf_slice(&printed), &context, &arena, &again, NULL), OK);
    assert_true(filter_same(filter, again));
    assert_int_equal(matches_of(again), row->expected);
    filter_release(filter);
    filter_release(again);
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(conformance_rows)];
    static struct conformance_row rows[COUNT_OF(conformance_rows)];
    for (size_t i = 0; i < COUNT_OF(conformance_rows); i++) {
        rows[i] = conformance_rows[i];
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = test_row,
                                       .initial_state = &rows[i]};
    }
    return cmocka_run_group_tests(tests, load_events, drop_events);
}
