/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/catalog_support.h"
#include "catalog/usage_support.h"

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
    struct place *place = *state;
    add(place, "a", 100, "GET /x", 2, 3);
    add(place, "a", 100, "GET /x", 4, 1);
    add(place, "a", 100, "GET /x", 2, 4);
    add(place, "a", 100, "GET /y", 0, 1);
    add(place, "a", 101, "GET /x", 5, 2);
    add(place, "b", 101, "GET /x", 3, 9);
    assert_usage(place, "a", 0,
                 "100 GET /x 0 0 7 0 1 0\n100 GET /y 1 0 0 0 0 0\n"
                 "101 GET /x 0 0 0 0 0 2\n");
    assert_usage(place, "a", 101, "101 GET /x 0 0 0 0 0 2\n");
    assert_usage(place, "b", 0, "101 GET /x 0 0 0 9 0 0\n");
    assert_usage(place, "c", 0, "");
}

static void test_AUT_14_old_days_go(void **state)
{
    struct place *place = *state;
    add(place, "a", 100, "GET /x", 2, 1);
    add(place, "a", 101, "GET /x", 2, 1);
    add_version(place, "a", 100, "1.0", 1, 5);
    add_version(place, "a", 101, "1.0", 2, 6);
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(catalog_usage_prune(place->catalog, 101, NULL), OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
    assert_usage(place, "a", 0, "101 GET /x 0 0 1 0 0 0\n");
    assert_sums(place, CATALOG_USED_VERSIONS, 0, "a 1.0 2 6 6\n");
}

static void test_VER_10_versions_are_added_up_by_key(void **state)
{
    struct place *place = *state;
    add_version(place, "a", 100, "1.0", 3, 70);
    add_version(place, "a", 100, "1.0", 4, 50);
    add_version(place, "a", 101, "1.0", 5, 90);
    add_version(place, "a", 101, "2.0", 6, 80);
    add_version(place, "", 100, "1.0", 7, 60);
    assert_sums(place, CATALOG_USED_VERSIONS, 0, "a 1.0 12 50 90\na 2.0 6 80 80\n 1.0 7 60 60\n");
    assert_sums(place, CATALOG_USED_VERSIONS, 101, "a 1.0 5 50 90\na 2.0 6 80 80\n 1.0 0 60 60\n");
    assert_sums(place, CATALOG_USED_ROUTES, 0, "");
}

static void test_VER_11_routes_are_added_up_by_key(void **state)
{
    struct place *place = *state;
    add(place, "a", 1, "GET /x", 2, 3);
    add(place, "a", 2, "GET /x", 4, 4); /* without a time: the day counts */
    add(place, "b", 1, "GET /x", 0, 5);
    assert_sums(place, CATALOG_USED_ROUTES, 2,
                "a GET /x 4 0 172800000000\nb GET /x 0 0 86400000000\n");
}

static void touch(struct place *place, slice key_id, int64_t last_us)
{
    assert_int_equal(catalog_begin(place->catalog, NULL), OK);
    assert_int_equal(catalog_usage_touch(place->catalog, key_id, last_us, NULL), OK);
    assert_int_equal(catalog_commit(place->catalog, NULL), OK);
}

static json_t *insert_key(struct place *place)
{
    struct kind_errors errors;
    json_t *key = NULL;
    assert_int_equal(insert_as(place->catalog, &author, &kind_api_keys, "{\"name\":\"k\"}",
                               "{\"key_prefix\":\"a1b2c3d4\",\"key_hash\":\"00000000000000000000000"
                               "00000000000000000000000000000000000000000\"}",
                               &key, &errors),
                     OK);
    return key;
}

static enum err count_event(void *context, const struct catalog_event *event)
{
    UNUSED(event);
    ++*(size_t *)context;
    return OK;
}

static void test_the_last_use_is_no_change(void **state)
{
    struct place *place = *state;
    json_t *key = insert_key(place);
    slice id = slice_from_cstr(text_in(key, "id"));
    json_t *used = NULL;
    size_t before = 0;
    size_t after = 0;
    assert_int_equal(catalog_outbox(place->catalog, 100, count_event, &before, NULL), OK);
    touch(place, id, INT64_C(1700000000000000));
    touch(place, id, INT64_C(1600000000000000)); /* it does not go back */
    touch(place, SLICE("nobody"), INT64_C(1700000000000000));
    assert_int_equal(catalog_get(place->catalog, &kind_api_keys, SLICE("default"), id, &used, NULL),
                     OK);
    assert_string_equal(text_in(used, "last_used_at"), "2023-11-14T22:13:20.000000Z");
    assert_int_equal(json_integer_value(json_object_get(used, "version")), 1);
    json_decref(used);
    json_decref(key);
    assert_int_equal(catalog_outbox(place->catalog, 100, count_event, &after, NULL), OK);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_AUT_14_counts_are_added_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_AUT_14_old_days_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_VER_10_versions_are_added_up_by_key, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_VER_11_routes_are_added_up_by_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_last_use_is_no_change, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
