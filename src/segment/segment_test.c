/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "columns/row_set.h"
#include "segment/sections.h"
#include "segment/segment_file.h"
#include "segment/segment_support.h"

static void line_of(const struct event *event, struct buf *out)
{
    buf_clear(out);
    event_write_line(event, out);
    assert_false(out->failed);
}

/* Every row as the event it was, its line and its leaf hash; rows of `gone` show nothing. */
static void check_rows(const struct segment *segment, const struct event *events,
                       const struct row_set *gone)
{
    CLEANUP(buf_release) struct buf expected = BUF_INIT(EVENT_LINE_BYTES_MAX);
    CLEANUP(buf_release) struct buf line = BUF_INIT(EVENT_LINE_BYTES_MAX);
    CLEANUP(mem_freep) char *scratch = mem_zeroed(ROWS_EVENT_SCRATCH_BYTES);
    const struct rows *rows = segment_rows(segment);
    struct rows_reader *reader = rows->ops->reader_new(rows);
    for (uint32_t row = 0; row < rows->count; row++) {
        struct event event;
        struct leaf_hash leaf;
        line_of(&events[row], &expected);
        struct leaf_hash wanted = event_leaf_hash(buf_slice(&expected));
        assert_int_equal(rows->ops->leaf(reader, row, &leaf), OK);
        assert_memory_equal(&leaf, &wanted, sizeof(leaf));
        if (gone != NULL && row_set_has(gone, row)) {
            assert_int_equal(rows_event(reader, row, scratch, &event), ERR_GONE);
            continue;
        }
        assert_int_equal(rows_event(reader, row, scratch, &event), OK);
        line_of(&event, &line);
        assert_int_equal(line.len, expected.len);
        assert_memory_equal(line.ptr, expected.ptr, line.len);
    }
    rows->ops->reader_free(reader);
}

static void check_verifies(const struct segment *segment)
{
    struct diag diag = {0};
    if (segment_verify(segment, &diag) != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
}

/* ---- Round trips ---- */

static void round_trip(const struct event *events, uint32_t count)
{
    CLEANUP(tempdir_release) struct tempdir temp = {0};
    OWNED(dir) dir = support_dir(&temp);
    struct rows *rows = rows_memory_new(events, count, 3 * ROWS_MAX, NULL);
    OWNED(segment) segment = support_segment(rows, NULL, dir, "a.seg");
    check_rows(segment, events, NULL);
    check_verifies(segment);
    assert_int_equal(segment_rows(segment)->count, count);
    assert_int_equal(segment_rows(segment)->first_seq, 3 * ROWS_MAX);
    assert_true(segment_rows(segment)->time_min_us == rows->time_min_us);
    assert_true(segment_rows(segment)->time_max_us == rows->time_max_us);
    assert_int_equal(segment_rows(segment)->time_ordered, rows->time_ordered);
    assert_false(dir_has(dir, "a.seg.tmp"));
    rows_memory_free(rows);
}

static void test_counts(void **state)
{
    static const uint32_t counts[] = {1, 2, 63, 64, 65, 255, 256, 257, 511, 3000};
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        CLEANUP(samples_release) struct samples samples;
        samples_init(&samples, i + 1, counts[i]);
        round_trip(samples.events, samples.count);
    }
}

/* The least an event may have. */
static struct event bare_event(uint32_t n)
{
    struct event event = {0};
    uint8_t random[10] = {0};
    memcpy(random, &n, sizeof(n));
    event.present = FIELD_BIT(FIELD_EVENT_ID);
    event.value[FIELD_EVENT_ID].uuid = uuid_make_v7(SAMPLE_NOW_US + n, random);
    support_number(&event, FIELD_EVENT_TIMESTAMP, SAMPLE_NOW_US + n);
    return event;
}

static void test_extremes(void **state)
{
    enum { COUNT = 600, LONG_TEXT = 4096 * 4, LARGE_JSON = 262144 };
    static struct event events[COUNT];
    static char text[LONG_TEXT];
    static char json[LARGE_JSON];
    UNUSED(state);
    memset(text, 'x', sizeof(text));
    memset(json, 'y', sizeof(json));
    json[0] = '"';
    json[sizeof(json) - 1] = '"';
    for (uint32_t i = 0; i < COUNT; i++) {
        events[i] = bare_event(i);
    }
    for (uint32_t i = 300; i < 310; i++) {
        support_text(&events[i], FIELD_ERROR_MESSAGE,
                     (slice){(const uint8_t *)text, LONG_TEXT - i});
        support_text(&events[i], FIELD_EVENT_DATA, (slice){(const uint8_t *)json, sizeof(json)});
        support_text(&events[i], FIELD_EVENT_METADATA, SLICE("{}"));
        support_number(&events[i], FIELD_DURATION_MS, i % 2 == 0 ? 0 : 2147483647);
        support_number(&events[i], FIELD_IS_SENSITIVE, i % 2);
    }
    support_text(&events[5], FIELD_ACTOR_ID, SLICE("\xf0\x9f\x98\x80 \xc3\xbc"));
    support_number(&events[6], FIELD_EVENT_TIMESTAMP, 0);
    support_number(&events[7], FIELD_EVENT_TIMESTAMP, INT64_C(253402300799999999));
    events[8].value[FIELD_EVENT_ID].uuid.bytes[6] = 0x41; /* no UUIDv7: its tile is kept whole */
    round_trip(events, COUNT);
}

/* All 65,536 rows, with as many values, in every kind of dictionary. */
static void test_full(void **state)
{
    static char hex[ROWS_MAX][16];
    static char name[ROWS_MAX][24];
    CLEANUP(mem_freep) struct event *events = mem_array(ROWS_MAX, sizeof(*events));
    UNUSED(state);
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        uint32_t mixed = i * 2654435761u;
        events[i] = bare_event(i);
        (void)snprintf(hex[i], sizeof(hex[i]), "%08x", mixed);
        (void)snprintf(name[i], sizeof(name[i]), "user-%u", mixed);
        support_text(&events[i], FIELD_TRACE_ID, slice_from_cstr(hex[i]));
        support_text(&events[i], FIELD_ACTOR_ID, slice_from_cstr(name[i]));
        support_text(&events[i], FIELD_ORG, SLICE("acme"));
        if (i != 77) {
            support_text(&events[i], FIELD_SESSION_ID, slice_from_cstr(name[i]));
        }
        if (i != 78) {
            events[i].present |= FIELD_BIT(FIELD_PARENT_EVENT_ID);
            events[i].value[FIELD_PARENT_EVENT_ID].uuid = events[i].value[FIELD_EVENT_ID].uuid;
        }
    }
    round_trip(events, ROWS_MAX);
}

/* ---- Erasing ---- */

static bool file_has(const struct dir *dir, const char *name, const char *text)
{
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    assert_int_equal(file_read_all(dir, name, MIB(64), &bytes, &len, NULL), OK);
    return memmem(bytes, len, text, strlen(text)) != NULL;
}

static void test_erase(void **state)
{
    enum { COUNT = 1000 };
    CLEANUP(samples_release) struct samples samples;
    CLEANUP(tempdir_release) struct tempdir temp = {0};
    OWNED(dir) dir = support_dir(&temp);
    struct row_set gone = {0};
    UNUSED(state);
    samples_init(&samples, 99, COUNT);
    for (uint32_t row = 100; row < 400; row += 3) {
        row_set_add(&gone, row);
        support_text(&samples.events[row], FIELD_ACTOR_ID, SLICE("Secret.Person~"));
        support_text(&samples.events[row], FIELD_EVENT_DATA, SLICE("{\"a\":\"Hidden~\"}"));
    }
    struct rows *rows = rows_memory_new(samples.events, COUNT, 0, NULL);
    OWNED(segment) whole = support_segment(rows, NULL, dir, "a.seg");
    assert_true(file_has(dir, "a.seg", "Secret.Person~"));

    OWNED(segment) part = support_segment(segment_rows(whole), &gone, dir, "a.seg");
    assert_false(file_has(dir, "a.seg", "Secret.Person~"));
    assert_false(file_has(dir, "a.seg", "Hidden~"));
    assert_int_equal(segment_summary(part)->erased, 100);
    assert_true(merkle_hash_equal(&segment_summary(part)->root, &segment_summary(whole)->root));
    check_rows(part, samples.events, &gone);
    check_verifies(part);

    /* Once more: what was erased stays so. */
    struct row_set more = {0};
    row_set_add(&more, 0);
    OWNED(segment) less = support_segment(segment_rows(part), &more, dir, "b.seg");
    row_set_add(&gone, 0);
    check_rows(less, samples.events, &gone);
    check_verifies(less);
    assert_true(merkle_hash_equal(&segment_summary(less)->root, &segment_summary(whole)->root));

    /* Written from memory at once, it is the same file. */
    OWNED(segment) direct = support_segment(rows, &gone, dir, "c.seg");
    assert_int_equal(segment_summary(direct)->erased, 101);
    CLEANUP(mem_freep) uint8_t *b = NULL;
    CLEANUP(mem_freep) uint8_t *c = NULL;
    size_t b_len = 0;
    size_t c_len = 0;
    assert_int_equal(file_read_all(dir, "b.seg", MIB(64), &b, &b_len, NULL), OK);
    assert_int_equal(file_read_all(dir, "c.seg", MIB(64), &c, &c_len, NULL), OK);
    assert_int_equal(b_len, c_len);
    assert_memory_equal(b, c, b_len);
    rows_memory_free(rows);
}

static void test_erase_all_but_one(void **state)
{
    CLEANUP(samples_release) struct samples samples;
    CLEANUP(tempdir_release) struct tempdir temp = {0};
    OWNED(dir) dir = support_dir(&temp);
    struct row_set gone;
    UNUSED(state);
    samples_init(&samples, 5, 300);
    row_set_fill(&gone, 300);
    row_set_remove(&gone, 299);
    struct rows *rows = rows_memory_new(samples.events, 300, 0, NULL);
    OWNED(segment) segment = support_segment(rows, &gone, dir, "a.seg");
    check_rows(segment, samples.events, &gone);
    check_verifies(segment);
    row_set_add(&gone, 299);
    OWNED(segment) nothing = support_segment(rows, &gone, dir, "b.seg");
    check_rows(nothing, samples.events, &gone);
    check_verifies(nothing);
    rows_memory_free(rows);
}

/* ---- Damage ---- */

/* What opening "damaged.seg" or else verifying it says. */
static enum err look_at(const struct dir *dir, struct diag *diag)
{
    OWNED(segment) segment = NULL;
    enum err e = segment_open(dir, "damaged.seg", &segment, diag);
    return e == OK ? segment_verify(segment, diag) : e;
}

/* The same of these bytes. */
static enum err judge(const struct dir *dir, slice bytes, struct diag *diag)
{
    OWNED(file) file = NULL;
    assert_int_equal(file_open(dir, "damaged.seg", FILE_CREATE, &file, NULL), OK);
    assert_int_equal(file_truncate(file, bytes.len, NULL), OK);
    assert_int_equal(file_write_at(file, 0, bytes, NULL), OK);
    return look_at(dir, diag);
}

/* One bit after the other: whichever is flipped, it is found. */
static void test_every_bit(void **state)
{
    CLEANUP(samples_release) struct samples samples;
    CLEANUP(tempdir_release) struct tempdir temp = {0};
    OWNED(dir) dir = support_dir(&temp);
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    struct row_set gone = {0};
    size_t len = 0;
    UNUSED(state);
    row_set_add(&gone, 3);
    samples_init(&samples, 7, 20);
    struct rows *rows = rows_memory_new(samples.events, 20, 0, NULL);
    OWNED(segment) segment = support_segment(rows, &gone, dir, "a.seg");
    assert_int_equal(segment_summary(segment)->erased, 1);
    assert_int_equal(file_read_all(dir, "a.seg", MIB(1), &bytes, &len, NULL), OK);
    assert_int_equal(judge(dir, (slice){bytes, len}, NULL), OK);
    OWNED(file) file = NULL;
    assert_int_equal(file_open(dir, "damaged.seg", FILE_WRITE, &file, NULL), OK);
    for (size_t bit = 0; bit < len * 8; bit++) {
        struct diag diag = {0};
        uint8_t flipped = bytes[bit / 8] ^ (uint8_t)(1u << bit % 8);
        assert_int_equal(file_write_at(file, bit / 8, (slice){&flipped, 1}, NULL), OK);
        assert_int_equal(look_at(dir, &diag), ERR_CORRUPT);
        assert_string_equal(diag.where, "damaged.seg");
        assert_int_equal(file_write_at(file, bit / 8, (slice){bytes + bit / 8, 1}, NULL), OK);
    }
    assert_int_equal(look_at(dir, NULL), OK);
    for (size_t shorter = 0; shorter < len; shorter += 7) {
        assert_int_equal(judge(dir, (slice){bytes, shorter}, NULL), ERR_CORRUPT);
    }
    rows_memory_free(rows);
}

/* Writes the file anew with one byte of one section changed and all checksums right. */
static void forge(const struct dir *dir, const struct segment *segment, uint32_t changed, size_t at)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(MIB(16));
    OWNED(sections_writer) file = NULL;
    uint64_t written = 0;
    assert_int_equal(sections_create(dir, "forged.seg", &segment_format, &file, NULL), OK);
    for (uint32_t i = 0; i < segment->sections.count; i++) {
        struct section section = sections_get(&segment->sections, i);
        buf_clear(&bytes);
        buf_append(&bytes, sections_bytes(&segment->sections, &section));
        if (i == changed) {
            bytes.ptr[at] ^= 1;
        }
        assert_int_equal(sections_add(file, &section, buf_slice(&bytes), NULL), OK);
    }
    assert_int_equal(sections_commit(file, segment->sections.head, &written, NULL), OK);
}

/* What an attacker changes together with its checksum does not follow from the events any more. */
static void test_forged_sections(void **state)
{
    CLEANUP(samples_release) struct samples samples;
    CLEANUP(tempdir_release) struct tempdir temp = {0};
    OWNED(dir) dir = support_dir(&temp);
    struct row_set gone = {0};
    UNUSED(state);
    row_set_add(&gone, 3);
    samples_init(&samples, 8, 600);
    struct rows *rows = rows_memory_new(samples.events, 600, 0, NULL);
    OWNED(segment) segment = support_segment(rows, &gone, dir, "a.seg");
    for (uint32_t i = 0; i < segment->sections.count; i++) {
        struct section section = sections_get(&segment->sections, i);
        if (section.len == 0 || section.kind == SEGMENT_PAYLOAD_DICTIONARY) {
            continue; /* of the dictionary, some bytes are of no use to any frame */
        }
        for (size_t part = 0; part < 5; part++) {
            OWNED(segment) forged = NULL;
            struct diag diag = {0};
            forge(dir, segment, i, (size_t)section.len * part / 5);
            enum err e = segment_open(dir, "forged.seg", &forged, &diag);
            e = e == OK ? segment_verify(forged, &diag) : e;
            if (e != ERR_CORRUPT) {
                fail_msg("section %u of kind %u, field %u, part %zu of %zu: not found", i,
                         section.kind, section.field, part, (size_t)section.len);
            }
        }
    }
    rows_memory_free(rows);
}

static void test_not_found(void **state)
{
    CLEANUP(tempdir_release) struct tempdir temp = {0};
    OWNED(dir) dir = support_dir(&temp);
    OWNED(segment) segment = NULL;
    struct merkle_hash root;
    UNUSED(state);
    assert_int_equal(segment_open(dir, "none.seg", &segment, NULL), ERR_NOT_FOUND);
    assert_int_equal(file_replace(dir, "empty.seg", (slice){0}, NULL), OK);
    assert_int_equal(segment_open(dir, "empty.seg", &segment, NULL), ERR_CORRUPT);
    CLEANUP(samples_release) struct samples samples;
    samples_init(&samples, 8, 257);
    struct rows *rows = rows_memory_new(samples.events, 257, 0, NULL);
    OWNED(segment) two_tiles = support_segment(rows, NULL, dir, "a.seg");
    assert_int_equal(segment_tile_root(two_tiles, 1, &root), OK);
    assert_int_equal(segment_tile_root(two_tiles, 2, &root), ERR_NOT_FOUND);
    rows_memory_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_erase),
        cmocka_unit_test(test_erase_all_but_one),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_forged_sections),
        cmocka_unit_test(test_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
