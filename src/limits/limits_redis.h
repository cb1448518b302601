/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limits_redis - the limiter that several servers share, in Redis.
 *
 * One request is one script and one round trip for all its subjects and windows. The time is that
 * of Redis, so that servers agree; the caller's wall clock only says when a slot frees. When the
 * clock of Redis is set back, what lies ahead of it counts as of now; when it is set forward,
 * windows empty early. Small windows are exact; of a large one a bucket is a sixtieth of it.
 *
 * While Redis is away a request passes unmetered (open) or is BUSY (closed), as chosen; both are
 * counted in limits_health(). A request whose answer was lost may have been counted.
 *
 * Statistics of a subject are forgotten after 8 days without a request. A list may name a subject
 * twice if others come meanwhile.
 *
 * Threads: any. A call waits as limit_link.h says: 250 ms at most by default.
 */

#include "limits/limit_link.h"
#include "limits/limits.h"

struct limits_redis_options {
    bool is_closed;          /* when Redis is away nothing passes; otherwise everything */
    bool takes_callers_time; /* for tests: limit_time.steady_us counts, not the time of Redis */
};

/* `link` outlives it and may serve others too. Never NULL. */
struct limits *limits_redis_new(struct limit_link *link,
                                const struct limits_redis_options *options);
