/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "event/event.h"

/* event_id, event_timestamp, event_type "t", duration_ms 300, is_sensitive, event_data {} */
#define ROW                                                                                        \
    "\x23\x00\x00\x10\x05\x00\x00\x00"                                                             \
    "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"                             \
    "\x01\x00\x00\x00\x00\x00\x00\x00"                                                             \
    "\x01t"                                                                                        \
    "\xac\x02"                                                                                     \
    "\x01"                                                                                         \
    "\x02{}"

static void test_row_bytes_are_as_documented(void **state)
{
    UNUSED(state);
    slice row = {(const uint8_t *)ROW, sizeof(ROW) - 1};
    struct buf out = BUF_INIT(KIB(1));
    struct event event;
    assert_int_equal(event_from_row(row, &event, NULL), OK);
    assert_int_equal(event.value[FIELD_EVENT_TIMESTAMP].number, 1);
    assert_slice_equal(event.value[FIELD_EVENT_TYPE].text, "t");
    assert_int_equal(event.value[FIELD_DURATION_MS].number, 300);
    assert_int_equal(event.value[FIELD_IS_SENSITIVE].number, 1);
    event_write_row(&event, &out);
    assert_true(slice_equal(buf_slice(&out), row));
    buf_clear(&out);
    event_write_line(&event, &out);
    assert_slice_equal(buf_slice(&out),
                       "{\"event_id\":\"01020304-0506-0708-090a-0b0c0d0e0f10\","
                       "\"event_timestamp\":\"1970-01-01T00:00:00.000001Z\",\"event_type\":\"t\","
                       "\"duration_ms\":300,\"is_sensitive\":true,\"event_data\":{}}");
    buf_release(&out);
}

static void test_every_cut_row_is_corrupt(void **state)
{
    UNUSED(state);
    struct event event;
    for (size_t len = 0; len < sizeof(ROW) - 1; len++) {
        assert_int_equal(event_from_row((slice){(const uint8_t *)ROW, len}, &event, NULL),
                         ERR_CORRUPT);
    }
    assert_int_equal(event_from_row((slice){(const uint8_t *)ROW, sizeof(ROW)}, &event, NULL),
                     ERR_CORRUPT); /* a byte too many */
}

struct damage_case {
    size_t at;
    uint8_t byte;
};

static void test_damaged_rows_are_corrupt(void **state)
{
    UNUSED(state);
    static const struct damage_case cases[] = {
        {7, 0x80},  /* a field that is unknown */
        {31, 0x7f}, /* a time beyond the year 9999 */
        {31, 0xff}, /* a time before 1970 */
        {32, 0x7f}, /* a text longer than the row */
        {35, 0x82}, /* a varint that runs into the next field */
        {36, 0x02}, /* a boolean that is neither */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t row[sizeof(ROW) - 1];
        struct event event;
        struct diag diag = {0};
        memcpy(row, ROW, sizeof(row));
        row[cases[i].at] = cases[i].byte;
        assert_int_equal(event_from_row((slice){row, sizeof(row)}, &event, &diag), ERR_CORRUPT);
        assert_int_not_equal(diag.text[0], 0);
    }
}

static void test_a_long_varint_is_corrupt(void **state)
{
    UNUSED(state);
    static const uint8_t row[] = {0, 0, 0, 0x10, 0, 0, 0, 0, 0x80, 0x00};
    struct event event;
    assert_int_equal(event_from_row((slice){row, sizeof(row)}, &event, NULL), ERR_CORRUPT);
}

/* Numbers that are in rows on disk. A line of this table may never change. */
static void test_stored_numbers_never_change(void **state)
{
    UNUSED(state);
    static const struct {
        enum field field;
        unsigned stored;
    } cases[] = {
        {FIELD_EVENT_ID, 0},         {FIELD_EVENT_TIMESTAMP, 1},
        {FIELD_RECORDED_AT, 2},      {FIELD_ORG, 3},
        {FIELD_EVENT_VERSION, 4},    {FIELD_EVENT_TYPE, 5},
        {FIELD_EVENT_CATEGORY, 6},   {FIELD_EVENT_ACTION, 7},
        {FIELD_EVENT_OUTCOME, 8},    {FIELD_SEVERITY, 9},
        {FIELD_SERVICE, 10},         {FIELD_ACTOR_TYPE, 11},
        {FIELD_ACTOR_ID, 12},        {FIELD_ACTOR_EMAIL, 13},
        {FIELD_ACTOR_IP, 14},        {FIELD_SOURCE_ADDRESS, 15},
        {FIELD_RESOURCE_TYPE, 16},   {FIELD_RESOURCE_ID, 17},
        {FIELD_RESOURCE_NAME, 18},   {FIELD_CORRELATION_ID, 19},
        {FIELD_PARENT_EVENT_ID, 20}, {FIELD_TRACE_ID, 21},
        {FIELD_SPAN_ID, 22},         {FIELD_SESSION_ID, 23},
        {FIELD_REQUEST_ID, 24},      {FIELD_USER_AGENT, 25},
        {FIELD_NAMESPACE, 26},       {FIELD_CLUSTER_NAME, 27},
        {FIELD_DURATION_MS, 28},     {FIELD_ERROR_CODE, 29},
        {FIELD_ERROR_MESSAGE, 30},   {FIELD_RETENTION_DAYS, 31},
        {FIELD_IS_SENSITIVE, 32},    {FIELD_SOURCE_FORMAT, 33},
        {FIELD_EVENT_DATA, 34},      {FIELD_EVENT_METADATA, 35},
    };
    assert_int_equal(COUNT_OF(cases), FIELD_COUNT);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf row = BUF_INIT(KIB(1));
        static struct event event;
        memset(&event, 0, sizeof(event));
        event.present = FIELD_BIT(cases[i].field);
        event.value[cases[i].field].text = SLICE("");
        event_write_row(&event, &row);
        assert_int_equal(row.ptr[cases[i].stored / 8], 1u << cases[i].stored % 8);
        buf_release(&row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_bytes_are_as_documented),
        cmocka_unit_test(test_every_cut_row_is_corrupt),
        cmocka_unit_test(test_damaged_rows_are_corrupt),
        cmocka_unit_test(test_a_long_varint_is_corrupt),
        cmocka_unit_test(test_stored_numbers_never_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
