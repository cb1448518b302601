/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a program that change something, and the program itself. */
#include "model/run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "columns/row_set.h"
#include "ledger/ledger_support.h"
#include "ledger/verify.h"
#include "search/match.h"

enum {
    BATCH_EVENTS_MAX = 1000,
    CUT_WITHIN = 40, /* operations on files: a batch takes about two, a seal or a checkpoint more */
};

/* ---- What is said ---- */

void model_say(struct model_run *run, const char *format, ...)
{
    struct model_report *report = run->report;
    size_t room = sizeof(report->steps) - report->len;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(report->steps + report->len, room, format, args);
    va_end(args);
    if (len > 0) {
        report->len += (size_t)len < room ? (size_t)len : room - 1;
    }
}

bool model_differs(struct model_run *run, const char *format, ...)
{
    if (run->report->why[0] == '\0') {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(run->report->why, sizeof(run->report->why), format, args);
        va_end(args);
    }
    return false;
}

/* ---- Open and close, also by losing the power ---- */

#define POWER_STAYS INT64_MAX
static _Atomic int64_t operations_left = POWER_STAYS;
static _Atomic bool power_tears; /* the last write is half done */

static enum fault_action decide(void *ctx, const struct fault_op *op)
{
    UNUSED(ctx);
    UNUSED(op);
    if (atomic_load(&operations_left) == POWER_STAYS) {
        return FAULT_NONE;
    }
    if (atomic_fetch_sub(&operations_left, 1) > 0) {
        return FAULT_NONE;
    }
    return atomic_load(&power_tears) ? FAULT_TORN : FAULT_POWER_OFF;
}

static void on_fatal(void *context, const struct diag *diag)
{
    /* The program sees it by what is refused from now on. */
}

static bool open_ledger(struct model_run *run)
{
    const struct ledger_options options = {
        .wal_file_bytes = MIB(4),    /* larger than any batch of a program */
        .cache_bytes_max = KIB(256), /* so that rows are read back from the WAL, too */
        .checkpoint_interval_ms = 20,
        .on_fatal = on_fatal,
    };
    struct diag diag = {0};
    run->plan = (struct fault_plan){.decide = decide};
    atomic_store(&operations_left, POWER_STAYS);
    fault_install(&run->plan);
    if (ledger_open(run->data_path, &options, &run->ledger, &diag) != OK) {
        run->ledger = NULL;
        return model_differs(run, "it does not open: %s: %s", diag.where, diag.text);
    }
    run->store = ledger_store(run->ledger);
    return true;
}

static void close_ledger(struct model_run *run)
{
    ledger_close(run->ledger);
    run->ledger = NULL;
    fault_install(NULL);
}

static bool restart(struct model_run *run)
{
    model_say(run, "restart");
    close_ledger(run);
    return open_ledger(run);
}

static bool settle(struct model_run *run)
{
    model_say(run, "wait until all is sealed that can be");
    ledger_settle(run->ledger);
    return true;
}

static bool verify(struct model_run *run)
{
    struct ledger_verify_result result = {0};
    struct diag diag = {0};
    model_say(run, "verify");
    close_ledger(run);
    enum err e = ledger_verify(run->data_path, (slice){0}, NULL, NULL, &result, &diag);
    if (e != OK) {
        return model_differs(run, "%s: %s: %s", err_name(e), diag.where, diag.text);
    }
    uint64_t erased = model_erased(run->model, 0, run->model->count);
    if (result.events != run->model->count || result.erased != erased) {
        return model_differs(run,
                             "%" PRIu64 " events and %" PRIu64
                             " erased, instead of %zu and %" PRIu64,
                             result.events, result.erased, run->model->count, erased);
    }
    return open_ledger(run);
}

static bool rotate(struct model_run *run)
{
    struct store_identity identity;
    bool overlaps = random_below(&run->random, 4) == 0;
    model_say(run, "rotate the key%s", overlaps ? " with an overlap" : "");
    enum err wanted = run->key_overlaps                  ? ERR_CONFLICT
                      : run->key_count == STORE_KEYS_MAX ? ERR_LIMIT
                                                         : OK;
    enum err e = store_rotate_key(run->store, overlaps ? INT64_C(86400000000) : 0, NULL);
    if (e != wanted) {
        return model_differs(run, "%s instead of %s", err_name(e), err_name(wanted));
    }
    if (e == OK) {
        run->key_count++;
        run->key_overlaps = overlaps;
    }
    store_identity(run->store, &identity);
    return identity.key_count == run->key_count ||
           model_differs(run, "%zu keys instead of %zu", identity.key_count, run->key_count);
}

/* ---- Appends ---- */

struct append {
    struct arena arena;
    struct model_offer *offers;
    size_t count;
    struct batch batch;
    enum err wanted; /* of the batch, by the model */
    size_t conflict_at;
};

static void append_release(struct append *append)
{
    batch_release(&append->batch);
    arena_release(&append->arena);
    free(append->offers);
}

static void say_offers(struct model_run *run, const struct append *append)
{
    static const char *const states[] = {"new", "repeats", "conflicts with"};
    for (size_t i = 0; i < append->count; i++) {
        const struct model_offer *offer = &append->offers[i];
        if (append->wanted != OK && i > append->conflict_at) {
            return; /* not looked at any more */
        }
        if (i < 8) {
            model_say(run, "%s %s %" PRIu64, i > 0 ? "," : ":", states[offer->state], offer->seq);
        }
    }
}

/* Makes a batch of what the step's seed says, and asks the model what must become of it. */
static void append_prepare(struct model_run *run, struct append *append)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(4));
    bool skips = random_below(&run->random, 2) == 0;
    append->count = run->size < BATCH_EVENTS_MAX ? run->size : BATCH_EVENTS_MAX;
    append->offers = mem_array(append->count + 1, sizeof(*append->offers));
    arena_init(&append->arena, MIB(256));
    batch_init(&append->batch);
    append->batch.leaf_due = append->count == 1 && random_below(&run->random, 2) == 0;
    for (size_t i = 0; i < append->count; i++) {
        struct filter_random random = {.seed = hash_u64(run->random.seed, i)};
        struct model_offer *offer = &append->offers[i];
        model_random_offer(&random, run->model, append->offers, i, &append->arena, offer);
        enum err e = batch_add(&append->batch, &offer->event, offer->sent, &line);
        if (e != OK) { /* the batch is as large as it may be */
            append->count = i;
            break;
        }
    }
    append->batch.skip_conflicts = skips;
    append->wanted =
        model_judge(run->model, append->offers, append->count, skips, &append->conflict_at);
    model_say(run, "append %zu events%s", append->count, skips ? ", skipping conflicts" : "");
    say_offers(run, append);
}

static bool compare_offer(struct model_run *run, const struct append *append, size_t index)
{
    const struct model_offer *offer = &append->offers[index];
    const struct batch_event *item = &append->batch.events[index];
    if (item->state != offer->state) {
        return model_differs(run, "event %zu of the batch is %d instead of %d", index,
                             (int)item->state, (int)offer->state);
    }
    if (offer->state == BATCH_CONFLICT) {
        return true;
    }
    if (item->seq != offer->seq) {
        return model_differs(run, "event %zu of the batch has seq %" PRIu64 " instead of %" PRIu64,
                             index, item->seq, offer->seq);
    }
    const struct model_event *stored = &run->model->events[offer->seq];
    return (memcmp(item->leaf.bytes, stored->leaf.bytes, sizeof(item->leaf.bytes)) == 0 &&
            item->time_us == stored->event.value[FIELD_EVENT_TIMESTAMP].number) ||
           model_differs(run, "event %zu of the batch has the leaf or the time of another", index);
}

/* What the store says of a batch that it took; the model has stored it already. */
static bool compare_batch(struct model_run *run, const struct append *append)
{
    const struct batch *batch = &append->batch;
    uint64_t counts[3] = {0};
    for (size_t i = 0; i < append->count; i++) {
        counts[append->offers[i].state]++;
        if (!compare_offer(run, append, i)) {
            return false;
        }
    }
    if (batch->stored != counts[BATCH_STORED] || batch->duplicates != counts[BATCH_DUPLICATE] ||
        batch->conflicts != counts[BATCH_CONFLICT]) {
        return model_differs(run, "%" PRIu64 " stored, %" PRIu64 " repeated, %" PRIu64 " refused",
                             batch->stored, batch->duplicates, batch->conflicts);
    }
    return batch->stored == 0 ||
           (batch->last_seq == run->model->count - 1 &&
            batch->first_seq == run->model->count - batch->stored) ||
           model_differs(run, "the batch is [%" PRIu64 ", %" PRIu64 "]", batch->first_seq,
                         batch->last_seq);
}

bool model_append(struct model_run *run)
{
    CLEANUP(append_release) struct append append = {0};
    append_prepare(run, &append);
    enum err e = commit_batch(run->store, &append.batch);
    if (e != append.wanted) {
        return model_differs(run, "%s instead of %s", err_name(e), err_name(append.wanted));
    }
    if (e != OK) {
        return append.batch.conflict_at == append.conflict_at ||
               model_differs(run, "conflict at %zu instead of %zu", append.batch.conflict_at,
                             append.conflict_at);
    }
    model_store(run->model, append.offers, append.count);
    return compare_batch(run, &append);
}

/* Appends while the power goes: what was acknowledged is there afterwards, what was not is there as
 * a whole or not at all. */
static bool power_cut(struct model_run *run)
{
    CLEANUP(append_release) struct append append = {0};
    int64_t operations = (int64_t)random_below(&run->random, CUT_WITHIN);
    bool tears = random_below(&run->random, 2) == 0;
    model_say(run, "lose the power %" PRId64 " operations from now%s; ", operations,
              tears ? ", within a write" : "");
    append_prepare(run, &append);
    size_t before = run->model->count;
    atomic_store(&power_tears, tears);
    atomic_store(&operations_left, operations);
    enum err e = commit_batch(run->store, &append.batch);
    atomic_store(&operations_left, 0);
    close_ledger(run);
    if ((e == OK) != (append.wanted == OK) && e != ERR_IO) {
        return model_differs(run, "%s instead of %s", err_name(e), err_name(append.wanted));
    }
    if (!open_ledger(run)) {
        return false;
    }
    if (append.wanted == OK && (e == OK || store_size(run->store) > before)) {
        model_say(run, "; all of them are there");
        model_store(run->model, append.offers, append.count);
    }
    return true; /* the size is compared behind every step */
}

/* ---- Erasure ---- */

struct erase_choice {
    const struct filter *filter;
    uint64_t from, to; /* seqs */
};

static enum err choose(void *context, const struct rows *rows, struct row_set *set)
{
    const struct erase_choice *choice = context;
    CLEANUP(mem_freep) struct match_bounds *bounds = mem_zeroed(sizeof(*bounds));
    CLEANUP(mem_freep) char *scratch = mem_zeroed(ROWS_EVENT_SCRATCH_BYTES);
    TRY(match_rows(rows, rows->count, (slice){0}, choice->filter, bounds));
    struct rows_reader *reader = rows->ops->reader_new(rows);
    enum err e = OK;
    for (uint32_t row = row_set_next(&bounds->may, 0); row < ROWS_MAX && e == OK;
         row = row_set_next(&bounds->may, row + 1)) {
        uint64_t seq = rows->first_seq + row;
        struct event event;
        if (seq < choice->from || seq >= choice->to) {
            continue;
        }
        if (!row_set_has(&bounds->must, row)) {
            e = rows_event(reader, row, scratch, &event);
        }
        if (e == OK && (row_set_has(&bounds->must, row) || filter_match(choice->filter, &event))) {
            row_set_add(set, row);
        }
    }
    rows->ops->reader_free(reader);
    return e;
}

/* Some of a short stretch, some of all, a whole segment, or tiles of one. */
static void pick_erasure(struct model_run *run, struct erase_choice *out, struct buf *text)
{
    uint64_t size = run->model->count;
    uint64_t kind = random_below(&run->random, 8);
    uint64_t from = random_below(&run->random, size + 1);
    if (kind == 0) {
        *out = (struct erase_choice){.from = 0, .to = size};
    } else if (kind == 1) {
        *out = (struct erase_choice){.from = from / ROWS_MAX * ROWS_MAX};
        out->to = out->from + ROWS_MAX;
        return; /* every event */
    } else if (kind == 2) {
        *out = (struct erase_choice){.from = from / ROWS_TILE * ROWS_TILE};
        out->to = out->from + ROWS_TILE * (1 + random_below(&run->random, 4));
        return;
    } else {
        *out = (struct erase_choice){.from = from, .to = from + 1 + random_below(&run->random, 60)};
    }
    model_random_filter(&run->random, run->model, text);
}

/* The choice of this step, said; false (and a difference) when its filter is refused. */
static bool choose_erasure(struct model_run *run, struct arena *arena, struct erase_choice *out)
{
    static const struct filter_context context = {.now_us = SAMPLE_NOW_US};
    CLEANUP(buf_release) struct buf text = BUF_INIT(FILTER_TEXT_BYTES_MAX);
    struct diag diag = {0};
    slice copy = {0};
    pick_erasure(run, out, &text);
    model_say(run, "erase [%" PRIu64 ", %" PRIu64 ") where \"%.*s\"", out->from, out->to,
              SLICE_ARG(buf_slice(&text)));
    ASSERT(arena_copy(arena, buf_slice(&text), &copy));
    return filter_parse(copy, &context, arena, &out->filter, &diag) == OK ||
           model_differs(run, "refused: %s: %s", diag.where, diag.text);
}

/* All of it, now. */
static bool erase_whole(struct model_run *run, struct erase_choice *choice, uint64_t *erased)
{
    struct diag diag = {0};
    enum err e = ledger_erase(run->ledger, choose, choice, erased, &diag);
    model_say(run, ": %" PRIu64, *erased);
    return e == OK || model_differs(run, "%s: %s: %s", err_name(e), diag.where, diag.text);
}

static bool erase(struct model_run *run)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(16));
    struct erase_choice choice = {0};
    uint64_t erased = 0;
    if (!choose_erasure(run, &arena, &choice)) {
        return false;
    }
    bool done = erase_whole(run, &choice, &erased);
    uint64_t expected = model_erase(run->model, choice.filter, choice.from, choice.to);
    filter_release(choice.filter);
    return done && (erased == expected ||
                    model_differs(run, "%" PRIu64 " erased instead of %" PRIu64, erased, expected));
}

/* Erases while the power goes, and once more: together they have erased what one would have. */
static bool erase_twice(struct model_run *run, struct erase_choice *choice)
{
    uint64_t first = 0;
    uint64_t second = 0;
    enum err e = ledger_erase(run->ledger, choose, choice, &first, NULL);
    atomic_store(&operations_left, 0);
    close_ledger(run);
    model_say(run, ": %s, and again", err_name(e));
    if (e != OK && e != ERR_IO) {
        return model_differs(run, "%s without power", err_name(e));
    }
    if (!open_ledger(run) || !erase_whole(run, choice, &second)) {
        return false;
    }
    uint64_t expected = model_erase(run->model, choice->filter, choice->from, choice->to);
    if (e == OK) {
        return (first == expected && second == 0) ||
               model_differs(run, "%" PRIu64 " erased, then %" PRIu64 ", instead of %" PRIu64,
                             first, second, expected);
    }
    return second <= expected ||
           model_differs(run, "%" PRIu64 " erased instead of %" PRIu64, second, expected);
}

static bool erase_cut(struct model_run *run)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(16));
    struct erase_choice choice = {0};
    int64_t operations = (int64_t)random_below(&run->random, CUT_WITHIN);
    bool tears = random_below(&run->random, 2) == 0;
    model_say(run, "lose the power %" PRId64 " operations from now%s; ", operations,
              tears ? ", within a write" : "");
    if (!choose_erasure(run, &arena, &choice)) {
        return false;
    }
    atomic_store(&power_tears, tears);
    atomic_store(&operations_left, operations);
    bool same = erase_twice(run, &choice);
    filter_release(choice.filter);
    return same;
}

/* ---- The program ---- */

static bool (*const steps_do[MODEL_STEP_KINDS])(struct model_run *run) = {
    [MODEL_APPEND] = model_append,
    [MODEL_SCAN] = model_ask_scan,
    [MODEL_PAGES] = model_ask_pages,
    [MODEL_COUNT] = model_ask_count,
    [MODEL_GET] = model_ask_get,
    [MODEL_FIND] = model_ask_find,
    [MODEL_TIMELINE] = model_ask_timeline,
    [MODEL_PROVE] = model_ask_proof,
    [MODEL_ENTRIES] = model_ask_entries,
    [MODEL_ERASE] = erase,
    [MODEL_ERASE_CUT] = erase_cut,
    [MODEL_ROTATE] = rotate,
    [MODEL_RESTART] = restart,
    [MODEL_POWER_CUT] = power_cut,
    [MODEL_SETTLE] = settle,
    [MODEL_VERIFY] = verify,
};

static bool compare_size(struct model_run *run)
{
    struct store_figures figures;
    store_figures(run->store, &figures);
    return (store_size(run->store) == run->model->count && figures.events == run->model->count) ||
           model_differs(run, "there are %" PRIu64 " events instead of %zu", figures.events,
                         run->model->count);
}

static bool run_steps(struct model_run *run, const struct model_step *steps, size_t count)
{
    struct store_identity identity;
    if (!open_ledger(run) || !compare_size(run)) {
        return false;
    }
    store_identity(run->store, &identity);
    run->key_count = identity.key_count;
    for (size_t i = 0; i < count; i++) {
        run->random = (struct filter_random){.seed = steps[i].seed};
        run->size = steps[i].size;
        if (!steps_do[steps[i].kind](run) || !compare_size(run)) {
            return false;
        }
        model_say(run, "\n");
    }
    run->size = 1;
    bool same = model_ask_all(run) && model_ask_proof(run);
    model_say(run, "\n");
    return same && verify(run);
}

bool model_run(const char *data_path, struct model *model, const struct model_step *steps,
               size_t count, struct model_report *report)
{
    struct model_run run = {.model = model, .data_path = data_path, .report = report};
    bool same = run_steps(&run, steps, count);
    if (run.ledger != NULL) {
        close_ledger(&run);
    }
    fault_install(NULL);
    report->is_done = true;
    return same;
}
