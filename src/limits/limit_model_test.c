/* SPDX-License-Identifier: Apache-2.0 */
/* The limiter against a naive one that keeps the moment of every request: random windows, random
 * steps of time, random waits for exactly what an answer said. */
#include <stdio.h>

#include "base/hash.h"
#include "base/test.h"
#include "limits/limit_ops.h"
#include "limits/limit_sliding.h"

enum { PROGRAMS = 400, STEPS = 3000, SECOND = 1000000 };

struct naive {
    int64_t moments[STEPS];
    uint32_t count;
};

/* Those later than now_us - span_us. */
static uint32_t naive_used(const struct naive *naive, int64_t now_us, int64_t span_us)
{
    uint32_t used = 0;
    for (uint32_t i = naive->count; i > 0 && naive->moments[i - 1] > now_us - span_us; i--) {
        used++;
    }
    return used;
}

static bool naive_passes(const struct naive *naive, const struct limit_window *window,
                         int64_t now_us, int64_t late_us)
{
    int64_t span_us = (int64_t)window->seconds * SECOND;
    return naive_used(naive, now_us, span_us + late_us) < limit_most(window) &&
           naive_used(naive, now_us, 2 * span_us + late_us) < 2 * window->limit;
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = hash_u64(*seed, UINT64_C(0x9e3779b97f4a7c15));
    return *seed % below;
}

static int64_t step_us(uint64_t *seed, const struct limit_window *window, int64_t wait_us)
{
    int64_t span_us = (int64_t)window->seconds * SECOND;
    switch (draw(seed, 8)) {
    case 0:
    case 1:
    case 2:
        return 0;
    case 3:
        return (int64_t)draw(seed, (uint64_t)span_us / (window->limit + 1) + 1);
    case 4:
        return wait_us;
    case 5:
        return wait_us > 0 ? wait_us - 1 : 1;
    case 6:
        return draw(seed, 20) == 0 ? (int64_t)draw(seed, (uint64_t)span_us * 3) : 1;
    default:
        return (int64_t)draw(seed, (uint64_t)span_us / 50 + 1);
    }
}

static void run(uint64_t seed, bool is_small)
{
    uint32_t limit = 1 + (uint32_t)draw(&seed, is_small ? LIMIT_LOG_ENTRIES / 2 : 900);
    struct limit_window window = {1 + (uint32_t)draw(&seed, 4000), limit, 0};
    window.burst = draw(&seed, 2) == 0 ? 0 : (uint32_t)draw(&seed, 2 * limit);
    int64_t late_us = is_small ? 0 : ((int64_t)window.seconds * SECOND / SLIDING_BUCKETS + 1) * 1;
    /* two spans of rounded-up buckets are up to 2 * SLIDING_BUCKETS us longer */
    late_us += is_small ? 0 : 2 * SLIDING_BUCKETS;
    struct naive naive = {.count = 0};
    struct sliding sliding = {0};
    int64_t now_us = (int64_t)draw(&seed, 1000000000);
    int64_t wait_us = 0;
    for (int i = 0; i < STEPS; i++) {
        int64_t moved_us = step_us(&seed, &window, wait_us);
        now_us += moved_us;
        struct sliding_view view;
        sliding_judge(&sliding, &window, now_us, &view);
        bool passes = view.remaining > 0;
        assert_true(passes == (view.wait_us == 0));
        if (wait_us > 0) {
            assert_true(passes == (moved_us >= wait_us)); /* what it said came true */
        }
        if (passes) {
            assert_true(naive_passes(&naive, &window, now_us, 0));
            naive.moments[naive.count++] = now_us;
            sliding_count(&sliding, &window);
        } else {
            assert_false(naive_passes(&naive, &window, now_us, late_us));
        }
        wait_us = view.wait_us;
    }
    sliding_release(&sliding);
}

static void test_the_small_form_is_the_naive_one(void **state)
{
    UNUSED(state);
    for (uint64_t i = 0; i < PROGRAMS; i++) {
        run(i, true);
    }
}

static void test_the_large_form_never_permits_more_and_is_late_by_one_bucket(void **state)
{
    UNUSED(state);
    for (uint64_t i = 0; i < PROGRAMS; i++) {
        run(i, false);
    }
}

/* A subject that went comes back with at least what it had. */
static void test_what_is_put_back_is_never_less(void **state)
{
    UNUSED(state);
    static const uint32_t counts[] = {0, 1, 128, 129, 130, 5000};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct limit_window window = {60, 10000, 0};
        struct sliding sliding = {0};
        struct sliding_view view;
        sliding_fill(&sliding, &window, counts[i], 5 * SECOND);
        sliding_judge(&sliding, &window, 64 * SECOND, &view);
        assert_int_equal(view.used, counts[i]);
        sliding_judge(&sliding, &window, 66 * SECOND, &view);
        assert_int_equal(view.used, 0);
        sliding_release(&sliding);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_small_form_is_the_naive_one),
        cmocka_unit_test(test_the_large_form_never_permits_more_and_is_late_by_one_bucket),
        cmocka_unit_test(test_what_is_put_back_is_never_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
