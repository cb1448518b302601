/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "catalog/catalog.h"
#include "os/tempdir.h"
#include "people/sessions.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;
static const int64_t now_us = INT64_C(1700000000) * 1000000;

struct place {
    struct tempdir temp;
    struct dir *dir;
    struct catalog *catalog;
    struct sessions *sessions;
};

static int set_up(void **state)
{
    struct place *place = mem_zeroed(sizeof(*place));
    const struct catalog_options options = {0};
    tempdir_init(&place->temp);
    assert_int_equal(dir_open(place->temp.path, false, &place->dir, NULL), OK);
    assert_int_equal(catalog_open(place->dir, &options, &place->catalog, NULL), OK);
    place->sessions = sessions_new(place->catalog, 24 * hour_us, 0);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    sessions_free(place->sessions);
    catalog_free(place->catalog);
    dir_free(place->dir);
    tempdir_release(&place->temp);
    free(place);
    return 0;
}

/* A session of `user`; `commits`: else it is rolled back. */
static struct refresh_family begin(struct place *place, const char *user, bool commits,
                                   char token[REFRESH_TOKEN_BYTES])
{
    struct refresh_family family;
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(refresh_begin(sessions_store(place->sessions), slice_from_cstr(user),
                                   SLICE("o"), now_us, token, &family, NULL),
                     OK);
    if (commits) {
        assert_int_equal(catalog_commit(place->catalog, NULL), OK);
        sessions_began(place->sessions, &family);
    } else {
        catalog_rollback(place->catalog);
    }
    return family;
}

static bool lives(struct place *place, const struct refresh_family *family, const char *user,
                  int64_t at_us)
{
    return sessions_live(place->sessions, slice_from_cstr(family->id), slice_from_cstr(user),
                         at_us);
}

static enum refresh_answer rotate(struct place *place, const char *token,
                                  char next[REFRESH_TOKEN_BYTES])
{
    struct refresh_family family;
    enum refresh_answer answer = REFRESH_NOT_ONE;
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(refresh_rotate(sessions_store(place->sessions), slice_from_cstr(token), now_us,
                                    &answer, next, &family, NULL),
                     OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
    return answer;
}

static void test_a_session_lives_until_its_end_and_for_its_user_alone(void **state)
{
    struct place *place = *state;
    char token[REFRESH_TOKEN_BYTES];
    struct refresh_family family = begin(place, "ada", true, token);
    assert_true(lives(place, &family, "ada", now_us));
    assert_true(lives(place, &family, "ada", now_us + 24 * hour_us - 1));
    assert_false(lives(place, &family, "ada", now_us + 24 * hour_us));
    assert_false(lives(place, &family, "bob", now_us));
    sessions_ended(place->sessions, slice_from_cstr(family.id));
    assert_false(lives(place, &family, "ada", now_us));
}

static void test_a_start_knows_those_that_live(void **state)
{
    struct place *place = *state;
    char token[REFRESH_TOKEN_BYTES], gone_token[REFRESH_TOKEN_BYTES], next[REFRESH_TOKEN_BYTES];
    struct refresh_family lost = begin(place, "ada", false, token);
    struct refresh_family kept = begin(place, "ada", true, token);
    struct refresh_family gone = begin(place, "ada", true, gone_token);
    assert_int_equal(rotate(place, gone_token, next), REFRESH_GOOD);
    assert_int_equal(rotate(place, gone_token, next), REFRESH_REUSED); /* which ends it */
    sessions_free(place->sessions);
    place->sessions = sessions_new(place->catalog, 24 * hour_us, 0);
    assert_int_equal(sessions_load(place->sessions, now_us, NULL), OK);
    assert_true(lives(place, &kept, "ada", now_us));
    assert_false(lives(place, &gone, "ada", now_us));
    assert_false(lives(place, &lost, "ada", now_us));
    assert_int_equal(rotate(place, token, next), REFRESH_GOOD);
}

static void test_all_of_a_user_but_one_end(void **state)
{
    struct place *place = *state;
    char token[REFRESH_TOKEN_BYTES];
    struct refresh_family first = begin(place, "ada", true, token);
    struct refresh_family second = begin(place, "ada", true, token);
    struct refresh_family other = begin(place, "bob", true, token);
    sessions_ending_of(place->sessions, SLICE("ada"), slice_from_cstr(second.id));
    assert_true(lives(place, &first, "ada", now_us)); /* until the commit */
    sessions_ended_of(place->sessions, SLICE("ada"), slice_from_cstr(second.id));
    assert_false(lives(place, &first, "ada", now_us));
    assert_true(lives(place, &second, "ada", now_us));
    assert_true(lives(place, &other, "bob", now_us));
    sessions_ending_of(place->sessions, SLICE("ada"), (slice){0});
    sessions_ended_of(place->sessions, SLICE("ada"), (slice){0});
    assert_false(lives(place, &second, "ada", now_us));
}

static void test_a_session_that_begins_while_others_end_stays(void **state)
{
    struct place *place = *state;
    char token[REFRESH_TOKEN_BYTES];
    struct refresh_family before = begin(place, "ada", true, token);
    sessions_ending_of(place->sessions, SLICE("ada"), (slice){0});
    struct refresh_family meanwhile = begin(place, "ada", true, token); /* the new password's */
    sessions_ended_of(place->sessions, SLICE("ada"), (slice){0});
    assert_false(lives(place, &before, "ada", now_us));
    assert_true(lives(place, &meanwhile, "ada", now_us));
}

static void test_what_a_transaction_that_failed_would_have_ended_goes_with_the_next(void **state)
{
    struct place *place = *state;
    char token[REFRESH_TOKEN_BYTES];
    struct refresh_family first = begin(place, "ada", true, token);
    struct refresh_family second = begin(place, "ada", true, token);
    sessions_ending_of(place->sessions, SLICE("ada"), slice_from_cstr(second.id)); /* rolled back */
    assert_true(lives(place, &first, "ada", now_us));
    sessions_ending_of(place->sessions, SLICE("ada"), slice_from_cstr(first.id));
    sessions_ended_of(place->sessions, SLICE("ada"), slice_from_cstr(first.id));
    assert_true(lives(place, &first, "ada", now_us)); /* whose request that was */
    assert_false(lives(place, &second, "ada", now_us));
}

static void test_memory_holds_those_that_live(void **state)
{
    struct place *place = *state;
    struct refresh_family family = {.subject = "ada", .expires_us = now_us + 1};
    for (int i = 0; i < 100000; i++) {
        (void)snprintf(family.id, sizeof(family.id), "%032d", i);
        family.created_us = now_us + i;
        family.expires_us = now_us + i + 100; /* a hundred live at a time */
        sessions_began(place->sessions, &family);
    }
    assert_true(lives(place, &family, "ada", family.created_us));
    (void)snprintf(family.id, sizeof(family.id), "%032d", 99900);
    assert_true(lives(place, &family, "ada", now_us + 99999));
    (void)snprintf(family.id, sizeof(family.id), "%032d", 90000);
    assert_false(lives(place, &family, "ada", now_us)); /* swept, whatever the time */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_session_lives_until_its_end_and_for_its_user_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_start_knows_those_that_live, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_of_a_user_but_one_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_session_that_begins_while_others_end_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_what_a_transaction_that_failed_would_have_ended_goes_with_the_next, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_memory_holds_those_that_live, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
