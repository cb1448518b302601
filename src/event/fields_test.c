/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "event/event.h"

static void test_every_name_finds_its_field(void **state)
{
    UNUSED(state);
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        enum field found = FIELD_COUNT;
        assert_true(field_find(fields[field].name, &found));
        assert_int_equal(found, field);
        slice rest = fields[field].other_names;
        while (rest.len > 0) {
            size_t len = 0;
            while (len < rest.len && rest.ptr[len] != ' ') {
                len++;
            }
            assert_true(field_find(slice_take(&rest, len), &found));
            assert_int_equal(found, field);
            slice_skip_spaces(&rest);
        }
    }
}

static void test_nothing_else_is_a_field(void **state)
{
    UNUSED(state);
    static const char *const names[] = {"",           "event",        "event_typ",  "event_types",
                                        "Event_type", "user user_id", "actor user", "event_id "};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        enum field found = FIELD_COUNT;
        assert_false(field_find(slice_from_cstr(names[i]), &found));
        assert_int_equal(found, FIELD_COUNT);
    }
}

static void test_ranks(void **state)
{
    UNUSED(state);
    static const struct {
        enum field field;
        const char *name;
        int rank;
    } cases[] = {
        {FIELD_SEVERITY, "debug", 0},        {FIELD_SEVERITY, "info", 1},
        {FIELD_SEVERITY, "low", 1},          {FIELD_SEVERITY, "notice", 2},
        {FIELD_SEVERITY, "warning", 3},      {FIELD_SEVERITY, "medium", 3},
        {FIELD_SEVERITY, "error", 4},        {FIELD_SEVERITY, "high", 4},
        {FIELD_SEVERITY, "critical", 5},     {FIELD_SEVERITY, "alert", 6},
        {FIELD_SEVERITY, "emergency", 7},    {FIELD_SEVERITY, "success", -1},
        {FIELD_SEVERITY, "High", -1},        {FIELD_EVENT_OUTCOME, "success", 0},
        {FIELD_EVENT_OUTCOME, "failure", 1}, {FIELD_EVENT_OUTCOME, "pending", 2},
        {FIELD_EVENT_OUTCOME, "denied", 3},  {FIELD_EVENT_OUTCOME, "unknown", 4},
        {FIELD_EVENT_OUTCOME, "", -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(choice_rank(cases[i].field, slice_from_cstr(cases[i].name)),
                         cases[i].rank);
    }
}

static void test_choices_are_told_lowest_first(void **state)
{
    UNUSED(state);
    slice name = SLICE("untouched");
    int rank = 0;
    for (size_t i = 0; choice_at(FIELD_SEVERITY, i, &name); i++) {
        assert_true(choice_rank(FIELD_SEVERITY, name) >= rank);
        rank = choice_rank(FIELD_SEVERITY, name);
    }
    assert_slice_equal(name, "emergency");
    assert_true(choice_at(FIELD_EVENT_OUTCOME, 4, &name));
    assert_slice_equal(name, "unknown");
    assert_false(choice_at(FIELD_EVENT_OUTCOME, 5, &name));
    assert_slice_equal(name, "unknown");
}

static void test_values_as_text_and_as_json(void **state)
{
    UNUSED(state);
    static struct event event;
    char scratch[FIELD_TEXT_BYTES_MAX];
    struct buf out = BUF_INIT(KIB(1));
    event.present = FIELD_BIT(FIELD_EVENT_TIMESTAMP) | FIELD_BIT(FIELD_ACTOR_ID) |
                    FIELD_BIT(FIELD_DURATION_MS) | FIELD_BIT(FIELD_IS_SENSITIVE);
    event.value[FIELD_ACTOR_ID].text = SLICE("a\"b");
    event.value[FIELD_DURATION_MS].number = 2147483647;
    assert_slice_equal(event_value_text(&event, FIELD_EVENT_TIMESTAMP, scratch),
                       "1970-01-01T00:00:00.000000Z");
    assert_slice_equal(event_value_text(&event, FIELD_ACTOR_ID, scratch), "a\"b");
    assert_slice_equal(event_value_text(&event, FIELD_DURATION_MS, scratch), "2147483647");
    assert_slice_equal(event_value_text(&event, FIELD_IS_SENSITIVE, scratch), "false");
    event_write_value(&event, FIELD_ACTOR_ID, &out);
    event_write_value(&event, FIELD_DURATION_MS, &out);
    event_write_value(&event, FIELD_EVENT_TIMESTAMP, &out);
    assert_slice_equal(buf_slice(&out), "\"a\\\"b\"2147483647\"1970-01-01T00:00:00.000000Z\"");
    buf_release(&out);
}

static void test_entries_from_65536_bytes_on_are_digest_records(void **state)
{
    UNUSED(state);
    struct buf line = BUF_INIT(MIB(1));
    struct buf entry = BUF_INIT(MIB(1));
    while (line.len < 65535) {
        buf_append_byte(&line, 'a');
    }
    event_write_entry(buf_slice(&line), &entry);
    assert_true(slice_equal(buf_slice(&line), buf_slice(&entry)));
    buf_append_byte(&line, 'a');
    buf_clear(&entry);
    event_write_entry(buf_slice(&line), &entry);
    assert_slice_equal(
        buf_slice(&entry),
        "{\"line_sha256\":\"bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a\","
        "\"length\":65536}");
    struct leaf_hash of_line = event_leaf_hash(buf_slice(&line));
    struct leaf_hash of_entry = event_leaf_hash(buf_slice(&entry));
    assert_memory_equal(of_line.bytes, of_entry.bytes, LEAF_HASH_BYTES);
    buf_release(&line);
    buf_release(&entry);
}

static void test_a_line_refused_by_its_buf_is_told(void **state)
{
    UNUSED(state);
    static struct event event;
    struct buf out = BUF_INIT(100);
    event.present = FIELD_BIT(FIELD_ACTOR_ID) | FIELD_BIT(FIELD_USER_AGENT);
    event.value[FIELD_ACTOR_ID].text = SLICE("a\nb");
    event.value[FIELD_USER_AGENT].text = SLICE("0123456789012345678901234567890123456789");
    event_write_line(&event, &out);
    assert_int_equal(buf_check(&out), ERR_LIMIT);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name_finds_its_field),
        cmocka_unit_test(test_nothing_else_is_a_field),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_choices_are_told_lowest_first),
        cmocka_unit_test(test_values_as_text_and_as_json),
        cmocka_unit_test(test_entries_from_65536_bytes_on_are_digest_records),
        cmocka_unit_test(test_a_line_refused_by_its_buf_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
