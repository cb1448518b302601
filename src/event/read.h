/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * read - from what a client sent to a normalised event: one pass, no tree.
 *
 * The rules are those of docs/event.md: other names, envelopes A and B, header transport, defaults,
 * unknown members kept in event_metadata, limits. A failure names the JSON pointer in diag->where.
 *
 * Threads: any.
 */

#include "event/event.h"

struct read_options {
    slice org;             /* set as FIELD_ORG; not empty */
    slice source_format;   /* set as FIELD_SOURCE_FORMAT; empty: leaves it absent */
    int64_t now_us;        /* recorded_at, and what ages are measured against */
    int64_t past_us_max;   /* older events are INVALID; 0: any age */
    int64_t future_us_max; /* events further ahead are INVALID; 0: any */
    uint32_t depth_max;    /* nesting of a JSON value; 0: 64 */
    /* Header transport; empty slices are absent. */
    slice header_event_type, header_service, header_correlation_id, header_resource_type,
        header_outcome;
};

#define READ_LINE_BYTES_MAX (2 * 1024 * 1024) /* one event as sent */

/*
 * Reads one JSON object. On OK *out is complete (defaults, server fields, a fresh UUIDv7 id when
 * none was sent) and *sent_out has the bits of the fields the request itself gave: what a repeated
 * event_id is compared by. Texts of *out point into `json` or into `arena`.
 * INVALID with the JSON pointer in diag->where; LIMIT when the arena or a size limit is passed.
 */
enum err event_read(slice json, const struct read_options *options, struct arena *arena,
                    struct event *out, uint64_t *sent_out, struct diag *diag);

/* Where event_data stood in a body that event_read() took: "/event_data", "/data" of an envelope,
 * or "", when it is the whole body. */
const char *event_data_pointer(slice json);

/* True when a repeated request (fields in `sent`) says nothing else than what is stored. Members
 * of event_metadata are compared one by one; what the repeat leaves out does not count. */
bool event_repeats(const struct event *stored, const struct event *repeated, uint64_t sent);
