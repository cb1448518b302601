/* SPDX-License-Identifier: Apache-2.0 */
/* people_test - the keys of tokens and the event that tells of them, when one of both fails. */
#include <signal.h>
#include <sys/resource.h>

#include "catalog/catalog_support.h"
#include "os/fault.h"
#include "people/internal.h"
#include "people/token_keys.h"

static const int64_t now_us = INT64_C(1700000000) * 1000000;

struct rotating {
    struct place *place;
    struct callers *callers;
    struct people *people;
};

static int open_people(void **state)
{
    struct rotating *rotating = mem_zeroed(sizeof(*rotating));
    const struct people_options options = {
        .issuer = "cairn.test",
        .limits = {.token_s = 600, .session_us = 3600000000, .window_s = 1},
    };
    assert_int_equal(set_up((void **)&rotating->place), 0);
    rotating->callers = callers_new();
    assert_int_equal(callers_load(rotating->callers, rotating->place->catalog, NULL), OK);
    assert_int_equal(people_open(rotating->place->dir, rotating->place->catalog, rotating->callers,
                                 &options, &rotating->people, NULL),
                     OK);
    *state = rotating;
    return 0;
}

static int close_people(void **state)
{
    struct rotating *rotating = *state;
    people_free(rotating->people);
    void *place = rotating->place;
    int result = tear_down(&place);
    callers_free(rotating->callers);
    free(rotating);
    return result;
}

/* ---- What is there ---- */

static size_t key_files(const struct people *people)
{
    CLEANUP(dir_names_release) struct dir_names names = {0};
    assert_int_equal(dir_list(people->key_dir, &names, NULL), OK);
    return names.count;
}

static bool still_signs(struct people *people, const struct token_key *key)
{
    CLEANUP(token_key_release) struct token_key current = {0};
    token_keys_current(people->keys, &current);
    return strcmp(current.kid, key->kid) == 0;
}

/* The outcomes of the rotations in the outbox, one letter for each. */
static void outcomes(struct place *place, char out[8])
{
    size_t count = 0;
    json_t *events = events_of(place);
    json_t *event = NULL;
    size_t i = 0;
    json_array_foreach(events, i, event)
    {
        if (strcmp(text_in(event, "event_type"), "auth.token_keys.rotate") == 0) {
            assert_true(count < 7);
            out[count++] = text_in(event, "event_outcome")[0];
        }
    }
    out[count] = '\0';
    json_decref(events);
}

/* ---- Rotations ---- */

/* Files of more bytes do not grow, which is the database's: no commit finds room. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {0};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_rotation_whose_event_is_not_stored_changes_no_key(void **state)
{
    static const bool at_once[] = {false, true};
    struct rotating *rotating = *state;
    CLEANUP(token_key_release) struct token_key key = {0};
    char said[8];
    token_keys_current(rotating->people->keys, &key);
    for (size_t i = 0; i < COUNT_OF(at_once); i++) {
        limit_files(KIB(4));
        enum err e = people_rotate_keys(rotating->people, at_once[i], &author, now_us, NULL);
        limit_files(RLIM_INFINITY);
        assert_int_equal(e, ERR_IO);
        assert_true(still_signs(rotating->people, &key));
        assert_int_equal(key_files(rotating->people), 1);
    }
    outcomes(rotating->place, said);
    assert_string_equal(said, "");
}

static void test_a_rotation_whose_key_is_not_written_says_so(void **state)
{
    static const bool at_once[] = {false, true};
    struct rotating *rotating = *state;
    CLEANUP(token_key_release) struct token_key key = {0};
    char said[8];
    token_keys_current(rotating->people->keys, &key);
    for (size_t i = 0; i < COUNT_OF(at_once); i++) {
        struct fault_nth nth = {.kind = FAULT_RENAME, .n = 1, .action = FAULT_FAIL};
        struct fault_plan plan = fault_plan_nth(&nth);
        fault_install(&plan);
        enum err e = people_rotate_keys(rotating->people, at_once[i], &author, now_us, NULL);
        fault_install(NULL);
        assert_int_equal(e, ERR_IO);
        assert_true(still_signs(rotating->people, &key));
    }
    outcomes(rotating->place, said);
    assert_string_equal(said, "sfsf");
}

static void test_a_rotation_leaves_one_event(void **state)
{
    struct rotating *rotating = *state;
    CLEANUP(token_key_release) struct token_key key = {0};
    char said[8];
    token_keys_current(rotating->people->keys, &key);
    assert_int_equal(people_rotate_keys(rotating->people, false, &author, now_us, NULL), OK);
    assert_false(still_signs(rotating->people, &key));
    assert_int_equal(key_files(rotating->people), 2);
    assert_int_equal(people_rotate_keys(rotating->people, true, &author, now_us, NULL), OK);
    assert_int_equal(key_files(rotating->people), 1);
    outcomes(rotating->place, said);
    assert_string_equal(said, "ss");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_rotation_whose_event_is_not_stored_changes_no_key,
                                        open_people, close_people),
        cmocka_unit_test_setup_teardown(test_a_rotation_whose_key_is_not_written_says_so,
                                        open_people, close_people),
        cmocka_unit_test_setup_teardown(test_a_rotation_leaves_one_event, open_people,
                                        close_people),
    };
    return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
