/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ingest/intake.h"
#include "ingest/pool.h"
#include "os/clock.h"

enum {
    PENDING_BYTES_MAX = INTAKE_COLLECT_BYTES_MAX,
    GROWTH_BYTES = 4096, /* at least, before a part of a record is looked at again */
};

static void on_done(struct batch *batch, enum err result, const struct diag *diag)
{
    struct group *group = batch->owner;
    struct intake *intake = group->intake;
    group->result = result;
    group->diag = diag != NULL ? *diag : (struct diag){0};
    intake->options.wake(intake->options.context, (size_t)(group - intake->groups));
}

static struct intake *make_intake(void)
{
    struct intake *intake = mem_zeroed(sizeof(*intake));
    buf_init(&intake->pending, PENDING_BYTES_MAX);
    for (size_t i = 0; i < INTAKE_SLOTS; i++) {
        struct group *group = &intake->groups[i];
        batch_init(&group->batch);
        group->intake = intake;
        group->batch.owner = group;
        group->batch.done = on_done;
    }
    return intake;
}

struct intake *intake_new(const struct ingest *ingest, const struct intake_options *options)
{
    struct intake *intake = ingest->pool != NULL ? intake_pool_take(ingest->pool) : NULL;
    intake = intake != NULL ? intake : make_intake();
    intake->ingest = ingest;
    intake->options = *options;
    intake->options.read.past_us_max =
        options->shape == INTAKE_FORMAT ? 0 : options->read.past_us_max;
    intake->next_line = 1;
    return intake;
}

/* All of one request goes, its memory stays. */
static void forget(struct intake *intake)
{
    buf_clear(&intake->pending);
    for (size_t i = 0; i < INTAKE_SLOTS; i++) {
        batch_clear(&intake->groups[i].batch);
    }
    requirements_drop(&intake->hold);
    free(intake->result.errors);
    free(intake->result.warnings);
    free(intake->result.event_ids);
    intake->result = (struct intake_result){0};
    intake->format_state = (struct format_state){0};
    intake->next_index = 0;
    intake->partial = 0;
    intake->filling = 0;
    intake->ended = intake->stopped = false;
}

static size_t held_bytes(const struct intake *intake)
{
    size_t bytes = sizeof(*intake) + intake->pending.capacity;
    for (size_t i = 0; i < INTAKE_SLOTS; i++) {
        const struct group *group = &intake->groups[i];
        bytes += group->batch.rows.capacity + group->capacity * sizeof(struct place) +
                 group->batch.capacity * sizeof(struct batch_event);
    }
    return bytes;
}

void intake_free(struct intake *intake)
{
    if (intake == NULL) {
        return;
    }
    for (size_t i = 0; i < INTAKE_SLOTS; i++) {
        ASSERT(!intake->groups[i].in_flight);
    }
    struct intake_pool *pool = intake->ingest->pool;
    forget(intake);
    if (pool == NULL || !intake_pool_give(pool, intake, held_bytes(intake))) {
        intake_end_life(intake);
    }
}

void intake_end_life(struct intake *intake)
{
    for (size_t i = 0; i < INTAKE_SLOTS; i++) {
        batch_release(&intake->groups[i].batch);
        free(intake->groups[i].places);
    }
    buf_release(&intake->pending);
    free(intake);
}

const struct intake_result *intake_result(const struct intake *intake)
{
    return &intake->result;
}

/* ---- Batches ---- */

static void submit(struct intake *intake, struct group *group)
{
    struct diag diag = {0};
    group->batch.skip_conflicts = !intake_is_collected(intake) || intake->options.skip_errors;
    group->in_flight = true;
    enum err e = store_append(intake->ingest->store, &group->batch, &diag);
    if (e != OK) {
        group->in_flight = false;
        intake_stop_at(intake, e, group->places[0].index, group->places[0].line, &diag);
        batch_clear(&group->batch);
    }
}

/* A group that may take records, or NULL while all are being committed. */
static struct group *group_to_fill(struct intake *intake)
{
    for (size_t i = 0; i < INTAKE_SLOTS; i++) {
        size_t at = (intake->filling + i) % INTAKE_SLOTS;
        if (!intake->groups[at].in_flight) {
            intake->filling = at;
            return &intake->groups[at];
        }
    }
    return NULL;
}

static bool anything_in_flight(const struct intake *intake)
{
    for (size_t i = 0; i < INTAKE_SLOTS; i++) {
        if (intake->groups[i].in_flight) {
            return true;
        }
    }
    return false;
}

static bool is_full(const struct intake *intake, const struct group *group)
{
    return !intake_is_collected(intake) && (group->batch.rows.len >= INTAKE_GROUP_BYTES ||
                                            group->batch.count == STORE_BATCH_EVENTS_MAX);
}

/* What holds for the records that are taken now. */
static void begin_work(struct intake *intake)
{
    intake->options.read.now_us = clock_now_us();
    if (intake->ingest->requirements != NULL) {
        requirements_take(intake->ingest->requirements, intake->options.read.org, &intake->hold);
    }
}

/* ---- Streams ---- */

static void stop_at_next(struct intake *intake, const char *why)
{
    struct diag diag = {0};
    bool has_lines = intake->options.shape == INTAKE_LINES && !intake_is_collected(intake);
    uint64_t line = has_lines ? intake->next_line : 0;
    enum err e = diag_fail(&diag, ERR_LIMIT, "", "%s", why);
    intake_stop_at(intake, e, intake->next_index, line, &diag);
}

/* Takes records from *text until it has no whole one left, or all batches are being committed. */
static void take_records(struct intake *intake, slice *text)
{
    struct group *group = NULL;
    intake->partial = 0;
    while (!intake->stopped && (group = group_to_fill(intake)) != NULL) {
        slice record = {0};
        uint64_t line = 0;
        if (!intake_next_record(intake, text, &record, &line)) {
            intake->partial = text->len;
            break;
        }
        intake_add_record(intake, group, record, line);
        if (is_full(intake, group)) {
            submit(intake, group);
        }
    }
    if (intake->partial > READ_LINE_BYTES_MAX) {
        stop_at_next(intake, "the record is longer than an event may be");
    }
}

/* ---- The states ---- */

static enum intake_state state_of(struct intake *intake)
{
    if (intake->stopped || intake->ended) {
        return anything_in_flight(intake) ? INTAKE_WAITS : INTAKE_FINISHED;
    }
    return group_to_fill(intake) == NULL ? INTAKE_WAITS : INTAKE_WANTS_MORE;
}

/* What is filled goes in. After a failure nothing of what is committed at once does; of a stream
 * what came before it, and nothing behind it, so that its client can go on from there. */
static void submit_rest(struct intake *intake)
{
    struct group *group = &intake->groups[intake->filling];
    if (group->in_flight || group->batch.count == 0) {
        return;
    }
    bool is_behind = group->places[0].index > intake->result.index;
    if (intake->stopped && (is_behind || intake_is_collected(intake))) {
        batch_clear(&group->batch);
        return;
    }
    submit(intake, group);
}

static void keep_rest(struct intake *intake, slice rest)
{
    size_t dropped = intake->pending.len - rest.len;
    buf_drop_front(&intake->pending, dropped);
}

/* Works on what is pending, as far as it goes now. */
static void work(struct intake *intake)
{
    begin_work(intake);
    slice text = buf_slice(&intake->pending);
    take_records(intake, &text);
    keep_rest(intake, text);
    bool all_taken = intake->ended && intake->pending.len == 0;
    if (intake->stopped || all_taken) {
        submit_rest(intake);
    }
}

static void keep(struct intake *intake, slice bytes)
{
    buf_append(&intake->pending, bytes);
    if (intake->pending.failed) {
        stop_at_next(intake, intake_is_collected(intake)
                                 ? "the body is larger than 8 MiB; send it as NDJSON"
                                 : "more came at once than is held");
    }
}

/* How much of a record is to be there when it is looked at again. To look at each small piece would
 * cost the square of its length: a line waits for its line feed, others until they are longer by a
 * quarter. */
static size_t look_again_at(const struct intake *intake)
{
    size_t longer = intake->partial + intake->partial / 4 + GROWTH_BYTES;
    bool waits = intake->options.shape == INTAKE_LINES || longer > READ_LINE_BYTES_MAX;
    return waits ? READ_LINE_BYTES_MAX + 1 : longer;
}

/* The piece belongs to a record whose beginning is pending; of lines only the end of that one is
 * copied. */
static void complete_record(struct intake *intake, slice *piece)
{
    bool is_lines = intake->options.shape == INTAKE_LINES;
    const uint8_t *feed = is_lines && piece->len > 0 ? memchr(piece->ptr, '\n', piece->len) : NULL;
    keep(intake, slice_take(piece, feed != NULL ? (size_t)(feed - piece->ptr) + 1 : piece->len));
    bool is_known = intake->partial > 0 && feed == NULL;
    if (!intake->stopped && (!is_known || intake->pending.len >= look_again_at(intake))) {
        work(intake);
    }
}

static void work_on_piece(struct intake *intake, slice piece)
{
    if (intake->pending.len > 0) {
        complete_record(intake, &piece);
    }
    if (intake->pending.len == 0 && !intake->stopped) {
        begin_work(intake);
        take_records(intake, &piece); /* most lie inside one piece and are never copied */
    }
    if (!intake->stopped) {
        keep(intake, piece);
    }
    if (intake->stopped) {
        submit_rest(intake);
    }
}

static void end_collected(struct intake *intake, slice body)
{
    intake->ended = true;
    begin_work(intake);
    intake_take_whole(intake, body);
    submit_rest(intake);
}

enum intake_state intake_feed(struct intake *intake, slice piece, bool is_whole)
{
    ASSERT(!intake->ended);
    if (intake->stopped) {
        return state_of(intake);
    }
    if (intake_is_collected(intake) && is_whole && piece.len <= INTAKE_COLLECT_BYTES_MAX) {
        end_collected(intake, piece);
        return INTAKE_WANTS_MORE;
    }
    if (intake_is_collected(intake)) {
        keep(intake, piece);
        return intake->stopped ? state_of(intake) : INTAKE_WANTS_MORE;
    }
    work_on_piece(intake, piece);
    return state_of(intake);
}

enum intake_state intake_end(struct intake *intake)
{
    if (intake->ended) { /* it was fed in one piece */
        return state_of(intake);
    }
    intake->ended = true;
    if (!intake->stopped && intake_is_collected(intake)) {
        end_collected(intake, buf_slice(&intake->pending));
    } else {
        work(intake);
    }
    return state_of(intake);
}

enum intake_state intake_continue(struct intake *intake, size_t slot)
{
    ASSERT(intake->groups[slot].in_flight);
    intake_take_result(intake, &intake->groups[slot]);
    if (!intake_is_collected(intake)) {
        work(intake);
    }
    return state_of(intake);
}

enum intake_state intake_abandon(struct intake *intake)
{
    intake->stopped = true;
    struct group *group = &intake->groups[intake->filling];
    if (!group->in_flight) {
        batch_clear(&group->batch);
    }
    return state_of(intake);
}
