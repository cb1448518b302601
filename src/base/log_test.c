/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/test.h"

static size_t log_to_text(bool json, char *out, size_t out_bytes)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_set_output(ends[1], json);
    LOG_INFO("segment sealed", kv_u64("segment", 7), kv_str("file", "a \"b\"\n"));
    LOG_DEBUG("not shown");
    (void)close(ends[1]);
    ssize_t n = read(ends[0], out, out_bytes - 1);
    (void)close(ends[0]);
    assert_true(n > 0);
    out[n] = '\0';
    return (size_t)n;
}

static void test_json_escapes_what_it_is_given(void **state)
{
    UNUSED(state);
    char line[512];
    (void)log_to_text(true, line, sizeof(line));
    assert_non_null(strstr(line, "\"level\":\"info\",\"msg\":\"segment sealed\",\"segment\":7,"
                                 "\"file\":\"a \\\"b\\\"\\u000a\"}\n"));
}

static void test_logfmt_quotes_what_needs_it(void **state)
{
    UNUSED(state);
    char line[512];
    (void)log_to_text(false, line, sizeof(line));
    assert_non_null(strstr(line, "msg=\"segment sealed\" segment=7 file=\"a \\\"b\\\"\\u000a\"\n"));
    assert_null(strstr(line, "not shown"));
}

/* Whoever reads line by line as JSON must be able to read this one, too. */
static void test_a_line_that_is_too_long_is_cut_to_whole_members(void **state)
{
    UNUSED(state);
    int ends[2];
    char line[8192];
    char long_text[5000];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    assert_int_equal(pipe(ends), 0);
    log_set_output(ends[1], true);
    LOG_INFO("too long", kv_u64("first", 1), kv_str("second", long_text), kv_u64("third", 3));
    (void)close(ends[1]);
    ssize_t n = read(ends[0], line, sizeof(line) - 1);
    (void)close(ends[0]);
    assert_true(n > 0 && n <= 4096);
    line[n] = '\0';
    assert_non_null(strstr(line, "\"first\":1,\"third\":3,\"cut\":true}\n"));
}

static void test_a_limit_lets_one_line_through_each_second_and_counts_the_others(void **state)
{
    struct log_limit limit = {0};
    uint64_t left_out = UINT64_MAX;
    UNUSED(state);
    assert_true(log_limit_pass(&limit, 5000000, &left_out));
    assert_int_equal(left_out, 0);
    assert_false(log_limit_pass(&limit, 5000001, &left_out));
    assert_false(log_limit_pass(&limit, 5999999, &left_out));
    assert_true(log_limit_pass(&limit, 6000000, &left_out));
    assert_int_equal(left_out, 2);
    assert_false(log_limit_pass(&limit, 6500000, &left_out));
    assert_true(log_limit_pass(&limit, 9000000, &left_out));
    assert_int_equal(left_out, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_escapes_what_it_is_given),
        cmocka_unit_test(test_logfmt_quotes_what_needs_it),
        cmocka_unit_test(test_a_line_that_is_too_long_is_cut_to_whole_members),
        cmocka_unit_test(test_a_limit_lets_one_line_through_each_second_and_counts_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
