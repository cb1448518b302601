/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * intake - one request's way through, as the room itself sees it: ingest.c has its states and
 * batches, intake_records.c makes events of its bytes, intake_result.c the answer of what became
 * of them.
 *
 * Threads: the intake's own, but for `wake`.
 */

#include "ingest/ingest.h"
#include "ingest/requirements.h"

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
    struct diag diag; /* of a result that is not OK */
    bool in_flight;   /* the store has it, or its wake is on the way */
};

struct intake {
    const struct ingest *ingest;
    struct intake_options options;
    struct group groups[INTAKE_SLOTS];
    size_t filling;     /* group that takes records */
    struct buf pending; /* bytes of the request that are not taken yet */
    size_t partial;     /* so many of them are no whole record; 0: they were not looked at */
    struct format_state format_state;
    struct requirements_hold hold; /* of what is required of the request's events */
    uint64_t next_index;
    uint64_t next_line;
    bool ended;   /* no more bytes */
    bool stopped; /* an error, or nobody waits: nothing new is begun */
    struct intake_result result;
};

/* Collected, then committed at once: all of it or nothing. */
static inline bool intake_is_collected(const struct intake *intake)
{
    return intake->options.shape == INTAKE_JSON || intake->options.atomic;
}

/* ---- intake_records.c ---- */

/* The next record of a stream: false when there is none in what came so far. */
bool intake_next_record(struct intake *intake, slice *text, slice *record, uint64_t *line);

/* One record into the batch of `group`; a bad one is refused. `line` is 0 where there are none. */
void intake_add_record(struct intake *intake, struct group *group, slice record, uint64_t line);

/* All of a body that is committed at once. */
void intake_take_whole(struct intake *intake, slice body);

/* ---- intake_result.c ---- */

/* Nothing new is begun. The first failure is the answer, but for one that stands earlier in the
 * request. */
void intake_stop_at(struct intake *intake, enum err err, uint64_t index, uint64_t line,
                    const struct diag *diag);

/* A record that is no event: told and passed over, or the end. */
void intake_refuse(struct intake *intake, enum err err, uint64_t index, uint64_t line,
                   const struct diag *diag);

/* An event that is taken although its organisation would have it otherwise. */
void intake_warn(struct intake *intake, uint64_t index, const struct diag *diag);

/* What the finished commit of `group` means for the answer; the group is empty again. */
void intake_take_result(struct intake *intake, struct group *group);
