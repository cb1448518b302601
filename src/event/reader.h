/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reader - what event_read() knows while it reads one body. Private to read.c, rest.c, envelope.c.
 *
 * Members under canonical names become values at once. All others wait in `rest`, in order, until
 * the whole body was seen: then other names find their fields, envelopes are told from events, and
 * what is left goes to event_metadata.
 */

#include "event/names.h"
#include "event/read.h"
#include "event/value.h"

struct rest_member {
    slice name; /* unescaped */
    struct json_value value;
    const struct field_name *known; /* the other name that it is, or NULL */
    bool is_used;
};

struct reader {
    const struct read_options *options;
    struct arena *arena;
    struct event *event;
    struct diag *diag;
    struct json_value body; /* the whole object */
    uint64_t given;         /* fields whose canonical name has a value other than null */
    bool has_odd_ip;        /* actor_ip is no address */
    struct json_value odd_ip;
    enum err refused; /* OK, or the first invalid value under a canonical name, told in: */
    struct diag refusal;
    struct rest_member *rest;
    size_t rest_count, rest_capacity;
    uint32_t depth_max;
};

static inline void reader_set(struct reader *reader, enum field field, union value value)
{
    reader->event->value[field] = value;
    reader->event->present |= FIELD_BIT(field);
}

/* Gives members of `rest` to the fields whose other names they have. LIMIT. */
enum err rest_find_fields(struct reader *reader);

/* NULL if no member that is not null has this name, which is no canonical one. */
struct rest_member *rest_find(struct reader *reader, slice name);

/* Puts what is not used into event_metadata. INVALID on a clash with the client's own; LIMIT. */
enum err rest_keep(struct reader *reader);

/* Decides what the body is (API.md): an event, envelope A or B, or, under a type from the headers,
 * event_data as a whole. INVALID when there is no type; LIMIT. */
enum err envelope_open(struct reader *reader);
