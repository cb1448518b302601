/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * render - a stored event as users see it: its members, flat, with seq and leaf_hash.
 *
 * Threads: any.
 */

#include "store/store.h"

/* Which members: all of them, or those that ?fields= names. */
struct render_fields {
    bool some;
    uint64_t fields; /* FIELD_BITs */
    bool seq, leaf_hash;
};

/* "event_id,actor_id,seq". INVALID names the one that is no field. */
enum err render_fields_parse(slice text, struct render_fields *out, struct diag *diag);

/*
 * Appends the JSON object. `line` is scratch, overwritten with the canonical line. `members`
 * (raw, may be empty) goes in before the closing brace: ",\"depth\":1".
 */
void render_event(const struct store_event *event, const struct render_fields *wanted,
                  slice members, struct buf *line, struct buf *out);

/* A member of a row in another shape: its name, the field that it shows, and whether the JSON of
 * that field becomes text. */
struct render_column {
    const char *name;
    enum field field;
    bool is_text;
};

/* {name: value, ...}; null for what the event lacks. `scratch` is overwritten. */
void render_columns(const struct event *event, const struct render_column *columns, size_t count,
                    struct buf *scratch, struct buf *out);
