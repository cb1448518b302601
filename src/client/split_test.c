/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "client/split.h"

/* `expect`: each record as <line>[i][!]:<text>| - i: it names itself, !: it is no object. */
struct split_case {
    const char *name;
    const char *text;
    const char *expect;
};

#define UUID "0190A5B2-7c3d-7abc-8def-0123456789ab"

static struct split_case cases[] = {
    {"nothing", "", ""},
    {"white space", " \n\r\n\t ", ""},
    {"lines", "{\"a\":1}\n{\"b\":2}\n", "1:{\"a\":1}|2:{\"b\":2}|"},
    {"no feed at the end", "{}\n{}", "1:{}|2:{}|"},
    {"carriage returns", "{}\r\n\r\n{}\r\n", "1:{}|3:{}|"},
    {"byte order mark", "\xef\xbb\xbf{}", "1:{}|"},
    {"side by side", "{}{} {}", "1:{}|1:{}|1:{}|"},
    {"array", "[{\"a\":[1,{}]},\n {}]\n", "1:{\"a\":[1,{}]}|2:{}|"},
    {"arrays", "[{}]\n[{},{}]\n", "1:{}|2:{}|2:{}|"},
    {"empty array", "[]", ""},
    {"pretty", "{\n \"a\": 1\n}\n{\n}\n", "1:{\n \"a\": 1\n}|4:{\n}|"},
    {"brackets in strings", "{\"a\":\"}{\\\"]\"}\n{}", "1:{\"a\":\"}{\\\"]\"}|2:{}|"},
    {"escaped backslash", "{\"a\":\"\\\\\"}{}", "1:{\"a\":\"\\\\\"}|1:{}|"},
    {"event_id", "{\"x\":1,\"event_id\":\"?\"}", "1i:{\"x\":1,\"event_id\":\"?\"}|"},
    {"event_id with an escape", "{\"event\\u005fid\":1}", "1i:{\"event\\u005fid\":1}|"},
    {"event_id with what is no escape", "{\"event\\u0g5fid\":1}", "1:{\"event\\u0g5fid\":1}|"},
    {"event_id as a value", "{\"a\":\"event_id\"}", "1:{\"a\":\"event_id\"}|"},
    {"event_id below", "{\"a\":{\"event_id\":1},\"b\":[\"event_id\"]}",
     "1:{\"a\":{\"event_id\":1},\"b\":[\"event_id\"]}|"},
    {"id with a UUID", "{\"id\" : \"" UUID "\"}", "1i:{\"id\" : \"" UUID "\"}|"},
    {"id without one", "{\"id\":\"7\",\"a\":\"" UUID "\"}", "1:{\"id\":\"7\",\"a\":\"" UUID "\"}|"},
    {"id is a number", "{\"id\":7,\"a\":\"" UUID "\"}", "1:{\"id\":7,\"a\":\"" UUID "\"}|"},
    {"a line that does not close", "{}\n{\"a\":1\n{}\n", "1:{}|2!:{\"a\":1|3:{}|"},
    {"a string that does not close", "{}\n{\"a\n{}\n", "1:{}|2!:{\"a|3:{}|"},
    {"the first string does not close", "{\"a\n{}\n", "1!:{\"a|2:{}|"},
    {"a string ends in a backslash and the line", "{}\n{\"a\\\n{}\n", "1:{}|2!:{\"a\\|3:{}|"},
    {"a line that is no object", "{}\nhello {}\n{}\n", "1:{}|2!:hello {}|3:{}|"},
    {"the input ends inside", "{}\n{\"a\":", "1:{}|2!:{\"a\":|"},
    {"a comma between", "{},{}", "1:{}|1!:,{}|"},
};

static void note(char *out, size_t size, const struct split_record *record)
{
    size_t at = strlen(out);
    (void)snprintf(out + at, size - at, "%d%s%s:%.*s|", (int)record->line,
                   record->has_id ? "i" : "", record->is_object ? "" : "!",
                   SLICE_ARG(record->text));
}

/* Feeds the text `step` bytes at a time, as a reader with a window does. */
static void split_all(const char *text, size_t step, char *out, size_t size)
{
    struct split split = {0};
    char window[512];
    size_t len = 0, given = 0, total = strlen(text);
    out[0] = '\0';
    for (;;) {
        bool is_last = given == total;
        slice bytes = {(const uint8_t *)window, len};
        struct split_record record = {0};
        size_t used = 0;
        enum split_state state = split_next(&split, bytes, is_last, &used, &record);
        assert_true(used <= len);
        if (state == SPLIT_RECORD) {
            note(out, size, &record);
        } else if (is_last) {
            assert_int_equal(state, SPLIT_MORE);
            return;
        }
        len -= used;
        memmove(window, window + used, len);
        size_t n = total - given < step ? total - given : step;
        if (state == SPLIT_MORE) {
            memcpy(window + len, text + given, n);
            len += n;
            given += n;
        }
    }
}

static void test_split(void **state)
{
    const struct split_case *c = *state;
    static const size_t steps[] = {1, 2, 3, 7, 512};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        char got[1024];
        split_all(c->text, steps[i], got, sizeof(got));
        assert_string_equal(got, c->expect);
    }
}

/* An object of `bytes`, fed whole or in pieces: what comes of it. */
static enum split_state split_object(size_t bytes, size_t step)
{
    struct split split = {0};
    struct split_record record = {0};
    CLEANUP(mem_freep) char *text = mem_zeroed(bytes + 1);
    enum split_state state = SPLIT_MORE;
    memset(text, 'x', bytes);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + bytes - 2, "\"}\n", 3);
    for (size_t len = 0; state == SPLIT_MORE && len < bytes + 1;) {
        size_t used = 0;
        len = bytes + 1 - len < step ? bytes + 1 : len + step;
        state = split_next(&split, (slice){(uint8_t *)text, len}, false, &used, &record);
        assert_int_equal(used, state == SPLIT_RECORD ? bytes : 0);
    }
    assert_int_equal(record.line, 1);
    return state;
}

static void test_an_object_may_have_2_mib_however_it_comes(void **state)
{
    UNUSED(state);
    static const size_t steps[] = {65536, MIB(1), MIB(3)};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        assert_int_equal(split_object(SPLIT_RECORD_BYTES_MAX, steps[i]), SPLIT_RECORD);
        assert_int_equal(split_object(SPLIT_RECORD_BYTES_MAX + 1, steps[i]), SPLIT_TOO_LONG);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 1];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tests[i] = (struct CMUnitTest){.name = cases[i].name,
                                       .test_func = test_split,
                                       .initial_state = &cases[i]};
    }
    tests[COUNT_OF(cases)] =
        (struct CMUnitTest)cmocka_unit_test(test_an_object_may_have_2_mib_however_it_comes);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
