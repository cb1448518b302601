/* SPDX-License-Identifier: Apache-2.0 */
#include "search/view_prune.h"
#include "segment/group_support.h"

/* With the index, a scan for one value is told where to look; without, it may be anywhere. */
static void test_prune(void **state)
{
    static struct view_entry entries[GROUP_SEGMENTS];
    static const struct filter_context context = {.now_us = SAMPLE_NOW_US};
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter *filter = NULL;
    UNUSED(state);
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        entries[i].first_seq = i * (uint64_t)ROWS_MAX;
        if (world.segments[i] != NULL) {
            entries[i].rows = segment_rows(world.segments[i]);
            entries[i].count = ROWS;
            entries[i].time_min_us = entries[i].rows->time_min_us;
            entries[i].time_max_us = entries[i].rows->time_max_us;
        }
    }
    struct view view = {.size = GROUP_ROWS, .entry_count = GROUP_SEGMENTS, .entries = entries};
    assert_int_equal(filter_parse(SLICE("trace_id:nowhere OR session_id:nowhere"), &context, &arena,
                                  &filter, NULL),
                     OK);
    size_t count = 0;
    free(view_prune(&view, (slice){0}, filter, UINT64_MAX, &count));
    assert_int_equal(count, GROUP_SEGMENTS - 1);
    view.groups = &world.group;
    view.group_count = 1;
    free(view_prune(&view, (slice){0}, filter, UINT64_MAX, &count));
    assert_int_equal(count, 0);

    const struct event *event = &world.samples[17].events[0];
    const struct filter by_id = {
        .op = FILTER_EQUAL,
        .target = FILTER_ON_FIELD,
        .field = FIELD_EVENT_ID,
        .uuid = event->value[FIELD_EVENT_ID].uuid,
        .depth = 1,
    };
    struct view_choice *chosen =
        view_prune(&view, event->value[FIELD_ORG].text, &by_id, UINT64_MAX, &count);
    assert_int_equal(count, 1);
    assert_true(chosen[0].entry == &entries[17]);
    free(chosen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prune),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
