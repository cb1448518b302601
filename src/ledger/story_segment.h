/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* story_segment - for stories of sealed segments: a ledger whose first 63 segments are gone, so
 * that the next one that is full completes a group, and appends of many tiny rows. */

#include "ledger/roots.h"
#include "ledger/story_check.h"

enum { STORY_GONE = 63, STORY_TINY_BATCH = 8192 };

/* Opened once, empty, and closed; then 63 segments were there, and their rows all erased. */
static inline void story_make_gone(struct story *story)
{
    CLEANUP(roots_release) struct roots roots = {0};
    OWNED(dir) data = NULL;
    OWNED(dir) dir = NULL;
    assert_int_equal(story_open(story), OK);
    fixture_close(&story->f);
    assert_int_equal(dir_open(story->f.temp.path, false, &data, NULL), OK);
    assert_int_equal(dir_open_in(data, "ledger", false, &dir, NULL), OK);
    for (uint64_t i = 0; i < STORY_GONE; i++) {
        struct roots_entry entry = {.index = i};
        memset(entry.tile_roots, (int)(i + 1), sizeof(entry.tile_roots));
        assert_int_equal(roots_add(&roots, dir, &entry, NULL), OK);
    }
    story->base = (uint64_t)STORY_GONE * ROWS_MAX;
    story->signed_size = 0;
}

/* Appends until `count` tiny events are there. */
static inline enum err story_fill(struct story *story, uint64_t count)
{
    while (story->acknowledged < count) {
        uint64_t left = count - story->acknowledged;
        TRY(story_append_some(story, left < STORY_TINY_BATCH ? left : STORY_TINY_BATCH, true));
    }
    return OK;
}

/* A segment that lacks its last rows, in a ledger at rest: nothing works on files until it is asked
 * to, so that the operations may be counted from here. */
static inline enum err story_fill_all_but(struct story *story, uint64_t lacking)
{
    story_make_gone(story);
    TRY(story_open(story));
    TRY(story_fill(story, ROWS_MAX - lacking));
    TRY(story_close(story));
    return story_open(story);
}
