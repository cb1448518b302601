/* SPDX-License-Identifier: Apache-2.0 */
/* The questions of a program: single events, scans, counts. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/run.h"

enum {
    COMPARED_MAX = 2000,        /* events of one scan that are read */
    ARENA_BYTES_MAX = 16 << 20, /* of one question */
};

static uint64_t below(struct model_run *run, uint64_t bound)
{
    return random_below(&run->random, bound);
}

/* ---- Single events ---- */

static bool compare_event(struct model_run *run, const struct event *found, uint64_t seq)
{
    CLEANUP(buf_release) struct buf a = BUF_INIT(MIB(4));
    CLEANUP(buf_release) struct buf b = BUF_INIT(MIB(4));
    event_write_line(&run->model->events[seq].event, &a);
    event_write_line(found, &b);
    return slice_equal(buf_slice(&a), buf_slice(&b)) ||
           model_differs(run, "event %" PRIu64 " is %.300s instead of %.200s", seq, buf_cstr(&b),
                         buf_cstr(&a));
}

static bool get_one(struct model_run *run, uint64_t seq, slice org)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    struct store_event found;
    enum err expected = ERR_NOT_FOUND;
    if (seq < run->model->count) {
        const struct model_event *one = &run->model->events[seq];
        bool is_of = org.len == 0 || slice_equal(org, one->event.value[FIELD_ORG].text);
        expected = one->is_erased ? ERR_GONE : is_of ? OK : ERR_NOT_FOUND;
    }
    enum err e = store_get(run->store, seq, org, &arena, &found, NULL);
    if (e != expected) {
        return model_differs(run, "get %" PRIu64 " of \"%.*s\": %s instead of %s", seq,
                             SLICE_ARG(org), err_name(e), err_name(expected));
    }
    return e != OK || compare_event(run, &found.event, seq);
}

bool model_ask_get(struct model_run *run)
{
    model_say(run, "get %u events by seq", run->size);
    for (uint32_t i = 0; i < run->size; i++) {
        if (!get_one(run, below(run, run->model->count + 2), model_random_org(&run->random))) {
            return false;
        }
    }
    return true;
}

bool model_ask_all(struct model_run *run)
{
    uint64_t stride = run->model->count / COMPARED_MAX + 1;
    model_say(run, "get every event, or every %" PRIu64 ".", stride);
    for (uint64_t seq = 0; seq < run->model->count; seq += stride) {
        if (!get_one(run, seq, (slice){0})) {
            return false;
        }
    }
    return true;
}

static bool find_one(struct model_run *run, const struct uuid *id, slice org)
{
    CLEANUP(mem_freep) uint64_t *expected = mem_array(run->model->count + 1, sizeof(*expected));
    uint64_t found[STORE_ID_SEQS_MAX];
    size_t count = 0;
    size_t expected_count = model_find_id(run->model, id, org, expected);
    enum err e = store_find_id(run->store, id, org, found, &count, NULL);
    enum err wanted = expected_count > 0 ? OK : ERR_NOT_FOUND;
    if (e != wanted || (e == OK && count != expected_count)) {
        return model_differs(run, "find an id of \"%.*s\": %s and %zu seqs instead of %zu",
                             SLICE_ARG(org), err_name(e), count, expected_count);
    }
    for (size_t i = 0; e == OK && i < count; i++) {
        if (found[i] != expected[i]) {
            return model_differs(run, "find an id: seq %" PRIu64 " instead of %" PRIu64, found[i],
                                 expected[i]);
        }
    }
    return true;
}

bool model_ask_find(struct model_run *run)
{
    model_say(run, "find %u events by id", run->size);
    for (uint32_t i = 0; i < run->size && run->model->count > 0; i++) {
        const struct event *some = &run->model->events[below(run, run->model->count)].event;
        struct uuid id = some->value[FIELD_EVENT_ID].uuid;
        slice org = some->value[FIELD_ORG].text;
        org = below(run, 8) == 0 ? SLICE("acme") : org;
        id.bytes[15] ^= below(run, 8) == 0 ? 1 : 0;
        if (!find_one(run, &id, org)) {
            return false;
        }
    }
    return true;
}

/* ---- Scans ---- */

/* A filter of this step, said; NULL (and a difference) when it is refused. */
static const struct filter *make_filter(struct model_run *run, struct arena *arena)
{
    static const struct filter_context context = {.now_us = SAMPLE_NOW_US};
    CLEANUP(buf_release) struct buf text = BUF_INIT(FILTER_TEXT_BYTES_MAX);
    struct diag diag = {0};
    slice copy = {0};
    const struct filter *filter = NULL;
    model_random_filter(&run->random, run->model, &text);
    model_say(run, " where \"%.*s\"", SLICE_ARG(buf_slice(&text)));
    ASSERT(arena_copy(arena, buf_slice(&text), &copy));
    if (filter_parse(copy, &context, arena, &filter, &diag) != OK) {
        (void)model_differs(run, "refused: %s: %s", diag.where, diag.text);
        return NULL;
    }
    return filter;
}

/* What is there now, or an earlier size. */
static uint64_t pick_size(struct model_run *run)
{
    return below(run, 3) > 0 ? UINT64_MAX : below(run, run->model->count + 1);
}

static void pick_options(struct model_run *run, const struct filter *filter,
                         struct store_scan_options *out)
{
    static const char *const orders[] = {"newest first", "oldest first", "in order of seq",
                                         "backwards by seq"};
    *out = (struct store_scan_options){
        .filter = filter,
        .org = model_random_org(&run->random),
        .order = (enum store_order)below(run, COUNT_OF(orders)),
        .size = pick_size(run),
    };
    model_say(run, " of \"%.*s\" %s", SLICE_ARG(out->org), orders[out->order]);
    if (out->size != UINT64_MAX) {
        model_say(run, ", size %" PRIu64, out->size);
    }
    if (below(run, 3) == 0 && run->model->count > 0) {
        uint64_t seq = below(run, run->model->count);
        const union value *time = &run->model->events[seq].event.value[FIELD_EVENT_TIMESTAMP];
        out->has_after = true;
        out->after = (struct store_position){time->number, seq};
        model_say(run, ", behind event %" PRIu64, seq);
    }
}

/* Reads on in `scan`: the events must be `expected`; the last one stays in *out. */
static bool read_some(struct model_run *run, struct store_scan *scan, const uint64_t *expected,
                      size_t count, struct store_position *out)
{
    const struct store_event *event = NULL;
    struct diag diag = {0};
    for (size_t i = 0; i < count; i++) {
        enum err e = store_scan_next(scan, &event, &diag);
        if (e != OK) {
            return model_differs(run, "result %zu: %s: %s", i, diag.where, diag.text);
        }
        if (event == NULL) {
            return model_differs(run, "the end, instead of event %" PRIu64 " as result %zu",
                                 expected[i], i);
        }
        if (event->seq != expected[i]) {
            return model_differs(run, "event %" PRIu64 " instead of %" PRIu64 " as result %zu",
                                 event->seq, expected[i], i);
        }
        if (!compare_event(run, &event->event, event->seq)) {
            return false;
        }
        *out =
            (struct store_position){event->event.value[FIELD_EVENT_TIMESTAMP].number, event->seq};
    }
    return true;
}

static bool read_end(struct model_run *run, struct store_scan *scan)
{
    const struct store_event *event = NULL;
    if (store_scan_next(scan, &event, NULL) != OK) {
        return model_differs(run, "the end is an error");
    }
    return event == NULL || model_differs(run, "event %" PRIu64 " instead of the end", event->seq);
}

static bool compare_scan(struct model_run *run, const struct store_scan_options *options)
{
    CLEANUP(mem_freep) uint64_t *expected = mem_array(run->model->count + 1, sizeof(*expected));
    size_t count = model_scan(run->model, options, expected);
    struct store_position last;
    OWNED(store_scan) scan = NULL;
    if (store_scan_open(run->store, options, &scan, NULL) != OK) {
        return model_differs(run, "the scan does not open");
    }
    if (count > COMPARED_MAX) {
        return read_some(run, scan, expected, COMPARED_MAX, &last);
    }
    return read_some(run, scan, expected, count, &last) && read_end(run, scan);
}

bool model_ask_scan(struct model_run *run)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    struct store_scan_options options;
    model_say(run, "scan");
    const struct filter *filter = make_filter(run, &arena);
    if (filter == NULL) {
        return false;
    }
    pick_options(run, filter, &options);
    bool same = compare_scan(run, &options);
    filter_release(filter);
    return same;
}

bool model_ask_timeline(struct model_run *run)
{
    static const struct filter_context context = {.now_us = SAMPLE_NOW_US};
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    const struct filter *filter = NULL;
    slice flow = SLICE("none");
    for (int i = 0; i < 4 && run->model->count > 0; i++) {
        const struct event *some = &run->model->events[below(run, run->model->count)].event;
        flow =
            event_has(some, FIELD_CORRELATION_ID) ? some->value[FIELD_CORRELATION_ID].text : flow;
    }
    model_say(run, "timeline of %.*s", SLICE_ARG(flow));
    if (filter_make_leaf(SLICE("correlation_id"), FILTER_EQUAL, flow, &context, &arena, &filter,
                         NULL) != OK) {
        return model_differs(run, "refused");
    }
    const struct store_scan_options options = {
        .filter = filter,
        .org = model_random_org(&run->random),
        .order = STORE_TIME_ASC,
        .size = UINT64_MAX,
    };
    bool same = compare_scan(run, &options);
    filter_release(filter);
    return same;
}

/* One page from where the last one ended. */
static bool read_page(struct model_run *run, const struct store_scan_options *options,
                      const uint64_t *expected, size_t count, struct store_position *last)
{
    OWNED(store_scan) scan = NULL;
    if (store_scan_open(run->store, options, &scan, NULL) != OK) {
        return model_differs(run, "the scan does not open");
    }
    if (count > run->size) {
        return read_some(run, scan, expected, run->size, last);
    }
    return read_some(run, scan, expected, count, last) && read_end(run, scan);
}

/* The pages together are what a scan of the first page's moment gives, whatever arrives. */
static bool read_pages(struct model_run *run, struct store_scan_options *options)
{
    CLEANUP(mem_freep) uint64_t *expected = mem_array(run->model->count + 1, sizeof(*expected));
    uint64_t now = store_size(run->store);
    options->size = options->size < now ? options->size : now;
    size_t count = model_scan(run->model, options, expected);
    uint32_t page = run->size;
    bool grows = below(run, 2) == 0;
    for (size_t at = 0; at < count && at < 20 * (size_t)page; at += page) {
        if (!read_page(run, options, expected + at, count - at, &options->after)) {
            return false;
        }
        options->has_after = true;
        if (grows && at == 0) {
            model_say(run, "; between the first and the second page ");
            run->size = 3;
            bool same = model_append(run);
            run->size = page;
            if (!same) {
                return false;
            }
        }
    }
    return true;
}

bool model_ask_pages(struct model_run *run)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    struct store_scan_options options;
    model_say(run, "pages of %u", run->size);
    const struct filter *filter = make_filter(run, &arena);
    if (filter == NULL) {
        return false;
    }
    pick_options(run, filter, &options);
    bool same = read_pages(run, &options);
    filter_release(filter);
    return same;
}

/* ---- Counts ---- */

static bool compare_groups(struct model_run *run, const struct store_count_options *options,
                           const struct model_group *expected, size_t count)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(64));
    struct store_group *groups = NULL;
    size_t found = 0;
    enum err e = store_count(run->store, options, &arena, &groups, &found, NULL);
    enum err wanted = count > options->groups_max ? ERR_LIMIT : OK;
    if (e != wanted || (e == OK && found != count)) {
        return model_differs(run, "%s and %zu groups instead of %zu", err_name(e), found, count);
    }
    if (e != OK) {
        return true;
    }
    CLEANUP(mem_freep) struct model_group *sorted = mem_array(found + 1, sizeof(*sorted));
    for (size_t i = 0; i < found; i++) {
        model_group_key(&groups[i], options->group_count, sorted[i].key);
        sorted[i].count = groups[i].count;
    }
    qsort(sorted, found, sizeof(*sorted), model_group_compare);
    for (size_t i = 0; i < found; i++) {
        if (model_group_compare(&sorted[i], &expected[i]) != 0 ||
            sorted[i].count != expected[i].count) {
            return model_differs(run, "group %s: %" PRIu64 " instead of %s: %" PRIu64,
                                 sorted[i].key, sorted[i].count, expected[i].key,
                                 expected[i].count);
        }
    }
    return true;
}

static void pick_groups(struct model_run *run, struct store_count_options *out)
{
    static const enum field group_by[] = {FIELD_EVENT_TYPE,      FIELD_EVENT_OUTCOME,
                                          FIELD_ACTOR_ID,        FIELD_ORG,
                                          FIELD_SEVERITY,        FIELD_IS_SENSITIVE,
                                          FIELD_DURATION_MS,     FIELD_CORRELATION_ID,
                                          FIELD_ACTOR_IP,        FIELD_EVENT_ID,
                                          FIELD_PARENT_EVENT_ID, FIELD_NAMESPACE};
    static const int64_t intervals_us[] = {0, 0, 60000000, 3600000000, 86400000000};
    out->group_count = (size_t)below(run, STORE_GROUP_FIELDS_MAX + 1);
    out->interval_us = intervals_us[below(run, COUNT_OF(intervals_us))];
    out->groups_max = below(run, 8) == 0 ? 10 : 1000000;
    for (size_t i = 0; i < out->group_count; i++) {
        out->group_by[i] = group_by[below(run, COUNT_OF(group_by))];
        model_say(run, " %.*s", SLICE_ARG(fields[out->group_by[i]].name));
    }
    model_say(run, ", every %" PRId64 " s, at most %zu groups", out->interval_us / 1000000,
              out->groups_max);
}

bool model_ask_count(struct model_run *run)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    struct model_group *expected = NULL;
    model_say(run, "count");
    const struct filter *filter = make_filter(run, &arena);
    if (filter == NULL) {
        return false;
    }
    struct store_count_options options = {
        .filter = filter,
        .org = model_random_org(&run->random),
        .size = pick_size(run),
    };
    model_say(run, " of \"%.*s\" below %" PRIu64 " by", SLICE_ARG(options.org), options.size);
    pick_groups(run, &options);
    size_t count = model_count(run->model, &options, &expected);
    bool same = compare_groups(run, &options, expected, count);
    free(expected);
    filter_release(filter);
    return same;
}
