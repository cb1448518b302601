/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * mapping - how a foreign format is described: a table of paths into its record, and one function
 * for what a table cannot say. A new format is a file like cloudtrail.c and a line in formats.c.
 *
 * Rules with a field are applied in order: the first value that is valid for the field counts, one
 * that is too long or odd is left out (the record is whole in event_data). Rules without one
 * (FIELD_COUNT) are only collected, for `finish`.
 */

#include "event/value.h"
#include "formats/formats.h"
#include "json/json.h"

#define MAPPING_KEYS_MAX  4
#define MAPPING_RULES_MAX 32

struct mapping_rule {
    enum field field;
    uint32_t depth;               /* keys used */
    slice keys[MAPPING_KEYS_MAX]; /* of objects; the element of an array by number, "0" */
};

#define MAPPING_RULE1(field, a)                                                                    \
    {                                                                                              \
        field, 1,                                                                                  \
        {                                                                                          \
            SLICE_INIT(a)                                                                          \
        }                                                                                          \
    }
#define MAPPING_RULE2(field, a, b)                                                                 \
    {                                                                                              \
        field, 2,                                                                                  \
        {                                                                                          \
            SLICE_INIT(a), SLICE_INIT(b)                                                           \
        }                                                                                          \
    }
#define MAPPING_RULE3(field, a, b, c)                                                              \
    {                                                                                              \
        field, 3,                                                                                  \
        {                                                                                          \
            SLICE_INIT(a), SLICE_INIT(b), SLICE_INIT(c)                                            \
        }                                                                                          \
    }

struct mapping {
    const struct format *format;
    struct arena *arena;
    struct event *event;
    struct diag *diag;
    uint64_t found; /* bit for each rule whose path leads to a scalar that is not null */
    struct json_value values[MAPPING_RULES_MAX];
};

struct format {
    slice name;
    slice container; /* the member that holds many records: {"Records":[...]} */
    const struct mapping_rule *rules;
    size_t rule_count;
    /* Sets what is left, event_type among it. INVALID with the record's pointer; LIMIT. */
    enum err (*finish)(struct mapping *mapping);
};

extern const struct format format_cloudtrail, format_mutt;

/* The text of a collected string; false if it is absent, empty, or no string. */
bool mapping_text(struct mapping *mapping, size_t rule, slice *out);

/* Sets a field if `text` is valid for it. */
bool mapping_set(struct mapping *mapping, enum field field, slice text);

/* event_id of a foreign id: itself when it is a UUID, else UUIDv5(N, format + ":" + id), which
 * docs/format/event.md lays down. LIMIT. */
enum err mapping_set_id(struct mapping *mapping, slice foreign_id);
