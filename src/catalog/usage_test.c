/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/buf.h"
#include "base/test.h"
#include "catalog/usage.h"
#include "os/tempdir.h"

struct place {
    struct tempdir temp;
    struct dir *dir;
    struct catalog *catalog;
    char key_id[64];
};

static void insert(struct place *place, const struct kind *kind, json_t *sent, json_t *given,
                   json_t **out)
{
    const struct catalog_author author = {.org = SLICE("default")};
    const struct catalog_change change = {.kind = kind,
                                          .author = &author,
                                          .sent = sent,
                                          .given = given};
    struct kind_errors errors;
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(catalog_insert(place->catalog, &change, out, &errors, NULL), OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
    json_decref(sent);
    json_decref(given);
}

static void enter(struct place *place)
{
    const struct catalog_options options = {.hide_key = {1}};
    json_t *key = NULL;
    tempdir_init(&place->temp);
    assert_int_equal(dir_open(place->temp.path, false, &place->dir, NULL), OK);
    assert_int_equal(catalog_open(place->dir, &options, &place->catalog, NULL), OK);
    insert(place, &kind_organizations, json_pack("{s:s}", "name", "d"),
           json_pack("{s:s}", "id", "default"), NULL);
    insert(place, &kind_api_keys, json_pack("{s:s}", "name", "k"),
           json_pack("{s:s, s:s}", "key_prefix", "a1b2c3d4", "key_hash",
                     "0000000000000000000000000000000000000000000000000000000000000000"),
           &key);
    (void)snprintf(place->key_id, sizeof(place->key_id), "%s",
                   json_string_value(json_object_get(key, "id")));
    json_decref(key);
}

static void leave(struct place *place)
{
    catalog_free(place->catalog);
    dir_free(place->dir);
    tempdir_release(&place->temp);
}

static void add(struct place *place, const char *key_id, int64_t day, const char *route,
                size_t status_class, uint64_t requests)
{
    struct catalog_usage usage = {.key_id = slice_from_cstr(key_id),
                                  .day = day,
                                  .route = slice_from_cstr(route)};
    usage.requests[status_class] = requests;
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(catalog_usage_add(place->catalog, &usage, NULL), OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
}

/* What is read, a line for each row. */
static void write_usage(void *context, const struct catalog_usage *usage)
{
    struct buf *out = context;
    buf_append_format(out, "%lld %.*s", (long long)usage->day, SLICE_ARG(usage->route));
    for (size_t i = 0; i < CATALOG_USAGE_CLASSES; i++) {
        buf_append_format(out, " %llu", (unsigned long long)usage->requests[i]);
    }
    buf_append_byte(out, '\n');
}

static void assert_usage(struct place *place, const char *key_id, int64_t first_day,
                         const char *expected)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(4096);
    assert_int_equal(catalog_usage_read(place->catalog, slice_from_cstr(key_id), first_day,
                                        write_usage, &out, NULL),
                     OK);
    assert_string_equal(buf_cstr(&out), expected);
}

static void add_version(struct place *place, const char *key_id, int64_t day, const char *version,
                        uint64_t requests, int64_t us)
{
    const struct catalog_use use = {.key_id = slice_from_cstr(key_id),
                                    .what = slice_from_cstr(version),
                                    .requests = requests,
                                    .first_us = us,
                                    .last_us = us};
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(catalog_usage_add_version(place->catalog, day, &use, NULL), OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
}

static void write_use(void *context, const struct catalog_use *use)
{
    buf_append_format(context, "%.*s %.*s %llu %lld %lld\n", SLICE_ARG(use->key_id),
                      SLICE_ARG(use->what), (unsigned long long)use->requests,
                      (long long)use->first_us, (long long)use->last_us);
}

static void assert_sums(struct place *place, enum catalog_used used, int64_t first_day,
                        const char *expected)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(4096);
    assert_int_equal(catalog_usage_sums(place->catalog, used, first_day, write_use, &out, NULL),
                     OK);
    assert_string_equal(buf_cstr(&out), expected);
}

static void test_AUT_14_counts_are_added_up(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    add(&place, "a", 100, "GET /x", 2, 3);
    add(&place, "a", 100, "GET /x", 4, 1);
    add(&place, "a", 100, "GET /x", 2, 4);
    add(&place, "a", 100, "GET /y", 0, 1);
    add(&place, "a", 101, "GET /x", 5, 2);
    add(&place, "b", 101, "GET /x", 3, 9);
    assert_usage(&place, "a", 0,
                 "100 GET /x 0 0 7 0 1 0\n100 GET /y 1 0 0 0 0 0\n"
                 "101 GET /x 0 0 0 0 0 2\n");
    assert_usage(&place, "a", 101, "101 GET /x 0 0 0 0 0 2\n");
    assert_usage(&place, "b", 0, "101 GET /x 0 0 0 9 0 0\n");
    assert_usage(&place, "c", 0, "");
}

static void test_AUT_14_old_days_go(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    add(&place, "a", 100, "GET /x", 2, 1);
    add(&place, "a", 101, "GET /x", 2, 1);
    add_version(&place, "a", 100, "1.0", 1, 5);
    add_version(&place, "a", 101, "1.0", 2, 6);
    assert_int_equal(catalog_begin(place.catalog, NULL), OK);
    assert_int_equal(catalog_usage_prune(place.catalog, 101, NULL), OK);
    assert_int_equal(catalog_commit(place.catalog, NULL), OK);
    assert_usage(&place, "a", 0, "101 GET /x 0 0 1 0 0 0\n");
    assert_sums(&place, CATALOG_USED_VERSIONS, 0, "a 1.0 2 6 6\n");
}

static void test_VER_10_versions_are_added_up_by_key(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    add_version(&place, "a", 100, "1.0", 3, 70);
    add_version(&place, "a", 100, "1.0", 4, 50);
    add_version(&place, "a", 101, "1.0", 5, 90);
    add_version(&place, "a", 101, "2.0", 6, 80);
    add_version(&place, "", 100, "1.0", 7, 60);
    assert_sums(&place, CATALOG_USED_VERSIONS, 0, "a 1.0 12 50 90\na 2.0 6 80 80\n 1.0 7 60 60\n");
    assert_sums(&place, CATALOG_USED_VERSIONS, 101, "a 1.0 5 50 90\na 2.0 6 80 80\n 1.0 0 60 60\n");
    assert_sums(&place, CATALOG_USED_ROUTES, 0, "");
}

static void test_VER_11_routes_are_added_up_by_key(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    add(&place, "a", 1, "GET /x", 2, 3);
    add(&place, "a", 2, "GET /x", 4, 4); /* without a time: the day counts */
    add(&place, "b", 1, "GET /x", 0, 5);
    assert_sums(&place, CATALOG_USED_ROUTES, 2,
                "a GET /x 4 0 172800000000\nb GET /x 0 0 86400000000\n");
}

static void touch(struct place *place, const char *key_id, int64_t last_us)
{
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(catalog_usage_touch(place->catalog, slice_from_cstr(key_id), last_us, NULL),
                     OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
}

static enum err count_event(void *context, const struct catalog_event *event)
{
    UNUSED(event);
    ++*(size_t *)context;
    return OK;
}

static void test_the_last_use_is_no_change(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    json_t *key = NULL;
    size_t before = 0;
    size_t after = 0;
    enter(&place);
    assert_int_equal(catalog_outbox(place.catalog, 100, count_event, &before, NULL), OK);
    touch(&place, place.key_id, INT64_C(1700000000000000));
    touch(&place, place.key_id, INT64_C(1600000000000000)); /* it does not go back */
    touch(&place, "nobody", INT64_C(1700000000000000));
    assert_int_equal(catalog_get(place.catalog, &kind_api_keys, SLICE("default"),
                                 slice_from_cstr(place.key_id), &key, NULL),
                     OK);
    assert_string_equal(json_string_value(json_object_get(key, "last_used_at")),
                        "2023-11-14T22:13:20.000000Z");
    assert_int_equal(json_integer_value(json_object_get(key, "version")), 1);
    json_decref(key);
    assert_int_equal(catalog_outbox(place.catalog, 100, count_event, &after, NULL), OK);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_AUT_14_counts_are_added_up),
        cmocka_unit_test(test_AUT_14_old_days_go),
        cmocka_unit_test(test_VER_10_versions_are_added_up_by_key),
        cmocka_unit_test(test_VER_11_routes_are_added_up_by_key),
        cmocka_unit_test(test_the_last_use_is_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
