/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "options/running.h"
#include "os/thread.h"

enum { ROUNDS = 2000, READERS = 3 };

static struct options *with_flag(enum option option, const char *text)
{
    struct options *options = options_new();
    assert_int_equal(options_set(options, option, slice_from_cstr(text), OPTION_FROM_FLAG, "--it",
                                 NULL),
                     OK);
    return options;
}

static void test_a_setting_counts_until_it_is_taken_back(void **state)
{
    UNUSED(state);
    OWNED(running) running = running_new(options_new());
    struct arena arena CLEANUP(arena_release) = ARENA_INIT(KIB(64));
    assert_int_equal(running_u64(running, OPTION_PAST_DAYS_MAX), 7);
    assert_int_equal(running_set(running, OPTION_PAST_DAYS_MAX, SLICE("30"), NULL), OK);
    assert_int_equal(running_set(running, OPTION_LOG_LEVEL, SLICE("debug"), NULL), OK);
    assert_int_equal(running_set(running, OPTION_TILES_PUBLIC, SLICE("no"), NULL), OK);
    assert_int_equal(running_set(running, OPTION_CORS_ORIGINS, SLICE("https://a"), NULL), OK);
    assert_int_equal(running_u64(running, OPTION_PAST_DAYS_MAX), 30);
    assert_int_equal(running_choice(running, OPTION_LOG_LEVEL), 3);
    assert_false(running_bool(running, OPTION_TILES_PUBLIC));
    assert_true(
        slice_equal(running_text(running, OPTION_CORS_ORIGINS, &arena), SLICE("https://a")));
    running_unset(running, OPTION_PAST_DAYS_MAX);
    running_unset(running, OPTION_CORS_ORIGINS);
    assert_int_equal(running_u64(running, OPTION_PAST_DAYS_MAX), 7);
    assert_int_equal(running_text(running, OPTION_CORS_ORIGINS, &arena).len, 0);
    assert_int_equal(running_text(running, OPTION_SENSITIVE_FIELDS, &arena).len, 29);
}

static void test_a_bad_setting_changes_nothing(void **state)
{
    UNUSED(state);
    struct diag diag = {0};
    OWNED(running) running = running_new(options_new());
    assert_int_equal(running_set(running, OPTION_PAST_DAYS_MAX, SLICE("36501"), &diag),
                     ERR_INVALID);
    assert_string_equal(diag.where, "past_days_max");
    assert_non_null(strstr(diag.text, "from 0 to 36500"));
    assert_int_equal(running_set(running, OPTION_LISTEN, SLICE(":1"), &diag), ERR_INVALID);
    assert_int_equal(running_u64(running, OPTION_PAST_DAYS_MAX), 7);
}

static void test_a_flag_is_stronger_and_the_setting_is_kept(void **state)
{
    UNUSED(state);
    struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(1));
    OWNED(running) running = running_new(with_flag(OPTION_PAST_DAYS_MAX, "1"));
    assert_int_equal(running_set(running, OPTION_PAST_DAYS_MAX, SLICE("30"), NULL), OK);
    assert_int_equal(running_u64(running, OPTION_PAST_DAYS_MAX), 1);
    OWNED(options) now = running_options(running);
    assert_true(options_format_from(now, OPTION_PAST_DAYS_MAX, OPTION_FROM_SETTING, &text));
    assert_string_equal(buf_cstr(&text), "30");
    assert_string_equal(options_where(now, OPTION_PAST_DAYS_MAX), "flag --it");
}

static void test_of_the_file_only_what_may_change_is_taken(void **state)
{
    UNUSED(state);
    OWNED(running) running = running_new(options_new());
    OWNED(options) file = options_new();
    OWNED(options) empty = options_new();
    assert_int_equal(options_read_text(file, SLICE("past_days_max = 9\nlisten = :1\n"), "f", NULL),
                     OK);
    running_take_file(running, file);
    OWNED(options) now = running_options(running);
    assert_int_equal(running_u64(running, OPTION_PAST_DAYS_MAX), 9);
    assert_string_equal(options_where(now, OPTION_PAST_DAYS_MAX), "file f:1");
    assert_string_equal(options_where(now, OPTION_LISTEN), "default");
    assert_int_equal(running_set(running, OPTION_PAST_DAYS_MAX, SLICE("8"), NULL), OK);
    running_take_file(running, empty);
    assert_int_equal(running_u64(running, OPTION_PAST_DAYS_MAX), 8);
    running_unset(running, OPTION_PAST_DAYS_MAX);
    assert_int_equal(running_u64(running, OPTION_PAST_DAYS_MAX), 7);
}

static void test_a_full_arena_gives_no_text(void **state)
{
    UNUSED(state);
    OWNED(running) running = running_new(options_new());
    struct arena arena CLEANUP(arena_release) = ARENA_INIT(1);
    assert_int_equal(running_text(running, OPTION_SENSITIVE_FIELDS, &arena).len, 0);
}

/* ---- While others change it ---- */

static void read_all_the_time(void *arg)
{
    struct running *running = arg;
    struct arena arena CLEANUP(arena_release) = ARENA_INIT(KIB(64));
    for (size_t i = 0; i < ROUNDS; i++) {
        uint64_t days = running_u64(running, OPTION_PAST_DAYS_MAX);
        slice words = running_text(running, OPTION_SENSITIVE_FIELDS, &arena);
        ASSERT(days == 1 || days == 2 || days == 7);
        ASSERT(slice_equal(words, SLICE("a")) || slice_equal(words, SLICE("bbbb")) ||
               words.len == 29);
        arena_clear(&arena);
    }
}

static void test_readers_see_one_value_or_the_other(void **state)
{
    UNUSED(state);
    OWNED(running) running = running_new(options_new());
    struct thread readers[READERS] = {0};
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(thread_start(&readers[i], "reader", read_all_the_time, running, NULL), OK);
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        slice days = i % 2 == 0 ? SLICE("1") : SLICE("2");
        slice words = i % 2 == 0 ? SLICE("a") : SLICE("bbbb");
        assert_int_equal(running_set(running, OPTION_PAST_DAYS_MAX, days, NULL), OK);
        assert_int_equal(running_set(running, OPTION_SENSITIVE_FIELDS, words, NULL), OK);
    }
    for (size_t i = 0; i < READERS; i++) {
        thread_join(&readers[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_setting_counts_until_it_is_taken_back),
        cmocka_unit_test(test_a_bad_setting_changes_nothing),
        cmocka_unit_test(test_a_flag_is_stronger_and_the_setting_is_kept),
        cmocka_unit_test(test_of_the_file_only_what_may_change_is_taken),
        cmocka_unit_test(test_a_full_arena_gives_no_text),
        cmocka_unit_test(test_readers_see_one_value_or_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
