/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, trees, progress, numbers: what is drawn, to the character. */
#include "base/test.h"
#include "show/progress.h"
#include "show/show.h"
#include "show/table.h"
#include "show/tree.h"

static const struct screen wide = {.width = 80};

static void add(struct table *table, const char *text)
{
    table_add(table, slice_from_cstr(text), COLOUR_PLAIN);
}

static void assert_drawn(struct buf *out, const char *expect)
{
    assert_string_equal(buf_cstr(out), expect);
    buf_clear(out);
}

static void test_columns_are_as_wide_as_their_cells(void **state)
{
    UNUSED(state);
    static const struct table_column columns[] = {{"NAME", COLUMN_TEXT},
                                                  {"N", COLUMN_NUMBER},
                                                  {"REST", COLUMN_TEXT}};
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    struct table table;
    table_init(&table, &wide, columns, COUNT_OF(columns));
    add(&table, "al");
    add(&table, "1,000");
    add(&table, "x\ty");
    add(&table, "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5");
    add(&table, "7");
    add(&table, "");
    table_write(&table, &out);
    assert_drawn(&out, "NAME        N  REST\n"
                       "al      1,000  x\\x09y\n"
                       "日本日      7  \n");
    assert_int_equal(table_rows(&table), 0);
    add(&table, "longer than before");
    add(&table, "1");
    add(&table, "z");
    table_write(&table, &out);
    assert_drawn(&out, "longe…      1  z\n");
    table_release(&table);
}

static void test_the_widest_columns_give_way(void **state)
{
    UNUSED(state);
    static const struct table_column columns[] = {{"A", COLUMN_TEXT}, {"B", COLUMN_TEXT}};
    static const struct screen narrow = {.width = 40};
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    struct table table;
    table_init(&table, &narrow, columns, COUNT_OF(columns));
    add(&table, "short");
    add(&table, "0123456789012345678901234567890123456789");
    table_write(&table, &out);
    assert_drawn(&out, "A      B\n"
                       "short  01234567890123456789012345678901…\n");
    table_release(&table);
    static const struct table_column copied[] = {{"ID", COLUMN_WHOLE}, {"B", COLUMN_TEXT}};
    table_init(&table, &narrow, copied, COUNT_OF(copied));
    add(&table, "0123456789012345678901234567");
    add(&table, "and something else");
    table_write(&table, &out);
    assert_drawn(&out, "ID                            B\n"
                       "0123456789012345678901234567  and somet…\n");
    table_release(&table);
}

static void test_a_whole_column_is_never_cut(void **state)
{
    UNUSED(state);
    static const struct table_column columns[] = {{"ID", COLUMN_WHOLE}, {"B", COLUMN_TEXT}};
    static const struct table_column last[] = {{"A", COLUMN_TEXT}, {"B", COLUMN_WHOLE}};
    static const struct screen narrow = {.width = 24};
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    struct table table;
    table_init(&table, &narrow, columns, COUNT_OF(columns));
    add(&table, "0123456789abcd");
    add(&table, "some words");
    table_write(&table, &out);
    assert_drawn(&out, "ID              B\n"
                       "0123456789abcd  some wo…\n");
    add(&table, "a later one, longer than all");
    add(&table, "x");
    table_write(&table, &out);
    assert_drawn(&out, "a later one, longer than all  x\n");
    table_release(&table);
    table_init(&table, &narrow, last, COUNT_OF(last));
    add(&table, "more than ten");
    add(&table, "what does not fit wraps");
    table_write(&table, &out);
    assert_drawn(&out, "A              B\n"
                       "more than ten  what does not fit wraps\n");
    table_release(&table);
}

static void test_an_object_is_shown_whole(void **state)
{
    UNUSED(state);
    static const struct screen narrow = {.width = 20};
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    json_t *object =
        json_pack("{s:s,s:{s:f}}", "key", "cairn_dev_0123456789abcdef", "schema", "maximum", 19.99);
    show_object(&narrow, object, &out);
    assert_drawn(&out, "NAME            VALUE\n"
                       "key             cairn_dev_0123456789abcdef\n"
                       "schema.maximum  19.99\n");
    json_decref(object);
}

static void test_colours(void **state)
{
    UNUSED(state);
    static const struct table_column columns[] = {{"A", COLUMN_TEXT}};
    static const struct screen colourful = {.width = 80, .has_colours = true};
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    struct table table;
    table_init(&table, &colourful, columns, COUNT_OF(columns));
    table_add(&table, SLICE("x"), COLOUR_RED);
    table_write(&table, &out);
    assert_drawn(&out, "\x1b[1mA\x1b[0m\n\x1b[31mx\x1b[0m\n");
    table_release(&table);
}

static void test_events(void **state)
{
    UNUSED(state);
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    struct table events;
    show_events_init(&events, &wide);
    show_events_add(&events, SLICE("{\"event_timestamp\":\"2026-01-15T08:00:01.137578Z\","
                                   "\"event_type\":\"user.login\",\"actor_id\":\"al\\u001b[2J\","
                                   "\"resource_type\":\"host\",\"resource_id\":\"h1\","
                                   "\"event_outcome\":\"denied\"}"));
    show_events_add(&events, SLICE("{\"actor_ip\":\"::1\",\"severity\":\"error\"}"));
    show_events_add(&events, SLICE("[1]"));
    table_write(&events, &out);
    assert_drawn(&out, "TIME                     TYPE        ACTOR      RESOURCE  OUTCOME\n"
                       "2026-01-15 08:00:01.137  user.login  al\\x1b[2J  host h1   denied\n"
                       "                         -           ::1        -         error\n");
    table_release(&events);
}

#define ID(n) "\"event_id\":\"" n "\""

static void test_trees(void **state)
{
    UNUSED(state);
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    struct tree tree = {0};
    tree_add(&tree, SLICE("{" ID("1") ",\"event_timestamp\":\"2026-01-15T08:00:00.000000Z\","
                                      "\"event_type\":\"a\",\"service\":\"web\"}"));
    tree_add(&tree, SLICE("{" ID("2") ",\"parent_event_id\":\"1\","
                                      "\"event_timestamp\":\"2026-01-15T08:00:00.012000Z\","
                                      "\"event_type\":\"b\",\"event_outcome\":\"failure\"}"));
    tree_add(&tree, SLICE("{" ID("3") ",\"parent_event_id\":\"gone\","
                                      "\"event_timestamp\":\"2026-01-15T08:00:20.000000Z\","
                                      "\"event_type\":\"c\"}"));
    tree_add(&tree, SLICE("{" ID("4") ",\"parent_event_id\":\"2\",\"event_type\":\"d\"}"));
    tree_add(&tree, SLICE("{" ID("5") ",\"parent_event_id\":\"6\",\"event_type\":\"e\"}"));
    tree_add(&tree, SLICE("{" ID("6") ",\"parent_event_id\":\"5\",\"event_type\":\"f\"}"));
    tree_add(&tree, SLICE("{" ID("7") ",\"parent_event_id\":\"7\",\"event_type\":\"g\"}"));
    tree_write(&tree, &wide, &out);
    assert_drawn(&out, "     +0 ms  web               a    \n"
                       "    +12 ms                    └─ b      failure\n"
                       "     +0 ms                       └─ d    \n"
                       "     +0:20                    c    \n"
                       "     +0 ms                    g    \n"
                       "     +0 ms                    e    \n"
                       "     +0 ms                    └─ f    \n");
    tree_release(&tree);
}

static void test_events_without_ids_have_no_children(void **state)
{
    UNUSED(state);
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    struct tree tree = {0};
    tree_add(&tree, SLICE("{\"event_type\":\"a\"}"));
    tree_add(&tree, SLICE("{\"event_type\":\"b\"}"));
    tree_write(&tree, &wide, &out);
    assert_drawn(&out, "     +0 ms                    a    \n"
                       "     +0 ms                    b    \n");
    tree_release(&tree);
}

static void test_objects(void **state)
{
    UNUSED(state);
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    json_t *object = json_loads("{\"a\":1,\"b\":{\"c\":\"x\",\"d\":[true]},\"e\":{}}", 0, NULL);
    show_object(&wide, object, &out);
    assert_drawn(&out, "NAME  VALUE\na     1\nb.c   x\nb.d   [true]\ne     {}\n");
    json_decref(object);
    screen_json_line(&wide, &out, SLICE("{\n \"a\": 1\n}\n"));
    assert_drawn(&out, "{  \"a\": 1 }\n");
}

struct handed_case {
    const char *text;
    const char *lines; /* on a terminal */
    const char *json;
};

static void test_what_is_handed_on_is_made_safe_for_a_terminal_alone(void **state)
{
    UNUSED(state);
    static const struct handed_case cases[] = {
        {"{\"a\":\"gr\xc3\xbc\xc3\x9f\"}", "{\"a\":\"grüß\"}", "{\"a\":\"grüß\"}\n"},
        {"", "", "\n"},
        {"a\nb\r\tc\n", "a\nb\\x0d\\x09c\n", "a b  c\n"},
        {"\x1b[2J\x7f", "\\x1b[2J\\x7f", "\\u001b[2J\\u007f\n"},
        {"\xc2\x9b\xe2\x80\xae", "\\u{9b}\\u{202e}", "\\u009b\\u202e\n"},
        {"\xf3\xa0\x81\x81", "\\u{e0041}", "\\udb40\\udc41\n"},
        {"\xff", "\\xff", "\\xff\n"},
    };
    static const struct screen terminal = {.is_terminal = true};
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(4));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        slice text = slice_from_cstr(cases[i].text);
        screen_lines(&terminal, &out, text);
        assert_drawn(&out, cases[i].lines);
        screen_json_line(&terminal, &out, text);
        assert_drawn(&out, cases[i].json);
        screen_lines(&wide, &out, text);
        assert_drawn(&out, cases[i].text);
    }
}

static void test_an_event_is_shown_whatever_numbers_are_in_it(void **state)
{
    UNUSED(state);
    json_t *event = show_event(SLICE("{\"event_type\":\"a\\u00fcb\",\"n\":123456789012345678901,"
                                     "\"d\":{\"x\":[1e400,\"no\"]},\"service\":\"web\"}"));
    assert_non_null(event);
    assert_string_equal(show_member_text(event, "event_type"), "a\xc3\xbc"
                                                               "b");
    assert_string_equal(show_member_text(event, "service"), "web");
    assert_int_equal(json_object_size(event), 2);
    json_decref(event);
    static const char *const none[] = {"", "[1]", "{", "{\"a\":1}x", "\"a\"", "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        assert_null(show_event(slice_from_cstr(none[i])));
    }
}

static void test_when_a_key_was_used_last_is_made_safe(void **state)
{
    UNUSED(state);
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    json_t *usage = json_pack("{s:s,s:[]}", "last_used_at", "\x1b[2J", "by_day");
    show_usage(&wide, usage, &out);
    assert_non_null(strstr(buf_cstr(&out), "last used  \\x1b[2J\n"));
    json_decref(usage);
}

static void test_progress(void **state)
{
    UNUSED(state);
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    progress_format(&out, "events", 25, 100, 5000, 2);
    assert_drawn(&out, "[======>                 ]  25 %  5,000 events  2,500/s  0:06 left");
    progress_format(&out, "events", 25, 0, 5000, 2);
    assert_drawn(&out, "5,000 events  2,500/s");
    progress_format(&out, "events", 200, 100, 1, 0);
    assert_drawn(&out, "[========================] 100 %  1 events  ");
}

static void test_numbers(void **state)
{
    UNUSED(state);
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    screen_count(&out, 0);
    assert_drawn(&out, "0");
    screen_count(&out, 1234567);
    assert_drawn(&out, "1,234,567");
    screen_duration(&out, 59);
    assert_drawn(&out, "0:59");
    screen_duration(&out, 3661);
    assert_drawn(&out, "1:01:01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_as_wide_as_their_cells),
        cmocka_unit_test(test_the_widest_columns_give_way),
        cmocka_unit_test(test_a_whole_column_is_never_cut),
        cmocka_unit_test(test_an_object_is_shown_whole),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_events_without_ids_have_no_children),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_what_is_handed_on_is_made_safe_for_a_terminal_alone),
        cmocka_unit_test(test_an_event_is_shown_whatever_numbers_are_in_it),
        cmocka_unit_test(test_when_a_key_was_used_last_is_made_safe),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
