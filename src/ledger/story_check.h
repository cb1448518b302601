/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* story_check - whether a ledger that was opened again has all that its story says. */

#include "ledger/story_support.h"

#define STORY_FAIL(story, ...)                                                                     \
    do {                                                                                           \
        print_message("%s: %s: %s\n", (story)->what, (story)->f.diag.where, (story)->f.diag.text); \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

static inline void story_check_event(struct story *story, uint64_t n, bool tiny)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    CLEANUP(mem_freep) struct story_event *expected = mem_zeroed(sizeof(*expected));
    struct store_event got;
    enum err e = store_get(story->f.store, story->base + n, (slice){0}, &arena, &got, NULL);
    if (story_is_chosen(n) && (n < story->erased || (n < story->erasing && e == ERR_GONE))) {
        if (e != ERR_GONE) {
            STORY_FAIL(story, "event %llu was erased, and is back", (unsigned long long)n);
        }
        return;
    }
    story_event_init(expected, n, tiny);
    const struct event *event = &expected->numbered.event;
    if (e != OK || got.event.present != event->present ||
        memcmp(&got.event.value[FIELD_EVENT_ID].uuid, &event->value[FIELD_EVENT_ID].uuid,
               sizeof(struct uuid)) != 0 ||
        !slice_equal(got.event.value[FIELD_ACTOR_ID].text, event->value[FIELD_ACTOR_ID].text) ||
        !slice_equal(got.event.value[FIELD_EVENT_DATA].text, event->value[FIELD_EVENT_DATA].text)) {
        STORY_FAIL(story, "event %llu was acknowledged, and is not there", (unsigned long long)n);
    }
}

static inline void story_check_keys(struct story *story)
{
    struct store_identity identity;
    size_t log_keys = 0;
    store_identity(story->f.store, &identity);
    for (size_t i = 0; i < identity.key_count; i++) {
        log_keys += identity.keys[i].verifier.type == NOTE_ED25519 ? 1 : 0;
    }
    if (log_keys < story->keys) {
        STORY_FAIL(story, "a new key was confirmed, and is not there");
    }
}

/* Of an open ledger. `step`: every so many events are looked at, and the newest. */
static inline void story_check_open(struct story *story, uint64_t step, bool tiny)
{
    uint64_t size = store_size(story->f.store) - story->base;
    struct merkle_hash root;
    if (size < story->acknowledged || size > story->offered) {
        STORY_FAIL(story, "%llu events, of which %llu were acknowledged and %llu offered",
                   (unsigned long long)size, (unsigned long long)story->acknowledged,
                   (unsigned long long)story->offered);
    }
    for (uint64_t n = 0; n < size; n += step) {
        story_check_event(story, n, tiny);
    }
    if (size > 0) {
        story_check_event(story, size - 1, tiny);
    }
    if (story->signed_size > 0 &&
        (merkle_root_at(story->signed_size, store_node, story->f.store, &root) != OK ||
         !merkle_hash_equal(&root, &story->signed_root))) {
        STORY_FAIL(story, "the checkpoint of %llu is not a prefix",
                   (unsigned long long)story->signed_size);
    }
    story_check_keys(story);
}

/* Of a closed one. */
static inline void story_check_whole(struct story *story)
{
    struct ledger_verify_result result = {0};
    story->f.diag = (struct diag){0};
    if (ledger_verify(story->f.temp.path, (slice){0}, NULL, NULL, &result, &story->f.diag) != OK) {
        STORY_FAIL(story, "it does not verify");
    }
    if (result.events < story->base + story->acknowledged ||
        result.checkpoint_size < story->signed_size) {
        STORY_FAIL(story, "%llu events and a checkpoint of %llu are left",
                   (unsigned long long)result.events, (unsigned long long)result.checkpoint_size);
    }
}

/* The power is back: the ledger opens, has everything, and goes on. */
static inline void story_check_after(struct story *story, uint64_t step, bool tiny)
{
    atomic_store(&story->is_fatal, false);
    story->f.diag = (struct diag){0};
    uint64_t acknowledged = story->acknowledged;
    struct merkle_hash root = story->signed_root;
    uint64_t signed_size = story->signed_size;
    if (fixture_open(&story->f) != OK) {
        STORY_FAIL(story, "it does not open again");
    }
    story->f.diag = (struct diag){0};
    story_check_open(story, step, tiny);
    assert_int_equal(story->acknowledged, acknowledged);
    assert_int_equal(story->signed_size, signed_size);
    assert_memory_equal(story->signed_root.bytes, root.bytes, sizeof(root.bytes));
    if (story_append_some(story, STORY_BATCH, tiny) != OK) {
        STORY_FAIL(story, "it does not go on");
    }
    fixture_close(&story->f);
    story_check_whole(story);
    if (fixture_open(&story->f) != OK) {
        STORY_FAIL(story, "it does not open a second time");
    }
    story_check_open(story, step, tiny);
    fixture_close(&story->f);
}
