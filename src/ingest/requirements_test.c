/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "catalog/catalog.h"
#include "event/read.h"
#include "ingest/requirements.h"
#include "os/tempdir.h"

struct home {
    struct tempdir temp;
    struct dir *dir;
    struct catalog *catalog;
    struct requirements *requirements;
};

static void open_home(struct home *home)
{
    const struct catalog_options options = {0};
    assert_int_equal(catalog_open(home->dir, &options, &home->catalog, NULL), OK);
    home->requirements = requirements_new();
    assert_int_equal(requirements_load(home->requirements, home->catalog, NULL), OK);
}

static void close_home(struct home *home)
{
    catalog_free(home->catalog);
    requirements_free(home->requirements);
}

enum action { INSERT, PATCH, DELETE };

/* One change in a transaction of its own. */
static void change(struct home *home, enum action action, const struct kind *kind, const char *org,
                   const char *id, const char *text)
{
    const struct catalog_author author = {.org = slice_from_cstr(org)};
    struct kind_errors errors = {0};
    struct diag diag = {0};
    json_t *sent = json_loads(text, 0, NULL);
    json_t *given = json_pack("{s:s}", "id", id);
    const struct catalog_change changing = {
        .kind = kind,
        .author = &author,
        .id = slice_from_cstr(id),
        .how = KIND_PATCH,
        .sent = sent,
        .given = kind == &kind_organizations && action == INSERT ? given : NULL,
    };
    assert_non_null(sent);
    assert_int_equal(catalog_begin(home->catalog, NULL), OK);
    enum err e = OK;
    switch (action) {
    case INSERT:
        e = catalog_insert(home->catalog, &changing, NULL, &errors, &diag);
        break;
    case PATCH:
        e = catalog_update(home->catalog, &changing, NULL, &errors, &diag);
        break;
    case DELETE:
        e = catalog_delete(home->catalog, &changing, &errors, &diag);
        break;
    }
    if (e != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    assert_int_equal(catalog_commit(home->catalog, NULL), OK);
    json_decref(sent);
    json_decref(given);
}

#define SCHEMA                                                                                     \
    "\"schema\":{\"type\":\"object\",\"required\":[\"amount\"],\"properties\":{\"amount\":{"       \
    "\"type\":\"number\",\"maximum\":19.99},\"a/b\":{\"items\":{\"pattern\":\"^[a-z]+$\"}}}}"

static int set_up(void **state)
{
    struct home *home = mem_zeroed(sizeof(*home));
    tempdir_init(&home->temp);
    assert_int_equal(dir_open(home->temp.path, false, &home->dir, NULL), OK);
    open_home(home);
    change(home, INSERT, &kind_organizations, "", "acme", "{\"name\":\"a\"}");
    change(home, INSERT, &kind_organizations, "", "other", "{\"name\":\"o\"}");
    change(home, INSERT, &kind_schemas, "acme", "order.paid",
           "{\"event_type\":\"order.paid\",\"mode\":\"reject\"," SCHEMA "}");
    *state = home;
    return 0;
}

static int tear_down(void **state)
{
    struct home *home = *state;
    close_home(home);
    dir_free(home->dir);
    tempdir_release(&home->temp);
    free(home);
    return 0;
}

/* As a request of its own would. */
static enum required_outcome ask_with(struct home *home, const char *org, const char *json,
                                      const struct read_options *options, struct diag *diag)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(8));
    struct read_options read = *options;
    struct requirements_hold hold = {0};
    struct event event;
    uint64_t sent = 0;
    slice record = slice_from_cstr(json);
    read.org = slice_from_cstr(org);
    if (event_read(record, &read, &arena, &event, &sent, diag) != OK) {
        fail_msg("%s: %s", diag->where, diag->text);
    }
    requirements_take(home->requirements, read.org, &hold);
    enum required_outcome outcome = REQUIRED_UNASKED;
    if (hold.required != NULL) {
        const struct required_event said = {&event, sent, record};
        outcome = requirements_check(&hold, &said, record.len, diag);
    }
    requirements_drop(&hold);
    return outcome;
}

static enum required_outcome ask(struct home *home, const char *org, const char *json,
                                 struct diag *diag)
{
    *diag = (struct diag){0};
    return ask_with(home, org, json, &(struct read_options){0}, diag);
}

/* ---- What is asked of the data ---- */

struct row {
    const char *name, *json;
    enum required_outcome outcome;
    const char *where, *says;
};

#define PAID "\"event_type\":\"order.paid\""

static const struct row rows[] = {
    {"what fits", "{" PAID ",\"event_data\":{\"amount\":19.99}}", REQUIRED_FITS, "", ""},
    {"exact decimals", "{" PAID ",\"event_data\":{\"amount\":19.990000000000000001}}",
     REQUIRED_REFUSES, "/event_data/amount", "must be at most 19.99 (maximum of its schema)"},
    {"a wrong type", "{" PAID ",\"event_data\": {\"amount\" : \"1\"}}", REQUIRED_REFUSES,
     "/event_data/amount", "(type of its schema)"},
    {"what is missing", "{" PAID ",\"event_data\":{}}", REQUIRED_REFUSES, "/event_data",
     "(required of its schema)"},
    {"no data counts as an empty object", "{" PAID "}", REQUIRED_REFUSES, "/event_data",
     "(required of its schema)"},
    {"data that is no object", "{" PAID ",\"event_data\":7}", REQUIRED_REFUSES, "/event_data",
     "(type of its schema)"},
    {"a pointer is escaped", "{" PAID ",\"event_data\":{\"amount\":1,\"a/b\":[\"x\",\"Y\"]}}",
     REQUIRED_REFUSES, "/event_data/a~1b/1", "(pattern of its schema)"},
    {"another name of the type", "{\"type\":\"order.paid\",\"event_data\":{\"amount\":20}}",
     REQUIRED_REFUSES, "/event_data/amount", "(maximum of its schema)"},
    {"envelope B",
     "{\"service\":\"shop\"," PAID ",\"timestamp\":\"2026-01-01T00:00:00Z\",\"data\":{\"amount\":"
     "20}}",
     REQUIRED_REFUSES, "/data/amount", "(maximum of its schema)"},
    {"envelope A is its own data",
     "{\"service\":\"order\",\"operation\":\"paid\",\"status\":\"success\",\"payload\":{}}",
     REQUIRED_REFUSES, "", "(required of its schema)"},
    {"a type that has no category", "{\"event_type\":\".x\"}", REQUIRED_UNASKED, "", ""},
    {"another type", "{\"event_type\":\"order.paid.late\",\"event_data\":7}", REQUIRED_UNASKED, "",
     ""},
};

static void test_data_is_held_against_the_schema_of_its_type(void **state)
{
    struct home *home = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct diag diag;
        enum required_outcome outcome = ask(home, "acme", row->json, &diag);
        if (outcome != row->outcome || strcmp(diag.where, row->where) != 0 ||
            strstr(diag.text, row->says) == NULL) {
            fail_msg("%s: %d at %s: %s", row->name, (int)outcome, diag.where, diag.text);
        }
    }
}

static void test_a_body_under_a_type_from_the_headers_is_data(void **state)
{
    struct diag diag = {0};
    const struct read_options options = {.header_event_type = SLICE("order.paid")};
    assert_int_equal(ask_with(*state, "acme", "{\"event_data\":{},\"amount\":20}", &options, &diag),
                     REQUIRED_REFUSES);
    assert_string_equal(diag.where, "/amount");
}

static void test_organisations_do_not_share_schemas(void **state)
{
    struct home *home = *state;
    struct diag diag;
    const char *paid = "{" PAID ",\"event_data\":{\"amount\":20}}";
    assert_int_equal(ask(home, "other", paid, &diag), REQUIRED_UNASKED);
    change(home, INSERT, &kind_schemas, "other", "order.paid",
           "{\"event_type\":\"order.paid\",\"schema\":{\"maxProperties\":0}}");
    assert_int_equal(ask(home, "other", paid, &diag), REQUIRED_WARNS);
    assert_string_equal(diag.where, "/event_data");
    assert_int_equal(ask(home, "acme", paid, &diag), REQUIRED_REFUSES);
    assert_string_equal(diag.where, "/event_data/amount");
}

/* ---- Changes ---- */

static void test_the_next_request_knows_a_change(void **state)
{
    struct home *home = *state;
    struct diag diag;
    const char *paid = "{" PAID ",\"event_data\":{\"amount\":20}}";
    change(home, PATCH, &kind_schemas, "acme", "order.paid", "{\"mode\":\"warn\"}");
    assert_int_equal(ask(home, "acme", paid, &diag), REQUIRED_WARNS);
    change(home, PATCH, &kind_schemas, "acme", "order.paid", "{\"mode\":\"off\"}");
    assert_int_equal(ask(home, "acme", paid, &diag), REQUIRED_UNASKED);
    change(home, PATCH, &kind_schemas, "acme", "order.paid",
           "{\"mode\":\"reject\",\"schema\":{\"properties\":{\"amount\":{\"maximum\":20}}}}");
    assert_int_equal(ask(home, "acme", paid, &diag), REQUIRED_FITS);
    close_home(home);
    open_home(home);
    assert_int_equal(ask(home, "acme", paid, &diag), REQUIRED_FITS);
    assert_int_equal(ask(home, "acme", "{" PAID "}", &diag), REQUIRED_REFUSES);
    change(home, DELETE, &kind_schemas, "acme", "order.paid", "{}");
    assert_int_equal(ask(home, "acme", "{" PAID "}", &diag), REQUIRED_UNASKED);
}

static void test_who_holds_what_was_replaced_goes_on_with_it(void **state)
{
    struct home *home = *state;
    struct requirements_hold hold = {0};
    requirements_take(home->requirements, SLICE("acme"), &hold);
    assert_non_null(hold.required);
    change(home, DELETE, &kind_schemas, "acme", "order.paid", "{}");
    struct event event = {.present = FIELD_BIT(FIELD_EVENT_TYPE) | FIELD_BIT(FIELD_EVENT_CATEGORY)};
    struct diag diag = {0};
    event.value[FIELD_EVENT_TYPE].text = SLICE("order.paid");
    event.value[FIELD_EVENT_CATEGORY].text = SLICE("order");
    const struct required_event said = {.event = &event};
    assert_int_equal(requirements_check(&hold, &said, 10, &diag), REQUIRED_REFUSES);
    requirements_take(home->requirements, SLICE("acme"), &hold);
    assert_null(hold.required);
    requirements_drop(&hold);
}

/* ---- Categories ---- */

static void test_a_category_is_one_of_the_list(void **state)
{
    struct home *home = *state;
    struct diag diag;
    change(home, PATCH, &kind_organizations, "acme", "acme",
           "{\"event_categories\":[\"order\",\"auth\"]}");
    assert_int_equal(ask(home, "acme", "{\"event_type\":\"auth.login\"}", &diag), REQUIRED_UNASKED);
    assert_int_equal(ask(home, "acme", "{\"event_type\":\"x.y\",\"event_category\":\"order\"}",
                         &diag),
                     REQUIRED_UNASKED);
    assert_int_equal(ask(home, "acme", "{\"event_type\":\"auth.login\",\"category\":\"aut\"}",
                         &diag),
                     REQUIRED_REFUSES);
    assert_string_equal(diag.where, "/event_category");
    assert_string_equal(diag.text, "is none of the organisation's: auth, order");
    assert_int_equal(ask(home, "acme", "{\"event_type\":\"x.y\"}", &diag), REQUIRED_REFUSES);
    assert_string_equal(diag.where, "/event_type");
    assert_string_equal(diag.text,
                        "has a category that is none of the organisation's: auth, order");
    assert_int_equal(ask(home, "acme", "{\"event_type\":\".login\"}", &diag), REQUIRED_REFUSES);
    assert_string_equal(diag.where, "/event_type");
    assert_int_equal(ask(home, "other", "{\"event_type\":\"x.y\"}", &diag), REQUIRED_UNASKED);
    assert_int_equal(ask(home, "acme", "{" PAID "}", &diag), REQUIRED_REFUSES); /* the schema */
    close_home(home);
    open_home(home);
    assert_int_equal(ask(home, "acme", "{\"event_type\":\"x.y\"}", &diag), REQUIRED_REFUSES);
    change(home, PATCH, &kind_organizations, "acme", "acme", "{\"event_categories\":null}");
    assert_int_equal(ask(home, "acme", "{\"event_type\":\"x.y\"}", &diag), REQUIRED_UNASKED);
    assert_int_equal(ask(home, "acme", "{" PAID "}", &diag), REQUIRED_REFUSES);
}

static void test_a_long_list_is_cut(void **state)
{
    struct home *home = *state;
    struct diag diag;
    json_t *names = json_array();
    char name[101];
    for (int i = 0; i < REQUIRED_CATEGORIES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "category-%02d", i);
        (void)json_array_append_new(names, json_string(name));
    }
    json_t *patch = json_pack("{s:o}", "event_categories", names);
    CLEANUP(mem_freep) char *text = json_dumps(patch, JSON_COMPACT);
    json_decref(patch);
    change(home, PATCH, &kind_organizations, "acme", "acme", text);
    assert_int_equal(ask(home, "acme", "{\"event_type\":\"x.y\"}", &diag), REQUIRED_REFUSES);
    assert_string_equal(diag.text + strlen(diag.text) - 5, ", ...");
    assert_int_equal(ask(home, "acme", "{\"event_type\":\"category-07.y\"}", &diag),
                     REQUIRED_UNASKED);
}

/* ---- Limits ---- */

static void test_work_is_bounded_for_a_request(void **state)
{
    struct home *home = *state;
    struct diag diag;
    CLEANUP(buf_release) struct buf json = BUF_INIT(MIB(1));
    change(home, PATCH, &kind_schemas, "acme", "order.paid",
           "{\"schema\":{\"required\":null,\"not\":{\"patternProperties\":{\"^(a+)+$\":true},"
           "\"required\":[\"b\"]}}}");
    assert_int_equal(ask(home, "acme", "{" PAID ",\"event_data\":{\"aaaaaa\":1}}", &diag),
                     REQUIRED_FITS);
    buf_append_cstr(&json, "{" PAID ",\"event_data\":{\"");
    for (int i = 0; i < 60; i++) {
        buf_append_cstr(&json, "a");
    }
    buf_append_cstr(&json, "b\":1}}");
    assert_int_equal(ask(home, "acme", buf_cstr(&json), &diag), REQUIRED_REFUSES);
    assert_string_equal(diag.where, "/event_data");
    assert_string_equal(diag.text, "cannot be checked against its schema: a pattern takes too many "
                                   "steps for this document");
    change(home, PATCH, &kind_schemas, "acme", "order.paid", "{\"mode\":\"warn\"}");
    assert_int_equal(ask(home, "acme", buf_cstr(&json), &diag), REQUIRED_WARNS);
}

static void test_an_organisation_has_so_many_schemas(void **state)
{
    struct home *home = *state;
    struct diag diag = {0};
    struct requirements *requirements = home->requirements;
    for (int i = 1; i < REQUIRED_SCHEMAS_MAX; i++) {
        char text[100];
        (void)snprintf(text, sizeof(text), "{\"event_type\":\"t.%d\",\"schema\":{}}", i);
        assert_int_equal(requirements_admit(requirements, SLICE("acme"), SLICE("new"), SLICE("{}"),
                                            &diag),
                         OK);
        change(home, INSERT, &kind_schemas, "acme", "", text);
    }
    assert_int_equal(requirements_admit(requirements, SLICE("acme"), SLICE("new"), SLICE("{}"),
                                        &diag),
                     ERR_CONFLICT);
    assert_string_equal(diag.where, "/mode");
    assert_int_equal(requirements_admit(requirements, SLICE("acme"), SLICE("t.7"), SLICE("{}"),
                                        &diag),
                     OK);
    assert_int_equal(requirements_admit(requirements, SLICE("other"), SLICE("new"), SLICE("{}"),
                                        &diag),
                     OK);
    change(home, PATCH, &kind_schemas, "acme", "t.9", "{\"mode\":\"off\"}");
    assert_int_equal(requirements_admit(requirements, SLICE("acme"), SLICE("new"), SLICE("{}"),
                                        &diag),
                     OK);
}

/* ---- Threads ---- */

enum { READERS = 3, ROUNDS = 150 };

struct storm {
    struct home *home;
    _Atomic bool is_over;
    _Atomic uint64_t mistakes, checks;
};

/* Whatever the schema is by now, it takes 1 and does not take 1000. */
static void *check_again_and_again(void *context)
{
    struct storm *storm = context;
    struct requirements_hold hold = {0};
    for (uint64_t i = 0; !atomic_load(&storm->is_over); i++) {
        struct diag diag;
        bool fits = ask(storm->home, "acme", "{" PAID ",\"event_data\":{\"amount\":1}}", &diag) ==
                    REQUIRED_FITS;
        bool refuses = ask(storm->home, "acme", "{" PAID ",\"event_data\":{\"amount\":1000}}",
                           &diag) == REQUIRED_REFUSES;
        requirements_take(storm->home->requirements, SLICE("acme"), &hold);
        atomic_fetch_add(&storm->mistakes, fits && refuses && hold.required != NULL ? 0 : 1);
        atomic_fetch_add(&storm->checks, 1);
    }
    requirements_drop(&hold);
    return NULL;
}

static void test_changes_while_others_check(void **state)
{
    struct storm storm = {.home = *state};
    pthread_t threads[READERS];
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, check_again_and_again, &storm), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        char text[200];
        (void)
            snprintf(text, sizeof(text),
                     "{\"schema\":{\"properties\":{\"amount\":{\"maximum\":%d,\"pattern\":\"a%d\"}"
                     "}}}",
                     1 + i, i);
        change(storm.home, PATCH, &kind_schemas, "acme", "order.paid", text);
        change(storm.home, PATCH, &kind_organizations, "acme", "acme",
               i % 2 == 0 ? "{\"event_categories\":[\"order\"]}" : "{\"event_categories\":null}");
    }
    atomic_store(&storm.is_over, true);
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&storm.mistakes), 0);
    assert_true(atomic_load(&storm.checks) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_data_is_held_against_the_schema_of_its_type),
        TEST(test_a_body_under_a_type_from_the_headers_is_data),
        TEST(test_organisations_do_not_share_schemas),
        TEST(test_the_next_request_knows_a_change),
        TEST(test_who_holds_what_was_replaced_goes_on_with_it),
        TEST(test_a_category_is_one_of_the_list),
        TEST(test_a_long_list_is_cut),
        TEST(test_work_is_bounded_for_a_request),
        TEST(test_an_organisation_has_so_many_schemas),
        TEST(test_changes_while_others_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
