/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * segment_make - the sections of a segment made from rows: by who writes a segment from the active
 * one or anew without some rows, and by who verifies one, from its own rows, to compare.
 *
 * What these functions append is a function of the rows alone (docs/format/segment.md).
 *
 * Threads: a maker belongs to one.
 */

#include <stdatomic.h>

#include "segment/segment_file.h"
#include "segment/text_write.h"

struct segment_make {
    const struct rows *source;
    struct rows_reader *reader;
    const struct row_set *gone; /* NULL: none */
    struct row_set gone_rows;   /* what `gone` points to, if to anything */
    struct text_write text;
    int64_t *numbers;   /* [count], of one column after the other */
    int64_t *times;     /* [count], event_timestamp */
    struct buf section; /* one after the other */
    struct bloom_build *bloom;
    struct merkle_hash *tile_roots; /* [tiles] */
    struct leaf_hash *gone_leaves;  /* of gone rows, ascending */
    uint32_t next_row, gone_count;  /* where segment_make_rows() is, and what it has so far */
    struct merkle_frontier tree;
    struct segment_summary summary; /* all but file_bytes, once everything was made */
    bool time_ordered;
};

/* `erase` may be NULL. Borrows both. */
void segment_make_init(struct segment_make *make, const struct rows *source,
                       const struct row_set *erase);
void segment_make_release(struct segment_make *make);

/* What ends the making early. */
struct segment_stop {
    const _Atomic bool *wanted; /* by who lets it be made; NULL: nobody stops it */
    _Atomic bool has_failed;    /* what is made beside it, so that all of it is in vain */
};

/* Whether whoever makes it is to stop now. `stop` NULL: never. Any thread. */
static inline bool segment_stop_is_set(const struct segment_stop *stop)
{
    return stop != NULL &&
           (atomic_load(&stop->has_failed) || (stop->wanted != NULL && atomic_load(stop->wanted)));
}

/* Goes through all rows once: payload, which goes into the Bloom filters, and leaf hashes, which
 * become tile roots and the root. CORRUPT; IO; BUSY between two tiles once `stop` (NULL: never) is
 * set: another call goes on. */
enum err segment_make_rows(struct segment_make *make, const struct segment_stop *stop,
                           struct diag *diag);

/* Returns `e`, what reading `row` came to; if that is a failure, `diag` names the event. */
enum err segment_make_unreadable(const struct rows *source, uint32_t row, enum err e,
                                 struct diag *diag);

/*
 * The sections but for payload, one a call: `what` says which, its bytes are in make->section.
 * After segment_make_rows(). *more is false, and there is no section, behind the last. CORRUPT: the
 * columns it is made from are; LIMIT: it is larger than a section may be. `diag` says so.
 */
struct segment_make_cursor {
    unsigned stage;
    unsigned field;
};
enum err segment_make_next(struct segment_make *make, struct segment_make_cursor *cursor,
                           struct section *what, bool *more, struct diag *diag);
