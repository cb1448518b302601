/* SPDX-License-Identifier: Apache-2.0 */
/* transaction_test - transactions that share a commit: together durable, alone refused. */
#include <signal.h>
#include <sys/resource.h>

#include "catalog/catalog_support.h"
#include "catalog/internal.h"

enum { MEMBERS_MAX = 3 };

/* Threads that take their turns one behind the other, all in one group: the first begins its turn,
 * and goes on when the others wait for theirs. */
struct member {
    struct together *together;
    struct thread thread;
    size_t turn; /* 1 for the first */
    int seen;    /* rules, by the member in its turn, */
    int shown;   /* and by everybody else meanwhile */
    enum err result;
    struct diag diag;
};

struct together {
    struct place *place;
    size_t count;
    struct member members[MEMBERS_MAX];
    size_t turns;
    enum err (*begin)(struct catalog *catalog, struct diag *diag); /* NULL: catalog_begin() */
    /* In a turn: what is done, after which it is committed unless it was refused. */
    enum err (*act)(struct member *member);
};

static int rules_of(struct sql *sql)
{
    struct sql_statement *count = NULL;
    bool has_row = false;
    enum err e = sql_statement(sql, "SELECT count(*) FROM rules", &count, NULL);
    e = e == OK ? sql_step(count, &has_row, NULL) : e;
    int rules = e == OK && has_row ? (int)sql_i64(count, 0) : -1;
    sql_reset(count);
    return rules;
}

static int rules_shown(struct catalog *catalog)
{
    mutex_lock(&catalog->read_lock);
    int rules = rules_of(catalog->reader);
    mutex_unlock(&catalog->read_lock);
    return rules;
}

static void wait_for_others(struct catalog *catalog, size_t count)
{
    for (bool all = false; !all;) {
        mutex_lock(&catalog->turn_lock);
        all = catalog->waiting == count;
        mutex_unlock(&catalog->turn_lock);
    }
}

static void take_part(void *arg)
{
    struct member *member = arg;
    struct together *together = member->together;
    struct catalog *catalog = together->place->catalog;
    member->result =
        (together->begin != NULL ? together->begin : catalog_begin)(catalog, &member->diag);
    if (member->result != OK) {
        return;
    }
    member->turn = ++together->turns;
    if (member->turn == 1) {
        wait_for_others(catalog, together->count - 1);
    }
    enum err e = together->act(member);
    member->seen = rules_of(reading_begin(catalog));
    reading_end(catalog);
    member->shown = rules_shown(catalog);
    member->result = catalog_end(catalog, e, &member->diag);
}

static int by_turn(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    return (x->turn > y->turn) - (x->turn < y->turn);
}

/* Afterwards the members are in the order of their turns. */
static void run_together(struct together *together)
{
    for (size_t i = 0; i < together->count; i++) {
        struct member *member = &together->members[i];
        member->together = together;
        assert_int_equal(thread_start(&member->thread, "member", take_part, member, NULL), OK);
    }
    for (size_t i = 0; i < together->count; i++) {
        thread_join(&together->members[i].thread);
    }
    qsort(together->members, together->count, sizeof(struct member), by_turn);
}

static enum err insert_inside(struct member *member, const struct kind *kind, const char *text)
{
    struct kind_errors errors;
    json_t *sent = parse(text);
    const struct catalog_change change = {.kind = kind, .author = &author, .sent = sent};
    enum err e =
        catalog_insert(member->together->place->catalog, &change, NULL, &errors, &member->diag);
    json_decref(sent);
    return e;
}

static size_t events_left(struct place *place)
{
    json_t *events = events_of(place);
    size_t count = json_array_size(events) - 1; /* the organisation's */
    json_decref(events);
    return count;
}

/* ---- One commit for all ---- */

static enum err make_rule(struct member *member)
{
    return insert_inside(member, &kind_rules, RULE);
}

static void test_they_share_a_commit(void **state)
{
    struct place *place = *state;
    struct together together = {.place = place, .count = 3, .act = make_rule};
    run_together(&together);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(together.members[i].result, OK);
        assert_int_equal(together.members[i].seen, i + 1); /* of the group */
        assert_int_equal(together.members[i].shown, 0);    /* nothing is before the commit */
    }
    assert_int_equal(rules_shown(place->catalog), 3);
    assert_int_equal(place->told, 1 + 3);
    assert_int_equal(events_left(place), 3);
}

static void test_those_who_want_to_be_alone_share_nothing(void **state)
{
    struct place *place = *state;
    struct together together = {.place = place,
                                .count = 3,
                                .begin = catalog_begin_alone,
                                .act = make_rule};
    run_together(&together);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(together.members[i].result, OK);
        assert_int_equal(together.members[i].seen, i + 1);
        assert_int_equal(together.members[i].shown, i); /* all before it are durable */
    }
    assert_int_equal(place->told, 1 + 3);
}

static enum err tell_what_was_told(struct member *member)
{
    return member->together->place->told == 1 + 1 ? make_rule(member) : ERR_INVALID;
}

static void test_one_alone_comes_when_listeners_know_of_all_before(void **state)
{
    struct place *place = *state;
    struct together together = {.place = place,
                                .count = 1,
                                .begin = catalog_begin_alone,
                                .act = tell_what_was_told};
    struct member first = {.together = &together};
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(make_rule(&first), OK);
    together.members[0].together = &together;
    assert_int_equal(thread_start(&together.members[0].thread, "alone", take_part,
                                  &together.members[0], NULL),
                     OK);
    wait_for_others(place->catalog, 1);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
    thread_join(&together.members[0].thread);
    assert_int_equal(together.members[0].result, OK);
    assert_int_equal(together.members[0].shown, 1);
    assert_int_equal(rules_shown(place->catalog), 2);
}

/* ---- Refused alone ---- */

static enum err make_one_team(struct member *member)
{
    const char *same = "{\"hostname\":\"a\",\"team_assignment\":\"t\"}";
    const char *other = "{\"hostname\":\"b\",\"team_assignment\":\"t\"}";
    return insert_inside(member, &kind_teams, member->turn == 3 ? other : same);
}

static void test_one_that_is_refused_is_undone_alone(void **state)
{
    struct place *place = *state;
    struct together together = {.place = place, .count = 3, .act = make_one_team};
    json_t *team = NULL;
    run_together(&together);
    assert_int_equal(together.members[0].result, OK);
    assert_int_equal(together.members[1].result, ERR_CONFLICT); /* with what the first made */
    assert_int_equal(together.members[2].result, OK);
    assert_int_equal(place->told, 1 + 2);
    assert_int_equal(events_left(place), 2);
    for (const char *host = "ab"; *host != '\0'; host++) {
        slice id = {(const uint8_t *)host, 1};
        assert_int_equal(catalog_get(place->catalog, &kind_teams, author.org, id, &team, NULL), OK);
        json_decref(team);
    }
}

static enum err make_rule_but_at_last(struct member *member)
{
    enum err e = make_rule(member);
    return member->turn == member->together->count ? ERR_INVALID : e;
}

/* Nobody comes behind the one that is refused: it commits for the others. */
static void test_the_last_one_may_be_refused(void **state)
{
    struct place *place = *state;
    struct together together = {.place = place, .count = 3, .act = make_rule_but_at_last};
    run_together(&together);
    assert_int_equal(together.members[0].result, OK);
    assert_int_equal(together.members[1].result, OK);
    assert_int_equal(together.members[2].result, ERR_INVALID);
    assert_int_equal(rules_shown(place->catalog), 2);
    assert_int_equal(place->told, 1 + 2);
    assert_int_equal(events_left(place), 2);
}

static enum err refuse(struct member *member)
{
    (void)make_rule(member);
    return ERR_INVALID;
}

static void test_all_may_be_refused(void **state)
{
    struct place *place = *state;
    struct together together = {.place = place, .count = 3, .act = refuse};
    run_together(&together);
    assert_int_equal(rules_shown(place->catalog), 0);
    assert_int_equal(place->told, 1);
    assert_int_equal(events_left(place), 0);
    json_t *rule = insert(place, &kind_rules, RULE);
    assert_int_equal(json_integer_value(json_object_get(rule, "number")), 1);
    json_decref(rule);
}

/* ---- Commits that fail ---- */

/* No file grows: the pages of the commit cannot be written. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {0};
    ASSERT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes;
    ASSERT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static enum err make_rule_and_fill_the_disk(struct member *member)
{
    enum err e = make_rule(member);
    if (member->turn == member->together->count) {
        limit_files(KIB(4));
    }
    return e;
}

static void test_a_commit_that_fails_fails_for_all(void **state)
{
    struct place *place = *state;
    struct together together = {.place = place, .count = 3, .act = make_rule_and_fill_the_disk};
    (void)signal(SIGXFSZ, SIG_IGN);
    run_together(&together);
    limit_files(RLIM_INFINITY);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(together.members[i].result, ERR_IO);
        assert_string_equal(together.members[i].diag.where, "catalog.db");
        assert_true(together.members[i].diag.text[0] != '\0');
    }
    assert_int_equal(rules_shown(place->catalog), 0);
    assert_int_equal(place->told, 1);
    assert_int_equal(events_left(place), 0);

    together = (struct together){.place = place, .count = 3, .act = make_rule};
    run_together(&together);
    catalog_free(place->catalog);
    open_catalog(place);
    assert_int_equal(rules_shown(place->catalog), 3);
    assert_int_equal(place->told, 1 + 3);
    assert_int_equal(events_left(place), 3);
}

static void limit_pages(struct member *member, const char *pragma)
{
    ASSERT(sql_run(member->together->place->catalog->writer, pragma, NULL) == OK);
}

static enum err overflow_at_last(struct member *member)
{
    if (member->turn != member->together->count) {
        return make_rule(member);
    }
    CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(1));
    buf_append_cstr(&text, "{\"event_type\":\"a.b\",\"schema\":{\"description\":\"");
    for (size_t i = 0; i < 60000; i++) {
        buf_append_byte(&text, 'x');
    }
    buf_append_cstr(&text, "\"}}");
    limit_pages(member, "PRAGMA max_page_count = 1");
    enum err e = insert_inside(member, &kind_schemas, buf_cstr(&text));
    limit_pages(member, "PRAGMA max_page_count = 1000000");
    return e;
}

/* SQLite then rolls back what the others did, too. */
static void test_a_disk_that_is_full_in_one_turn_fails_all_before_it(void **state)
{
    struct place *place = *state;
    struct together together = {.place = place, .count = 2, .act = overflow_at_last};
    run_together(&together);
    assert_int_equal(together.members[0].result, ERR_FULL);
    assert_int_equal(together.members[1].result, ERR_FULL);
    assert_int_equal(rules_shown(place->catalog), 0);
    assert_int_equal(place->told, 1);
    assert_int_equal(events_left(place), 0);
    json_decref(insert(place, &kind_rules, RULE));
    assert_int_equal(rules_shown(place->catalog), 1);
}

/* ---- Many ---- */

enum { CROWD = 12, CHANGES_EACH = 8 };

static void change_often(void *arg)
{
    struct member *member = arg;
    struct catalog *catalog = member->together->place->catalog;
    for (int i = 0; i < CHANGES_EACH && member->result == OK; i++) {
        member->result = catalog_begin(catalog, &member->diag);
        ASSERT(member->result == OK);
        member->result = make_rule(member);
        if (i % 4 == 3) {
            catalog_rollback(catalog);
        } else if (member->result == OK) {
            member->result = catalog_commit(catalog, &member->diag);
        }
    }
}

struct reading {
    struct place *place;
    _Atomic bool is_over;
    size_t wrong;
};

static enum err take_position(void *context, const struct catalog_event *event)
{
    *(int64_t *)context = event->position;
    return OK;
}

/* Reads and empties the outbox meanwhile: what is seen only grows. */
static void read_meanwhile(void *arg)
{
    struct reading *reading = arg;
    int before = 0;
    while (!reading->is_over) {
        int64_t position = 0;
        int now = rules_shown(reading->place->catalog);
        reading->wrong += now < before ? 1 : 0;
        before = now;
        enum err e = catalog_outbox(reading->place->catalog, 1, take_position, &position, NULL);
        reading->wrong += e != OK ? 1 : 0;
        if (position > 0) {
            catalog_outbox_done(reading->place->catalog, position);
        }
    }
}

static void test_a_crowd(void **state)
{
    struct place *place = *state;
    struct together together = {.place = place};
    struct member members[CROWD] = {0};
    struct reading reading = {.place = place};
    struct thread reader = {0};
    assert_int_equal(thread_start(&reader, "reader", read_meanwhile, &reading, NULL), OK);
    for (size_t i = 0; i < CROWD; i++) {
        members[i].together = &together;
        assert_int_equal(thread_start(&members[i].thread, "member", change_often, &members[i],
                                      NULL),
                         OK);
    }
    for (size_t i = 0; i < CROWD; i++) {
        thread_join(&members[i].thread);
        assert_int_equal(members[i].result, OK);
    }
    reading.is_over = true;
    thread_join(&reader);
    assert_int_equal(reading.wrong, 0);
    int kept = CROWD * CHANGES_EACH * 3 / 4;
    assert_int_equal(rules_shown(place->catalog), kept);
    assert_int_equal(place->told, 1 + kept);
    json_t *last = insert(place, &kind_rules, RULE); /* numbers have no holes */
    assert_int_equal(json_integer_value(json_object_get(last, "number")), kept + 1);
    json_decref(last);
}

/* ---- The outbox ---- */

static int rows_in_outbox(struct place *place)
{
    struct sql_statement *count = NULL;
    bool has_row = false;
    struct sql *sql = reading_begin(place->catalog);
    assert_int_equal(sql_statement(sql, "SELECT count(*) FROM outbox", &count, NULL), OK);
    assert_int_equal(sql_step(count, &has_row, NULL), OK);
    int rows = (int)sql_i64(count, 0);
    sql_reset(count);
    reading_end(place->catalog);
    return rows;
}

static void test_what_is_done_leaves_with_the_next_commit(void **state)
{
    struct place *place = *state;
    struct events events = {.list = json_array()};
    assert_int_equal(catalog_outbox(place->catalog, 10, take_event, &events, NULL), OK);
    assert_int_equal(json_array_size(events.list), 1);
    catalog_outbox_done(place->catalog, events.last);
    assert_int_equal(catalog_outbox(place->catalog, 10, take_event, &events, NULL), OK);
    assert_int_equal(json_array_size(events.list), 1); /* not given again */
    assert_int_equal(rows_in_outbox(place), 1);
    json_decref(insert(place, &kind_rules, RULE));
    assert_int_equal(rows_in_outbox(place), 1); /* the rule's alone */
    assert_int_equal(catalog_outbox(place->catalog, 10, take_event, &events, NULL), OK);
    catalog_outbox_done(place->catalog, events.last);
    assert_int_equal(catalog_outbox_tidy(place->catalog, NULL), OK);
    assert_int_equal(rows_in_outbox(place), 0);
    json_decref(events.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_they_share_a_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_those_who_want_to_be_alone_share_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_one_alone_comes_when_listeners_know_of_all_before,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_that_is_refused_is_undone_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_last_one_may_be_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_may_be_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_commit_that_fails_fails_for_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_disk_that_is_full_in_one_turn_fails_all_before_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_crowd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_done_leaves_with_the_next_commit, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
