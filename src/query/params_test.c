/* SPDX-License-Identifier: Apache-2.0 */
/* params - under a sanitizer of leaks: what is refused leaves nothing behind. */
#include "base/test.h"
#include "query/query.h"

static const uint8_t key[QUERY_KEY_BYTES] = {1};

static enum err parse(const struct query_param *params, size_t count, const char *narrow)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(256 * 1024);
    const struct query_context context = {.org = SLICE("acme"),
                                          .narrow = slice_from_cstr(narrow),
                                          .cursor_key = key,
                                          .now_us = 1767225600000000};
    const struct query_defaults defaults = {.order = STORE_TIME_DESC};
    struct query query = {0};
    struct diag diag = {0};
    enum err e = query_parse(&context, params, count, &defaults, &arena, &query, &diag);
    query_release(&query);
    return e;
}

static void test_patterns_end_with_the_query(void **state)
{
    UNUSED(state);
    const struct query_param params[] = {{SLICE("q"), SLICE("event_type~^auth")},
                                         {SLICE("q"), SLICE("actor_id~x OR actor_id~y")},
                                         {SLICE("actor_id"), SLICE("!alice")}};
    assert_int_equal(parse(params, COUNT_OF(params), "event_type~b"), OK);
}

static void test_patterns_end_with_a_query_that_is_refused(void **state)
{
    UNUSED(state);
    const struct query_param wrong[] = {
        {SLICE("nothing"), SLICE("1")},    {SLICE("limit"), SLICE("0")},
        {SLICE("cursor"), SLICE("AAAA")},  {SLICE("page"), SLICE("999999")},
        {SLICE("q"), SLICE("actor_id~(")},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const struct query_param params[] = {{SLICE("q"), SLICE("event_type~^auth")}, wrong[i]};
        assert_int_equal(parse(params, COUNT_OF(params), "event_type~b"), ERR_INVALID);
    }
    const struct query_param fine[] = {{SLICE("q"), SLICE("event_type~^auth")}};
    assert_int_equal(parse(fine, COUNT_OF(fine), "event_type~("), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_end_with_the_query),
        cmocka_unit_test(test_patterns_end_with_a_query_that_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
