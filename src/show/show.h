/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * show - events and other answers of the server, as a person reads them.
 *
 * Threads: one owner at a time.
 */

#include <jansson.h>

#include "show/table.h"

/* Events as rows of a table; so many are written at once. */
#define SHOW_EVENTS_BATCH 200

void show_events_init(struct table *table, const struct screen *screen);
/* Adds one row; an event that is no JSON object adds none. */
void show_events_add(struct table *table, slice json);

/* What can be shown of an event: its members that are texts, whatever else is in it. A new
 * reference; NULL: it is no JSON object. */
json_t *show_event(slice json);
/* A text member, or "" when it is absent or no text. */
const char *show_member_text(const json_t *object, const char *name);
/* "2026-01-15 08:00:01.137" of an RFC 3339 time in UTC; anything else as it is. */
void show_time(struct buf *out, const char *rfc3339);
/* The next cell of a table: a time or a text as it reads, "-" for nothing, else JSON. */
void show_cell(struct table *table, const json_t *value);
/* "type id" or "type name" of the resource. */
void show_resource(struct buf *out, const json_t *event);
/* The actor's id, email or address; "" when there is none. */
const char *show_actor_of(const json_t *event);
/* By outcome, then severity: failures red, warnings yellow. */
enum colour show_colour_of(const json_t *event);

/* A table of the objects of an array, a row each, whose cells `add` adds. */
void show_rows(const struct screen *screen, const struct table_column *columns, size_t column_count,
               const json_t *rows, void (*add)(struct table *table, const json_t *row),
               struct buf *out);
/* Everything inside that is no object with members, a line each: "log.size  5". For small answers
 * of any shape. */
void show_object(const struct screen *screen, json_t *object, struct buf *out);
/* How much a key was used: by day, with their total, and by route. */
void show_usage(const struct screen *screen, const json_t *usage, struct buf *out);
/* The objects of an array, each on a line of its own, as screen_json_line() has it. */
void show_json_lines(const struct screen *screen, const json_t *objects, struct buf *out);
