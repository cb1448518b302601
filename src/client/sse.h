/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sse - server-sent events (the WHATWG event stream format), taken apart as they come.
 *
 * Lines end with LF, CRLF or CR. An empty line ends an event; `data` lines are joined with LF; an
 * `id` without NUL is remembered for the reconnection, also across events.
 *
 * Threads: one owner at a time.
 */

#include "client/text.h"

#define SSE_EVENT_BYTES_MAX (4u * 1024 * 1024)
#define SSE_ID_BYTES_MAX    255

struct sse {
    struct text line;
    struct text data;
    bool has_data, after_cr;
    char id[SSE_ID_BYTES_MAX + 1];
    char name[32]; /* of the event under way; "" is "message" */
    long retry_ms; /* what the server asked for; 0: nothing */
};

/* Called for each event with data. False stops. */
typedef bool (*sse_fn)(void *context, const struct sse *sse, slice data);

void sse_init(struct sse *sse);
void sse_release(struct sse *sse);
/* Forgets a half event, keeps the id: for a new connection. */
void sse_restart(struct sse *sse);
/* False when `fn` stopped, memory ran out, or an event is larger than SSE_EVENT_BYTES_MAX. */
bool sse_feed(struct sse *sse, slice bytes, sse_fn fn, void *context);
