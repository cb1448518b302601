/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* complete - the last step of every reader: defaults, age, what the server sets. Threads: any. */

#include "event/read.h"

/*
 * event_type is there. Fills event_category, event_action, event_timestamp and event_id if absent,
 * sets the server's fields from `options`. INVALID when the event is too old or too new; IO when
 * there is no randomness for an id.
 */
enum err event_complete(const struct read_options *options, struct event *event, struct diag *diag);
