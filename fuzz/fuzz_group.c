/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a group with damage. The input's first byte says whether the checksum of the footer
 * is made right again, the rest are changes (damage.h) to a valid file. Opening, looking up and
 * verifying end with an answer, and every place is inside the group. What verifies knows every
 * event and every value of its segments, and gives places in ascending order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "columns/rows_memory.h"
#include "damage.h"
#include "filter/random.h"
#include "os/tempdir.h"
#include "segment/group.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENTS = 30, SEGMENTS = 3, STEP = 31 };

static struct tempdir temp;
static struct dir *dir;
static struct arena arena = ARENA_INIT(MIB(16));
static struct event events[SEGMENTS][EVENTS];
static struct segment *segments[GROUP_SEGMENTS]; /* at 0, STEP and 2 * STEP; the others are gone */
static uint8_t *valid;
static size_t valid_len;

static void clean_up(void)
{
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        segment_free(segments[i]);
    }
    dir_free(dir);
    free(valid);
    arena_release(&arena);
    tempdir_release(&temp);
}

static void make_segment(size_t index, struct filter_random *random)
{
    char name[16];
    struct segment_summary summary;
    struct event *ours = events[index];
    for (size_t i = 0; i < EVENTS; i++) {
        CLEANUP(buf_release) struct buf json = BUF_INIT(MIB(1));
        slice copy = {0};
        random_event_json(random, &json);
        ASSERT(arena_copy(&arena, buf_slice(&json), &copy));
        ASSERT(sample_event(copy, &arena, &ours[i], NULL) == OK);
    }
    (void)snprintf(name, sizeof(name), "%zu.seg", index);
    struct rows *rows = rows_memory_new(ours, EVENTS, index * STEP * (uint64_t)ROWS_MAX, NULL);
    ASSERT(segment_write(rows, &(struct segment_write_options){0}, dir, name, &summary, NULL) ==
           OK);
    ASSERT(segment_open(dir, name, &segments[index * STEP], NULL) == OK);
    rows_memory_free(rows);
}

static void set_up(void)
{
    struct filter_random random = {.seed = 5};
    tempdir_init(&temp);
    ASSERT(dir_open(temp.path, true, &dir, NULL) == OK);
    for (size_t i = 0; i < SEGMENTS; i++) {
        make_segment(i, &random);
    }
    ASSERT(group_write(segments, 0, dir, "v.idx", NULL) == OK);
    ASSERT(file_read_all(dir, "v.idx", MIB(4), &valid, &valid_len, NULL) == OK);
    (void)atexit(clean_up);
}

static void check_event(const struct group *group, size_t index, uint32_t row, bool is_whole)
{
    const struct event *event = &events[index][row];
    uint32_t rows[GROUP_FIND_MAX];
    slice org = event->value[FIELD_ORG].text;
    uint64_t hash = event_id_hash(org, &event->value[FIELD_EVENT_ID].uuid);
    bool found = false;
    group_prefetch_id(group, hash);
    size_t count = group_find_id(group, hash, rows);
    ASSERT(count <= GROUP_FIND_MAX);
    for (size_t i = 0; i < count; i++) {
        ASSERT(rows[i] < GROUP_ROWS);
        ASSERT(i == 0 || rows[i - 1] < rows[i] || !is_whole);
        found = found || rows[i] == index * STEP * ROWS_MAX + row;
    }
    ASSERT(found || !is_whole);
    if (event_has(event, FIELD_ACTOR_ID)) {
        uint64_t chosen = group_lookup(group, FIELD_ACTOR_ID, event->value[FIELD_ACTOR_ID].text);
        ASSERT((chosen >> (index * STEP) & 1) != 0 || !is_whole);
    }
}

static void try_group(void)
{
    OWNED(group) group = NULL;
    uint64_t min_ms = 0;
    uint64_t max_ms = 0;
    if (group_open(dir, "f.idx", &group, NULL) != OK) {
        return;
    }
    group_v7_bounds(group, &min_ms, &max_ms);
    enum err e = group_verify(group, segments, NULL);
    ASSERT(e == OK || e == ERR_CORRUPT);
    for (size_t i = 0; i < SEGMENTS; i++) {
        for (uint32_t row = 0; row < EVENTS; row++) {
            check_event(group, i, row, e == OK);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (valid == NULL) {
        set_up();
    }
    if (size < 1) {
        return 0;
    }
    CLEANUP(mem_freep) uint8_t *bytes = mem_zeroed(valid_len);
    memcpy(bytes, valid, valid_len);
    size_t len = data[0] % 16 == 15 ? valid_len - data[0] : valid_len;
    damage_apply((slice){data + 1, size - 1}, bytes, valid_len);
    if (data[0] % 4 != 0) {
        damage_mend_footer(bytes, len);
    }
    damage_write(dir, "f.idx", (slice){bytes, len});
    try_group();
    return 0;
}
