/* SPDX-License-Identifier: Apache-2.0 */
/* The policy of versions, over the table of the program and over tables that break it. */
#include "base/test.h"
#include "gate/versions.h"

#define CHANGED .changes = {"something"}
#define LIFE(by, told, end, without)                                                               \
    .life = {.deprecated = (by), .announced = (told), .sunset = (end), .removed = (without)}

/* ---- VER-07 ---- */

static void VER_07_versions_compare_as_numbers(void **state)
{
    UNUSED(state);
    static const char *const rising[] = {"0.9", "1",   "1.1",  "1.9", "1.10",
                                         "2.0", "2.9", "2.10", "9.0", "10.0"};
    for (size_t i = 0; i + 1 < COUNT_OF(rising); i++) {
        struct version a;
        struct version b;
        assert_true(version_parse(slice_from_cstr(rising[i]), &a));
        assert_true(version_parse(slice_from_cstr(rising[i + 1]), &b));
        assert_true(version_compare(a, b) < 0);
        assert_true(version_compare(b, a) > 0);
        assert_int_equal(version_compare(a, a), 0);
    }
}

static void what_is_no_version_is_refused(void **state)
{
    UNUSED(state);
    static const char *const wrong[] = {"",       "v",       ".",
                                        "1.",     ".1",      "1.2.3",
                                        "latest", "2.0 ",    " 2.0",
                                        "-1",     "+2.0",    "2,0",
                                        "10000",  "1.10000", "vv2",
                                        "0x2",    "2.0\n",   "99999999999999999999.0"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct version untouched = {7, 7};
        assert_false(version_parse(slice_from_cstr(wrong[i]), &untouched));
        assert_int_equal(untouched.major, 7);
    }
    struct version one = {0};
    assert_true(version_parse(SLICE("v1.0"), &one));
    assert_int_equal(one.major, 1);
    assert_true(version_parse(SLICE("2"), &one));
    assert_int_equal(one.major, 2);
    assert_int_equal(one.minor, 0);
}

/* ---- Days ---- */

static struct version_day day(const char *text)
{
    struct version_day parsed = {0};
    assert_true(version_day_parse(slice_from_cstr(text), &parsed));
    return parsed;
}

static void days_are_those_of_the_calendar(void **state)
{
    UNUSED(state);
    static const char *const wrong[] = {"2025-02-29", "2025-13-01", "2025-00-01", "2025-04-31",
                                        "2025-1-01",  "1969-12-31", "2025-11-1",  "2025/11/10",
                                        "20251110",   "",           "1900-02-29", "2025-11-10T00"};
    struct version_day ignored;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(version_day_parse(slice_from_cstr(wrong[i]), &ignored));
    }
    assert_int_equal(version_day_seconds(day("1970-01-01")), 0);
    assert_int_equal(version_day_seconds(day("2000-02-29")), 951782400);
    assert_int_equal(version_day_seconds(day("2025-11-10")), 1762732800);
    assert_int_equal(version_day_compare(version_day_add(day("2023-08-31"), 6), day("2024-02-29")),
                     0);
    assert_int_equal(version_day_compare(version_day_add(day("2024-02-29"), 12), day("2025-02-28")),
                     0);
    assert_true(version_day_compare(day("2025-12-31"), day("2026-01-01")) < 0);
}

/* ---- VER-13 ---- */

static void VER_13_the_program_keeps_its_policy(void **state)
{
    UNUSED(state);
    struct diag diag = {0};
    enum err e = version_table_check(&all_versions, &diag);
    if (e != OK) {
        print_error("%s %s\n", diag.where, diag.text);
    }
    assert_int_equal(e, OK);
    assert_string_equal(all_versions.entries[0].name, "2.0");
    assert_string_equal(all_versions.entries[0].released, "2025-11-10");
    assert_string_equal(all_versions.entries[1].name, "1.0");
    assert_int_equal(version_status(&all_versions, &all_versions.entries[0]), VERSION_CURRENT);
    assert_int_equal(version_status(&all_versions, &all_versions.entries[1]), VERSION_DEPRECATED);
}

/* Two versions, of which the older one has this life. */
struct bad {
    const char *name;
    struct version_life life;
    const char *says;
};

static const struct bad bad_lives[] = {
    {"eleven months of support", {"1.0", "2.0", "2025-01-01", "2025-12-31", "3.0", NULL}, "12"},
    {"a day too few", {"1.0", "2.0", "2025-01-01", "2026-01-09", "3.0", NULL}, "12 months"},
    {"five months of notice", {"1.0", "2.0", "2026-08-01", "2027-01-01", "3.0", NULL}, "6 months"},
    {"removed in a minor version",
     {"1.0", "2.0", "2025-01-10", "2027-01-01", "2.1", NULL},
     "major"},
    {"removed by what deprecates it",
     {"1.0", "2.0", "2025-01-10", "2027-01-01", "2.0", NULL},
     "major"},
    {"removed before it is deprecated",
     {"1.0", "2.0", "2025-01-10", "2027-01-01", "1.0", NULL},
     "major"},
    {"deprecated by itself", {"1.0", "1.0", "2025-01-10", "2027-01-01", "3.0", NULL}, "later"},
    {"deprecated by a version that is not there",
     {"1.0", "2.5", "2025-01-10", "2027-01-01", "3.0", NULL},
     "not in the table"},
    {"introduced by a version that is not there",
     {"0.1", NULL, NULL, NULL, NULL, NULL},
     "not in the table"},
    {"no end", {"1.0", "2.0", "2025-01-10", NULL, "3.0", NULL}, "when it ends"},
    {"no announcement", {"1.0", "2.0", NULL, "2027-01-01", "3.0", NULL}, "when it ends"},
    {"not removed by anything",
     {"1.0", "2.0", "2025-01-10", "2027-01-01", NULL, NULL},
     "when it ends"},
    {"removed without deprecation", {"1.0", NULL, NULL, NULL, "3.0", NULL}, "without having been"},
    {"an end without deprecation",
     {"1.0", NULL, NULL, "2027-01-01", NULL, NULL},
     "without having been"},
    {"a day that there is not",
     {"1.0", "2.0", "2025-01-10", "2027-02-29", "3.0", NULL},
     "when it ends"},
    {"words for versions",
     {"1.0", "next", "2025-01-10", "2027-01-01", "3.0", NULL},
     "not a version"},
    {"removed by words",
     {"1.0", "2.0", "2025-01-10", "2027-01-01", "never", NULL},
     "not a version"},
};

static void VER_13_bad_life_is_refused(void **state)
{
    const struct bad *row = *state;
    const struct version_entry entries[] = {
        {.name = "2.0", .released = "2025-01-10", .life = {.introduced = "2.0"}, CHANGED},
        {.name = "1.0", .released = "2023-01-10", .life = {.introduced = "1.0"}, CHANGED},
    };
    const struct version_table table = {entries, COUNT_OF(entries)};
    struct diag diag = {0};
    assert_int_equal(version_life_check(&table, &row->life, "GET /x", &diag), ERR_INVALID);
    assert_string_equal(diag.where, "GET /x");
    if (strstr(diag.text, row->says) == NULL) {
        print_error("\"%s\" does not say \"%s\"\n", diag.text, row->says);
    }
    assert_non_null(strstr(diag.text, row->says));
}

static void VER_13_the_last_days_that_are_allowed_are(void **state)
{
    UNUSED(state);
    const struct version_entry entries[] = {
        {.name = "2.0", .released = "2025-01-10", CHANGED},
        {.name = "1.0", .released = "2023-01-10", CHANGED},
    };
    const struct version_table table = {entries, COUNT_OF(entries)};
    const struct version_life exactly = {"1.0", "2.0", "2025-07-10", "2026-01-10", "3.0", NULL};
    assert_int_equal(version_life_check(&table, &exactly, "x", NULL), OK);
    const struct version_life none = {0};
    assert_int_equal(version_life_check(&table, &none, "x", NULL), OK);
}

struct bad_table {
    const char *name;
    struct version_entry entries[2];
    size_t count;
};

static const struct bad_table bad_tables[] = {
    {"no versions", {{.name = "1.0"}}, 0},
    {"the older one first",
     {{.name = "1.0", .released = "2025-01-10", CHANGED},
      {.name = "2.0", .released = "2023-01-10", CHANGED}},
     2},
    {"the same twice",
     {{.name = "2.0", .released = "2025-01-10", CHANGED},
      {.name = "2.0", .released = "2023-01-10", CHANGED}},
     2},
    {"released before the older one",
     {{.name = "2.0", .released = "2022-01-10", CHANGED},
      {.name = "1.0", .released = "2023-01-10", CHANGED}},
     2},
    {"the current one is deprecated",
     {{.name = "2.0",
       .released = "2025-01-10",
       LIFE("2.0", "2025-01-10", "2027-01-01", "3.0"),
       CHANGED}},
     1},
    {"no day of release", {{.name = "2.0", CHANGED}}, 1},
    {"no changes", {{.name = "2.0", .released = "2025-01-10"}}, 1},
    {"removed before its last day",
     {{.name = "3.0", .released = "2025-06-01", CHANGED},
      {.name = "1.0",
       .released = "2023-01-10",
       LIFE("2.0", "2025-01-10", "2027-01-01", "3.0"),
       CHANGED}},
     2},
};

static void VER_13_bad_table_is_refused(void **state)
{
    const struct bad_table *row = *state;
    const struct version_table table = {row->entries, row->count};
    struct diag diag = {0};
    assert_int_equal(version_table_check(&table, &diag), ERR_INVALID);
    assert_true(diag.text[0] != '\0');
}

/* ---- VER-01, VER-04 ---- */

struct wish {
    const char *name;
    const char *accept_version, *x_api_version, *api_version, *organisation;
    const char *answer;
};

static const struct wish wishes[] = {
    {"VER-01: nothing is the current one", "", "", "", "", "2.0"},
    {"VER-01: Accept-Version", "1.0", "", "", "", "1.0"},
    {"VER-01: X-API-Version", "", "1.0", "", "", "1.0"},
    {"VER-01: api_version", "", "", "1.0", "", "1.0"},
    {"VER-01: the organisation's", "", "", "", "1.0", "1.0"},
    {"VER-01: Accept-Version beats the others", "1.0", "2.0", "2.0", "2.0", "1.0"},
    {"VER-01: X-API-Version beats the query", "", "1.0", "2.0", "2.0", "1.0"},
    {"VER-01: the query beats the organisation's", "", "", "1.0", "2.0", "1.0"},
    {"VER-04: 2.0 is accepted", "2.0", "", "", "1.0", "2.0"},
    {"VER-04: an unknown one is the default", "3.0", "", "", "", "2.0"},
    {"VER-04: an unknown one beats those behind it", "9.9", "1.0", "1.0", "", "2.0"},
    {"VER-04: an unknown one is the organisation's", "9.9", "", "", "1.0", "1.0"},
    {"VER-04: nonsense is the default", "latest", "", "", "", "2.0"},
    {"VER-04: an organisation's nonsense too", "", "", "", "x", "2.0"},
    {"VER-04: a very long one", "1.0000000000000000000000000000000000000001", "", "", "", "2.0"},
    {"VER-07: 1 is 1.0", "1", "", "", "", "1.0"},
    {"VER-07: 01.00 is 1.0", "01.00", "", "", "", "1.0"},
};

static void wish_is_granted(void **state)
{
    const struct wish *row = *state;
    const struct version_wishes asked = {slice_from_cstr(row->accept_version),
                                         slice_from_cstr(row->x_api_version),
                                         slice_from_cstr(row->api_version),
                                         slice_from_cstr(row->organisation)};
    assert_string_equal(version_negotiate(&all_versions, &asked)->name, row->answer);
}

static void VER_04_a_removed_version_is_not_served(void **state)
{
    UNUSED(state);
    const struct version_entry entries[] = {
        {.name = "3.0", .released = "2027-01-10", CHANGED},
        {.name = "2.0", .released = "2025-01-10", CHANGED},
        {.name = "1.0",
         .released = "2023-01-10",
         LIFE("2.0", "2025-01-10", "2027-01-10", "3.0"),
         CHANGED},
    };
    const struct version_table table = {entries, COUNT_OF(entries)};
    const struct version_wishes asked = {.accept_version = SLICE("1.0")};
    assert_int_equal(version_table_check(&table, NULL), OK);
    assert_int_equal(version_status(&table, &entries[2]), VERSION_REMOVED);
    assert_int_equal(version_status(&table, &entries[1]), VERSION_SUPPORTED);
    assert_string_equal(version_negotiate(&table, &asked)->name, "3.0");
}

static void VER_09_a_later_route_is_answered_in_its_own_version(void **state)
{
    UNUSED(state);
    const struct version_life later = {.introduced = "2.0"};
    const struct version_life first = {.introduced = "1.0"};
    const struct version_entry *two = &all_versions.entries[0];
    const struct version_entry *one = &all_versions.entries[1];
    assert_ptr_equal(version_at_least(&all_versions, one, &later), two);
    assert_ptr_equal(version_at_least(&all_versions, two, &later), two);
    assert_ptr_equal(version_at_least(&all_versions, one, &first), one);
    assert_ptr_equal(version_at_least(&all_versions, one, NULL), one);
}

#define PLAIN_TESTS 7
#define ADD_ROWS(table, function)                                                                  \
    for (size_t i = 0; i < COUNT_OF(table); i++) {                                                 \
        tests[count++] = (struct CMUnitTest){.name = (table)[i].name,                              \
                                             .test_func = (function),                              \
                                             .initial_state = (void *)(uintptr_t) & (table)[i]};   \
    }

int main(void)
{
    struct CMUnitTest
        tests[PLAIN_TESTS + COUNT_OF(bad_lives) + COUNT_OF(bad_tables) + COUNT_OF(wishes)] = {
            cmocka_unit_test(VER_07_versions_compare_as_numbers),
            cmocka_unit_test(what_is_no_version_is_refused),
            cmocka_unit_test(days_are_those_of_the_calendar),
            cmocka_unit_test(VER_13_the_program_keeps_its_policy),
            cmocka_unit_test(VER_13_the_last_days_that_are_allowed_are),
            cmocka_unit_test(VER_04_a_removed_version_is_not_served),
            cmocka_unit_test(VER_09_a_later_route_is_answered_in_its_own_version),
        };
    size_t count = PLAIN_TESTS;
    ADD_ROWS(bad_lives, VER_13_bad_life_is_refused)
    ADD_ROWS(bad_tables, VER_13_bad_table_is_refused)
    ADD_ROWS(wishes, wish_is_granted)
    return _cmocka_run_group_tests("versions", tests, count, NULL, NULL);
}
