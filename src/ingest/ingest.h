/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ingest - the road in, from the bytes of one write request to the commit that answers it.
 *
 *   feed -> split into records -> event (reader or foreign format) -> what is required of it
 *        -> batch -> store -> result
 *
 * An intake is one request's way through. It never blocks: the request's thread feeds it, the store
 * calls `wake` when a commit is done, and the request's thread continues. Memory is bounded: a
 * record in the making, and two batches of about 1 MiB, one being filled while the other is
 * committed.
 *
 * Threads: an intake belongs to one thread; `wake` comes from the store's.
 */

#include "event/read.h"
#include "formats/formats.h"
#include "store/store.h"

struct ingest_metrics;
struct intake_pool;
struct requirements;

struct ingest {
    struct store *store;
    struct requirements *requirements; /* may be NULL */
    struct ingest_metrics *metrics;    /* may be NULL */
    struct intake_pool *pool;          /* may be NULL */
};

enum intake_shape {
    INTAKE_JSON,   /* one event or an array: collected, then committed at once */
    INTAKE_LINES,  /* NDJSON: committed in groups as it arrives */
    INTAKE_FORMAT, /* records of a foreign format: the same */
};

#define INTAKE_COLLECT_BYTES_MAX (8 * 1024 * 1024)
#define INTAKE_SLOTS             2
#define INTAKE_GROUP_BYTES       (1024 * 1024)
/* told one by one with on_error=skip; the rest only counted */
#define INTAKE_ERRORS_MAX 1000
/* the same of events that are taken although their organisation would have them otherwise */
#define INTAKE_WARNINGS_MAX 100

struct intake_options {
    enum intake_shape shape;
    bool atomic;                 /* LINES too are collected and committed at once */
    bool skip_errors;            /* on_error=skip: bad records are told, the others stored */
    bool keep_ids;               /* the result lists the event_ids */
    bool leaf_due;               /* the store hashes an event alone: others wait for this thread */
    const struct format *format; /* FORMAT */
    struct read_options read;    /* org, headers, source_format, ages; now_us is set here */
    /* The commit of slot 0 or 1 is done. On the store's thread; must be quick, and end in
     * intake_continue(slot) on the intake's own thread: until then nothing else happens to it. */
    void (*wake)(void *context, size_t slot);
    void *context;
};

enum intake_state {
    INTAKE_WANTS_MORE, /* feed or end it */
    INTAKE_WAITS,      /* for a commit: do not feed; after `wake` call intake_continue() */
    INTAKE_FINISHED,   /* intake_result() says how; nothing is in flight any more */
};

struct intake_error {
    uint64_t index;
    char pointer[96];
    char detail[160];
};

struct intake_result {
    enum err err; /* OK; INVALID, CONFLICT, LIMIT: the record at `index`; BUSY, FULL, IO */
    struct diag diag;
    uint64_t index;   /* of the record that failed, from 0 */
    uint64_t line;    /* its line, from 1; of LINES */
    uint64_t records; /* that were looked at */
    uint64_t count;   /* stored by this request */
    uint64_t duplicates;
    bool has_seqs;
    uint64_t first_seq, last_seq;
    bool is_single; /* INTAKE_JSON with one object: the members below hold */
    struct uuid event_id;
    int64_t event_timestamp_us;
    struct leaf_hash leaf; /* of what is stored under the id: for a duplicate the first one's */
    uint64_t seq;
    struct intake_error *errors;
    size_t error_count; /* listed */
    uint64_t error_total;
    struct intake_error *warnings;
    size_t warning_count;
    uint64_t warning_total;
    struct uuid *event_ids; /* with keep_ids, in order */
    size_t event_id_count;
};

struct intake;
/* Never fails. The caller frees it once it is FINISHED or was never fed. `ingest` lives on. */
struct intake *intake_new(const struct ingest *ingest, const struct intake_options *options);
void intake_free(struct intake *intake); /* its memory may go to the pool */
DEFINE_OWNED(intake);
void intake_end_life(struct intake *intake); /* the pool's: frees it for good */

/* Takes all of `piece`, whatever it answers: what cannot be held, 8 MiB, is LIMIT in the result.
 * `is_whole`: there is nothing before or behind it; what is collected is then read where it is, and
 * the end must follow at once. */
enum intake_state intake_feed(struct intake *intake, slice piece, bool is_whole);
/* The last piece was fed. */
enum intake_state intake_end(struct intake *intake);
/* After `wake(slot)`: exactly once for each. */
enum intake_state intake_continue(struct intake *intake, size_t slot);
/* Nobody waits for the answer any more: nothing new is begun. FINISHED once nothing is in flight.
 */
enum intake_state intake_abandon(struct intake *intake);

const struct intake_result *intake_result(const struct intake *intake);
