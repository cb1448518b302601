/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merges the runs of all entries that may have matches: a heap, the run whose next row comes first
 * at its top. A run that was not opened yet stands where its first row could be at the earliest,
 * and is opened only when that comes to the top.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "search/view.h"
#include "search/view_run.h"

struct view_scan {
    struct store_scan_options options;
    struct view_run *runs;
    size_t run_count;
    struct view_run **heap;
    size_t heap_count;
    bool is_behind;  /* the run at the top is still at the row that was given out */
    uint64_t wanted; /* by the filter */
    char *scratch;
    struct store_event event;
};

/* ---- The heap ---- */

static bool is_before(const struct view_scan *scan, size_t a, size_t b)
{
    return view_key_before(&scan->heap[a]->key, &scan->heap[b]->key);
}

static void sift_down(struct view_scan *scan, size_t at)
{
    for (;;) {
        size_t first = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < scan->heap_count; child++) {
            first = is_before(scan, child, first) ? child : first;
        }
        if (first == at) {
            return;
        }
        struct view_run *swap = scan->heap[at];
        scan->heap[at] = scan->heap[first];
        scan->heap[first] = swap;
        at = first;
    }
}

/* The top run moved on, or ended. */
static void settle_top(struct view_scan *scan, bool has_row)
{
    if (!has_row) {
        view_run_release(scan->heap[0]);
        scan->heap[0] = scan->heap[--scan->heap_count];
    }
    sift_down(scan, 0);
}

/* ---- Open, next, free ---- */

/* Whether all rows of an entry stand at or before `after`. */
static bool is_passed(const struct store_scan_options *options, const struct view_choice *choice)
{
    const struct view_entry *entry = choice->entry;
    if (!options->has_after) {
        return false;
    }
    switch (options->order) {
    case STORE_TIME_DESC:
        return entry->time_min_us > options->after.time_us;
    case STORE_TIME_ASC:
        return entry->time_max_us < options->after.time_us;
    case STORE_SEQ_ASC:
        return entry->first_seq + (choice->count - 1) <= options->after.seq;
    case STORE_SEQ_DESC:
        return entry->first_seq >= options->after.seq;
    }
    return false;
}

enum err view_scan_open(const struct view *view, const struct store_scan_options *options,
                        struct view_scan **out, struct diag *diag)
{
    UNUSED(diag);
    size_t count = 0;
    CLEANUP(mem_freep)
    struct view_choice *chosen =
        view_prune(view, options->org, options->filter, options->size, &count);
    struct view_scan *scan = mem_zeroed(sizeof(*scan));
    scan->options = *options;
    scan->wanted = match_fields(options->filter);
    scan->runs = mem_array(count + 1, sizeof(*scan->runs));
    scan->heap = mem_array(count + 1, sizeof(struct view_run *));
    scan->scratch = mem_resize(NULL, ROWS_EVENT_SCRATCH_BYTES);
    for (size_t i = 0; i < count; i++) {
        if (!is_passed(options, &chosen[i])) {
            struct view_run *run = &scan->runs[scan->run_count++];
            view_run_init(run, &chosen[i], options->order);
            scan->heap[scan->heap_count++] = run;
        }
    }
    for (size_t i = scan->heap_count / 2; i > 0; i--) {
        sift_down(scan, i - 1);
    }
    *out = scan;
    return OK;
}

static enum err fail_row(const struct view_run *run, enum err e, struct diag *diag)
{
    return e == ERR_CORRUPT
               ? diag_fail(diag, e, "", "event %" PRIu64 " cannot be read", run->key.seq)
               : e;
}

enum err view_scan_next(struct view_scan *scan, const struct store_event **out, struct diag *diag)
{
    *out = NULL;
    if (scan->is_behind) {
        scan->is_behind = false;
        settle_top(scan, view_run_advance(scan->heap[0]));
    }
    while (scan->heap_count > 0) {
        struct view_run *run = scan->heap[0];
        bool matches = false;
        if (run->open == NULL) {
            bool has_row = false;
            TRY(view_run_start(run, &scan->options, &has_row));
            settle_top(scan, has_row);
            continue;
        }
        enum err e = view_run_event(run, scan->options.filter, scan->wanted, scan->scratch,
                                    &scan->event.event, &matches);
        if (e != OK) {
            return fail_row(run, e, diag);
        }
        if (matches) {
            scan->event.seq = run->key.seq;
            scan->is_behind = true;
            *out = &scan->event;
            return OK;
        }
        settle_top(scan, view_run_advance(run));
    }
    return OK;
}

void view_scan_free(struct view_scan *scan)
{
    if (scan == NULL) {
        return;
    }
    for (size_t i = 0; i < scan->run_count; i++) {
        view_run_release(&scan->runs[i]);
    }
    free(scan->runs);
    free(scan->heap);
    free(scan->scratch);
    free(scan);
}
