/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * formats - foreign audit formats: each maps one of its records to the fields table; everything
 * after that is common.
 *
 * Threads: any.
 */

#include "event/read.h"

struct format;

/* The format of a name such as "cloudtrail"; NULL if there is none. */
const struct format *format_find(slice name);
slice format_name(const struct format *format);

/*
 * Takes the next record from `*document` (advances past it). Accepts a bare record, records
 * separated by white space (NDJSON) or commas, and the container of the format around them
 * (CloudTrail: {"Records":[...]}). OK with record_out->len == 0 at the end. `state` starts as {0}.
 * With `is_last` false, an incomplete record at the end is left in *document.
 * INVALID when what is there is not JSON or not the format's container.
 */
struct format_state {
    uint32_t stage;
    uint64_t records;
};
enum err format_next(const struct format *format, struct format_state *state, slice *document,
                     bool is_last, slice *record_out, struct diag *diag);

/* Maps one record; promises as event_read(). Of the headers only the correlation counts, where the
 * record has none. */
enum err format_read(const struct format *format, slice record, const struct read_options *options,
                     struct arena *arena, struct event *out, uint64_t *sent_out, struct diag *diag);
