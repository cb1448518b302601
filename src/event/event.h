/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * event - what an audit event is: a set of fields, each present or absent, all normalised.
 *
 * `struct event` is a view: texts point into memory of whoever made it (the request body and its
 * arena, or the row it was decoded from), and live as long as that. Two forms leave it:
 *
 *   line   the canonical JSON line without line feed; it is what is hashed, shown, exported
 *   row    the same content, decoded, as the WAL stores it; line(row(e)) == line(e)
 *
 * Both are specified in docs/format/event.md.  Threads: any; nothing here is shared.
 */

#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "codec/uuid.h"

#define FIELD_SERVER 1u /* only the server sets it */
#define FIELD_LOOKUP 2u /* asked for by exact value among very many */

enum field {
#define FIELD(id, stored, name, type, max, flags, other_names) FIELD_##id,
#include "event/fields.def"
#undef FIELD
    FIELD_COUNT
};

/* What a value is, and which member of union value holds it. */
enum field_type {
    TYPE_UUID, /* uuid; lower case with hyphens as text */
    TYPE_TIME, /* number: microseconds since 1970 UTC, years 1970 to 9999; RFC 3339, 6 decimals */
    TYPE_TEXT, /* text: valid UTF-8, not empty, no NUL */
    TYPE_ADDRESS, /* text: an IPv4 or IPv6 address as RFC 5952 writes it */
    TYPE_CHOICE,  /* text: one of the lower-case names that choice_rank() knows */
    TYPE_INTEGER, /* number: 0 or more */
    TYPE_BOOLEAN, /* number: 0 or 1 */
    TYPE_JSON,    /* text: valid JSON without insignificant white space; metadata is an object */
};

struct field_info {
    slice name;
    slice other_names; /* separated by spaces */
    enum field_type type;
    uint32_t max;
    uint32_t flags;
};

extern const struct field_info fields[FIELD_COUNT];

static_assert(FIELD_COUNT <= 64, "a set of fields is a uint64_t");
#define FIELD_BIT(field) (UINT64_C(1) << (field))

union value {
    slice text;
    int64_t number;
    struct uuid uuid;
};

struct event {
    uint64_t present; /* FIELD_BITs */
    union value value[FIELD_COUNT];
};

static inline bool event_has(const struct event *event, enum field field)
{
    return (event->present & FIELD_BIT(field)) != 0;
}

/* The field of a canonical or other name. False if there is none. */
bool field_find(slice name, enum field *out);

/* Rank of a choice within its field, for < and >: severities debug 0, info = low 1, notice 2,
 * warning = medium 3, error = high 4, critical 5, alert 6, emergency 7; outcomes in the order
 * success failure pending denied unknown. -1 when `name` (lower case) is not one of them. */
int choice_rank(enum field field, slice name);

/* The names themselves, lowest first. False beyond the last leaves *out untouched. */
bool choice_at(enum field field, size_t index, slice *out);

/* Appends the canonical line. `out` may refuse (buf_check). */
#define EVENT_LINE_BYTES_MAX ((size_t)2 * 1024 * 1024) /* a longer one is no event's */
void event_write_line(const struct event *event, struct buf *out);

/* One value as the canonical line shows it: quoted for text, bare for numbers and JSON. */
void event_write_value(const struct event *event, enum field field, struct buf *out);

/* The same without quotes and escapes: for tables, dictionaries and filters. A number, time or
 * UUID is formatted into `scratch`. The field must be present. */
#define FIELD_TEXT_BYTES_MAX 40
slice event_value_text(const struct event *event, enum field field,
                       char scratch[FIELD_TEXT_BYTES_MAX]);

#define LEAF_HASH_BYTES 32
struct leaf_hash {
    uint8_t bytes[LEAF_HASH_BYTES];
};

/* The RFC 6962 leaf hash of a canonical line: of the line itself, or, from 65,536 bytes on, of the
 * digest record that stands for it in the tlog. */
struct leaf_hash event_leaf_hash(slice line);

/* The leaf hash of an event, whose canonical line replaces what is in `line`. LIMIT: it is longer
 * than that may be. */
enum err event_leaf(const struct event *event, struct buf *line, struct leaf_hash *out);

/* Appends the tlog entry of a line: the line, or its digest record. */
void event_write_entry(slice line, struct buf *out);

/* Appends the stored row. */
void event_write_row(const struct event *event, struct buf *out);

/* The view of a stored row; texts point into `row`. CORRUPT if the row breaks its format. */
enum err event_from_row(slice row, struct event *out, struct diag *diag);

/* What indexes know an event_id by, within its organisation (docs/format.md, section 6). */
uint64_t event_id_hash(slice org, const struct uuid *id);
