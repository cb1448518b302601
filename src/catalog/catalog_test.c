/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_test - objects, their events, and that neither is without the other. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog/catalog_support.h"
#include "os/thread.h"

static enum err update(struct place *place, const struct kind *kind, const char *id,
                       uint64_t if_match, const char *text, json_t **out,
                       struct kind_errors *errors)
{
    json_t *sent = parse(text);
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    const struct catalog_change change = {.kind = kind,
                                          .author = &author,
                                          .id = slice_from_cstr(id),
                                          .if_match = if_match,
                                          .how = KIND_PATCH,
                                          .sent = sent};
    enum err e = catalog_update(place->catalog, &change, out, errors, NULL);
    e = catalog_end(place->catalog, e, NULL);
    json_decref(sent);
    return e;
}

static enum err remove_one(struct place *place, const struct kind *kind, const char *id,
                           struct kind_errors *errors)
{
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    const struct catalog_change change = {.kind = kind,
                                          .author = &author,
                                          .id = slice_from_cstr(id)};
    enum err e = catalog_delete(place->catalog, &change, errors, NULL);
    e = catalog_end(place->catalog, e, NULL);
    return e;
}

/* ---- Events ---- */

static void test_an_event_is_one_that_the_log_takes(void **state)
{
    struct place *place = *state;
    char name[3001];
    struct catalog_author guest = author;
    memset(name, 'a', sizeof(name) - 1);
    memcpy(name + 254, "\xc3\xa4", 2); /* the most would end in its middle */
    name[sizeof(name) - 1] = '\0';
    guest.actor_id = slice_from_cstr(name);
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(catalog_note(place->catalog, &guest, "auth.login", "denied", NULL, NULL), OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
    json_t *events = events_of(place);
    const json_t *event = json_array_get(events, json_array_size(events) - 1);
    assert_int_equal(strlen(text_in(event, "actor_id")), 254);
    json_decref(events);
}

static void test_a_change_has_its_event(void **state)
{
    struct place *place = *state;
    struct kind_errors errors;
    json_t *changed = NULL;
    json_t *rule = insert(place, &kind_rules, RULE);
    const char *id = text_in(rule, "id");
    assert_int_equal(update(place, &kind_rules, id, 1, "{\"priority\":7}", &changed, &errors), OK);
    assert_int_equal(json_integer_value(json_object_get(changed, "version")), 2);
    assert_int_equal(remove_one(place, &kind_rules, id, &errors), OK);
    assert_int_equal(place->told, 4);
    assert_int_equal(place->told_again, 4);
    json_t *events = events_of(place);
    static const char *const types[] = {"organization.create", "config.rules.create",
                                        "config.rules.update", "config.rules.delete"};
    assert_int_equal(json_array_size(events), COUNT_OF(types));
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const json_t *event = json_array_get(events, i);
        const json_t *data = json_object_get(event, "event_data");
        assert_string_equal(text_in(event, "event_type"), types[i]);
        assert_int_equal(strlen(text_in(event, "event_id")), 36);
        assert_string_equal(text_in(event, "actor_id"), "a1b2c3d4");
        assert_string_equal(text_in(data, "reason"), "because");
        bool has_old = json_object_get(data, "old_values") != NULL;
        bool has_new = json_object_get(data, "new_values") != NULL;
        assert_int_equal(has_old, i >= 2); /* CFG-01, 02, 03 */
        assert_int_equal(has_new, i != 3);
    }
    const json_t *data = json_object_get(json_array_get(events, 2), "event_data");
    assert_int_equal(json_integer_value(
                         json_object_get(json_object_get(data, "old_values"), "priority")),
                     100);
    assert_int_equal(json_integer_value(
                         json_object_get(json_object_get(data, "new_values"), "priority")),
                     7);
    json_decref(events);
    json_decref(changed);
    json_decref(rule);
}

/* What is sent back as it was read, and what only says why. */
static void test_a_change_of_nothing_is_none(void **state)
{
    static const char *const rows[] = {"{}", "{\"priority\":100}", "{\"reason\":\"I can\"}",
                                       "{\"priority\":null}"};
    struct place *place = *state;
    struct kind_errors errors;
    json_t *rule = insert(place, &kind_rules, RULE);
    const char *id = text_in(rule, "id");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *out = NULL;
        assert_int_equal(update(place, &kind_rules, id, 1, rows[i], &out, &errors), OK);
        assert_true(json_equal(out, rule)); /* its version and its time too */
        json_decref(out);
    }
    assert_int_equal(update(place, &kind_rules, id, 2, "{}", NULL, &errors), ERR_CONFLICT);
    assert_int_equal(update(place, &kind_rules, id, 1, "{\"priority\":\"x\"}", NULL, &errors),
                     ERR_INVALID);
    assert_int_equal(place->told, 2); /* the organisation and the rule, as they were made */
    json_t *events = events_of(place);
    assert_int_equal(json_array_size(events), 2);
    json_decref(events);
    json_decref(rule);
}

static void test_what_is_refused_leaves_nothing(void **state)
{
    struct place *place = *state;
    struct kind_errors errors;
    json_t *out = NULL;
    assert_int_equal(insert_as(place->catalog, &author, &kind_rules, "{}", NULL, &out, &errors),
                     ERR_INVALID);
    json_t *events = events_of(place);
    assert_int_equal(json_array_size(events), 1);
    json_decref(events);
    json_t *rule = insert(place, &kind_rules, RULE);
    assert_int_equal(update(place, &kind_rules, text_in(rule, "id"), 2, "{}", &out, &errors),
                     ERR_CONFLICT);
    assert_int_equal(update(place, &kind_rules, "none", 0, "{}", &out, &errors), ERR_NOT_FOUND);
    json_decref(rule);
}

static void test_secrets_leave_no_trace(void **state)
{
    struct place *place = *state;
    struct kind_errors errors;
    json_t *out = NULL;
    json_t *target = insert(place, &kind_targets,
                            "{\"name\":\"n\",\"type\":\"webhook\",\"url\":\"https://a/\","
                            "\"secret\":\"very-secret-value-1\"}");
    assert_int_equal(update(place, &kind_targets, text_in(target, "id"), 0,
                            "{\"secret\":\"very-secret-value-2\"}", &out, &errors),
                     OK);
    json_t *user = insert(place, &kind_users,
                          "{\"email\":\"a@b.c\",\"password\":\"very-secret-value-3\","
                          "\"role\":\"owner\"}");
    assert_string_equal(text_in(user, "password"), "hash of 19 bytes");
    json_t *events = events_of(place);
    char *text = json_dumps(events, 0);
    assert_null(strstr(text, "very-secret"));
    assert_null(strstr(text, "hash of"));
    const json_t *data = json_object_get(json_array_get(events, 2), "event_data");
    const char *before = text_in(json_object_get(data, "old_values"), "secret");
    const char *after = text_in(json_object_get(data, "new_values"), "secret");
    assert_int_equal(strlen(before), 16);
    assert_string_not_equal(before, after);
    free(text);
    json_decref(events);
    json_decref(user);
    json_decref(target);
    json_decref(out);
}

/* ---- Others ---- */

static void test_unique_values(void **state)
{
    struct place *place = *state;
    struct kind_errors errors;
    json_t *out = NULL;
    static const char user[] = "{\"email\":\"a@b.c\",\"password\":\"12345678\",\"role\":\"owner\"}";
    static const char same[] = "{\"email\":\"A@B.c\",\"password\":\"12345678\",\"role\":\"owner\"}";
    json_decref(insert(place, &kind_users, user));
    assert_int_equal(insert_as(place->catalog, &author, &kind_users, same, NULL, &out, &errors),
                     ERR_CONFLICT);
    assert_string_equal(errors.list[0].pointer, "/email");
    json_decref(insert(place, &kind_teams, "{\"hostname\":\"a\",\"team_assignment\":\"t\"}"));
    assert_int_equal(insert_as(place->catalog, &author, &kind_teams,
                               "{\"hostname\":\"A\",\"team_assignment\":\"t\"}", NULL, &out,
                               &errors),
                     ERR_CONFLICT);
}

/* A 409 that names the users. */
static void test_what_is_referred_to_stays(void **state)
{
    struct place *place = *state;
    struct kind_errors errors;
    json_t *out = NULL;
    char text[200];
    json_t *user = insert(place, &kind_users,
                          "{\"email\":\"a@b.c\",\"password\":\"12345678\",\"role\":\"owner\"}");
    (void)snprintf(text, sizeof(text), "{\"name\":\"k\",\"user_id\":\"%s\"}", text_in(user, "id"));
    json_t *key = insert(place, &kind_api_keys, text);
    assert_int_equal(remove_one(place, &kind_users, text_in(user, "id"), &errors), ERR_CONFLICT);
    assert_non_null(strstr(errors.list[0].detail, text_in(key, "id")));
    assert_int_equal(insert_as(place->catalog, &author, &kind_api_keys,
                               "{\"name\":\"k\",\"user_id\":\"nobody\"}", NULL, &out, &errors),
                     ERR_INVALID);
    assert_string_equal(errors.list[0].pointer, "/user_id");
    const struct catalog_author first = {.org = SLICE("default")};
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    const struct catalog_change change = {.kind = &kind_organizations,
                                          .author = &first,
                                          .id = SLICE("default")};
    assert_int_equal(catalog_delete(place->catalog, &change, &errors, NULL), ERR_CONFLICT);
    catalog_rollback(place->catalog);
    json_decref(user);
    json_decref(key);
}

static void test_organisations_see_nothing_of_each_other(void **state)
{
    struct place *place = *state;
    struct kind_errors errors;
    json_t *out = NULL;
    json_t *rule = insert(place, &kind_rules, RULE);
    json_t *other = insert(place, &kind_organizations, "{\"name\":\"other\"}");
    struct catalog_author stranger = {.org = slice_from_cstr(text_in(other, "id"))};
    slice id = slice_from_cstr(text_in(rule, "id"));
    assert_int_equal(catalog_get(place->catalog, &kind_rules, stranger.org, id, &out, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    struct catalog_change change = {.kind = &kind_rules,
                                    .author = &stranger,
                                    .id = id,
                                    .how = KIND_PATCH};
    assert_int_equal(catalog_delete(place->catalog, &change, &errors, NULL), ERR_NOT_FOUND);
    json_t *patch = parse("{\"priority\":1}");
    change.sent = patch;
    assert_int_equal(catalog_update(place->catalog, &change, &out, &errors, NULL), ERR_NOT_FOUND);
    catalog_rollback(place->catalog);
    const struct catalog_list list = {.org = stranger.org, .limit = 10, .wants_total = true};
    bool has_more = true;
    uint64_t total = 9;
    assert_int_equal(catalog_list(place->catalog, &kind_rules, &list, &out, &has_more, &total,
                                  NULL),
                     OK);
    assert_int_equal(json_array_size(out), 0);
    assert_int_equal(total, 0);
    assert_false(has_more);
    json_decref(out);
    json_decref(patch);
    json_decref(other);
    json_decref(rule);
}

static void test_numbers_never_come_again(void **state)
{
    struct place *place = *state;
    struct kind_errors errors;
    for (int i = 1; i <= 3; i++) {
        json_t *rule = insert(place, &kind_rules, RULE);
        assert_int_equal(json_integer_value(json_object_get(rule, "number")), i);
        assert_int_equal(remove_one(place, &kind_rules, text_in(rule, "id"), &errors), OK);
        json_decref(rule);
    }
}

static void test_lists(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < 25; i++) {
        char text[300];
        (void)snprintf(text, sizeof(text),
                       "{\"match_string\":\"%d\",\"prod_handling\":\"p\",\"dev_handling\":\"d\","
                       "\"team_assignment\":\"t%d\",\"priority\":%d,\"is_active\":%s}",
                       i, i % 3, 50 - i, i % 2 == 0 ? "true" : "false");
        json_decref(insert(place, &kind_rules, text));
    }
    struct catalog_list list = {.org = author.org, .limit = 10, .wants_total = true};
    json_t *out = NULL;
    bool has_more = false;
    uint64_t total = 0;
    int64_t last = -1;
    for (list.offset = 0; list.offset < 30; list.offset += 10) {
        assert_int_equal(catalog_list(place->catalog, &kind_rules, &list, &out, &has_more, &total,
                                      NULL),
                         OK);
        assert_int_equal(total, 25);
        assert_int_equal(json_array_size(out), list.offset < 20 ? 10 : 5);
        assert_int_equal(has_more, list.offset < 20);
        for (size_t i = 0; i < json_array_size(out); i++) { /* CFG-09 */
            int64_t priority =
                json_integer_value(json_object_get(json_array_get(out, i), "priority"));
            assert_true(priority > last);
            last = priority;
        }
        json_decref(out);
    }
    list = (struct catalog_list){.org = author.org, .limit = 1000, .filter_count = 2};
    list.filters[0].field = kind_field(&kind_rules, SLICE("team_assignment"));
    list.filters[0].value = SLICE("t1");
    list.filters[1].field = kind_field(&kind_rules, SLICE("is_active"));
    list.filters[1].value = SLICE("true");
    assert_int_equal(catalog_list(place->catalog, &kind_rules, &list, &out, &has_more, &total,
                                  NULL),
                     OK);
    assert_int_equal(json_array_size(out), 4);
    json_decref(out);
    list.filters[0].value = SLICE("' OR 1=1 --");
    assert_int_equal(catalog_list(place->catalog, &kind_rules, &list, &out, &has_more, &total,
                                  NULL),
                     OK);
    assert_int_equal(json_array_size(out), 0);
    json_decref(out);
    list.filters[1].value = SLICE("maybe");
    assert_int_equal(catalog_list(place->catalog, &kind_rules, &list, &out, &has_more, &total,
                                  NULL),
                     ERR_INVALID);
}

/* In lists it stands before what RULE makes. */
#define RULE_FIRST                                                                                 \
    "{\"match_string\":\"x\",\"prod_handling\":\"p\",\"dev_handling\":\"d\","                      \
    "\"team_assignment\":\"first\",\"priority\":0}"

/* Fifty to a transaction, which is quicker. */
static void insert_rules(struct place *place, int count)
{
    json_t *sent = parse(RULE);
    const struct catalog_change change = {.kind = &kind_rules, .author = &author, .sent = sent};
    for (int from = 0; from < count; from += 50) {
        enum err e = OK;
        assert_int_equal(catalog_begin(place->catalog, NULL), OK);
        for (int i = from; i < count && i < from + 50 && e == OK; i++) {
            struct kind_errors errors;
            e = catalog_insert(place->catalog, &change, NULL, &errors, NULL);
        }
        assert_int_equal(catalog_end(place->catalog, e, NULL), OK);
    }
    json_decref(sent);
}

struct walk {
    struct place *place; /* where what was told is removed; NULL: nowhere */
    int coming;          /* then, before all that follow */
    json_t *numbers;     /* of the rules it was told */
    size_t most;         /* then it has enough; 0: never */
    size_t fails_at;     /* so many; 0: never */
};

static enum err note_number(void *context, const struct kind *kind, const json_t *object,
                            bool *is_enough)
{
    struct walk *walk = context;
    assert_ptr_equal(kind, &kind_rules);
    assert_false(*is_enough);
    (void)json_array_append(walk->numbers, json_object_get(object, "number"));
    size_t count = json_array_size(walk->numbers);
    assert_true(count <= 2 * CATALOG_LIST_MAX); /* nothing is told for ever */
    if (walk->place != NULL) {
        struct kind_errors errors;
        for (int i = 0; i < walk->coming; i++) {
            json_decref(insert(walk->place, kind, RULE_FIRST));
        }
        assert_int_equal(remove_one(walk->place, kind, text_in(object, "id"), &errors), OK);
    }
    *is_enough = count == walk->most;
    return count == walk->fails_at ? ERR_LIMIT : OK;
}

/* The numbers of the rules from `from` to `to`. */
static void assert_told(const struct walk *walk, int from, int to)
{
    assert_int_equal(json_array_size(walk->numbers), to - from + 1);
    for (int i = from; i <= to; i++) {
        assert_int_equal(json_integer_value(json_array_get(walk->numbers, (size_t)(i - from))), i);
    }
}

static enum err each_rule(const struct place *place, const struct catalog_list *list,
                          struct walk *walk)
{
    (void)json_array_clear(walk->numbers);
    return catalog_each(place->catalog, &kind_rules, list, note_number, walk, NULL);
}

static void test_each_object_is_told_once_however_many_pages(void **state)
{
    struct place *place = *state;
    enum { RULES = CATALOG_LIST_MAX + 1 };
    const struct catalog_list all = {0};
    const struct catalog_list of_another = {.org = SLICE("another")};
    struct walk walk = {.numbers = json_array()};
    assert_int_equal(each_rule(place, &all, &walk), OK);
    assert_told(&walk, 1, 0);
    insert_rules(place, RULES);
    assert_int_equal(each_rule(place, &all, &walk), OK);
    assert_told(&walk, 1, RULES);
    assert_int_equal(each_rule(place, &of_another, &walk), OK);
    assert_told(&walk, 1, 0);
    json_decref(walk.numbers);
}

static void test_each_object_is_told_once_while_others_come_and_it_goes(void **state)
{
    struct place *place = *state;
    const struct catalog_list pages = {.limit = 2};
    struct walk walk = {.place = place, .coming = 2, .numbers = json_array()};
    insert_rules(place, 7);
    assert_int_equal(each_rule(place, &pages, &walk), OK);
    assert_told(&walk, 1, 7);
    walk.coming = 0;
    assert_int_equal(each_rule(place, &pages, &walk), OK);
    assert_told(&walk, 8, 21);
    assert_int_equal(each_rule(place, &pages, &walk), OK);
    assert_told(&walk, 1, 0);
    json_decref(walk.numbers);
}

static void test_a_walk_ends_when_it_is_enough_or_fails(void **state)
{
    struct place *place = *state;
    const struct catalog_list pages = {.limit = 2};
    struct walk walk = {.numbers = json_array()};
    insert_rules(place, 7);
    for (walk.most = 1; walk.most <= 7; walk.most++) { /* in a page, and at its end */
        assert_int_equal(each_rule(place, &pages, &walk), OK);
        assert_told(&walk, 1, (int)walk.most);
    }
    walk.most = 0;
    for (walk.fails_at = 3; walk.fails_at <= 4; walk.fails_at++) {
        assert_int_equal(each_rule(place, &pages, &walk), ERR_LIMIT);
        assert_told(&walk, 1, (int)walk.fails_at);
    }
    json_decref(walk.numbers);
}

static void test_a_walk_has_filters(void **state)
{
    struct place *place = *state;
    struct catalog_list list = {
        .filters = {{kind_field(&kind_rules, SLICE("team_assignment")), SLICE("first")}},
        .filter_count = 1,
        .limit = 2,
    };
    struct walk walk = {.numbers = json_array()};
    insert_rules(place, 3);
    for (int i = 4; i <= 8; i++) {
        json_decref(insert(place, &kind_rules, RULE_FIRST));
    }
    assert_int_equal(each_rule(place, &list, &walk), OK);
    assert_told(&walk, 4, 8);
    list.filters[0].field = kind_field(&kind_rules, SLICE("is_active"));
    assert_int_equal(each_rule(place, &list, &walk), ERR_INVALID); /* true or false */
    assert_told(&walk, 1, 0);
    json_decref(walk.numbers);
}

/* Pages behind a position neither miss nor repeat what stays, whatever comes and goes meanwhile. */
static void walk_pages(struct place *place, const struct kind *kind, const char *extra,
                       size_t expected)
{
    struct catalog_list list = {.limit = 2};
    json_t *seen = json_object();
    json_t *position = NULL;
    bool has_more = true;
    for (int page = 0; has_more; page++) {
        struct kind_errors errors;
        json_t *out = NULL;
        uint64_t total = 0;
        list.after = position;
        assert_int_equal(catalog_list(place->catalog, kind, &list, &out, &has_more, &total, NULL),
                         OK);
        for (size_t i = 0; i < json_array_size(out); i++) {
            const json_t *object = json_array_get(out, i);
            char key[128];
            (void)snprintf(key, sizeof(key), "%s %s", text_in(object, "org"),
                           text_in(object, "id"));
            assert_null(json_object_get(seen, key));
            (void)json_object_set_new(seen, key, json_true());
        }
        const json_t *last = json_array_get(out, json_array_size(out) - 1);
        json_decref(position);
        position = catalog_position(kind, last);
        if (page == 1) { /* one comes before it, and it goes itself */
            json_decref(insert(place, kind, extra));
            assert_int_equal(remove_one(place, kind, text_in(last, "id"), &errors), OK);
        }
        json_decref(out);
    }
    json_decref(position);
    assert_int_equal(json_object_size(seen), expected);
    json_decref(seen);
}

static void test_pages_behind_a_position(void **state)
{
    struct place *place = *state;
    struct kind_errors errors;
    json_t *other = insert(place, &kind_organizations, "{\"name\":\"other\"}");
    struct catalog_author stranger = {.org = slice_from_cstr(text_in(other, "id"))};
    for (int i = 0; i < 9; i++) {
        char text[300];
        (void)snprintf(text, sizeof(text),
                       "{\"match_string\":\"x\",\"prod_handling\":\"p\",\"dev_handling\":\"d\","
                       "\"team_assignment\":\"t\",\"priority\":%d}",
                       i / 3);
        json_decref(insert(place, &kind_rules, text));
        (void)snprintf(text, sizeof(text), "{\"hostname\":\"h%d\"}", i);
        json_decref(insert(place, &kind_dev_hosts, text));
        assert_int_equal(insert_as(place->catalog, &stranger, &kind_dev_hosts, text, NULL, NULL,
                                   &errors),
                         OK);
    }
    walk_pages(place, &kind_rules,
               "{\"match_string\":\"x\",\"prod_handling\":\"p\",\"dev_handling\":\"d\","
               "\"team_assignment\":\"t\",\"priority\":0}",
               9);
    walk_pages(place, &kind_dev_hosts, "{\"hostname\":\"a\"}", 18); /* two of each name */
    json_decref(other);
}

static void test_answers_are_remembered(void **state)
{
    struct place *place = *state;
    int status = 0;
    char *answer = NULL;
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(catalog_remember(place->catalog, author.org, SLICE("k"), SLICE("f"), 201,
                                      SLICE("{}"), NULL),
                     OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
    assert_int_equal(catalog_recall(place->catalog, author.org, SLICE("k"), SLICE("f"), &status,
                                    &answer, NULL),
                     OK);
    assert_int_equal(status, 201);
    assert_string_equal(answer, "{}");
    free(answer);
    assert_int_equal(catalog_recall(place->catalog, author.org, SLICE("k"), SLICE("g"), &status,
                                    &answer, NULL),
                     ERR_CONFLICT);
    assert_int_equal(catalog_recall(place->catalog, SLICE("other"), SLICE("k"), SLICE("f"), &status,
                                    &answer, NULL),
                     ERR_NOT_FOUND);
}

static void test_events_are_done_with(void **state)
{
    struct place *place = *state;
    struct events events = {.list = json_array()};
    json_decref(insert(place, &kind_rules, RULE));
    assert_int_equal(catalog_outbox(place->catalog, 1, take_event, &events, NULL), OK);
    assert_int_equal(json_array_size(events.list), 1);
    catalog_outbox_done(place->catalog, events.last);
    assert_int_equal(catalog_outbox(place->catalog, 10, take_event, &events, NULL), OK);
    assert_int_equal(json_array_size(events.list), 2);
    assert_string_equal(text_in(json_array_get(events.list, 1), "event_type"),
                        "config.rules.create");
    json_decref(events.list);
}

/* ---- Crashes ---- */

static void create_forever(void *arg)
{
    for (;;) {
        json_decref(insert(arg, &kind_rules, RULE));
    }
}

/* The transactions of four threads share commits, and die together. */
static void create_in_threads(struct place *place)
{
    struct thread threads[4] = {0};
    open_catalog(place);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(thread_start(&threads[i], "creator", create_forever, place, NULL), OK);
    }
    thread_join(&threads[0]);
}

static void expect_pairs(struct place *place)
{
    struct catalog_list list = {.org = author.org, .limit = 1000, .wants_total = true};
    json_t *rules = NULL;
    bool has_more = false;
    uint64_t total = 0;
    uint64_t created = 0;
    assert_int_equal(catalog_list(place->catalog, &kind_rules, &list, &rules, &has_more, &total,
                                  NULL),
                     OK);
    json_decref(rules);
    json_t *events = events_of(place);
    for (size_t i = 0; i < json_array_size(events); i++) {
        const char *type = text_in(json_array_get(events, i), "event_type");
        created += strcmp(type, "config.rules.create") == 0 ? 1 : 0;
    }
    assert_int_equal(created, total);
    json_decref(events);
}

/* Killed at any moment: as many events as changes. */
static void test_kill(void **state)
{
    struct place *place = *state;
    for (int round = 0; round < 8; round++) {
        catalog_free(place->catalog);
        place->catalog = NULL;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            create_in_threads(place);
        }
        assert_int_equal(usleep((useconds_t)(20000 + round * 7000)), 0);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        open_catalog(place);
        expect_pairs(place);
    }
}

static void count_step(void *context, slice name, int64_t applied_us)
{
    assert_true(name.len > 0 && applied_us > 0);
    (*(size_t *)context)++;
}

struct quotas {
    size_t count;
    int64_t sum; /* of month and used */
};

static void add_quota(void *context, slice org, int32_t month, uint64_t used)
{
    struct quotas *quotas = context;
    assert_true(slice_equal(org, SLICE("acme")) || slice_equal(org, SLICE("other")));
    quotas->count++;
    quotas->sum += month + (int64_t)used;
}

static void test_quotas_are_replaced_and_survive_without_an_event(void **state)
{
    struct place *place = *state;
    struct quotas quotas = {0};
    const size_t told = place->told;
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(catalog_put_quota(place->catalog, SLICE("acme"), 24000, 7, NULL), OK);
    assert_int_equal(catalog_put_quota(place->catalog, SLICE("other"), 24000, 1, NULL), OK);
    assert_int_equal(catalog_put_quota(place->catalog, SLICE("acme"), 24001, 2, NULL), OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
    catalog_free(place->catalog);
    open_catalog(place);
    assert_int_equal(catalog_quotas(place->catalog, add_quota, &quotas, NULL), OK);
    assert_int_equal(quotas.count, 2);
    assert_int_equal(quotas.sum, 48001 + 3);
    assert_int_equal(place->told, told);
}

static void test_steps_can_be_listed(void **state)
{
    struct place *place = *state;
    size_t count = 0;
    assert_int_equal(catalog_steps(place->catalog, count_step, &count, NULL), OK);
    assert_true(count > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_event_is_one_that_the_log_takes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_change_has_its_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_change_of_nothing_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_refused_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_secrets_leave_no_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unique_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_referred_to_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_organisations_see_nothing_of_each_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_numbers_never_come_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_object_is_told_once_however_many_pages, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_each_object_is_told_once_while_others_come_and_it_goes,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_walk_ends_when_it_is_enough_or_fails, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_walk_has_filters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages_behind_a_position, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answers_are_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_are_done_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quotas_are_replaced_and_survive_without_an_event,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_steps_can_be_listed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
