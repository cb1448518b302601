/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * health_watch - looks at the health of the parts every `health.interval_ms`, whether or not
 * anybody asks, and tells when it changes: in the log, and, when it gets worse, by an event
 * system.error. Not while `health.enabled` is off.
 *
 * Threads: "health", its own.
 */

#include "api/health.h"
#include "base/err.h"

struct api;
struct health_watch;

/* `api` outlives it; *out ends with health_watch_stop(), which waits for the thread. BUSY: the
 * system has no thread to give. */
enum err health_watch_start(const struct api *api, struct health_watch **out, struct diag *diag);
void health_watch_stop(struct health_watch *watch); /* NULL is fine */
