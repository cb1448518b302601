/* SPDX-License-Identifier: Apache-2.0 */
#include "search/view_run.h"

#include <stdlib.h>

#include "base/mem.h"
#include "columns/row_set.h"
#include "search/time_sort.h"

#define NO_TILE UINT32_MAX

/* How rows are gone through. */
enum walk { WALK_UP, WALK_DOWN, WALK_SORTED_UP, WALK_SORTED_DOWN };

struct view_run_open {
    struct match_bounds bounds;
    struct rows_reader *reader;
    enum walk walk;
    bool by_time;
    uint32_t row;
    struct timed_row *sorted; /* of WALK_SORTED_*: candidates in order of time */
    uint32_t sorted_count;
    uint32_t sorted_at;
    uint32_t tile; /* whose times these are */
    int64_t times[ROWS_TILE];
};

bool view_key_before(const struct view_key *a, const struct view_key *b)
{
    if (a->time_us != b->time_us) {
        return a->descends ? a->time_us > b->time_us : a->time_us < b->time_us;
    }
    return a->descends ? a->seq > b->seq : a->seq < b->seq;
}

static bool is_by_time(enum store_order order)
{
    return order == STORE_TIME_ASC || order == STORE_TIME_DESC;
}

static bool descends(enum store_order order)
{
    return order == STORE_TIME_DESC || order == STORE_SEQ_DESC;
}

void view_run_init(struct view_run *run, const struct view_choice *choice, enum store_order order)
{
    const struct view_entry *entry = choice->entry;
    bool down = descends(order);
    int64_t time_us = down ? entry->time_max_us : entry->time_min_us;
    *run = (struct view_run){
        .choice = *choice,
        .key =
            {
                .time_us = is_by_time(order) ? time_us : 0,
                .seq = down ? entry->first_seq + choice->count : entry->first_seq,
                .descends = down,
            },
    };
}

void view_run_release(struct view_run *run)
{
    if (run->open != NULL) {
        run->open->reader->rows->ops->reader_free(run->open->reader);
        free(run->open->sorted);
        free(run->open);
        run->open = NULL;
    }
}

static int64_t time_of(struct view_run *run, uint32_t row)
{
    struct view_run_open *open = run->open;
    uint32_t tile = row / ROWS_TILE;
    if (open->tile != tile) {
        uint32_t first = tile * ROWS_TILE;
        uint32_t left = run->choice.count - first;
        const struct rows *rows = run->choice.entry->rows;
        memset(open->times, 0, sizeof(open->times));
        (void)rows->ops->numbers(rows, FIELD_EVENT_TIMESTAMP, first,
                                 left < ROWS_TILE ? left : ROWS_TILE, open->times);
        open->tile = tile;
    }
    return open->times[row % ROWS_TILE];
}

static void sort_candidates(struct view_run *run)
{
    struct view_run_open *open = run->open;
    const struct row_set *may = &open->bounds.may;
    open->sorted = mem_array((size_t)row_set_count(may) + 1, sizeof(*open->sorted));
    for (uint32_t row = row_set_next(may, 0); row < ROWS_MAX; row = row_set_next(may, row + 1)) {
        open->sorted[open->sorted_count++] = (struct timed_row){time_of(run, row), row};
    }
    time_sort(open->sorted, open->sorted_count);
}

/* The first row, or the one behind open->row; ROWS_MAX at the end. */
static uint32_t next_row(struct view_run_open *open, bool is_first)
{
    switch (open->walk) {
    case WALK_UP:
        return row_set_next(&open->bounds.may, is_first ? 0 : open->row + 1);
    case WALK_DOWN:
        return row_set_previous(&open->bounds.may, is_first ? ROWS_MAX : open->row);
    case WALK_SORTED_UP:
    case WALK_SORTED_DOWN:
        break;
    }
    uint32_t at = open->sorted_at++;
    if (at >= open->sorted_count) {
        return ROWS_MAX;
    }
    return open->sorted[open->walk == WALK_SORTED_UP ? at : open->sorted_count - 1 - at].row;
}

static bool go(struct view_run *run, bool is_first)
{
    struct view_run_open *open = run->open;
    open->row = next_row(open, is_first);
    if (open->row == ROWS_MAX) {
        return false;
    }
    run->key.time_us = open->by_time ? time_of(run, open->row) : 0;
    run->key.seq = run->choice.entry->first_seq + open->row;
    return true;
}

bool view_run_advance(struct view_run *run)
{
    return go(run, false);
}

enum err view_run_start(struct view_run *run, const struct store_scan_options *options,
                        bool *has_row)
{
    const struct rows *rows = run->choice.entry->rows;
    struct view_run_open *open = mem_zeroed(sizeof(*open));
    run->open = open;
    open->reader = rows->ops->reader_new(rows);
    open->tile = NO_TILE;
    open->by_time = is_by_time(options->order);
    TRY(match_rows(rows, run->choice.count, options->org, options->filter, &open->bounds));
    bool down = descends(options->order);
    open->walk = down ? WALK_DOWN : WALK_UP;
    if (open->by_time && !rows->time_ordered) {
        open->walk = down ? WALK_SORTED_DOWN : WALK_SORTED_UP;
        sort_candidates(run);
    }
    struct view_key after = {
        .time_us = open->by_time ? options->after.time_us : 0,
        .seq = options->after.seq,
        .descends = down,
    };
    *has_row = go(run, true);
    while (*has_row && options->has_after && !view_key_before(&after, &run->key)) {
        *has_row = go(run, false);
    }
    return OK;
}

enum err view_run_event(struct view_run *run, const struct filter *filter, uint64_t wanted,
                        char *scratch, struct event *out, bool *matches)
{
    struct view_run_open *open = run->open;
    *matches = row_set_has(&open->bounds.must, open->row);
    if (!*matches) {
        TRY(rows_event_fields(open->reader, open->row, wanted, scratch, out));
        *matches = filter_match(filter, out);
    }
    return *matches ? rows_event(open->reader, open->row, scratch, out) : OK;
}
