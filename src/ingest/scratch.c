/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/scratch.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "event/event.h"

static pthread_key_t own_key; /* only for its destructor; reading `own` is cheaper */
static pthread_once_t own_once = PTHREAD_ONCE_INIT;
static _Thread_local struct scratch *own;

static void free_own(void *value)
{
    struct scratch *scratch = value;
    own = NULL;
    arena_release(&scratch->arena);
    buf_release(&scratch->line);
    free(scratch);
}

static void make_key(void)
{
    ASSERT(pthread_key_create(&own_key, free_own) == 0);
}

static void make_own(void)
{
    (void)pthread_once(&own_once, make_key);
    own = mem_zeroed(sizeof(*own));
    arena_init(&own->arena, SCRATCH_ARENA_BYTES_MAX);
    buf_init(&own->line, EVENT_LINE_BYTES_MAX);
    ASSERT(pthread_setspecific(own_key, own) == 0);
}

struct scratch *scratch_clear(void)
{
    if (own == NULL) {
        make_own();
    }
    arena_clear(&own->arena);
    buf_clear(&own->line);
    return own;
}
