/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "ingest/intake.h"
#include "ingest/metrics.h"
#include "ingest/scratch.h"
#include "json/json.h"

/* ---- Splitting ---- */

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

bool intake_next_record(struct intake *intake, slice *text, slice *record, uint64_t *line)
{
    *line = intake->next_line;
    if (intake->options.shape == INTAKE_FORMAT) {
        struct diag diag = {0};
        enum err e = format_next(intake->options.format, &intake->format_state, text, intake->ended,
                                 record, &diag);
        if (e != OK) {
            intake_stop_at(intake, e, intake->next_index, 0, &diag);
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

/* ---- A record becomes an event of a batch ---- */

static struct place *place_of_last(struct group *group)
{
    size_t at = group->batch.count - 1;
    if (at >= group->capacity) {
        group->capacity = group->capacity > 0 ? group->capacity * 2 : 16;
        group->places = mem_resize(group->places, group->capacity * sizeof(struct place));
    }
    return &group->places[at];
}

static enum err read_record(struct intake *intake, slice record, struct arena *arena,
                            struct event *event, uint64_t *sent, struct diag *diag)
{
    if (intake->options.shape == INTAKE_FORMAT) {
        return format_read(intake->options.format, record, &intake->options.read, arena, event,
                           sent, diag);
    }
    return event_read(record, &intake->options.read, arena, event, sent, diag);
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
        intake_warn(intake, index, diag);
    }
    return outcome == REQUIRED_REFUSES ? ERR_INVALID : OK;
}

void intake_add_record(struct intake *intake, struct group *group, slice record, uint64_t line)
{
    struct event event;
    struct diag diag = {0};
    uint64_t sent = 0;
    uint64_t index = intake->next_index++;
    struct scratch *scratch = scratch_clear();
    intake->result.records++;
    enum err e = read_record(intake, record, &scratch->arena, &event, &sent, &diag);
    if (e == OK && intake->hold.required != NULL) {
        bool is_own_form = intake->options.shape != INTAKE_FORMAT;
        const struct required_event said = {&event, sent, is_own_form ? record : (slice){0}};
        e = meet_requirements(intake, &said, record.len, index, &diag);
    }
    if (e == OK) {
        e = batch_add(&group->batch, &event, sent, &scratch->line);
        if (e != OK) {
            e = diag_fail(&diag, e, "", "the request holds more than one commit may take");
        }
    }
    if (e != OK) {
        intake_refuse(intake, e, index, line, &diag);
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

/* ---- Whole bodies ---- */

static void take_elements(struct intake *intake, struct group *group, slice body)
{
    struct json_scan *scan = mem_zeroed(sizeof(*scan));
    CLEANUP(arena_release) struct arena names = ARENA_INIT(SCRATCH_ARENA_BYTES_MAX);
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
        intake_add_record(intake, group, value.raw, 0);
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
        intake_refuse(intake, e, intake->next_index, 0, &diag);
    }
}

void intake_take_whole(struct intake *intake, slice body)
{
    struct group *group = &intake->groups[0];
    if (intake->options.shape == INTAKE_LINES) {
        slice record = {0};
        uint64_t line = 0;
        while (!intake->stopped && intake_next_record(intake, &body, &record, &line)) {
            intake_add_record(intake, group, record, line);
        }
    } else {
        while (body.len > 0 && is_blank((slice){body.ptr, 1})) {
            (void)slice_take(&body, 1);
        }
        if (body.len > 0 && body.ptr[0] == '[') {
            take_elements(intake, group, body);
        } else {
            intake->result.is_single = true;
            group->batch.leaf_due = intake->options.leaf_due;
            intake_add_record(intake, group, body, 0);
        }
    }
}
