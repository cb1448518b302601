/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment file of strangers. The input is a list of changes (damage.h) to a small valid file,
 * whose checksum of the footer is then made right again, so that changes get past it; the first
 * byte says whether. Whatever they are, opening, reading, filtering, verifying and writing it anew
 * end with an answer; and what verifies is read without an error.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "columns/rows_memory.h"
#include "damage.h"
#include "filter/random.h"
#include "os/tempdir.h"
#include "search/match.h"
#include "segment/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENTS = 40 };

static struct tempdir temp;
static struct dir *dir;
static uint8_t *valid;
static size_t valid_len;

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void clean_up(void)
{
    dir_free(dir);
    free(valid);
    tempdir_release(&temp);
}

static void set_up(void)
{
    static struct arena arena = ARENA_INIT(MIB(4));
    static struct event events[EVENTS];
    struct filter_random random = {.seed = 6};
    struct segment_summary summary;
    struct row_set erased = {0};
    tempdir_init(&temp);
    must(dir_open(temp.path, true, &dir, NULL) == OK);
    for (size_t i = 0; i < EVENTS; i++) {
        CLEANUP(buf_release) struct buf json = BUF_INIT(MIB(1));
        slice copy = {0};
        random_event_json(&random, &json);
        must(arena_copy(&arena, buf_slice(&json), &copy));
        must(sample_event(copy, &arena, &events[i], NULL) == OK);
    }
    row_set_add(&erased, 7);
    struct rows *rows = rows_memory_new(events, EVENTS, 0, &erased);
    must(segment_write(rows, &(struct segment_write_options){0}, dir, "v.seg", &summary, NULL) ==
         OK);
    rows_memory_free(rows);
    must(file_read_all(dir, "v.seg", MIB(4), &valid, &valid_len, NULL) == OK);
    arena_release(&arena);
    (void)atexit(clean_up);
}

static enum err read_all(const struct rows *rows)
{
    CLEANUP(mem_freep) char *scratch = mem_zeroed(ROWS_EVENT_SCRATCH_BYTES);
    struct rows_reader *reader = rows->ops->reader_new(rows);
    enum err result = OK;
    for (uint32_t row = 0; row < rows->count; row++) {
        struct event event;
        struct leaf_hash leaf;
        enum err e = rows_event(reader, row, scratch, &event);
        result = e == OK || e == ERR_GONE ? result : e;
        e = rows->ops->leaf(reader, row, &leaf);
        result = e == OK ? result : e;
    }
    rows->ops->reader_free(reader);
    return result;
}

static void match_some(const struct rows *rows, uint64_t seed)
{
    static const struct filter_context context = {.now_us = SAMPLE_NOW_US};
    struct filter_random random = {.seed = seed};
    for (size_t i = 0; i < 3; i++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
        CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(64));
        CLEANUP(mem_freep) struct match_bounds *bounds = mem_zeroed(sizeof(*bounds));
        const struct filter *filter = NULL;
        random_filter_text(&random, &text);
        must(filter_parse(buf_slice(&text), &context, &arena, &filter, NULL) == OK);
        enum err e = match_rows(rows, rows->count, SLICE("acme"), filter, bounds);
        must(e == OK || e == ERR_CORRUPT);
        filter_release(filter);
    }
}

static void try_segment(uint64_t seed)
{
    OWNED(segment) segment = NULL;
    OWNED(segment) again = NULL;
    struct segment_summary summary;
    if (segment_open(dir, "f.seg", &segment, NULL) != OK) {
        return;
    }
    const struct rows *rows = segment_rows(segment);
    enum err whole = segment_verify(segment, NULL);
    enum err read = read_all(rows);
    must(whole != OK || read == OK);
    match_some(rows, seed);
    enum err e =
        segment_write(rows, &(struct segment_write_options){0}, dir, "w.seg", &summary, NULL);
    must(e == OK || e == ERR_CORRUPT || e == ERR_LIMIT);
    must(whole != OK || e == OK);
    if (whole == OK) { /* written again it is the same log */
        must(segment_open(dir, "w.seg", &again, NULL) == OK);
        must(merkle_hash_equal(&segment_summary(again)->root, &segment_summary(segment)->root));
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
    damage_apply((slice){data + 1, size - 1}, bytes, valid_len);
    if (data[0] % 4 != 0) {
        damage_mend_footer(bytes, valid_len);
    }
    size_t len = data[0] % 16 == 15 ? valid_len / 2 : valid_len;
    damage_write(dir, "f.seg", (slice){bytes, len});
    try_segment(size);
    return 0;
}
