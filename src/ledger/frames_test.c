/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/test.h"
#include "ledger/frames.h"

enum { CHUNK = 8 * 1024 * 1024 };

/* One frame of `bytes` that rows of `active` point into. */
static uint8_t *frame_of(struct frames *frames, struct active *active, size_t bytes)
{
    bool stable = false;
    uint8_t *frame = frames_take(frames, bytes, &stable);
    assert_true(stable);
    memset(frame, 0x5a, bytes);
    frames_keep_for(frames, active);
    frames_give_back(frames, bytes);
    return frame;
}

/* Its memory may be the very memory of one that was freed: a new segment is another segment. */
static void test_a_segment_keeps_its_frames_whoever_had_its_address(void **state)
{
    UNUSED(state);
    struct frames *frames = frames_new((uint64_t)8 * CHUNK);
    struct active *first = active_new(0, 1);
    (void)frame_of(frames, first, 4096);
    active_unref(first);
    struct active *second = active_new(0, 1);
    const uint8_t *frame = frame_of(frames, second, 4096);
    struct active *other = active_new(ROWS_MAX, 1);
    (void)frame_of(frames, other, CHUNK); /* begins another chunk */
    active_unref(other);
    frames_free(frames);
    for (size_t i = 0; i < 4096; i++) {
        assert_int_equal(frame[i], 0x5a);
    }
    active_unref(second);
}

static void test_beyond_the_budget_memory_is_not_kept(void **state)
{
    UNUSED(state);
    bool stable = false;
    struct frames *frames = frames_new(CHUNK);
    struct active *active = active_new(0, 1);
    (void)frame_of(frames, active, CHUNK - 4096);
    uint8_t *frame = frames_take(frames, 8192, &stable);
    assert_false(stable);
    memset(frame, 1, 8192);
    active_unref(active); /* and with it the budget comes back */
    (void)frames_take(frames, 8192, &stable);
    assert_true(stable);
    frames_free(frames);
}

/* Let go of, memory serves the next segment; a frame of another size has it for its own. */
static void test_memory_that_was_let_go_of_serves_again(void **state)
{
    UNUSED(state);
    bool stable = false;
    struct frames *frames = frames_new((uint64_t)2 * CHUNK);
    struct active *active = active_new(0, 1);
    const uint8_t *first = frame_of(frames, active, CHUNK);
    (void)frame_of(frames, active, CHUNK);
    (void)frames_take(frames, CHUNK, &stable);
    assert_false(stable);
    active_unref(active);
    struct active *second = active_new(ROWS_MAX, 1);
    const uint8_t *again = frame_of(frames, second, CHUNK);
    const uint8_t *other = frame_of(frames, second, CHUNK);
    assert_true(again == first || other == first);
    active_unref(second);
    struct active *third = active_new((uint64_t)2 * ROWS_MAX, 1);
    (void)frame_of(frames, third, (size_t)2 * CHUNK); /* both spares go for it */
    active_unref(third);
    frames_free(frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_segment_keeps_its_frames_whoever_had_its_address),
        cmocka_unit_test(test_beyond_the_budget_memory_is_not_kept),
        cmocka_unit_test(test_memory_that_was_let_go_of_serves_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
