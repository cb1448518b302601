/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "show/screen.h"

struct text_case {
    const char *name;
    const char *text;
    size_t columns;
    const char *expect;
    size_t used;
};

static struct text_case cases[] = {
    {"plain", "hello", 80, "hello", 5},
    {"empty", "", 80, "", 0},
    {"fits exactly", "hello", 5, "hello", 5},
    {"cut", "hello", 4, "hel…", 4},
    {"cut to one", "hello", 1, "…", 1},
    {"no room", "hello", 0, "", 0},
    {"umlauts", "gr\xc3\xbc\xc3\x9f", 80, "grüß", 4},
    {"cut at a character", "\xc3\xbc\xc3\xbc\xc3\xbc", 2, "ü…", 2},
    {"wide", "\xe6\x97\xa5\xe6\x9c\xac", 80, "日本", 4},
    {"wide is not halved", "\xe6\x97\xa5\xe6\x9c\xac", 3, "日…", 3},
    {"wide and no room for its half", "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5", 4, "日…", 3},
    {"combining", "e\xcc\x81x", 80, "e\xcc\x81x", 2},
    {"escape", "a\x1b[31mb", 80, "a\\x1b[31mb", 10},
    {"bell, feed, tab, delete", "\a\n\t\x7f", 80, "\\x07\\x0a\\x09\\x7f", 16},
    {"an escape is not cut in two", "ab\x1b", 5, "ab…", 3},
    {"C1 control", "\xc2\x9b", 80, "\\u{9b}", 6},
    {"reading direction",
     "a\xe2\x80\xae"
     "b",
     80, "a\\u{202e}b", 10},
    {"zero width", "\xe2\x80\x8b", 80, "\\u{200b}", 8},
    {"not UTF-8", "\xff\xc3", 80, "\\xff\\xc3", 8},
    {"too long a form", "\xc0\xaf", 80, "\\xc0\\xaf", 8},
    {"half a surrogate", "\xed\xa0\x80", 80, "\\xed\\xa0\\x80", 12},
    {"everything", "0123456789", SIZE_MAX, "0123456789", 10},
};

static void test_text(void **state)
{
    const struct text_case *c = *state;
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(4));
    assert_int_equal(screen_text(&out, slice_from_cstr(c->text), c->columns), c->used);
    assert_string_equal(buf_cstr(&out), c->expect);
    if (c->columns > screen_columns(slice_from_cstr(c->text))) {
        assert_int_equal(screen_columns(slice_from_cstr(c->text)), c->used);
    }
}

TEST_TABLE(test_text, cases)
