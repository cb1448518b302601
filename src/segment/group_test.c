/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "codec/wire.h"
#include "segment/group.h"
#include "segment/row_set.h"
#include "segment/sections.h"
#include "segment/segment_support.h"
#include "segment/stored.h"
#include "segment/view_prune.h"

enum { ROWS = 150, GONE_SEGMENT = 9, ERASED_SEGMENT = 20, DENSE_END_BYTES = 256 };

struct world {
    struct tempdir temp;
    struct dir *dir;
    struct samples samples[GROUP_SEGMENTS];
    struct segment *segments[GROUP_SEGMENTS];
    struct row_set erased;
    struct group *group;
};
static struct world world;

static int set_up(void **state)
{
    UNUSED(state);
    struct diag diag = {0};
    world.dir = support_dir(&world.temp);
    for (uint32_t row = 0; row < ROWS; row += 2) {
        row_set_add(&world.erased, row);
    }
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%zu.seg", i);
        samples_init(&world.samples[i], 1000 + i, ROWS);
        for (uint32_t row = 0; row < ROWS; row++) { /* ids of their own, about a third of them v7 */
            struct uuid *id = &world.samples[i].events[row].value[FIELD_EVENT_ID].uuid;
            wire_put_u32be(id->bytes + 12, (uint32_t)(i * ROWS + row));
            id->bytes[6] = row % 3 == 0 ? 0x70 : 0x40;
            id->bytes[8] = 0x80;
        }
        if (i == GONE_SEGMENT) {
            continue;
        }
        struct rows *rows =
            rows_memory_new(world.samples[i].events, ROWS, i * (uint64_t)ROWS_MAX, NULL);
        world.segments[i] =
            support_segment(rows, i == ERASED_SEGMENT ? &world.erased : NULL, world.dir, name);
        rows_memory_free(rows);
    }
    if (group_write(world.segments, 0, world.dir, "g.idx", &diag) != OK ||
        group_open(world.dir, "g.idx", &world.group, &diag) != OK ||
        group_verify(world.group, world.segments, &diag) != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    return 0;
}

static int tear_down(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        segment_free(world.segments[i]);
        samples_release(&world.samples[i]);
    }
    group_free(world.group);
    dir_free(world.dir);
    tempdir_release(&world.temp);
    return 0;
}

static bool is_live(size_t segment, uint32_t row)
{
    return segment != GONE_SEGMENT &&
           (segment != ERASED_SEGMENT || !row_set_has(&world.erased, row));
}

static void test_ids(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            const struct event *event = &world.samples[i].events[row];
            uint32_t rows[GROUP_FIND_MAX];
            uint64_t hash =
                event_id_hash(event->value[FIELD_ORG].text, &event->value[FIELD_EVENT_ID].uuid);
            bool found = false;
            group_prefetch_id(world.group, hash);
            size_t count = group_find_id(world.group, hash, rows);
            for (size_t n = 0; n < count; n++) {
                assert_true(n == 0 || rows[n] > rows[n - 1]);
                found = found || rows[n] == i * ROWS_MAX + row;
            }
            assert_int_equal(found, is_live(i, row));
        }
    }
}

static void test_bounds(void **state)
{
    uint64_t min_ms = UINT64_MAX;
    uint64_t max_ms = 0;
    uint64_t found_min = 0;
    uint64_t found_max = 0;
    UNUSED(state);
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            const struct uuid *id = &world.samples[i].events[row].value[FIELD_EVENT_ID].uuid;
            if (is_live(i, row) && uuid_version(id) == 7) {
                min_ms = uuid_v7_ms(id) < min_ms ? uuid_v7_ms(id) : min_ms;
                max_ms = uuid_v7_ms(id) > max_ms ? uuid_v7_ms(id) : max_ms;
            }
        }
    }
    group_v7_bounds(world.group, &found_min, &found_max);
    assert_true(found_min == min_ms);
    assert_true(found_max == max_ms);
}

/* The segments that have a value, found by looking at all events. */
static uint64_t segments_with(enum field field, slice value)
{
    uint64_t segments = 0;
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            const struct event *event = &world.samples[i].events[row];
            bool has = is_live(i, row) && event_has(event, field) &&
                       slice_equal(event->value[field].text, value);
            segments |= has ? UINT64_C(1) << i : 0;
        }
    }
    return segments;
}

/* The segments that have a value, and of others next to none. */
static void test_lookups(void **state)
{
    enum { ASKED = 40 };
    size_t wrong = 0;
    UNUSED(state);
    for (uint32_t asked = 0; asked < ASKED; asked++) {
        const struct event *event = &world.samples[asked].events[asked];
        for (unsigned f = 0; f < FIELD_COUNT; f++) {
            bool is_text = fields[f].type != TYPE_UUID && (fields[f].flags & FIELD_LOOKUP) != 0;
            if (!is_text || !event_has(event, (enum field)f)) {
                continue;
            }
            slice value = event->value[f].text;
            uint64_t expected = segments_with((enum field)f, value);
            uint64_t found = group_lookup(world.group, (enum field)f, value);
            assert_true((expected & ~found) == 0);
            wrong += (size_t)__builtin_popcountll(found & ~expected);
        }
    }
    assert_true(wrong < 10);
    assert_true(group_lookup(world.group, FIELD_TRACE_ID, SLICE("no such trace")) == 0);
    assert_true(group_lookup(world.group, FIELD_SERVICE, SLICE("auth")) == UINT64_MAX);
}

/* Every bit of the header and the end of the footer; of the rest a sample. */
static void flip_bits(struct file *file, uint8_t *bytes, size_t len)
{
    size_t sample = len * 8 / 300;
    for (size_t bit = 0; bit < len * 8;) {
        OWNED(group) group = NULL;
        uint8_t flipped = bytes[bit / 8] ^ (uint8_t)(1u << bit % 8);
        assert_int_equal(file_write_at(file, bit / 8, (slice){&flipped, 1}, NULL), OK);
        enum err e = group_open(world.dir, "d.idx", &group, NULL);
        e = e == OK ? group_verify(group, world.segments, NULL) : e;
        assert_int_equal(e, ERR_CORRUPT);
        assert_int_equal(file_write_at(file, bit / 8, (slice){bytes + bit / 8, 1}, NULL), OK);
        bool is_dense = bit / 8 < SECTIONS_HEADER_BYTES || bit / 8 >= len - DENSE_END_BYTES;
        size_t dense_from = (len - DENSE_END_BYTES) * 8;
        size_t next = is_dense ? bit + 1 : bit + sample;
        bit = !is_dense && next > dense_from ? dense_from : next;
    }
}

/* An index of other segments is not theirs; a changed bit is found. */
static void test_damage(void **state)
{
    struct segment *others[GROUP_SEGMENTS];
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    UNUSED(state);
    memcpy(others, world.segments, sizeof(others));
    others[3] = NULL;
    assert_int_equal(group_verify(world.group, others, NULL), ERR_CORRUPT);
    assert_int_equal(file_read_all(world.dir, "g.idx", MIB(8), &bytes, &len, NULL), OK);
    assert_int_equal(file_replace(world.dir, "d.idx", (slice){bytes, len}, NULL), OK);
    OWNED(file) file = NULL;
    assert_int_equal(file_open(world.dir, "d.idx", FILE_WRITE, &file, NULL), OK);
    flip_bits(file, bytes, len);
}

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
        cmocka_unit_test(test_ids),     cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_lookups), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_prune),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
