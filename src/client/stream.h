/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stream - events on their way: named, collected in a window, sent, sent again from where it broke.
 *
 * Part of the room that the command line uses too, because it has split its input already.
 *
 * Threads: as the client.
 */

#include <cairn/client.h>

#include "client/split.h"
#include "client/text.h"

/* Appends a record as one line with a line feed; puts an event_id first when it has none, and
 * writes the id that it gave to `id_out` (37 bytes; "" when none was needed). False when there is
 * no randomness to be had. */
bool stream_append_line(struct text *out, const struct split_record *record, char id_out[37]);

/* As cairn_stream_write(), of a whole object that split_next() found. */
enum cairn_result stream_write_record(struct cairn_stream *stream,
                                      const struct split_record *record);

/* After the `failures`-th failure in a row: waits, longer each time and at least as long as the
 * server asked. False, at once: another try would not help (result), the client's retries are used
 * up, or the server asked for more than a minute. */
bool stream_wait_to_retry(const struct cairn_client *client, enum cairn_result result,
                          unsigned failures);
