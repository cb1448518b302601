/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * legacy_config - rules, hosts, teams and the history of changes, as version 1.0 knows them.
 *
 * Lists are whole, {"rules": [...]}; a rule's id is its number, in paths too; PUT changes what is
 * sent and leaves the rest; changes are answered with {"message"}, a new object with
 * {"id", "message"}; the history is {"logs", "pagination"} and calls tables by their old names.
 *
 * Threads: any.
 */

#include <jansson.h>

#include "gate/gate.h"

/* A kind that 1.0 has. */
struct legacy_kind {
    const struct kind *kind;
    const char *list;   /* the member of a list's answer */
    const char *table;  /* the history's table_name */
    const char *number; /* the field that 1.0 calls the id, also in paths; NULL: the id is */
};

bool legacy_is_v1(const struct http_request *request);
/* Of the route's kind; NULL: 1.0 is not asked for, or has no such kind. */
const struct legacy_kind *legacy_kind_of(const struct http_request *request);
/* Changes an object as it is shown in place. */
void legacy_show(const struct legacy_kind *legacy, json_t *shown);
/* Answers a change, whose status in the current version is `status`; `object` NULL: it is gone. */
void legacy_answer_change(struct http_request *request, const struct legacy_kind *legacy,
                          int status, const json_t *object);
/* The name of the kind that a table_name means; itself, if it is none of 1.0. */
slice legacy_table(slice name);
/* Changes a row of the history in place. */
void legacy_show_change(json_t *row);
