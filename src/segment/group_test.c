/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/group_support.h"
#include "segment/sections.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_lookups),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
