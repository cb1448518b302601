/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* segment_support - for tests of segments: random events as rows, and segments made of them. */

#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "columns/rows_memory.h"
#include "filter/random.h"
#include "os/tempdir.h"
#include "segment/segment.h"

struct samples {
    struct arena arena;
    struct event *events;
    uint32_t count;
};

static inline void samples_init(struct samples *samples, uint64_t seed, uint32_t count)
{
    struct filter_random random = {.seed = seed};
    CLEANUP(buf_release) struct buf json = BUF_INIT(MIB(1));
    arena_init(&samples->arena, MIB(512));
    samples->events = mem_array(count, sizeof(struct event));
    samples->count = count;
    for (uint32_t i = 0; i < count; i++) {
        slice copy = {0};
        buf_clear(&json);
        random_event_json(&random, &json);
        assert_true(arena_copy(&samples->arena, buf_slice(&json), &copy));
        assert_int_equal(sample_event(copy, &samples->arena, &samples->events[i], NULL), OK);
    }
}

static inline void samples_release(struct samples *samples)
{
    arena_release(&samples->arena);
    free(samples->events);
}

static inline void support_text(struct event *event, enum field field, slice text)
{
    event->present |= FIELD_BIT(field);
    event->value[field].text = text;
}

static inline void support_number(struct event *event, enum field field, int64_t number)
{
    event->present |= FIELD_BIT(field);
    event->value[field].number = number;
}

/* `name` in `dir` from `rows`, open. */
static inline struct segment *support_segment(const struct rows *rows, const struct row_set *erase,
                                              const struct dir *dir, const char *name)
{
    struct segment_summary summary;
    struct segment *segment = NULL;
    struct diag diag = {0};
    const struct segment_write_options options = {.erase = erase};
    if (segment_write(rows, &options, dir, name, &summary, &diag) != OK ||
        segment_open(dir, name, &segment, &diag) != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    assert_memory_equal(&summary, segment_summary(segment), sizeof(summary));
    return segment;
}

static inline struct dir *support_dir(struct tempdir *temp)
{
    struct dir *dir = NULL;
    tempdir_init(temp);
    assert_int_equal(dir_open(temp->path, true, &dir, NULL), OK);
    return dir;
}
