/* SPDX-License-Identifier: Apache-2.0 */
#include "api/health_redis.h"
#include "base/test.h"

static void test_the_figures_of_info_are_found(void **state)
{
    UNUSED(state);
    static const char info[] = "# Server\r\nredis_version:7.0.15\r\n\r\n# Clients\r\n"
                               "connected_clients:3\r\nmaxclients:10000\r\n"
                               "# Memory\r\nused_memory_human:1.10M\r\nused_memory:1153433\r\n"
                               "used_memory_peak:2097152\r\n"
                               "# Stats\r\ntotal_commands_processed:900719925474099321\r\n";
    struct redis_figures figures;
    assert_true(redis_info_read(slice_from_cstr(info), &figures));
    assert_int_equal(figures.memory_used_bytes, 1153433);
    assert_int_equal(figures.memory_peak_bytes, 2097152);
    assert_int_equal(figures.connected_clients, 3);
    assert_true(figures.commands_processed == 900719925474099321u);
}

static void test_what_is_no_info_is_refused(void **state)
{
    UNUSED(state);
    static const char *const texts[] = {
        "",
        "PONG",
        "used_memory:1\r\nused_memory_peak:2\r\nconnected_clients:3\r\n",
        "used_memory:1\nused_memory_peak:2\nconnected_clients:x\ntotal_commands_processed:4\n",
        "used_memory:-1\nused_memory_peak:2\nconnected_clients:3\ntotal_commands_processed:4\n",
        "used_memory:\nused_memory_peak:2\nconnected_clients:3\ntotal_commands_processed:4\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct redis_figures figures = {.connected_clients = 77};
        assert_false(redis_info_read(slice_from_cstr(texts[i]), &figures));
        assert_int_equal(figures.connected_clients, 77);
    }
}

static void test_hlt_06_how_long_it_took_is_how_it_is(void **state)
{
    UNUSED(state);
    static const struct {
        int64_t took_us;
        bool has_failed;
        enum health_state expect;
    } rows[] = {{0, false, HEALTHY},       {99999, false, HEALTHY},    {100000, false, DEGRADED},
                {500000, false, DEGRADED}, {500001, false, UNHEALTHY}, {0, true, UNHEALTHY}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(health_of(rows[i].took_us, rows[i].has_failed), rows[i].expect);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_figures_of_info_are_found),
        cmocka_unit_test(test_what_is_no_info_is_refused),
        cmocka_unit_test(test_hlt_06_how_long_it_took_is_how_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
