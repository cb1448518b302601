/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * scratch - memory in which a record is read, one at a time: the thread's, not the request's. Of
 * hundreds of requests that wait for their commit each would else bring cold memory of its own.
 *
 * Threads: each has one, which goes with it.
 */

#include "base/arena.h"
#include "base/buf.h"

#define SCRATCH_ARENA_BYTES_MAX (4 * 1024 * 1024) /* what one event may need beside its bytes */

struct scratch {
    struct arena arena;
    struct buf line;
};

/* That of the calling thread, cleared: what it held is over. Never NULL. */
struct scratch *scratch_clear(void);
