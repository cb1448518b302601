/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "ingest/intake.h"
#include "ingest/metrics.h"

void intake_stop_at(struct intake *intake, enum err err, uint64_t index, uint64_t line,
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

void intake_warn(struct intake *intake, uint64_t index, const struct diag *diag)
{
    struct intake_result *result = &intake->result;
    result->warning_total++;
    add_told(&result->warnings, &result->warning_count, INTAKE_WARNINGS_MAX, index, diag);
}

void intake_refuse(struct intake *intake, enum err err, uint64_t index, uint64_t line,
                   const struct diag *diag)
{
    if (intake->ingest->metrics != NULL) {
        ingest_metrics_refused(intake->ingest->metrics);
    }
    if (intake->options.skip_errors) {
        add_error(intake, index, diag);
    } else {
        intake_stop_at(intake, err, index, line, diag);
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
                intake_stop_at(intake, ERR_CONFLICT, group->places[i].index, group->places[i].line,
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

void intake_take_result(struct intake *intake, struct group *group)
{
    struct intake_result *result = &intake->result;
    const struct batch *batch = &group->batch;
    if (group->result == ERR_CONFLICT) {
        size_t at = batch->conflict_at;
        intake_stop_at(intake, ERR_CONFLICT, group->places[at].index, group->places[at].line,
                       &conflict);
    } else if (group->result != OK) {
        intake_stop_at(intake, group->result, group->places[0].index, group->places[0].line,
                       &group->diag);
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
