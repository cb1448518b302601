/* SPDX-License-Identifier: Apache-2.0 */
/* Who still uses what goes: what is kept, what is told, and the warnings of a start. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "accounts/key_usage.h"
#include "api/version_report.h"
#include "base/log.h"
#include "base/test.h"
#include "gate/negotiate.h"
#include "os/clock.h"
#include "os/tempdir.h"

#define DAY_US KEY_USAGE_DAY_US

/* 3.0 is current: 1.0 was removed by it, 2.0 is deprecated. */
static const struct version_entry entries[] = {
    {.name = "3.0", .released = "2026-02-01", .changes = {"something"}},
    {.name = "2.0",
     .released = "2025-01-10",
     .life = {NULL, "3.0", "2026-02-01", "2027-06-30", "4.0", NULL},
     .changes = {"something"}},
    {.name = "1.0",
     .released = "2023-01-10",
     .life = {NULL, "2.0", "2025-01-10", "2026-01-31", "3.0", NULL},
     .changes = {"something"}},
};
static const struct version_table table = {entries, COUNT_OF(entries)};

static const struct version_life going = {NULL, "2.0", "2025-01-10", "2026-06-30", "4.0", NULL};
static const struct api_route going_route = {.life = &going};
static const struct api_route plain_route;
static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/api/stays", .data = (void *)(uintptr_t)&plain_route},
    {.method = HTTP_POST, .path = "/api/goes/{id}", .data = (void *)(uintptr_t)&going_route},
};
enum { STAYS, GOES };

struct place {
    struct tempdir temp;
    struct dir *dir;
    struct api api;
    char key_id[VERSION_CLIENT_BYTES];
    int64_t now_us; /* at a noon, so that days are whole */
};

/* A key of an organisation, whose prefix is "a1b2c3d4". */
static void make_key(struct place *place)
{
    struct {
        const struct kind *kind;
        json_t *sent, *given, *out;
    } made[] = {{&kind_organizations, json_pack("{s:s}", "name", "d"),
                 json_pack("{s:s}", "id", "default"), NULL},
                {&kind_api_keys, json_pack("{s:s}", "name", "k"),
                 json_pack("{s:s, s:s}", "key_prefix", "a1b2c3d4", "key_hash",
                           "0000000000000000000000000000000000000000000000000000000000000000"),
                 NULL}};
    const struct catalog_author author = {.org = SLICE("default")};
    for (size_t i = 0; i < COUNT_OF(made); i++) {
        struct kind_errors errors;
        const struct catalog_change change = {.kind = made[i].kind,
                                              .author = &author,
                                              .sent = made[i].sent,
                                              .given = made[i].given};
        assert_int_equal(catalog_begin(place->api.catalog, NULL), OK);
        assert_int_equal(catalog_insert(place->api.catalog, &change, &made[i].out, &errors, NULL),
                         OK);
        assert_int_equal(catalog_commit(place->api.catalog, NULL), OK);
        (void)snprintf(place->key_id, sizeof(place->key_id), "%s",
                       json_string_value(json_object_get(made[i].out, "id")));
        json_decref(made[i].sent);
        json_decref(made[i].given);
        json_decref(made[i].out);
    }
}

static void enter(struct place *place)
{
    static const struct catalog_options options = {.hide_key = {1}};
    struct api *api = &place->api;
    place->now_us = clock_now_us() / DAY_US * DAY_US - DAY_US / 2;
    tempdir_init(&place->temp);
    assert_int_equal(dir_open(place->temp.path, false, &place->dir, NULL), OK);
    assert_int_equal(catalog_open(place->dir, &options, &api->catalog, NULL), OK);
    assert_int_equal(key_usage_start(api->catalog, &api->key_usage, NULL), OK);
    assert_int_equal(api_versions_new(&table, routes, COUNT_OF(routes), &api->versions, NULL), OK);
    make_key(place);
}

static void leave(struct place *place)
{
    key_usage_stop(place->api.key_usage);
    api_versions_free(place->api.versions);
    catalog_free(place->api.catalog);
    dir_free(place->dir);
    tempdir_release(&place->temp);
}

static void use(struct place *place, const char *key_id, size_t route, const char *version,
                int days_ago)
{
    key_usage_count(place->api.key_usage, slice_from_cstr(key_id), &routes[route], version, 200,
                    place->now_us - days_ago * DAY_US);
}

/* As a stop and a start: only what is stored is there. */
static void restart(struct place *place)
{
    key_usage_stop(place->api.key_usage);
    assert_int_equal(key_usage_start(place->api.catalog, &place->api.key_usage, NULL), OK);
}

static struct version_report *report_of(struct place *place, uint64_t days)
{
    struct version_report *report = NULL;
    assert_int_equal(version_report_make(&place->api, place->now_us, days, &report, NULL), OK);
    return report;
}

static void assert_subject(const struct version_report *report, size_t at, uint64_t requests,
                           uint64_t idle_days, const char *last_key)
{
    const struct version_subject *subject = &report->subjects[at];
    assert_int_equal(subject->requests, requests);
    assert_int_equal(version_report_idle_days(report, subject), idle_days);
    assert_string_equal(subject->last_key, last_key);
}

static void VER_10_what_is_used_is_kept_and_told_by_version_route_and_key(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    use(&place, "alice", STAYS, "2.0", 40);
    use(&place, "alice", STAYS, "3.0", 9);
    use(&place, "alice", GOES, "3.0", 8);
    use(&place, "", GOES, "3.0", 7);
    use(&place, "bob", STAYS, "0.9", 7); /* of no table */
    for (int i = 0; i < 2; i++) {
        OWNED(version_report) report = report_of(&place, 30);
        assert_int_equal(report->subject_count, 4);
        assert_int_equal(report->since_us, place.now_us - 40 * DAY_US);
        assert_subject(report, 0, 3, 7, "none");
        assert_subject(report, 1, 0, 40, "alice"); /* not in these days, and yet the last */
        assert_subject(report, 2, 0, 40, "");      /* since the beginning of counting */
        assert_subject(report, 3, 2, 7, "none");
        assert_string_equal(report->subjects[3].route, "POST /api/goes/{id}");
        assert_int_equal(report->subjects[3].status, VERSION_DEPRECATED);
        restart(&place);
    }
    OWNED(version_report) longer = report_of(&place, 41);
    assert_subject(longer, 1, 1, 40, "alice");
}

static void VER_11_a_new_server_cannot_say_that_nobody_uses_it(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    OWNED(version_report) empty = report_of(&place, 30);
    assert_subject(empty, 1, 0, 0, "");
    use(&place, "alice", STAYS, "3.0", 3);
    OWNED(version_report) young = report_of(&place, 30);
    assert_subject(young, 1, 0, 3, "");
    place.now_us -= 5 * DAY_US; /* the clock went back */
    OWNED(version_report) back = report_of(&place, 30);
    assert_subject(back, 1, 0, 0, "");
}

static void VER_10_keys_beyond_the_most_are_other(void **state)
{
    enum { MANY = VERSION_REPORT_CLIENTS_MAX + 100 };
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    uint64_t other = 0;
    enter(&place);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "k%d", i);
        use(&place, name, GOES, "2.0", 1);
    }
    OWNED(version_report) report = report_of(&place, 30);
    assert_int_equal(report->client_count, VERSION_REPORT_CLIENTS_MAX + 2);
    assert_int_equal(report->subjects[1].requests, MANY);
    assert_int_equal(report->subjects[3].requests, MANY);
    for (size_t i = 0; i < report->client_count; i++) {
        bool is_other = strcmp(report->clients[i].key_id, "other") == 0;
        other += is_other ? report->clients[i].requests : 0;
    }
    assert_int_equal(other, 2 * MANY - VERSION_REPORT_CLIENTS_MAX);
}

/* What a start says in its log. */
static const char *warnings(struct place *place, int64_t now_us)
{
    static char said[8192];
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/said", place->temp.path);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    log_set_output(fd, false);
    version_report_warn(&place->api, now_us);
    log_set_output(STDERR_FILENO, false);
    ssize_t len = pread(fd, said, sizeof(said) - 1, 0);
    (void)close(fd);
    assert_true(len >= 0);
    said[len] = '\0';
    return said;
}

static size_t lines_of(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

static int64_t us_of(const char *text)
{
    struct version_day day = {0};
    assert_true(version_day_parse(slice_from_cstr(text), &day));
    return version_day_seconds(day) * 1000000;
}

static void VER_11_a_start_warns_of_what_is_over_and_used(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    place.now_us = us_of("2026-06-30") + DAY_US / 2;
    assert_string_equal(warnings(&place, place.now_us), "");
    use(&place, place.key_id, STAYS, "1.0", 29); /* it was removed */
    use(&place, place.key_id, GOES, "2.0", 20);
    use(&place, "", GOES, "2.0", 10); /* none is stored, which looks at the clock and prunes */
    const char *said = warnings(&place, place.now_us); /* the last day of the route */
    assert_int_equal(lines_of(said), 1);
    assert_non_null(
        strstr(said, "version=1.0 status=removed sunset=2026-01-31 requests=1 keys=a1b2c3d4"));
    said = warnings(&place, place.now_us + DAY_US);
    assert_int_equal(lines_of(said), 1); /* 1.0 was used too long ago */
    assert_non_null(
        strstr(said, "route=\"POST /api/goes/{id}\" status=deprecated sunset=2026-06-30"));
    assert_non_null(strstr(said, "requests=2"));
    assert_non_null(strstr(said, "a1b2c3d4"));
    assert_non_null(strstr(said, "none"));
    assert_string_equal(warnings(&place, place.now_us + 30 * DAY_US), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(VER_10_what_is_used_is_kept_and_told_by_version_route_and_key),
        cmocka_unit_test(VER_11_a_new_server_cannot_say_that_nobody_uses_it),
        cmocka_unit_test(VER_10_keys_beyond_the_most_are_other),
        cmocka_unit_test(VER_11_a_start_warns_of_what_is_over_and_used),
    };
    return cmocka_run_group_tests_name("version_report", tests, NULL, NULL);
}
