/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * access_event - the event of a request that was answered: api.request.
 *
 * Which requests have one, a setting says: of the routes of configuration, access, operations,
 * query and export (the default), of all, or of none. The event write itself, health, metrics and
 * tiles are counted instead. Parameters whose name holds a sensitive word are stored without their
 * value, and so is a filter that names one; bodies are never stored.
 *
 * Threads: the loop; access_put() any.
 */

#include "gate/gate.h"

struct json_writer;

/* Puts the event into the journal, if this request is to have one. */
void access_event(struct api *api, const struct http_request *request,
                  const struct http_outcome *outcome);

/* Another event that a known caller's request leaves, which nobody waits for. `write_data` writes
 * the members of its event_data. */
struct request_event {
    const char *type, *outcome, *resource_type;
    slice resource_id;
    void (*write_data)(struct json_writer *json, const void *data);
    const void *data;
};
void access_put(const struct http_request *request, const struct request_event *event);

/* Whether `text` holds one of `words` (separated by commas), in any case. */
bool access_is_sensitive(slice text, slice words);
