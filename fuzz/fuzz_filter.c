/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter language. Whatever is parsed: printing and parsing again gives the same filter, which
 * matches the same events; no text and no event crashes anything.
 */
#include "base/hash.h"
#include "filter/random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENTS = 4, ARENA_BYTES_MAX = 16 * 1024 * 1024, PRINTED_BYTES_MAX = 1024 * 1024 };

static const struct filter_context context = {.now_us = SAMPLE_NOW_US};

static void check_matches(const struct filter *filter, const struct filter *again, uint64_t seed)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    struct filter_random random = {.seed = seed};
    for (int i = 0; i < EVENTS; i++) {
        CLEANUP(buf_release) struct buf json = BUF_INIT(PRINTED_BYTES_MAX);
        struct event event = {0};
        random_event_json(&random, &json);
        ASSERT(sample_event(buf_slice(&json), &arena, &event, NULL) == OK);
        ASSERT(filter_match(filter, &event) == filter_match(again, &event));
    }
}

/* A filter that was parsed, or made: what it prints is itself. */
static void check_filter(const struct filter *filter, struct arena *arena, uint64_t seed)
{
    CLEANUP(buf_release) struct buf printed = BUF_INIT(PRINTED_BYTES_MAX);
    const struct filter *again = NULL;
    int64_t from_us = INT64_MIN;
    int64_t to_us = INT64_MAX;
    filter_time_bounds(filter, &from_us, &to_us);
    filter_print(filter, &printed);
    ASSERT(buf_check(&printed) == OK);
    if (printed.len > FILTER_TEXT_BYTES_MAX) {
        return;
    }
    ASSERT(filter_parse(buf_slice(&printed), &context, arena, &again, NULL) == OK);
    ASSERT(filter_same(filter, again));
    check_matches(filter, again, seed);
    filter_release(again);
}

static void check_leaf(slice operand, struct arena *arena, uint64_t seed)
{
    static const slice names[] = {SLICE_INIT("actor_id"), SLICE_INIT("data.a"),
                                  SLICE_INIT("severity"), SLICE_INIT("actor_ip"),
                                  SLICE_INIT("since"),    SLICE_INIT("event_timestamp")};
    enum filter_op op = (enum filter_op)(FILTER_EQUAL + seed % (FILTER_WORDS - FILTER_EQUAL + 1));
    slice name = names[seed / 16 % COUNT_OF(names)];
    const struct filter *leaf = NULL;
    if (filter_make_leaf(name, op, operand, &context, arena, &leaf, NULL) == OK) {
        check_filter(leaf, arena, seed);
        filter_release(leaf);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    slice text = {data, size};
    uint64_t seed = hash_bytes(text, 1);
    const struct filter *filter = NULL;
    struct diag diag = {0};
    if (filter_parse(text, &context, &arena, &filter, &diag) == OK) {
        check_filter(filter, &arena, seed);
        filter_release(filter);
    } else {
        ASSERT(strncmp(diag.where, "filter:", 7) == 0 && diag.text[0] != '\0');
    }
    check_leaf(text, &arena, seed);
    return 0;
}
