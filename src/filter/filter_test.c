/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "filter/filter.h"
#include "filter/random.h"
#include "filter/regex.h"

static const struct filter_context context = {.now_us = SAMPLE_NOW_US};

/* ---- What is refused, where, and what the answer says ---- */

struct mistake {
    const char *text;
    const char *where;
    const char *says; /* a part of the sentence */
};

static const struct mistake mistakes[] = {
    {"(", "filter:1", "expected a term, found the end"},
    {"()", "filter:1", "expected a term, found )"},
    {")", "filter:0", "expected a term, found )"},
    {"alice)", "filter:5", "this ) has no ("},
    {"(alice", "filter:6", "expected ) for the ( at 0"},
    {"alice AND", "filter:9", "expected a term, found the end"},
    {"alice OR", "filter:8", "expected a term, found the end"},
    {"OR alice", "filter:0", "expected a term, found OR"},
    {"alice OR AND bob", "filter:9", "expected a term, found AND"},
    {"alice AND OR bob", "filter:10", "expected a term, found OR"},
    {"NOT", "filter:3", "expected a term, found the end"},
    {"!", "filter:1", "expected a term, found the end"},
    {"-alice", "filter:0", "expected NOT instead of -"},
    {"actr_id:alice", "filter:0", "no field actr_id; did you mean actor_id?"},
    {"a x:1", "filter:2", "no field x; a member of event_data is data.x"},
    {"severty>=low", "filter:0", "did you mean severity?"},
    {"payload.amount:1", "filter:0", "data.payload.amount"},
    {"http://example.com", "filter:0", "no field http"},
    {"\"a b\":1", "filter:5", "expected a space"},
    {":alice", "filter:0", "expected a name before the operator"},
    {"actor_id:", "filter:9", "expected a value"},
    {"actor_id: ", "filter:10", "expected a value"},
    {"actor_id:)", "filter:9", "expected a value"},
    {"actor_id:()", "filter:10", "expected a value, found )"},
    {"actor_id:(alice OR)", "filter:18", "expected a value, found )"},
    {"actor_id:(alice", "filter:15", "expected ) for the ( at 9"},
    {"actor_id:\"alice", "filter:9", "expected a \" at the end"},
    {"\"alice", "filter:0", "expected a \" at the end"},
    {"actor_id:\"alice\\", "filter:9", "expected a \" at the end"},
    {"actor_id:\"a\"b", "filter:12", "expected a space"},
    {"actor_id:a\"b\"", "filter:10", "expected a space"},
    {"actor_id:a(b)", "filter:10", "expected a space"},
    {"actor_id:\"\"", "filter:10", "write NOT field:*"},
    {"actor_id:a*b", "filter:10", "a * stands only at the end"},
    {"actor_id:\"a*b\"", "filter:11", "a * stands only at the end"},
    {"actor_id:**", "filter:9", "a * stands only at the end"},
    {"actor_id:C:\\temp", "filter:12", "for a backslash write \\\\"},
    {"actor_id:a\\", "filter:11", "after the backslash"},
    {"ali*", "filter:3", "not in a search for words"},
    {"*lice", "filter:0", "not in a search for words"},
    {"\"ali*\"", "filter:4", "not in a search for words"},
    {"...", "filter:0", "expected a word"},
    {"\"\"", "filter:1", "expected a word"},
    {"actor_id<b", "filter:9", "actor_id is text"},
    {"actor_ip>10.0.0.1", "filter:9", "use a network"},
    {"event_id<1", "filter:9", "event_id is a UUID"},
    {"is_sensitive>true", "filter:13", "is true or false"},
    {"duration_ms:1*", "filter:12", "duration_ms is a number"},
    {"duration_ms~1", "filter:12", "duration_ms is a number"},
    {"time:2026*", "filter:5", "event_timestamp is a time"},
    {"is_sensitive:t*", "filter:13", "is true or false"},
    {"duration_ms>1.5", "filter:12", "expected a whole number"},
    {"duration_ms>", "filter:12", "expected a value"},
    {"duration_ms:99999999999999999999", "filter:12", "expected a whole number"},
    {"duration_ms:-", "filter:12", "expected a whole number"},
    {"is_sensitive:yes", "filter:13", "expected true or false"},
    {"severity:bad", "filter:9", "expected one of debug info low notice warning medium error high"},
    {"severity>=w*", "filter:10", "works with : and = only"},
    {"outcome:ok", "filter:8", "expected one of success failure pending denied unknown"},
    {"event_id:123", "filter:9", "expected a UUID"},
    {"actor_ip:10.0.0", "filter:9", "expected an address"},
    {"actor_ip:10.0.0.0/33", "filter:9", "expected an address"},
    {"actor_ip:10.0.0.0/", "filter:9", "expected an address"},
    {"actor_ip:::/129", "filter:9", "expected an address"},
    {"since:tomorrow", "filter:6", "expected a time"},
    {"since:24H", "filter:6", "expected a time"},
    {"since:999999999999999999999h", "filter:6", "expected a time"},
    {"since:100000w", "filter:6", "expected a time"},
    {"time>2026-02-30", "filter:5", "expected a time"},
    {"since>24h", "filter:6", "expected since:time"},
    {"since!=24h since~x", "filter:17", "expected since:time"},
    {"data:1", "filter:0", "expected a path into event_data"},
    {"event_metadata~x", "filter:0", "expected a path into event_metadata"},
    {"data.:1", "filter:5", "expected a name"},
    {"data.a.:1", "filter:7", "expected a name"},
    {"data..a:1", "filter:5", "expected a name"},
    {"data.a[0]:1", "filter:6", "leave out the index"},
    {"data.a*:1", "filter:6", "quote a name with other signs"},
    {"data.\"a", "filter:5", "expected a \" at the end"},
    {"data.\"a\"b:1", "filter:8", "expected a dot or an operator"},
    {"data.\"a\\b\":1", "filter:8", "for a backslash write \\\\"},
    {"data.a<x", "filter:7", "expected a number, or a time"},
    {"data.a<\"\"", "filter:8", "expected a number, or a time"},
    {"actor_id~(a", "filter:11", "regular expression: missing closing parenthesis"},
    {"actor_id~\"\\\"(\"", "filter:13", "missing closing parenthesis"},
    {"alice actor_id~[", "filter:16", "missing terminating ]"},
    {"actor_id~\\Ca", "filter:11", "regular expression"},
    {"actor_id~a\\", "filter:9", "lone backslash"},
    {"actor_id~\\Qa\\", "filter:9", "lone backslash"},
    {"alice \xff", "filter:6", "expected UTF-8"},
    {"\xed\xa0\x80", "filter:0", "expected UTF-8"},
};

static void test_mistake(void **state)
{
    const struct mistake *mistake = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter *filter = NULL;
    struct diag diag = {0};
    assert_int_equal(filter_parse(slice_from_cstr(mistake->text), &context, &arena, &filter, &diag),
                     ERR_INVALID);
    assert_null(filter);
    assert_string_equal(diag.where, mistake->where);
    if (strstr(diag.text, mistake->says) == NULL) {
        assert_string_equal(diag.text, mistake->says);
    }
}

/* ---- What is printed ---- */

struct print_case {
    const char *text;
    const char *printed;
};

static const struct print_case print_cases[] = {
    {"", "*"},
    {" \t\r\n ", "*"},
    {"* *", "*"},
    {"alice AND *", "\"alice\""},
    {"a b  c", "\"a\" AND \"b\" AND \"c\""},
    {"(a b) c", "\"a\" AND \"b\" AND \"c\""},
    {"a OR (b OR c)", "\"a\" OR \"b\" OR \"c\""},
    {"a b OR c", "\"a\" AND \"b\" OR \"c\""},
    {"a (b OR c)", "\"a\" AND (\"b\" OR \"c\")"},
    {"NOT NOT a", "\"a\""},
    {"NOT(a b)", "NOT (\"a\" AND \"b\")"},
    {"!(a OR NOT(b))", "NOT (\"a\" OR NOT \"b\")"},
    {"and or not", "\"and\" AND \"or\" AND \"not\""},
    {"\"AND\"", "\"AND\""},
    {"\"a \\\"b\\\" * \\\\\"", "\"a \\\"b\\\" \\* \\\\\""},
    {"user=alice", "actor_id:alice"},
    {"user != alice", "NOT actor_id:alice"},
    {"user:!alice", "NOT actor_id:alice"},
    {"user!=!alice", "actor_id:alice"},
    {"user:(a OR !b*)", "actor_id:a OR NOT actor_id:b*"},
    {"x user:(a b)", "\"x\" AND actor_id:a AND actor_id:b"},
    {"user:\"a b*\"", "actor_id:\"a b*\""},
    {"user:a\\*", "actor_id:\"a\\*\""},
    {"user:\\!a", "actor_id:\"!a\""},
    {"user:\"!a\"", "actor_id:\"!a\""},
    {"user:\"OR\"", "actor_id:\"OR\""},
    {"user:*", "actor_id:*"},
    {"user:\">5\"", "actor_id:\">5\""},
    {"severity:>=HIGH", "severity>=high"},
    {"user~^a\"b", "actor_id~\"^a\\\"b\""},
    {"user~\"^a\\\"b\\\\\"", "actor_id~\"^a\\\"b\\\\\""},
    {"user~\\\"", "actor_id~\"\\\"\""},
    {"user!~a", "NOT actor_id~\"a\""},
    {"since:24h", "event_timestamp>=2026-01-31T00:00:00.000000Z"},
    {"until:now", "event_timestamp<2026-02-01T00:00:00.000000Z"},
    {"until:2026-01-01T01:00:00+01:00", "event_timestamp<2026-01-01T00:00:00.000000Z"},
    {"recorded_at:0", "recorded_at:1970-01-01T00:00:00.000000Z"},
    {"data.a.\"b c\".\"d.e\":1", "data.a.\"b c\".\"d.e\":1"},
    {"event_data.\"plain\":x", "data.plain:x"},
    {"event_metadata.\"\":\"\"", "metadata.\"\":\"\""},
    {"data.\"\\\"\\\\\":x", "data.\"\\\"\\\\\":x"},
    {"data.a<1e3", "data.a<1e3"},
    {"data.a>=today", "data.a>=2026-02-01T00:00:00.000000Z"},
    {"data:*", "event_data:*"},
    {"ip:2001:DB8:0::1", "actor_ip:2001:db8::1"},
    {"ip:10.0.0.0/8", "actor_ip:10.0.0.0/8"},
    {"id:0190A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B", "event_id:0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"},
    {"duration_ms<007", "duration_ms<7"},
    {"is_sensitive:true", "is_sensitive:true"},
    {"user:j\xc3\xbcrgen", "actor_id:j\xc3\xbcrgen"},
};

static void test_print(void **state)
{
    const struct print_case *c = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    CLEANUP(buf_release) struct buf printed = BUF_INIT(KIB(64));
    const struct filter *filter = NULL;
    const struct filter *again = NULL;
    struct diag diag = {0};
    if (filter_parse(slice_from_cstr(c->text), &context, &arena, &filter, &diag) != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    filter_print(filter, &printed);
    assert_string_equal(buf_cstr(&printed), c->printed);
    assert_int_equal(filter_parse(buf_slice(&printed), &context, &arena, &again, NULL), OK);
    assert_true(filter_same(filter, again));
    filter_release(filter);
    filter_release(again);
}

/* ---- Leaves from parameters ---- */

struct parameter_case {
    const char *name;
    enum filter_op op;
    const char *operand;
    const char *printed; /* NULL: INVALID, at `where` */
    const char *where;
};

static const struct parameter_case parameter_cases[] = {
    {"actor_id", FILTER_EQUAL, "alice OR (bob)", "actor_id:\"alice OR (bob)\"", NULL},
    {"actor_id", FILTER_EQUAL, "\"quoted\"", "actor_id:\"\\\"quoted\\\"\"", NULL},
    {"user", FILTER_EQUAL, "ali*", "actor_id:ali*", NULL},
    {"user", FILTER_EQUAL, "ali\\*", "actor_id:\"ali\\*\"", NULL},
    {"user", FILTER_EQUAL, "*", "actor_id:*", NULL},
    {"user", FILTER_PREFIX, "ali", "actor_id:ali*", NULL},
    {"user", FILTER_PREFIX, "", "actor_id:*", NULL},
    {"user", FILTER_PRESENT, "", "actor_id:*", NULL},
    {"user", FILTER_REGEX, "^(a|b)", "actor_id~\"^(a|b)\"", NULL},
    {"since", FILTER_EQUAL, "24h", "event_timestamp>=2026-01-31T00:00:00.000000Z", NULL},
    {"data.a.\"b.c\"", FILTER_GREATER, "5", "data.a.\"b.c\">5", NULL},
    {"", FILTER_WORDS, "disk full", "\"disk full\"", NULL},
    {"user", FILTER_EQUAL, "a*b", NULL, "filter:1"},
    {"user", FILTER_EQUAL, "", NULL, "filter:0"},
    {"user", FILTER_REGEX, "a(", NULL, "filter:2"},
    {"nobody", FILTER_EQUAL, "a", NULL, "filter:0"},
    {"severity", FILTER_EQUAL, "loud", NULL, "filter:0"},
    {"user", FILTER_EQUAL, "\xff", NULL, "filter:0"},
    {"", FILTER_WORDS, "--", NULL, "filter:0"},
    {"a:b", FILTER_EQUAL, "x", NULL, "filter:0"},
};

static void test_parameter(void **state)
{
    const struct parameter_case *c = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    CLEANUP(buf_release) struct buf printed = BUF_INIT(KIB(64));
    const struct filter *leaf = NULL;
    struct diag diag = {0};
    enum err made = filter_make_leaf(slice_from_cstr(c->name), c->op, slice_from_cstr(c->operand),
                                     &context, &arena, &leaf, &diag);
    assert_int_equal(made, c->printed == NULL ? ERR_INVALID : OK);
    if (c->printed == NULL) {
        assert_string_equal(diag.where, c->where);
        return;
    }
    filter_print(leaf, &printed);
    assert_string_equal(buf_cstr(&printed), c->printed);
    filter_release(leaf);
}

/* ---- Limits ---- */

struct limit_case {
    const char *name;
    const char *before, *repeated, *between, *behind; /* behind is repeated as well */
    size_t count;
    enum err expect;
};

static const struct limit_case limit_cases[] = {
    {"parentheses at the limit", "", "(", "a", ")", FILTER_DEPTH_MAX, OK},
    {"parentheses beyond it", "", "(", "a", ")", FILTER_DEPTH_MAX + 1, ERR_LIMIT},
    {"a million parentheses", "", "(", "", "", 60000, ERR_LIMIT},
    {"a tree at the limit", "x ", "NOT (a ", "b", ")", 31, OK},
    {"a tree beyond it", "x ", "NOT (a ", "b", ")", 32, ERR_LIMIT},
    {"many NOT", "", "!", "a", "", 60000, OK},
    {"nodes at the limit", "", "a ", "", "", FILTER_NODES_MAX - 1, OK},
    {"nodes beyond it", "", "a ", "", "", FILTER_NODES_MAX, ERR_LIMIT},
    {"terms beyond it", "", "a ", "", "", 30000, ERR_LIMIT},
    {"path at the limit", "data", ".a", ":1", "", FILTER_PATH_KEYS_MAX, OK},
    {"path beyond it", "data", ".a", ":1", "", FILTER_PATH_KEYS_MAX + 1, ERR_LIMIT},
    {"pattern at the limit", "user~", "a", "", "", REGEX_BYTES_MAX, OK},
    {"pattern beyond it", "user~", "a", "", "", REGEX_BYTES_MAX + 1, ERR_LIMIT},
    {"patterns at the limit", "", "user~a ", "", "", FILTER_REGEX_MAX, OK},
    {"patterns beyond it", "", "user~a ", "", "", FILTER_REGEX_MAX + 1, ERR_LIMIT},
    {"phrase at the limit", "\"", "a ", "\"", "", FILTER_PHRASE_WORDS_MAX, OK},
    {"phrase beyond it", "\"", "a ", "\"", "", FILTER_PHRASE_WORDS_MAX + 1, ERR_LIMIT},
    {"text at the limit", "user:", "a", "", "", FILTER_TEXT_BYTES_MAX - 5, OK},
    {"text beyond it", "user:", "a", "", "", FILTER_TEXT_BYTES_MAX - 4, ERR_LIMIT},
};

static void repeat(struct buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(out, text);
    }
}

static void test_limit(void **state)
{
    const struct limit_case *c = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(64));
    CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(1));
    const struct filter *filter = NULL;
    buf_append_cstr(&text, c->before);
    repeat(&text, c->repeated, c->count);
    buf_append_cstr(&text, c->between);
    repeat(&text, c->behind, c->count);
    struct diag diag = {0};
    assert_int_equal(filter_parse(buf_slice(&text), &context, &arena, &filter, &diag), c->expect);
    filter_release(filter);
}

static void test_arena_too_small(void **state)
{
    UNUSED(state);
    for (size_t bytes = 0; bytes < 4096; bytes += 16) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(bytes);
        const struct filter *filter = NULL;
        enum err parsed = filter_parse(
            SLICE("user~^a (user:b OR data.\"x\".y:1 OR since:1h) NOT ip:10.0.0.1 severity>info"),
            &context, &arena, &filter, NULL);
        assert_true(parsed == OK || parsed == ERR_LIMIT);
        filter_release(filter);
    }
}

static void test_regex_gives_up(void **state)
{
    UNUSED(state);
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter *filter = NULL;
    struct event event = {.present = FIELD_BIT(FIELD_USER_AGENT)};
    event.value[FIELD_USER_AGENT].text =
        SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    assert_int_equal(filter_parse(SLICE("user_agent~^(a+)+$"), &context, &arena, &filter, NULL),
                     OK);
    assert_false(filter_match(filter, &event));
    filter_release(filter);
}

/* ---- Bounds of time ---- */

#define DAY_US INT64_C(86400000000)

struct bounds_case {
    const char *text;
    int64_t from_us, to_us;
};

static const struct bounds_case bounds_cases[] = {
    {"", INT64_MIN, INT64_MAX},
    {"alice", INT64_MIN, INT64_MAX},
    {"since:1d", SAMPLE_NOW_US - DAY_US, INT64_MAX},
    {"until:1d", INT64_MIN, SAMPLE_NOW_US - DAY_US - 1},
    {"time>1d time<=now", SAMPLE_NOW_US - DAY_US + 1, SAMPLE_NOW_US},
    {"time:1d", SAMPLE_NOW_US - DAY_US, SAMPLE_NOW_US - DAY_US},
    {"alice (bob (since:2d) since:3d)", SAMPLE_NOW_US - 2 * DAY_US, INT64_MAX},
    {"(since:2d until:1d) OR time:5d", SAMPLE_NOW_US - 5 * DAY_US, SAMPLE_NOW_US - DAY_US - 1},
    {"since:2d OR alice", INT64_MIN, INT64_MAX},
    {"(since:2d OR since:3d) alice", SAMPLE_NOW_US - 3 * DAY_US, INT64_MAX},
    {"(since:1d until:2d) OR since:3d", SAMPLE_NOW_US - 3 * DAY_US, INT64_MAX},
    {"NOT since:1d", INT64_MIN, INT64_MAX},
    {"recorded_at>1d", INT64_MIN, INT64_MAX},
};

static void test_bounds(void **state)
{
    const struct bounds_case *c = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter *filter = NULL;
    int64_t from_us = INT64_MIN;
    int64_t to_us = INT64_MAX;
    assert_int_equal(filter_parse(slice_from_cstr(c->text), &context, &arena, &filter, NULL), OK);
    filter_time_bounds(filter, &from_us, &to_us);
    assert_true(from_us == c->from_us);
    assert_true(to_us == c->to_us);

    from_us = SAMPLE_NOW_US - DAY_US / 2; /* narrowed, never widened */
    to_us = SAMPLE_NOW_US - DAY_US / 4;
    filter_time_bounds(filter, &from_us, &to_us);
    assert_true(from_us >= SAMPLE_NOW_US - DAY_US / 2);
    assert_true(to_us <= SAMPLE_NOW_US - DAY_US / 4);
}

/* ---- Random filters over random events ---- */

struct law {
    const struct filter *filter, *printed, *negated, *with_all;
};

static void build_law(struct filter_random *random, struct arena *arena, struct law *out)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(64));
    struct diag diag = {0};
    const struct filter *all = NULL;
    random_filter_text(random, &text);
    if (filter_parse(buf_slice(&text), &context, arena, &out->filter, &diag) != OK) {
        fail_msg("%s: %s in %s", diag.where, diag.text, buf_cstr(&text));
    }
    buf_clear(&text);
    filter_print(out->filter, &text);
    assert_int_equal(filter_parse(buf_slice(&text), &context, arena, &out->printed, NULL), OK);
    assert_true(filter_same(out->filter, out->printed));
    assert_int_equal(filter_make_not(arena, out->filter, &out->negated), OK);
    assert_int_equal(filter_make_and(arena, NULL, 0, &all), OK);
    const struct filter *both[] = {all, out->filter};
    assert_int_equal(filter_make_and(arena, both, 2, &out->with_all), OK);
}

static void test_random_filters_keep_the_laws(void **state)
{
    UNUSED(state);
    struct filter_random random = {.seed = 20260201};
    size_t matches = 0;
    for (unsigned round = 0; round < 400; round++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
        struct law law = {0};
        build_law(&random, &arena, &law);
        for (unsigned i = 0; i < 20; i++) {
            CLEANUP(buf_release) struct buf json = BUF_INIT(KIB(64));
            struct event event = {0};
            random_event_json(&random, &json);
            assert_int_equal(sample_event(buf_slice(&json), &arena, &event, NULL), OK);
            bool matched = filter_match(law.filter, &event);
            assert_int_equal(filter_match(law.printed, &event), matched);
            assert_int_equal(filter_match(law.negated, &event), !matched);
            assert_int_equal(filter_match(law.with_all, &event), matched);
            matches += matched ? 1 : 0;
        }
        filter_release(law.filter);
        filter_release(law.printed);
    }
    assert_in_range(matches, 400 * 20 / 10, 400 * 20 * 9 / 10);
}

static void test_the_or_of_nothing_is_nothing(void **state)
{
    UNUSED(state);
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(KIB(64));
    const struct filter *filter = NULL;
    struct event event = {0};
    assert_int_equal(filter_make_or(&arena, NULL, 0, &filter), OK);
    assert_false(filter_match(filter, &event));
    assert_int_equal(filter_make_and(&arena, NULL, 0, &filter), OK);
    assert_true(filter_match(filter, &event));
}

#define ADD_ROWS(function, table, name_member)                                                     \
    for (size_t i = 0; i < COUNT_OF(table); i++) {                                                 \
        rows[row_count++] =                                                                        \
            (struct CMUnitTest){.name = (table)[i].name_member,                                    \
                                .test_func = (function),                                           \
                                .initial_state = (void *)(uintptr_t) & (table)[i]};                \
    }

static const struct CMUnitTest others[] = {
    cmocka_unit_test(test_arena_too_small),
    cmocka_unit_test(test_regex_gives_up),
    cmocka_unit_test(test_the_or_of_nothing_is_nothing),
    cmocka_unit_test(test_random_filters_keep_the_laws),
};

int main(void)
{
    static struct CMUnitTest rows[COUNT_OF(mistakes) + COUNT_OF(print_cases) +
                                  COUNT_OF(parameter_cases) + COUNT_OF(limit_cases) +
                                  COUNT_OF(bounds_cases) + COUNT_OF(others)];
    size_t row_count = 0;
    ADD_ROWS(test_mistake, mistakes, text);
    ADD_ROWS(test_print, print_cases, text);
    ADD_ROWS(test_parameter, parameter_cases, operand);
    ADD_ROWS(test_limit, limit_cases, name);
    ADD_ROWS(test_bounds, bounds_cases, text);
    memcpy(rows + row_count, others, sizeof(others));
    return cmocka_run_group_tests(rows, NULL, NULL);
}
