/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * split - where one JSON object ends and the next begins, over a window of a long input.
 *
 * Takes NDJSON, objects one after the other, and arrays of objects. It does not check JSON, which
 * the server does; it follows strings and brackets, and notes whether the object names itself
 * (a member event_id, or id with a UUID). Where the first object stands on one line the input is
 * taken for NDJSON: then a line that does not close costs that line and not the rest.
 *
 * Threads: one owner at a time. Allocates nothing.
 */

#include "base/slice.h"

#define SPLIT_RECORD_BYTES_MAX (2 * 1024 * 1024)

enum split_layout { SPLIT_UNKNOWN, SPLIT_LINES, SPLIT_NESTED };

struct split {
    enum split_layout layout;
    uint64_t line; /* of the next byte, from 0 */
    bool started;  /* past a byte order mark */
    bool in_array; /* around the objects */
    /* Of the object that has begun: */
    bool in_record, is_garbage, in_string, is_escaped, has_feed, has_id;
    bool wants_key;
    unsigned depth;
    unsigned id_value;   /* the value that comes belongs to: 0 another member, 1 id */
    size_t scanned;      /* bytes of the window that were looked at */
    size_t begin;        /* of the object in the window */
    size_t string_begin; /* behind the quote */
    uint64_t first_line;
};

struct split_record {
    slice text;    /* in the window */
    uint64_t line; /* on which it begins, from 1 */
    bool has_id;
    bool has_feed;  /* a line feed stands inside, outside of strings */
    bool is_object; /* false: it does not close, or is something else */
};

enum split_state {
    SPLIT_RECORD,   /* *out is set */
    SPLIT_MORE,     /* the window ends inside an object, or before the next */
    SPLIT_TOO_LONG, /* an object passes SPLIT_RECORD_BYTES_MAX, whether or not the window holds
                       its end; out->line is set, and nothing comes behind it */
};

/*
 * Looks at `window`, which begins where the last call's *used_out ended and has grown since.
 * `is_last`: nothing comes behind it. The caller drops *used_out bytes from the front.
 */
enum split_state split_next(struct split *split, slice window, bool is_last, size_t *used_out,
                            struct split_record *out);
