/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "segment/group_file.h"
#include "segment/group_support.h"

/* Of the table of ids: one u32 for each bucket, and one for the end. */
enum { GROUP_ID_STARTS_BYTES = 4 * ((1 << GROUP_ID_BUCKET_BITS) + 1) };

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

/* An index of other segments is not theirs. */
static void test_other_segments(void **state)
{
    struct segment *others[GROUP_SEGMENTS];
    UNUSED(state);
    memcpy(others, world.segments, sizeof(others));
    others[3] = NULL;
    assert_int_equal(group_verify(world.group, others, NULL), ERR_CORRUPT);
}

/* An index over one segment of a few rows, the others gone: as small as one can be, which is 256
 * KiB of starts of buckets, and little else. */
struct small_index {
    struct samples samples;
    struct segment *segments[GROUP_SEGMENTS];
    uint8_t *bytes;
    size_t len;
    size_t starts_at;
};

static void small_index_init(struct small_index *index)
{
    OWNED(group) group = NULL;
    *index = (struct small_index){0};
    samples_init(&index->samples, 5, 10);
    struct rows *rows = rows_memory_new(index->samples.events, 10, 7 * (uint64_t)ROWS_MAX, NULL);
    index->segments[7] = support_segment(rows, NULL, world.dir, "d.seg");
    rows_memory_free(rows);
    assert_int_equal(group_write(index->segments, 0, world.dir, "d.idx", NULL), OK);
    assert_int_equal(group_open(world.dir, "d.idx", &group, NULL), OK);
    assert_int_equal(group_verify(group, index->segments, NULL), OK);
    struct section ids = sections_get(&group->sections, 0);
    assert_int_equal(ids.kind, GROUP_IDS);
    index->starts_at = (size_t)ids.offset;
    assert_int_equal(file_read_all(world.dir, "d.idx", MIB(1), &index->bytes, &index->len, NULL),
                     OK);
}

static void small_index_release(struct small_index *index)
{
    segment_free(index->segments[7]);
    samples_release(&index->samples);
    free(index->bytes);
}

/* Of the starts one bit of each, another from start to start; all, if CAIRN_TEST_LONG is set. */
static bool is_passed_over(const struct small_index *index, size_t bit)
{
    size_t at = bit / 8;
    bool is_start = at >= index->starts_at && at < index->starts_at + GROUP_ID_STARTS_BYTES;
    return is_start && bit % 32 != bit / 32 % 32 && getenv("CAIRN_TEST_LONG") == NULL;
}

static void test_every_bit(void **state)
{
    CLEANUP(small_index_release) struct small_index index;
    OWNED(file) file = NULL;
    UNUSED(state);
    small_index_init(&index);
    assert_int_equal(file_open(world.dir, "d.idx", FILE_WRITE, &file, NULL), OK);
    for (size_t bit = 0; bit < index.len * 8; bit++) {
        OWNED(group) group = NULL;
        struct diag diag = {0};
        uint8_t byte = index.bytes[bit / 8];
        uint8_t flipped = byte ^ (uint8_t)(1u << bit % 8);
        if (is_passed_over(&index, bit)) {
            continue;
        }
        assert_int_equal(file_write_at(file, bit / 8, (slice){&flipped, 1}, NULL), OK);
        enum err e = group_open(world.dir, "d.idx", &group, &diag);
        e = e == OK ? group_verify(group, index.segments, &diag) : e;
        if (e != ERR_CORRUPT) {
            fail_msg("bit %zu of byte %zu goes unnoticed", bit % 8, bit / 8);
        }
        assert_string_equal(diag.where, "d.idx");
        assert_int_equal(file_write_at(file, bit / 8, (slice){&byte, 1}, NULL), OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),       cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_lookups),   cmocka_unit_test(test_other_segments),
        cmocka_unit_test(test_every_bit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
