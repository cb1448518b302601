/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "accounts/key_usage.h"
#include "base/mem.h"
#include "base/test.h"
#include "catalog/usage_support.h"
#include "os/clock.h"
#include "os/tempdir.h"
#include "os/thread.h"

#define DAY_US KEY_USAGE_DAY_US

static const struct http_route route_x = {.method = HTTP_GET, .path = "/x"};
static const struct http_route route_y = {.method = HTTP_POST, .path = "/y/{id}"};

struct place {
    struct tempdir temp;
    struct dir *dir;
    struct catalog *catalog;
    struct key_usage *usage;
};

static const struct catalog_options options = {.hide_key = {1}};

static void enter(struct place *place)
{
    tempdir_init(&place->temp);
    assert_int_equal(dir_open(place->temp.path, false, &place->dir, NULL), OK);
    assert_int_equal(catalog_open(place->dir, &options, &place->catalog, NULL), OK);
    assert_int_equal(key_usage_start(place->catalog, &place->usage, NULL), OK);
}

static void leave(struct place *place)
{
    key_usage_stop(place->usage);
    catalog_free(place->catalog);
    dir_free(place->dir);
    tempdir_release(&place->temp);
}

/* Sums of what is read. */
struct seen {
    uint64_t requests, classes[CATALOG_USAGE_CLASSES];
    uint64_t x, y; /* by route */
    int64_t last_us, first_day, last_day;
};

static void see(void *context, const struct catalog_usage *usage)
{
    struct seen *seen = context;
    uint64_t requests = 0;
    for (size_t i = 0; i < CATALOG_USAGE_CLASSES; i++) {
        requests += usage->requests[i];
        seen->classes[i] += usage->requests[i];
    }
    seen->requests += requests;
    seen->x += slice_equal(usage->route, SLICE("GET /x")) ? requests : 0;
    seen->y += slice_equal(usage->route, SLICE("POST /y/{id}")) ? requests : 0;
    seen->last_us = usage->last_us > seen->last_us ? usage->last_us : seen->last_us;
    seen->first_day =
        seen->first_day == 0 || usage->day < seen->first_day ? usage->day : seen->first_day;
    seen->last_day = usage->day > seen->last_day ? usage->day : seen->last_day;
}

static struct seen seen_of(struct place *place, const char *key_id)
{
    struct seen seen = {0};
    assert_int_equal(key_usage_read(place->usage, slice_from_cstr(key_id), 0, see, &seen, NULL),
                     OK);
    return seen;
}

static void test_AUT_14_requests_are_counted_by_key_day_route_and_class(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    int64_t day = clock_now_us() / DAY_US - 10;
    int64_t now_us = day * DAY_US;
    enter(&place);
    key_usage_count(place.usage, SLICE("alice"), &route_x, NULL, 200, now_us);
    key_usage_count(place.usage, SLICE("alice"), &route_x, NULL, 404, now_us + 1);
    key_usage_count(place.usage, SLICE("alice"), &route_y, NULL, 503, now_us + DAY_US - 1);
    key_usage_count(place.usage, SLICE("alice"), &route_x, NULL, 404, now_us + DAY_US);
    key_usage_count(place.usage, SLICE("alice"), &route_y, NULL, 0, now_us + DAY_US);
    key_usage_count(place.usage, SLICE("alic"), &route_x, NULL, 301, now_us);
    key_usage_count(place.usage, (slice){0}, &route_x, NULL, 200, now_us);
    for (int stored = 0; stored < 2; stored++) { /* in memory, and in the catalog */
        struct seen alice = seen_of(&place, "alice");
        assert_int_equal(alice.requests, 5);
        assert_int_equal(alice.classes[2], 1);
        assert_int_equal(alice.classes[4], 2);
        assert_int_equal(alice.classes[5], 1);
        assert_int_equal(alice.classes[0], 1);
        assert_int_equal(alice.x, 3);
        assert_int_equal(alice.y, 2);
        assert_int_equal(alice.first_day, day);
        assert_int_equal(alice.last_day, day + 1);
        assert_int_equal(seen_of(&place, "alic").classes[3], 1);
        assert_int_equal(seen_of(&place, "").requests, 1);
        assert_int_equal(key_usage_store(place.usage, NULL), OK);
    }
}

static void assert_uses(struct place *place, enum catalog_used used, int64_t first_day,
                        const char *expected)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(4096);
    assert_int_equal(key_usage_sums(place->usage, used, first_day, write_use, &out, NULL), OK);
    assert_string_equal(buf_cstr(&out), expected);
}

static void test_VER_10_versions_are_counted_with_or_without_key_and_route(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    int64_t day = clock_now_us() / DAY_US - 10;
    int64_t us = day * DAY_US;
    char stored[256];
    enter(&place);
    key_usage_count(place.usage, SLICE("a"), &route_x, "1.0", 200, us + 1);
    key_usage_count(place.usage, SLICE("a"), &route_x, "1.0", 404, us + 2);
    key_usage_count(place.usage, SLICE("a"), &route_x, NULL, 200, us + 3);
    key_usage_count(place.usage, (slice){0}, NULL, "2.0", 404, us + 4);
    key_usage_count(place.usage, (slice){0}, NULL, NULL, 404, us + 5); /* of nothing */
    (void)snprintf(stored, sizeof(stored), "a 1.0 2 %lld %lld\n 2.0 1 %lld %lld\n",
                   (long long)us + 1, (long long)us + 2, (long long)us + 4, (long long)us + 4);
    assert_uses(&place, CATALOG_USED_VERSIONS, day, stored);
    assert_int_equal(seen_of(&place, "a").requests, 3);
    assert_int_equal(seen_of(&place, "").requests, 0);
    assert_int_equal(key_usage_store(place.usage, NULL), OK);
    (void)snprintf(stored, sizeof(stored), " 2.0 1 %lld %lld\na 1.0 2 %lld %lld\n",
                   (long long)us + 4, (long long)us + 4, (long long)us + 1, (long long)us + 2);
    assert_uses(&place, CATALOG_USED_VERSIONS, day, stored);
    (void)snprintf(stored, sizeof(stored), "a GET /x 0 0 %lld\n", (long long)us + 3);
    assert_uses(&place, CATALOG_USED_ROUTES, day + 1, stored); /* the last use is still told */
}

static void test_AUT_14_a_stop_stores_the_rest(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    key_usage_count(place.usage, SLICE("alice"), &route_x, NULL, 200, clock_now_us());
    key_usage_stop(place.usage);
    assert_int_equal(key_usage_start(place.catalog, &place.usage, NULL), OK);
    key_usage_count(place.usage, SLICE("alice"), &route_x, NULL, 200, clock_now_us());
    assert_int_equal(seen_of(&place, "alice").requests, 2);
}

static void test_AUT_14_days_older_than_a_year_go(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    int64_t now_us = clock_now_us();
    enter(&place);
    key_usage_count(place.usage, SLICE("a"), &route_x, NULL, 200, now_us - 366 * DAY_US);
    key_usage_count(place.usage, SLICE("a"), &route_x, NULL, 200, now_us - 365 * DAY_US);
    assert_int_equal(key_usage_store(place.usage, NULL), OK);
    assert_int_equal(seen_of(&place, "a").requests, 1);
}

/* Nobody can begin a transaction meanwhile: what is counted waits, and is neither lost nor seen
 * twice. */
static void test_what_cannot_be_stored_stays(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    struct catalog *other = NULL;
    enter(&place);
    key_usage_count(place.usage, SLICE("a"), &route_x, NULL, 200, clock_now_us());
    assert_int_equal(catalog_open(place.dir, &options, &other, NULL), OK);
    assert_int_equal(catalog_begin(other, NULL), OK);
    assert_int_equal(key_usage_store(place.usage, NULL), ERR_BUSY);
    key_usage_count(place.usage, SLICE("a"), &route_x, NULL, 200, clock_now_us());
    assert_int_equal(seen_of(&place, "a").requests, 2);
    catalog_rollback(other);
    catalog_free(other);
    assert_int_equal(key_usage_store(place.usage, NULL), OK);
    assert_int_equal(key_usage_store(place.usage, NULL), OK);
    assert_int_equal(seen_of(&place, "a").requests, 2);
}

static void test_memory_is_bounded(void **state)
{
    enum { MANY = 3 * KEY_USAGE_ROWS_MAX };
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(mem_freep) struct http_route *routes = mem_array(MANY, sizeof(*routes));
    struct catalog *other = NULL;
    char name[100];
    enter(&place);
    memset(name, 'x', sizeof(name));
    key_usage_count(place.usage, (slice){(const uint8_t *)name, sizeof(name)}, &route_x, NULL, 200,
                    1);
    assert_int_equal(catalog_open(place.dir, &options, &other, NULL), OK);
    assert_int_equal(catalog_begin(other, NULL), OK); /* nothing can be stored */
    for (size_t i = 0; i < MANY; i++) {
        routes[i] = route_x;
        key_usage_count(place.usage, SLICE("a"), &routes[i], NULL, 200, clock_now_us());
    }
    /* One table is full, or, where the thread took its turn meanwhile, also the other one. */
    uint64_t seen = seen_of(&place, "a").requests;
    assert_in_range(seen, KEY_USAGE_ROWS_MAX, 2 * KEY_USAGE_ROWS_MAX);
    catalog_rollback(other);
    catalog_free(other);
    assert_int_equal(key_usage_store(place.usage, NULL), OK);
    assert_int_equal(key_usage_store(place.usage, NULL), OK);
    assert_int_equal(seen_of(&place, "a").requests, seen);
    key_usage_stop(place.usage); /* it uses the routes */
    place.usage = NULL;
}

enum { THREADS = 4, ROUNDS = 20000 };

static void count_many(void *context)
{
    struct place *place = context;
    char name[16];
    for (int i = 0; i < ROUNDS; i++) {
        int len = snprintf(name, sizeof(name), "k%d", i % 10);
        key_usage_count(place->usage, (slice){(const uint8_t *)name, (size_t)len}, &route_x,
                        i % 2 == 0 ? "1.0" : "2.0", 200 + 100 * (i % 4), clock_now_us());
    }
}

static void add_use(void *context, const struct catalog_use *use)
{
    *(uint64_t *)context += use->requests;
}

static uint64_t uses_of(struct place *place)
{
    uint64_t uses = 0;
    assert_int_equal(key_usage_sums(place->usage, CATALOG_USED_VERSIONS, 0, add_use, &uses, NULL),
                     OK);
    return uses;
}

static void test_threads_lose_nothing(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    struct thread threads[THREADS] = {0};
    uint64_t total = 0;
    enter(&place);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(thread_start(&threads[i], "count", count_many, &place, NULL), OK);
    }
    for (uint64_t before = 0, uses = 0, i = 0; i < 20; i++) { /* what is seen only grows */
        assert_int_equal(key_usage_store(place.usage, NULL), OK);
        uint64_t seen = seen_of(&place, "k3").requests;
        uint64_t seen_uses = uses_of(&place);
        assert_true(seen >= before && seen_uses >= uses);
        before = seen;
        uses = seen_uses;
    }
    for (size_t i = 0; i < THREADS; i++) {
        thread_join(&threads[i]);
    }
    for (int i = 0; i < 10; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "k%d", i);
        total += seen_of(&place, name).requests;
    }
    assert_int_equal(total, THREADS * ROUNDS);
    assert_int_equal(uses_of(&place), THREADS * ROUNDS);
}

static void test_what_a_request_costs(void **state)
{
    enum { MANY = 1000000 };
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    static const struct http_route routes[16];
    enter(&place);
    int64_t began_us = clock_monotonic_us();
    for (size_t i = 0; i < MANY; i++) {
        key_usage_count(place.usage, SLICE("0198c0de-0000-7000-8000-000000000000"),
                        &routes[i % COUNT_OF(routes)], NULL, 200, clock_now_us());
    }
    print_message("# counting a request takes %.3f us\n",
                  (double)(clock_monotonic_us() - began_us) / MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_AUT_14_requests_are_counted_by_key_day_route_and_class),
        cmocka_unit_test(test_VER_10_versions_are_counted_with_or_without_key_and_route),
        cmocka_unit_test(test_AUT_14_a_stop_stores_the_rest),
        cmocka_unit_test(test_AUT_14_days_older_than_a_year_go),
        cmocka_unit_test(test_what_cannot_be_stored_stays),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_threads_lose_nothing),
        cmocka_unit_test(test_what_a_request_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
