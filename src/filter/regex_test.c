/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/test.h"
#include "filter/regex.h"

enum { TEXT_BYTES_MAX = 262144, PROCESSOR_MS_MAX = 1000 };

static struct regex *compiled(const char *pattern)
{
    struct regex *regex = NULL;
    char message[REGEX_MESSAGE_BYTES] = "";
    size_t offset = 0;
    if (regex_compile(slice_from_cstr(pattern), &regex, &offset, message) != OK) {
        fail_msg("%s: %s, at %zu", pattern, message, offset);
    }
    return regex;
}

/* `unit` again and again, and `end`; the caller frees it. */
static slice text_of(const char *unit, const char *end, size_t len)
{
    uint8_t *bytes = mem_array(len, 1);
    for (size_t i = 0; i < len; i++) {
        size_t left = len - i;
        bytes[i] = (uint8_t)(left > strlen(end) ? unit[i % strlen(unit)] : end[strlen(end) - left]);
    }
    return (slice){bytes, len};
}

static const size_t lengths[] = {20, 64, 255, 500, 1000, 2000, 4000, 20000, 100000, TEXT_BYTES_MAX};

/* ---- Searches that would take minutes, or years ---- */

struct hostile {
    const char *pattern, *unit, *end;
};

static struct hostile hostiles[] = {
    {"(\\w+)\\s\\1", "a", " b"},
    {"(a+)+$", "a", "-"},
    {"^(((\\w+\\s?)+)+)+$", "a", "!"},
    {"(a*)\\1b", "a", "-b"},
    {"(a+)(?:\\1c|a)*d", "a", "-d"},
    {"((a*)(a*)(a*)(a*))\\1\\2b", "a", "-b"},
    {"(?=a{30000})[^a]", "a", ""},
    {"(?:(?=\\w++\\s)|a){0,900}z", "a", "-z"},
    {"[a-z]+[a-y]*[a-x]*[0-9]", "a", "-1"},
    {"(?:(?=[^b]*b)|(?=[^c]*c)|(?=[^d]*d)|a)*e", "a", "-e"},
    {"(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)"
     "(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)b",
     "a", "-b"},
    {"([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)"
     "([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)([)]|a|a)b",
     "a", "-b"},
    {"(a|a){40}b", "a", "-b"},
    {"(a|a)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)b",
     "a", "-b"},
    {"(?<=a)(a(?1)?b|a)*c", "a", "-c"},
    {"(?:a?){100}a{100}b", "a", "-b"},
    {"(*sr:\\w+)1", "a", "-1"},
    {"\\X{500}b", "a", "-b"},
    {"(error|fail(ed|ure)?).*timeout", "fail ", "timeou"},
};

static int64_t processor_ms(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* The bound is 30 ms; what this allows is for sanitizers. */
static void test_a_hostile_search_ends(void **state)
{
    const struct hostile *row = *state;
    struct regex *regex = compiled(row->pattern);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        slice text = text_of(row->unit, row->end, lengths[i]);
        uint64_t steps = UINT64_MAX;
        bool found = false;
        int64_t begin_ms = processor_ms();
        bool matches = regex_match(regex, text);
        int64_t matched_ms = processor_ms();
        enum err searched = regex_search(regex, text, &steps, &found);
        int64_t end_ms = processor_ms();
        assert_true(UINT64_MAX - steps <= REGEX_STEPS_MAX + text.len);
        assert_true(searched != OK || !matches || found); /* found quickly is found */
        assert_true(matched_ms - begin_ms < PROCESSOR_MS_MAX);
        assert_true(end_ms - matched_ms < PROCESSOR_MS_MAX);
        free((void *)(uintptr_t)text.ptr);
    }
    regex_free(regex);
}

/* ---- Both ways to search say the same ---- */

struct plain {
    const char *pattern;
    bool is_found;
};

#define LOG_UNIT "user.login failed for bob at web-12 after 30 tries; closed by peer foo\n"
#define LOG_END  "order-4711 refused, bar@example.com said"

static struct plain plains[] = {
    {"^order", false},
    {"^user", true},
    {"said$", true},
    {"said\\n$", false},
    {"refused", true},
    {"REFUSED", false},
    {"(?i)REFUSED", true},
    {"(declined|refused|denied),", true},
    {"order-[0-9]{4} (accepted|refused)", true},
    {"[a-z]+@[a-z]+\\.com", true},
    {"[a-z]+@[a-z]+\\.org", false},
    {"order-(\\d)(\\d)(\\d)\\3 ", true},
    {"order-(\\d)(\\d)(\\d)\\2 ", false},
    {"(?<n>r)e.*\\k<n>", true},
    {"[^()|]+,", true},
    {"", true},
};

static void test_both_ways_say_the_same(void **state)
{
    const struct plain *row = *state;
    struct regex *regex = compiled(row->pattern);
    for (size_t i = 2; i < COUNT_OF(lengths) - 2; i++) {
        slice text = text_of(LOG_UNIT, LOG_END, lengths[i]);
        bool found = !row->is_found;
        uint64_t steps = REGEX_STEPS_MAX;
        assert_int_equal(regex_match(regex, text), row->is_found);
        assert_int_equal(regex_search(regex, text, &steps, &found), OK);
        assert_int_equal(found, row->is_found);
        assert_true(steps < REGEX_STEPS_MAX);
        free((void *)(uintptr_t)text.ptr);
    }
    regex_free(regex);
}

/* ---- The rest of the contract ---- */

static void test_steps_that_do_not_suffice_are_an_error(void **state)
{
    UNUSED(state);
    struct regex *regex = compiled("[a-z]+@");
    slice text = SLICE("abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz a@");
    bool found = false;
    for (uint64_t given = 0; given < 200; given++) {
        uint64_t steps = given;
        enum err searched = regex_search(regex, text, &steps, &found);
        assert_true(searched == OK || searched == ERR_LIMIT);
        assert_true(searched == OK ? found : !found);
        assert_true(steps <= given);
    }
    assert_true(found);
    regex_free(regex);
}

static void test_text_that_is_not_utf8_does_not_match(void **state)
{
    UNUSED(state);
    struct regex *regex = compiled("a");
    uint64_t steps = REGEX_STEPS_MAX;
    bool found = false;
    assert_false(regex_match(regex, SLICE("a\xff")));
    assert_int_equal(regex_search(regex, SLICE("a\xff"), &steps, &found), ERR_INVALID);
    assert_true(regex_match(regex, SLICE("\xc3\xa4"
                                         "a")));
    regex_free(regex);
}

static void test_what_is_no_pattern_is_refused_with_its_place(void **state)
{
    UNUSED(state);
    struct regex *regex = NULL;
    char message[REGEX_MESSAGE_BYTES] = "";
    size_t offset = 0;
    assert_int_equal(regex_compile(SLICE("ab(c"), &regex, &offset, message), ERR_INVALID);
    assert_int_equal(offset, 4);
    assert_string_equal(message, "missing closing parenthesis");
    assert_null(regex);
    regex_free(regex);
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(hostiles) + COUNT_OF(plains) + 3];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(hostiles); i++) {
        tests[count++] = (struct CMUnitTest){.name = hostiles[i].pattern,
                                             .test_func = test_a_hostile_search_ends,
                                             .initial_state = &hostiles[i]};
    }
    for (size_t i = 0; i < COUNT_OF(plains); i++) {
        tests[count++] = (struct CMUnitTest){.name = plains[i].pattern,
                                             .test_func = test_both_ways_say_the_same,
                                             .initial_state = &plains[i]};
    }
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(test_steps_that_do_not_suffice_are_an_error);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_text_that_is_not_utf8_does_not_match);
    tests[count] =
        (struct CMUnitTest)cmocka_unit_test(test_what_is_no_pattern_is_refused_with_its_place);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
