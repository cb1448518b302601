/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/test.h"
#include "base/utf8.h"
#include "json/json.h"
#include "options/options.h"

static void test_typed_getters(void **state)
{
    UNUSED(state);
    OWNED(options) options = options_new();
    assert_string_equal(options_text(options, OPTION_DATA), "./cairn-data");
    assert_int_equal(options_u64(options, OPTION_BODY_BYTES_MAX), 67108864);
    assert_int_equal(options_u64(options, OPTION_CHECKPOINT_INTERVAL_MS), 1000);
    assert_int_equal(options_u64(options, OPTION_PAST_DAYS_MAX), 7);
    assert_true(options_bool(options, OPTION_COSIGN));
    assert_int_equal(options_choice(options, OPTION_LOG_LEVEL), 2);
    char host[OPTION_HOST_BYTES_MAX + 1];
    uint16_t port = 0;
    options_address(options, OPTION_LISTEN, host, &port);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 8090);
}

static void test_settings_change_only_what_may_change(void **state)
{
    UNUSED(state);
    OWNED(options) options = options_new();
    struct diag diag = {0};
    assert_int_equal(options_set(options, OPTION_LISTEN, SLICE("a:1"), OPTION_FROM_SETTING,
                                 "setting", &diag),
                     ERR_INVALID);
    assert_string_equal(diag.text, "cannot change while the server runs");
    assert_int_equal(options_set(options, OPTION_LOG_LEVEL, SLICE("debug"), OPTION_FROM_SETTING,
                                 "log.level", &diag),
                     OK);
    assert_int_equal(options_choice(options, OPTION_LOG_LEVEL), 3);
    assert_int_equal(options_source(options, OPTION_LOG_LEVEL), OPTION_FROM_SETTING);
}

static void test_secrets_are_no_settings(void **state)
{
    UNUSED(state);
    unsigned both = OPTION_SECRET | OPTION_RUNNING;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        assert_true((option_info((enum option)i)->flags & both) != both);
    }
}

static void test_what_a_source_says_is_kept_and_can_be_taken_back(void **state)
{
    UNUSED(state);
    OWNED(options) options = options_new();
    struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(1));
    const enum option it = OPTION_PAST_DAYS_MAX;
    const struct {
        const char *text;
        enum option_source source;
    } said[] = {{"1", OPTION_FROM_ENVIRONMENT},
                {"3", OPTION_FROM_FILE},
                {"2", OPTION_FROM_SETTING}};
    for (size_t i = 0; i < COUNT_OF(said); i++) {
        assert_int_equal(options_set(options, it, slice_from_cstr(said[i].text), said[i].source,
                                     "here", NULL),
                         OK);
    }
    OWNED(options) copy = options_copy(options);
    for (uint64_t value = 1; value <= 3; value++) {
        assert_int_equal(options_u64(copy, it), value);
        options_unset(copy, it, options_source(copy, it));
    }
    assert_int_equal(options_u64(copy, it), 7);
    assert_string_equal(options_where(copy, it), "default");
    assert_false(options_format_from(copy, it, OPTION_FROM_SETTING, &text));
    assert_true(options_format_from(options, it, OPTION_FROM_SETTING, &text));
    assert_string_equal(buf_cstr(&text), "2");
    options_take(copy, it, OPTION_FROM_FILE, options);
    assert_string_equal(options_where(copy, it), "file here");
    OWNED(options) silent = options_new();
    options_take(copy, it, OPTION_FROM_FILE, silent);
    assert_int_equal(options_u64(copy, it), 7);
}

static void test_a_mistyped_name_has_a_near_one(void **state)
{
    UNUSED(state);
    assert_string_equal(option_near(SLICE("log.levle")), "log.level");
    assert_string_equal(option_near(SLICE("past_day_max")), "past_days_max");
    assert_string_equal(option_near(SLICE("http_idle_ms")), "http.idle_ms");
    assert_null(option_near(SLICE("colour")));
    assert_null(option_near(SLICE("")));
    assert_null(option_near(SLICE("a name that is longer than any of them, and than what is looked "
                                  "at in earnest")));
}

static void test_a_secret_is_listed_as_given_and_its_value_is_not(void **state)
{
    UNUSED(state);
    OWNED(options) options = options_new();
    const slice url = SLICE("redis://:wonderland@127.0.0.1");
    assert_int_equal(options_set(options, OPTION_REDIS_URL, url, OPTION_FROM_ENVIRONMENT,
                                 "REDIS_URL", NULL),
                     OK);
    for (int json = 0; json <= 1; json++) {
        struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(64));
        options_write_list(options, json == 1, &text);
        assert_null(strstr(buf_cstr(&text), "wonderland"));
        assert_non_null(strstr(buf_cstr(&text), "[hidden]"));
        assert_non_null(strstr(buf_cstr(&text), "environment REDIS_URL"));
    }
}

static void test_help_names_every_option(void **state)
{
    UNUSED(state);
    struct buf help CLEANUP(buf_release) = BUF_INIT(KIB(64));
    options_write_help(&help);
    assert_int_equal(buf_check(&help), OK);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char flag[OPTION_FLAG_BYTES_MAX], line[OPTION_FLAG_BYTES_MAX + 8];
        (void)snprintf(line, sizeof(line), "  --%s ", option_flag((enum option)i, flag));
        assert_non_null(strstr(buf_cstr(&help), line));
        assert_non_null(strstr(buf_cstr(&help), option_placeholder((enum option)i)));
    }
    size_t column = 0;
    for (size_t i = 0; i < help.len; i++) {
        column = help.ptr[i] == '\n' ? 0 : column + 1;
        assert_true(column <= 80);
    }
}

static void test_list(void **state)
{
    UNUSED(state);
    OWNED(options) options = options_new();
    struct buf list CLEANUP(buf_release) = BUF_INIT(KIB(64));
    assert_int_equal(options_set(options, OPTION_EXAMPLES, SLICE("a\"b"), OPTION_FROM_FLAG,
                                 "--examples", NULL),
                     OK);
    options_write_list(options, true, &list);
    const char *text = buf_cstr(&list);
    assert_non_null(strstr(text, "{\"name\":\"examples\",\"value\":\"a\\\"b\","
                                 "\"source\":\"flag --examples\"}\n"));
    assert_non_null(strstr(text, "{\"name\":\"http.idle_ms\",\"value\":\"1min\","
                                 "\"source\":\"default\"}\n"));
    buf_clear(&list);
    options_write_list(options, false, &list);
    assert_non_null(strstr(buf_cstr(&list), "handler_threads              4"));
}

static void test_a_list_in_json_is_json_whatever_bytes_a_path_has(void **state)
{
    UNUSED(state);
    OWNED(options) options = options_new();
    struct buf list CLEANUP(buf_release) = BUF_INIT(KIB(64));
    assert_int_equal(options_set(options, OPTION_EXAMPLES, SLICE("a\xff"), OPTION_FROM_FILE,
                                 "\xe4.conf:1", NULL),
                     OK);
    assert_int_equal(options_set(options, OPTION_DATA, SLICE("\xc3\xa4"), OPTION_FROM_FLAG,
                                 "--data", NULL),
                     OK);
    options_write_list(options, true, &list);
    assert_true(utf8_is_valid(buf_slice(&list)));
    const char *text = buf_cstr(&list);
    assert_non_null(strstr(text, "{\"name\":\"examples\",\"value\":\"[not UTF-8]\","
                                 "\"source\":\"[not UTF-8]\"}\n"));
    assert_non_null(strstr(text, "{\"name\":\"data\",\"value\":\"\xc3\xa4\","
                                 "\"source\":\"flag --data\"}\n"));
}

static void test_pages(void **state)
{
    UNUSED(state);
    struct buf page CLEANUP(buf_release) = BUF_INIT(KIB(64));
    options_write_conf_page(&page);
    assert_non_null(strstr(buf_cstr(&page), "*cache\\_bytes\\_max* = _BYTES_\n\tMemory"));
    assert_null(strstr(buf_cstr(&page), "*data* ="));
    assert_non_null(strstr(buf_cstr(&page), "Default: info. May change while the server runs.\n"));
    buf_clear(&page);
    options_write_serve_page(&page);
    assert_non_null(strstr(buf_cstr(&page), "*--log-level* _CHOICE_, CAIRN\\_LOG\\_LEVEL\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typed_getters),
        cmocka_unit_test(test_settings_change_only_what_may_change),
        cmocka_unit_test(test_secrets_are_no_settings),
        cmocka_unit_test(test_what_a_source_says_is_kept_and_can_be_taken_back),
        cmocka_unit_test(test_a_mistyped_name_has_a_near_one),
        cmocka_unit_test(test_a_secret_is_listed_as_given_and_its_value_is_not),
        cmocka_unit_test(test_help_names_every_option),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_a_list_in_json_is_json_whatever_bytes_a_path_has),
        cmocka_unit_test(test_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
