/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "gate/version_usage.h"
#include "os/thread.h"

static const struct version_usage_row *find(const struct version_usage_row *rows, size_t count,
                                            const char *key_id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].key_id, key_id) == 0) {
            return &rows[i];
        }
    }
    static const struct version_usage_row nobody;
    return &nobody;
}

static void VER_10_keys_are_counted_by_version(void **state)
{
    UNUSED(state);
    static struct version_usage_row rows[VERSION_USAGE_ROWS_MAX];
    OWNED(version_usage) usage = version_usage_new();
    version_usage_count(usage, SLICE("alice"), 0);
    version_usage_count(usage, SLICE("alice"), 1);
    version_usage_count(usage, SLICE("alice"), 1);
    version_usage_count(usage, SLICE("alic"), 0);
    version_usage_count(usage, (slice){0}, 1);
    size_t count = version_usage_read(usage, rows);
    const struct version_usage_row *alice = find(rows, count, "alice");
    assert_int_equal(alice->requests[0], 1);
    assert_int_equal(alice->requests[1], 2);
    assert_int_equal(find(rows, count, "alic")->requests[0], 1);
    assert_int_equal(find(rows, count, "none")->requests[1], 1);
    assert_int_equal(find(rows, count, "other")->requests[0], 0);
}

static void VER_10_the_rest_is_other(void **state)
{
    UNUSED(state);
    static struct version_usage_row rows[VERSION_USAGE_ROWS_MAX];
    char name[100];
    OWNED(version_usage) usage = version_usage_new();
    for (int i = 0; i < 3 * VERSION_USAGE_KEYS_MAX; i++) {
        int len = snprintf(name, sizeof(name), "key-%d", i);
        version_usage_count(usage, (slice){(const uint8_t *)name, (size_t)len}, 0);
    }
    memset(name, 'x', sizeof(name));
    version_usage_count(usage, (slice){(const uint8_t *)name, sizeof(name)}, 0);
    version_usage_count(usage, SLICE("key-0"), 0); /* is known still */
    size_t count = version_usage_read(usage, rows);
    assert_int_equal(count, VERSION_USAGE_ROWS_MAX);
    assert_int_equal(find(rows, count, "key-0")->requests[0], 2);
    assert_int_equal(find(rows, count, "other")->requests[0], 2 * VERSION_USAGE_KEYS_MAX + 1);
}

static void count_many(void *arg)
{
    char name[16];
    for (int i = 0; i < 20000; i++) {
        int len = snprintf(name, sizeof(name), "k%d", i % 700);
        version_usage_count(arg, (slice){(const uint8_t *)name, (size_t)len}, (size_t)i % 2);
    }
}

static void threads_lose_nothing(void **state)
{
    UNUSED(state);
    static struct version_usage_row rows[VERSION_USAGE_ROWS_MAX];
    struct thread threads[4] = {0};
    uint64_t total = 0;
    OWNED(version_usage) usage = version_usage_new();
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(thread_start(&threads[i], "count", count_many, usage, NULL), OK);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        thread_join(&threads[i]);
    }
    size_t count = version_usage_read(usage, rows);
    for (size_t i = 0; i < count; i++) {
        total += rows[i].requests[0] + rows[i].requests[1];
    }
    assert_int_equal(total, 4 * 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(VER_10_keys_are_counted_by_version),
        cmocka_unit_test(VER_10_the_rest_is_other),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests_name("version_usage", tests, NULL, NULL);
}
