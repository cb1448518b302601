/* SPDX-License-Identifier: Apache-2.0 */
/* What a table of texts cannot show: sizes, depths, ages, ids, and what counts as sent. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "event/read.h"

#define NOW_US INT64_C(1768435200000000)

struct fixture {
    struct arena arena;
    struct read_options options;
    struct event event;
    uint64_t sent;
    struct diag diag;
    struct buf json;
};

static int set_up(void **state)
{
    struct fixture *f = mem_zeroed(sizeof(*f));
    arena_init(&f->arena, MIB(8));
    buf_init(&f->json, MIB(4));
    f->options = (struct read_options){.org = SLICE("o"), .now_us = NOW_US};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_release(&f->arena);
    buf_release(&f->json);
    free(f);
    return 0;
}

static enum err read_json(struct fixture *f)
{
    return event_read(buf_slice(&f->json), &f->options, &f->arena, &f->event, &f->sent, &f->diag);
}

static void set_json(struct fixture *f, const char *head, char fill, size_t count, const char *tail)
{
    buf_clear(&f->json);
    buf_append_cstr(&f->json, head);
    for (size_t i = 0; i < count; i++) {
        buf_append_byte(&f->json, (uint8_t)fill);
    }
    buf_append_cstr(&f->json, tail);
}

static void test_event_data_has_a_largest_size(void **state)
{
    struct fixture *f = *state;
    set_json(f, "{\"event_type\":\"t\",\"event_data\":  \"", 'x', 262142, "\"  }");
    assert_int_equal(read_json(f), OK);
    assert_int_equal(f->event.value[FIELD_EVENT_DATA].text.len, 262144);
    set_json(f, "{\"event_type\":\"t\",\"event_data\":\"", 'x', 262143, "\"}");
    assert_int_equal(read_json(f), ERR_LIMIT);
    assert_string_equal(f->diag.where, "/event_data");
    set_json(f, "{\"event_type\":\"t\",\"event_data\":[", ' ', 300000,
             "]}"); /* spaces do not count */
    assert_int_equal(read_json(f), OK);
    assert_slice_equal(f->event.value[FIELD_EVENT_DATA].text, "[]");
}

static void test_metadata_has_a_largest_size_with_the_rest(void **state)
{
    struct fixture *f = *state;
    set_json(f, "{\"event_type\":\"t\",\"x\":\"", 'x', 262144 - 8, "\"}"); /* {"x":"..."} */
    assert_int_equal(read_json(f), OK);
    set_json(f, "{\"event_type\":\"t\",\"x\":\"", 'x', 262144 - 7, "\"}");
    assert_int_equal(read_json(f), ERR_LIMIT);
    assert_string_equal(f->diag.where, "/event_metadata");
}

static void test_a_line_has_a_largest_size(void **state)
{
    struct fixture *f = *state;
    set_json(f, "{\"event_type\":\"t\"", ' ', READ_LINE_BYTES_MAX, "}");
    assert_int_equal(read_json(f), ERR_LIMIT);
    assert_string_equal(f->diag.where, "");
}

static void set_depth(struct fixture *f, const char *name, size_t depth)
{
    set_json(f, "{\"event_type\":\"t\",\"", '_', 0, name);
    buf_append_cstr(&f->json, "\":");
    for (size_t i = 0; i < depth; i++) {
        buf_append_byte(&f->json, '[');
    }
    for (size_t i = 0; i < depth; i++) {
        buf_append_byte(&f->json, ']');
    }
    buf_append_byte(&f->json, '}');
}

static void test_depth(void **state)
{
    struct fixture *f = *state;
    set_depth(f, "event_data", 63);
    assert_int_equal(read_json(f), OK);
    set_depth(f, "event_data", 64);
    assert_int_equal(read_json(f), ERR_INVALID);
    set_depth(f, "x", 62); /* one level deeper once it is in event_metadata */
    assert_int_equal(read_json(f), OK);
    set_depth(f, "x", 63);
    assert_int_equal(read_json(f), ERR_INVALID);
    assert_string_equal(f->diag.where, "/x");
    f->options.depth_max = 3;
    set_depth(f, "event_data", 2);
    assert_int_equal(read_json(f), OK);
    set_depth(f, "event_data", 3);
    assert_int_equal(read_json(f), ERR_INVALID);
    assert_string_equal(f->diag.where, "/event_data/0/0");
}

static void test_depth_of_a_body_that_becomes_data(void **state)
{
    struct fixture *f = *state;
    f->options.header_event_type = SLICE("h");
    f->options.depth_max = 4;
    set_json(f, "{\"x\":[[", ' ', 1, "]]}");
    assert_int_equal(read_json(f), OK);
    set_json(f, "{\"event_data\":[[[", ' ', 1, "]]]}");
    assert_int_equal(read_json(f), ERR_INVALID);
    assert_string_equal(f->diag.where, "");
}

static void test_ages(void **state)
{
    struct fixture *f = *state;
    f->options.past_us_max = 1000000;
    f->options.future_us_max = 2000000;
    static const struct {
        const char *json;
        enum err expect;
    } cases[] = {
        {"{\"event_type\":\"t\",\"event_timestamp\":\"2026-01-14T23:59:59Z\"}", OK},
        {"{\"event_type\":\"t\",\"event_timestamp\":\"2026-01-14T23:59:58.999999Z\"}", ERR_INVALID},
        {"{\"event_type\":\"t\",\"event_timestamp\":\"2026-01-15T00:00:02Z\"}", OK},
        {"{\"event_type\":\"t\",\"event_timestamp\":\"2026-01-15T00:00:02.000001Z\"}", ERR_INVALID},
        {"{\"event_type\":\"t\",\"time\":\"2026-01-16T00:00:00Z\"}", ERR_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        set_json(f, cases[i].json, ' ', 0, "");
        assert_int_equal(read_json(f), cases[i].expect);
        if (cases[i].expect != OK) {
            assert_string_equal(f->diag.where, "/event_timestamp");
        }
    }
}

static void test_ids_that_are_made_are_fresh(void **state)
{
    struct fixture *f = *state;
    struct uuid last = {{0}};
    set_json(f, "{\"event_type\":\"t\"}", ' ', 0, "");
    for (size_t i = 0; i < 60; i++) {
        assert_int_equal(read_json(f), OK);
        struct uuid id = f->event.value[FIELD_EVENT_ID].uuid;
        assert_int_equal(uuid_version(&id), 7);
        assert_int_equal(uuid_v7_ms(&id), NOW_US / 1000);
        assert_false(uuid_equal(&id, &last));
        last = id;
    }
}

static void test_sent_is_what_the_request_gave(void **state)
{
    struct fixture *f = *state;
    f->options.header_service = SLICE("svc");
    f->options.source_format = SLICE("json");
    set_json(f, "{\"event_type\":\"t\",\"user\":\"al\",\"x\":1}", ' ', 0, "");
    assert_int_equal(read_json(f), OK);
    assert_int_equal(f->sent, FIELD_BIT(FIELD_EVENT_TYPE) | FIELD_BIT(FIELD_ACTOR_ID) |
                                  FIELD_BIT(FIELD_SERVICE) | FIELD_BIT(FIELD_EVENT_METADATA));
    assert_slice_equal(f->event.value[FIELD_SOURCE_FORMAT].text, "json");
}

static void test_an_arena_that_is_spent_is_a_limit(void **state)
{
    struct fixture *f = *state;
    arena_release(&f->arena);
    arena_init(&f->arena, KIB(1));
    set_json(f, "{\"event_type\":\"t\",\"event_data\":[ \"", 'x', 2000, "\"]}");
    assert_int_equal(read_json(f), ERR_LIMIT);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_event_data_has_a_largest_size),
        CASE(test_metadata_has_a_largest_size_with_the_rest),
        CASE(test_a_line_has_a_largest_size),
        CASE(test_depth),
        CASE(test_depth_of_a_body_that_becomes_data),
        CASE(test_ages),
        CASE(test_ids_that_are_made_are_fresh),
        CASE(test_sent_is_what_the_request_gave),
        CASE(test_an_arena_that_is_spent_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
