/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * required - what one organisation requires of its events: a category that it has listed, and data
 * that fit the schema of their type.
 *
 * A value never changes; a change of the configuration makes another one. Whoever checks events
 * holds a reference, so that it may be replaced meanwhile. NULL is who requires nothing.
 *
 * Threads: any may share a value; references are counted atomically.
 */

#include "event/event.h"
#include "validate/schema.h"

enum required_mode {
    REQUIRED_WARN,   /* what does not fit is told, and stored */
    REQUIRED_REJECT, /* it is refused */
};

#define REQUIRED_TYPE_BYTES_MAX 100
#define REQUIRED_SCHEMAS_MAX    256 /* of an organisation */
#define REQUIRED_CATEGORIES_MAX 200
#define REQUIRED_MEMORY_MAX     MIB(64) /* of all schemas of an organisation */

struct required;

/* What `old` (which stays as it is; NULL: nothing) requires, with another list of categories, which
 * is copied; an empty one is any. A new reference, NULL where nothing is required any more. */
struct required *required_with_categories(const struct required *old, const slice *names,
                                          size_t count);
/* The same with another schema for events of this type, which is taken over; NULL is none. */
struct required *required_with_schema(const struct required *old, slice event_type,
                                      enum required_mode mode, struct schema *schema);

/* How many schemas there are, and the bytes that they take when compiled, that of `event_type` left
 * out. */
void required_size(const struct required *required, slice event_type, size_t *schemas_out,
                   size_t *memory_out);

/* Another reference, and one less; NULL is fine for both. */
struct required *required_ref(struct required *required);
void required_unref(struct required *required);

/* ---- Checking ---- */

enum required_outcome {
    REQUIRED_UNASKED, /* nobody asked for a schema */
    REQUIRED_FITS,
    REQUIRED_WARNS,
    REQUIRED_REFUSES,
    REQUIRED_OUTCOMES
};

/* An event as it was sent. */
struct required_event {
    const struct event *event;
    uint64_t sent; /* FIELD_BITs of what the request itself gave */
    slice record;  /* what event_read() read; empty: it was read from a foreign format */
};

/*
 * Asks for the category, then for the data; an event without data counts as one with {}. `diag`
 * says what the first violation is, and where in what was sent. *work is what the check may take
 * (schema.h), and then what it has left; what it does not suffice for does not fit.
 */
enum required_outcome required_check(const struct required *required,
                                     const struct required_event *sent, uint64_t *work,
                                     struct diag *diag);
