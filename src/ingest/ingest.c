/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/json.h"
#include "ingest/metrics.h"
#include "ingest/pool.h"
#include "ingest/requirements.h"
#include "os/clock.h"

enum {
    ARENA_BYTES_MAX = 4 * 1024 * 1024, /* what one event may need beside its own bytes */
    PENDING_BYTES_MAX = INTAKE_COLLECT_BYTES_MAX,
    LINE_BYTES_MAX = 2 * 1024 * 1024,
    LONE_BYTES_MAX = 16 * 1024, /* of an event alone whose leaf hash is left to the store */
};

/* Where a record stood in the request, and what it counts as. */
struct place {
    uint64_t index;
    uint64_t line;
    uint32_t label; /* of ingest/metrics.h */
};

/* A batch and what is known of its records beside it. */
struct group {
    struct batch batch;
    struct intake *intake;
    struct place *places; /* [batch.count], of `capacity` */
    size_t capacity;
    enum err result;
    struct diag diag;
    bool in_flight; /* the store has it, or its wake is on the way */
};

struct intake {
    const struct ingest *ingest;
    struct intake_options options;
    struct group groups[INTAKE_SLOTS];
    size_t filling;     /* group that takes records */
    struct buf pending; /* bytes of the request that are not taken yet */
    struct buf line;    /* scratch */
    struct arena arena; /* of one event */
    struct format_state format_state;
    struct requirements_hold hold; /* of what is required of the request's events */
    uint64_t next_index;
    uint64_t next_line;
    bool ended;   /* no more bytes */
    bool stopped; /* an error, or nobody waits: nothing new is begun */
    struct intake_result result;
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
    buf_init(&intake->line, LINE_BYTES_MAX);
    arena_init(&intake->arena, ARENA_BYTES_MAX);
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
    buf_clear(&intake->line);
    arena_clear(&intake->arena);
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
    intake->filling = 0;
    intake->ended = intake->stopped = false;
}

static size_t held_bytes(const struct intake *intake)
{
    size_t bytes =
        sizeof(*intake) + intake->pending.capacity + intake->line.capacity + intake->arena.held;
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
    buf_release(&intake->line);
    arena_release(&intake->arena);
    free(intake);
}

const struct intake_result *intake_result(const struct intake *intake)
{
    return &intake->result;
}

static bool is_collected(const struct intake *intake)
{
    return intake->options.shape == INTAKE_JSON || intake->options.atomic;
}

/* ---- Results ---- */

/* The first failure is the answer, but for one that stands earlier in the request. */
static void stop_at(struct intake *intake, enum err err, uint64_t index, uint64_t line,
                    const struct diag *diag)
{
    struct intake_result *result = &intake->result;
    intake->stopped = true;
    if (result->err != OK && result->index <= index) {
        return;
    }
    result->err = err;
    result->index = index;
    result->line = line;
    result->diag = *diag;
}

/* One more entry of a list of at most `max`. */
static void add_told(struct intake_error **list, size_t *count, size_t max, uint64_t index,
                     const struct diag *diag)
{
    if (*count == max) {
        return;
    }
    if (*list == NULL) {
        *list = mem_array(max, sizeof(**list));
    }
    struct intake_error *told = &(*list)[(*count)++];
    told->index = index;
    memcpy(told->pointer, diag->where, sizeof(told->pointer));
    memcpy(told->detail, diag->text, sizeof(told->detail));
}

static void add_error(struct intake *intake, uint64_t index, const struct diag *diag)
{
    struct intake_result *result = &intake->result;
    result->error_total++;
    add_told(&result->errors, &result->error_count, INTAKE_ERRORS_MAX, index, diag);
}

static void add_warning(struct intake *intake, uint64_t index, const struct diag *diag)
{
    struct intake_result *result = &intake->result;
    result->warning_total++;
    add_told(&result->warnings, &result->warning_count, INTAKE_WARNINGS_MAX, index, diag);
}

/* A record that is no event: told and passed over, or the end. */
static void refuse(struct intake *intake, enum err err, uint64_t index, uint64_t line,
                   const struct diag *diag)
{
    if (intake->ingest->metrics != NULL) {
        ingest_metrics_refused(intake->ingest->metrics);
    }
    if (intake->options.skip_errors) {
        add_error(intake, index, diag);
    } else {
        stop_at(intake, err, index, line, diag);
    }
}

static void take_seqs(struct intake_result *result, const struct batch *batch)
{
    if (batch->stored == 0) {
        return;
    }
    if (!result->has_seqs || batch->first_seq < result->first_seq) {
        result->first_seq = batch->first_seq;
    }
    if (!result->has_seqs || batch->last_seq > result->last_seq) {
        result->last_seq = batch->last_seq;
    }
    result->has_seqs = true;
}

static const struct diag conflict = {"/event_id", "is stored already with other content"};

static void take_conflicts(struct intake *intake, const struct group *group)
{
    for (size_t i = 0; i < group->batch.count; i++) {
        if (group->batch.events[i].state == BATCH_CONFLICT) {
            if (intake->options.skip_errors) {
                add_error(intake, group->places[i].index, &conflict);
            } else {
                stop_at(intake, ERR_CONFLICT, group->places[i].index, group->places[i].line,
                        &conflict);
            }
        }
    }
}

static void take_ids(struct intake *intake, const struct group *group)
{
    struct intake_result *result = &intake->result;
    size_t total = result->event_id_count + group->batch.count;
    result->event_ids = mem_resize(result->event_ids, total * sizeof(*result->event_ids));
    for (size_t i = 0; i < group->batch.count; i++) {
        result->event_ids[result->event_id_count++] = group->batch.events[i].id;
    }
}

static void count_events(struct intake *intake, const struct group *group)
{
    struct ingest_metrics *metrics = intake->ingest->metrics;
    for (size_t i = 0; i < group->batch.count && metrics != NULL; i++) {
        if (group->batch.events[i].state == BATCH_STORED) {
            ingest_metrics_count(metrics, group->places[i].label);
        }
    }
}

/* What a finished commit means for the answer. */
static void take_result(struct intake *intake, struct group *group)
{
    struct intake_result *result = &intake->result;
    const struct batch *batch = &group->batch;
    if (group->result == ERR_CONFLICT) {
        size_t at = batch->conflict_at;
        stop_at(intake, ERR_CONFLICT, group->places[at].index, group->places[at].line, &conflict);
    } else if (group->result != OK) {
        stop_at(intake, group->result, group->places[0].index, group->places[0].line, &group->diag);
    } else {
        result->count += batch->stored;
        result->duplicates += batch->duplicates;
        take_seqs(result, batch);
        take_conflicts(intake, group);
        if (result->is_single) {
            result->seq = batch->events[0].seq;
            result->leaf = batch->events[0].leaf;
            result->event_timestamp_us = batch->events[0].time_us;
        }
        if (intake->options.keep_ids) {
            take_ids(intake, group);
        }
        count_events(intake, group);
    }
    batch_clear(&group->batch);
    group->in_flight = false;
}

/* ---- Batches ---- */

static void submit(struct intake *intake, struct group *group)
{
    struct diag diag = {0};
    group->batch.skip_conflicts = !is_collected(intake) || intake->options.skip_errors;
    group->in_flight = true;
    enum err e = store_append(intake->ingest->store, &group->batch, &diag);
    if (e != OK) {
        group->in_flight = false;
        stop_at(intake, e, group->places[0].index, group->places[0].line, &diag);
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

static struct place *place_of_last(struct group *group)
{
    size_t at = group->batch.count - 1;
    if (at >= group->capacity) {
        group->capacity = group->capacity > 0 ? group->capacity * 2 : 16;
        group->places = mem_resize(group->places, group->capacity * sizeof(struct place));
    }
    return &group->places[at];
}

static bool is_full(const struct intake *intake, const struct group *group)
{
    return !is_collected(intake) && (group->batch.rows.len >= INTAKE_GROUP_BYTES ||
                                     group->batch.count == STORE_BATCH_EVENTS_MAX);
}

/* ---- Records ---- */

static enum err read_record(struct intake *intake, slice record, struct event *event,
                            uint64_t *sent, struct diag *diag)
{
    arena_clear(&intake->arena);
    if (intake->options.shape == INTAKE_FORMAT) {
        return format_read(intake->options.format, record, &intake->options.read, &intake->arena,
                           event, sent, diag);
    }
    return event_read(record, &intake->options.read, &intake->arena, event, sent, diag);
}

/* INVALID: the organisation does not take such an event. */
static enum err meet_requirements(struct intake *intake, const struct required_event *sent,
                                  size_t bytes, uint64_t index, struct diag *diag)
{
    enum required_outcome outcome = requirements_check(&intake->hold, sent, bytes, diag);
    if (intake->ingest->metrics != NULL) {
        ingest_metrics_checked(intake->ingest->metrics, outcome);
    }
    if (outcome == REQUIRED_WARNS) {
        add_warning(intake, index, diag);
    }
    return outcome == REQUIRED_REFUSES ? ERR_INVALID : OK;
}

static void add_record(struct intake *intake, struct group *group, slice record, uint64_t line)
{
    struct event event;
    struct diag diag = {0};
    uint64_t sent = 0;
    uint64_t index = intake->next_index++;
    intake->result.records++;
    enum err e = read_record(intake, record, &event, &sent, &diag);
    if (e == OK && intake->hold.required != NULL) {
        bool is_own_form = intake->options.shape != INTAKE_FORMAT;
        const struct required_event said = {&event, sent, is_own_form ? record : (slice){0}};
        e = meet_requirements(intake, &said, record.len, index, &diag);
    }
    if (e == OK) {
        e = batch_add(&group->batch, &event, sent, &intake->line);
        if (e != OK) {
            e = diag_fail(&diag, e, "", "the request holds more than one commit may take");
        }
    }
    if (e != OK) {
        refuse(intake, e, index, line, &diag);
        return;
    }
    struct ingest_metrics *metrics = intake->ingest->metrics;
    *place_of_last(group) = (struct place){
        .index = index,
        .line = line,
        .label = metrics != NULL ? ingest_metrics_label(metrics, &event) : 0,
    };
    if (intake->result.is_single) {
        intake->result.event_id = event.value[FIELD_EVENT_ID].uuid;
    }
}

static bool is_blank(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n') {
            return false;
        }
    }
    return true;
}

/* Takes the next line, with `is_last` also one without its line feed. */
static bool take_line(slice *text, bool is_last, slice *line)
{
    const uint8_t *end = text->len > 0 ? memchr(text->ptr, '\n', text->len) : NULL;
    if (end == NULL && (!is_last || text->len == 0)) {
        return false;
    }
    size_t len = end != NULL ? (size_t)(end - text->ptr) : text->len;
    *line = slice_take(text, len);
    (void)slice_take(text, end != NULL ? 1 : 0);
    return true;
}

static void check_line_length(struct intake *intake, slice rest)
{
    if (rest.len > READ_LINE_BYTES_MAX && !is_collected(intake)) {
        const struct diag diag = {"", "the line is longer than an event may be"};
        stop_at(intake, ERR_LIMIT, intake->next_index, intake->next_line, &diag);
    }
}

/* The next record of a stream: false when there is none in what came so far. */
static bool next_record(struct intake *intake, slice *text, slice *record, uint64_t *line)
{
    *line = intake->next_line;
    if (intake->options.shape == INTAKE_FORMAT) {
        struct diag diag = {0};
        enum err e = format_next(intake->options.format, &intake->format_state, text, intake->ended,
                                 record, &diag);
        if (e != OK) {
            stop_at(intake, e, intake->next_index, 0, &diag);
        }
        return e == OK && record->len > 0;
    }
    while (take_line(text, intake->ended, record)) {
        *line = intake->next_line++;
        if (!is_blank(*record)) {
            return true;
        }
    }
    return false;
}

/* What holds for the records that are taken now. */
static void begin_work(struct intake *intake)
{
    intake->options.read.now_us = clock_now_us();
    if (intake->ingest->requirements != NULL) {
        requirements_take(intake->ingest->requirements, intake->options.read.org, &intake->hold);
    }
}

/* Takes records from *text until it has no whole one left, or all batches are being committed. */
static void take_records(struct intake *intake, slice *text)
{
    while (!intake->stopped) {
        struct group *group = group_to_fill(intake);
        slice record = {0};
        uint64_t line = 0;
        if (group == NULL || !next_record(intake, text, &record, &line)) {
            break;
        }
        add_record(intake, group, record, line);
        if (is_full(intake, group)) {
            submit(intake, group);
        }
    }
    check_line_length(intake, *text);
}

/* ---- Whole bodies ---- */

static void take_elements(struct intake *intake, struct group *group, slice body)
{
    struct json_scan *scan = mem_zeroed(sizeof(*scan));
    CLEANUP(arena_release) struct arena names = ARENA_INIT(ARENA_BYTES_MAX);
    (void)slice_take(&body, 1); /* [ */
    bool first = true;
    struct diag diag = {0};
    enum err e = OK;
    while (e == OK && !intake->stopped) {
        uint8_t byte = 0;
        struct json_value value;
        arena_clear(&names);
        json_scan_init(scan, body, JSON_DEPTH_MAX, &names);
        bool more = json_scan_peek(scan, &byte);
        size_t at = (size_t)(scan->at - body.ptr);
        if (more && byte == ']' && first) {
            body = (slice){body.ptr + at, body.len - at};
            break;
        }
        e = json_scan_value(scan, &value);
        if (e != OK) {
            (void)json_scan_fail(scan, &diag);
            break;
        }
        (void)slice_take(&body, (size_t)(value.raw.ptr + value.raw.len - body.ptr));
        add_record(intake, group, value.raw, 0);
        first = false;
        while (body.len > 0 && is_blank((slice){body.ptr, 1})) {
            (void)slice_take(&body, 1);
        }
        if (body.len == 0 || body.ptr[0] != ',') {
            break;
        }
        (void)slice_take(&body, 1);
    }
    free(scan);
    if (e == OK && !intake->stopped &&
        (body.len == 0 || body.ptr[0] != ']' || !is_blank((slice){body.ptr + 1, body.len - 1}))) {
        e = diag_fail(&diag, ERR_INVALID, "", "expected a comma or ] behind an element");
    }
    if (e != OK) {
        intake->options.skip_errors = false; /* there is no next record to go on with */
        refuse(intake, e, intake->next_index, 0, &diag);
    }
}

static void take_whole(struct intake *intake)
{
    slice body = buf_slice(&intake->pending);
    struct group *group = &intake->groups[0];
    if (intake->options.shape == INTAKE_LINES) {
        slice record = {0};
        uint64_t line = 0;
        while (!intake->stopped && next_record(intake, &body, &record, &line)) {
            add_record(intake, group, record, line);
        }
    } else {
        while (body.len > 0 && is_blank((slice){body.ptr, 1})) {
            (void)slice_take(&body, 1);
        }
        if (body.len > 0 && body.ptr[0] == '[') {
            take_elements(intake, group, body);
        } else {
            intake->result.is_single = true;
            group->batch.leaf_due = body.len <= LONE_BYTES_MAX;
            add_record(intake, group, body, 0);
        }
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

/* What is filled goes in, also before a bad line: a stream stores all that came before it. */
static void submit_rest(struct intake *intake)
{
    struct group *group = &intake->groups[intake->filling];
    bool whole = is_collected(intake);
    if (group->in_flight || group->batch.count == 0) {
        return;
    }
    if (whole && intake->stopped) {
        batch_clear(&group->batch); /* all or nothing */
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

/* The piece completes a line whose beginning is pending: only its first part is copied. */
static void complete_line(struct intake *intake, slice *piece)
{
    const uint8_t *feed = piece->len > 0 ? memchr(piece->ptr, '\n', piece->len) : NULL;
    bool is_split = intake->options.shape == INTAKE_LINES && feed != NULL;
    size_t len = is_split ? (size_t)(feed - piece->ptr) + 1 : piece->len;
    buf_append(&intake->pending, slice_take(piece, len));
    work(intake);
}

static void work_on_piece(struct intake *intake, slice piece)
{
    if (intake->pending.len > 0) {
        complete_line(intake, &piece);
    }
    if (intake->pending.len > 0 || intake->stopped) { /* all groups are being committed */
        buf_append(&intake->pending, piece);
        return;
    }
    begin_work(intake);
    slice text = piece; /* most records lie inside one piece and are never copied */
    take_records(intake, &text);
    buf_append(&intake->pending, text);
    if (intake->stopped) {
        submit_rest(intake);
    }
}

enum intake_state intake_feed(struct intake *intake, slice piece)
{
    ASSERT(!intake->ended);
    if (intake->stopped) {
        return state_of(intake);
    }
    if (is_collected(intake)) {
        buf_append(&intake->pending, piece);
        if (intake->pending.failed) {
            const struct diag diag = {"", "the body is larger than 8 MiB; send it as NDJSON"};
            stop_at(intake, ERR_LIMIT, 0, 0, &diag);
        }
        return intake->stopped ? state_of(intake) : INTAKE_WANTS_MORE;
    }
    work_on_piece(intake, piece);
    return state_of(intake);
}

enum intake_state intake_end(struct intake *intake)
{
    intake->ended = true;
    if (!intake->stopped && is_collected(intake)) {
        begin_work(intake);
        take_whole(intake);
        submit_rest(intake);
    } else {
        work(intake);
    }
    return state_of(intake);
}

enum intake_state intake_continue(struct intake *intake, size_t slot)
{
    ASSERT(intake->groups[slot].in_flight);
    take_result(intake, &intake->groups[slot]);
    if (!is_collected(intake)) {
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
