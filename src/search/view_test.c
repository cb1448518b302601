/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "columns/row_set.h"
#include "search/view.h"
#include "segment/segment_support.h"
#include "store/store.h"

enum { ENTRIES = 5, ROWS = 400, TOTAL = ENTRIES * ROWS, GONE_ENTRY = 2 };

static const struct filter_context context = {.now_us = SAMPLE_NOW_US};

/*
 * Five entries of 400 rows that overlap in time: in memory, in files, one of them with erased rows,
 * one gone. Times repeat, so that seq decides.
 */
struct world {
    struct tempdir temp;
    struct dir *dir;
    struct samples samples[ENTRIES];
    struct rows *memory[ENTRIES];
    struct segment *segments[ENTRIES];
    struct row_set erased;
    struct view_entry entries[ENTRIES];
    struct view view;
};
static struct world world;

static uint64_t first_seq(size_t entry)
{
    return (uint64_t)entry * ROWS_MAX;
}

static void set_times(struct samples *samples, size_t entry)
{
    for (uint32_t row = 0; row < ROWS; row++) {
        uint32_t mixed = (row * 7919 + (uint32_t)entry * 131) % ROWS;
        int64_t minute = entry == 1 ? (int64_t)row / 3 : (int64_t)mixed / 2;
        support_number(&samples->events[row], FIELD_EVENT_TIMESTAMP,
                       SAMPLE_NOW_US + (minute + (int64_t)entry * 100) * 60000000);
    }
}

static int set_up(void **state)
{
    UNUSED(state);
    world.dir = support_dir(&world.temp);
    for (uint32_t row = 1; row < ROWS; row += 4) {
        row_set_add(&world.erased, row);
    }
    for (size_t i = 0; i < ENTRIES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%zu.seg", i);
        samples_init(&world.samples[i], 100 + i, ROWS);
        set_times(&world.samples[i], i);
        world.memory[i] = rows_memory_new(world.samples[i].events, ROWS, first_seq(i), NULL);
        if (i < 4) {
            world.segments[i] =
                support_segment(world.memory[i], i == 3 ? &world.erased : NULL, world.dir, name);
        }
        const struct rows *rows = i < 4 ? segment_rows(world.segments[i]) : world.memory[i];
        world.entries[i] = (struct view_entry){
            .rows = i == GONE_ENTRY ? NULL : rows,
            .first_seq = first_seq(i),
            .count = ROWS,
            .time_min_us = rows->time_min_us,
            .time_max_us = rows->time_max_us,
            .segment = world.segments[i],
        };
    }
    assert_true(world.entries[1].rows->time_ordered);
    assert_false(world.entries[0].rows->time_ordered);
    world.view = (struct view){.size = first_seq(ENTRIES - 1) + ROWS,
                               .entry_count = ENTRIES,
                               .entries = world.entries};
    return 0;
}

static int tear_down(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ENTRIES; i++) {
        segment_free(world.segments[i]);
        rows_memory_free(world.memory[i]);
        samples_release(&world.samples[i]);
    }
    dir_free(world.dir);
    tempdir_release(&world.temp);
    return 0;
}

/* ---- The plain way ---- */

struct found {
    int64_t time_us;
    uint64_t seq;
    const struct event *event;
};

static bool is_there(size_t entry, uint32_t row, const struct store_scan_options *options)
{
    const struct event *event = &world.samples[entry].events[row];
    bool is_erased = entry == 3 && row_set_has(&world.erased, row);
    bool is_of = options->org.len == 0 || slice_equal(event->value[FIELD_ORG].text, options->org);
    return entry != GONE_ENTRY && !is_erased && is_of && first_seq(entry) + row < options->size &&
           filter_match(options->filter, event);
}

static int compare_up(const void *a, const void *b)
{
    const struct found *x = a;
    const struct found *y = b;
    if (x->time_us != y->time_us) {
        return x->time_us < y->time_us ? -1 : 1;
    }
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int compare_down(const void *a, const void *b)
{
    return compare_up(b, a);
}

/* What a scan gives, found by looking at all events and sorting them. */
static size_t find_plainly(const struct store_scan_options *options, struct found *found)
{
    bool by_time = options->order == STORE_TIME_ASC || options->order == STORE_TIME_DESC;
    bool down = options->order == STORE_TIME_DESC || options->order == STORE_SEQ_DESC;
    size_t count = 0;
    for (size_t entry = 0; entry < ENTRIES; entry++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            const struct event *event = &world.samples[entry].events[row];
            int64_t time_us = by_time ? event->value[FIELD_EVENT_TIMESTAMP].number : 0;
            struct found one = {time_us, first_seq(entry) + row, event};
            struct found after = {by_time ? options->after.time_us : 0, options->after.seq, NULL};
            int order = down ? compare_down(&after, &one) : compare_up(&after, &one);
            if (is_there(entry, row, options) && (!options->has_after || order < 0)) {
                found[count++] = one;
            }
        }
    }
    qsort(found, count, sizeof(*found), down ? compare_down : compare_up);
    return count;
}

/* ---- Scans ---- */

static void compare_scan(const struct store_scan_options *options)
{
    static struct found found[TOTAL];
    CLEANUP(buf_release) struct buf a = BUF_INIT(MIB(1));
    CLEANUP(buf_release) struct buf b = BUF_INIT(MIB(1));
    size_t count = find_plainly(options, found);
    struct view_scan *scan = NULL;
    const struct store_event *event = NULL;
    assert_int_equal(view_scan_open(&world.view, options, &scan, NULL), OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(view_scan_next(scan, &event, NULL), OK);
        assert_non_null(event);
        assert_int_equal(event->seq, found[i].seq);
        buf_clear(&a);
        buf_clear(&b);
        event_write_line(&event->event, &a);
        event_write_line(found[i].event, &b);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.ptr, b.ptr, a.len);
    }
    assert_int_equal(view_scan_next(scan, &event, NULL), OK);
    assert_null(event);
    assert_int_equal(view_scan_next(scan, &event, NULL), OK);
    assert_null(event);
    view_scan_free(scan);
}

static void scan_all_ways(struct store_scan_options *options, struct filter_random *random)
{
    static const enum store_order orders[] = {STORE_TIME_DESC, STORE_TIME_ASC, STORE_SEQ_ASC,
                                              STORE_SEQ_DESC};
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        size_t entry = (size_t)random_below(random, ENTRIES);
        uint32_t row = (uint32_t)random_below(random, ROWS);
        options->order = orders[i];
        options->has_after = false;
        compare_scan(options);
        options->has_after = true;
        options->after = (struct store_position){
            world.samples[entry].events[row].value[FIELD_EVENT_TIMESTAMP].number,
            first_seq(entry) + row};
        compare_scan(options);
    }
}

static void test_scans(void **state)
{
    enum { FILTERS = 60 };
    static const uint64_t sizes[] = {UINT64_MAX, ROWS_MAX + 100, 4 * (uint64_t)ROWS_MAX + 17, 1};
    struct filter_random random = {.seed = 4};
    UNUSED(state);
    for (size_t i = 0; i < FILTERS; i++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
        CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(64));
        const struct filter *filter = NULL;
        if (i > 3) {
            random_filter_text(&random, &text);
        }
        assert_int_equal(filter_parse(buf_slice(&text), &context, &arena, &filter, NULL), OK);
        struct store_scan_options options = {
            .filter = filter,
            .size = sizes[i % COUNT_OF(sizes)],
            .org = i % 3 == 0 ? SLICE("acme") : (slice){0},
        };
        scan_all_ways(&options, &random);
        filter_release(filter);
    }
}

/* ---- Counts ---- */

static size_t text_of(const struct event *event, enum field field, char out[64])
{
    char scratch[FIELD_TEXT_BYTES_MAX];
    slice text = SLICE("-");
    if (event_has(event, field)) {
        text = event_value_text(event, field, scratch);
    }
    size_t len = text.len < 48 ? text.len : 48;
    memcpy(out, text.ptr, len);
    out[len] = '|';
    return len + 1;
}

struct tally {
    char key[160];
    uint64_t count;
};

static void tally_add(struct tally *tallies, size_t *count, const char *key, uint64_t n)
{
    size_t i = 0;
    while (i < *count && strcmp(tallies[i].key, key) != 0) {
        i++;
    }
    if (i == *count) {
        (void)snprintf(tallies[i].key, sizeof(tallies[i].key), "%s", key);
        tallies[i].count = 0;
        (*count)++;
    }
    tallies[i].count += n;
}

static void key_of(const struct event *event, const struct store_count_options *options,
                   char key[160])
{
    size_t len = 0;
    for (size_t i = 0; i < options->group_count; i++) {
        len += text_of(event, options->group_by[i], key + len);
    }
    int64_t time_us = event->value[FIELD_EVENT_TIMESTAMP].number;
    int64_t bucket =
        options->interval_us > 0 ? time_us / options->interval_us * options->interval_us : 0;
    (void)snprintf(key + len, 160 - len, "%lld", (long long)bucket);
}

static size_t count_plainly(const struct store_count_options *options, struct tally *tallies)
{
    const struct store_scan_options seen = {.filter = options->filter,
                                            .org = options->org,
                                            .size = options->size};
    size_t count = 0;
    for (size_t entry = 0; entry < ENTRIES; entry++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            char key[160];
            if (is_there(entry, row, &seen)) {
                key_of(&world.samples[entry].events[row], options, key);
                tally_add(tallies, &count, key, 1);
            }
        }
    }
    return count;
}

static void group_key(const struct store_group *group, const struct store_count_options *options,
                      char key[160])
{
    size_t len = 0;
    for (size_t i = 0; i < options->group_count; i++) {
        slice text = group->values[i].ptr != NULL ? group->values[i] : SLICE("-");
        size_t n = text.len < 48 ? text.len : 48;
        memcpy(key + len, text.ptr, n);
        key[len + n] = '|';
        len += n + 1;
    }
    (void)snprintf(key + len, 160 - len, "%lld", (long long)group->bucket_us);
}

static void compare_count(const struct store_count_options *options)
{
    static struct tally plain[TOTAL];
    static struct tally counted[TOTAL];
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(16));
    struct store_group *groups = NULL;
    size_t count = 0;
    size_t counted_count = 0;
    size_t plain_count = count_plainly(options, plain);
    assert_int_equal(view_count(&world.view, options, &arena, &groups, &count, NULL), OK);
    assert_int_equal(count, plain_count);
    for (size_t i = 0; i < count; i++) {
        char key[160];
        group_key(&groups[i], options, key);
        tally_add(counted, &counted_count, key, groups[i].count);
    }
    assert_int_equal(counted_count, plain_count);
    for (size_t i = 0; i < plain_count; i++) {
        uint64_t before = plain[i].count;
        tally_add(counted, &counted_count, plain[i].key, 0);
        assert_int_equal(counted_count, plain_count);
        size_t at = 0;
        while (strcmp(counted[at].key, plain[i].key) != 0) {
            at++;
        }
        assert_int_equal(counted[at].count, before);
    }
}

static void test_counts(void **state)
{
    static const struct {
        const char *filter;
        enum field group_by[2];
        size_t group_count;
        int64_t interval_us;
    } rows[] = {
        {"", {0}, 0, 0},
        {"", {FIELD_EVENT_OUTCOME}, 1, 0},
        {"", {FIELD_EVENT_OUTCOME, FIELD_SEVERITY}, 2, 0},
        {"", {FIELD_ACTOR_ID, FIELD_ORG}, 2, 0},
        {"severity>=error", {FIELD_EVENT_TYPE}, 1, 3600000000},
        {"", {0}, 0, 600000000},
        {"", {FIELD_DURATION_MS, FIELD_IS_SENSITIVE}, 2, 0},
        {"data.amount>5", {FIELD_EVENT_TYPE}, 1, 0},
        {"NOT data.amount>5", {FIELD_ACTOR_ID, FIELD_DURATION_MS}, 2, 60000000},
        {"actor_id:nobody-at-all", {FIELD_EVENT_TYPE}, 1, 0},
        {"", {FIELD_EVENT_ID}, 1, 0},
        {"", {FIELD_PARENT_EVENT_ID}, 1, 0},
    };
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
        const struct filter *filter = NULL;
        assert_int_equal(filter_parse(slice_from_cstr(rows[i].filter), &context, &arena, &filter,
                                      NULL),
                         OK);
        struct store_count_options options = {
            .filter = filter,
            .size = UINT64_MAX,
            .group_by = {rows[i].group_by[0], rows[i].group_by[1]},
            .group_count = rows[i].group_count,
            .interval_us = rows[i].interval_us,
            .groups_max = TOTAL,
        };
        compare_count(&options);
        options.org = SLICE("acme");
        options.size = ROWS_MAX + 50;
        compare_count(&options);
        filter_release(filter);
    }
}

static void test_too_many_groups(void **state)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter *filter = NULL;
    struct store_group *groups = NULL;
    struct diag diag = {0};
    size_t count = 0;
    UNUSED(state);
    assert_int_equal(filter_parse((slice){0}, &context, &arena, &filter, NULL), OK);
    struct store_count_options options = {
        .filter = filter,
        .size = UINT64_MAX,
        .group_by = {FIELD_EVENT_ID},
        .group_count = 1,
        .groups_max = 10,
    };
    assert_int_equal(view_count(&world.view, &options, &arena, &groups, &count, &diag), ERR_LIMIT);
    assert_string_equal(diag.text, "there are more than 10 groups");
    filter_release(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scans),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_too_many_groups),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
