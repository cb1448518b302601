/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_link - a few connections to Redis, for threads that may wait a little and no longer.
 *
 * A call takes a connection that is free, or opens one, or waits for one. It waits at most
 * `timeout_ms` for all of this and the answer, at most twice that if Redis stops in the middle of a
 * step; resolving a host's name is not part of it, so name an address where resolvers are slow.
 *
 * When a call fails, Redis is away: calls fail at once, until after 100 ms, then 200, to 5 s, one
 * of them tries again. A connection that Redis had closed is not an outage if a new one answers.
 *
 * Threads: any. SIGPIPE is ignored or blocked, as it is in the server.
 */

#include <hiredis/hiredis.h>

#include "base/err.h"
#include "base/slice.h"

enum limit_script { LIMIT_SCRIPT_JUDGE, LIMIT_SCRIPT_QUOTA, LIMIT_SCRIPT_COUNT };

#define LIMIT_LINK_CONNECTIONS_MAX 32
#define LIMIT_LINK_ERROR_BYTES     128

/* Redis went away or is back: called once for each change, by the thread that noticed, without a
 * lock. `error` may name the host, never the password. */
typedef void limit_link_changed_fn(void *context, bool is_away, const char *error);

struct limit_link_options {
    slice url;                      /* limit_link_url.h */
    size_t connections;             /* 0: 4 */
    uint32_t timeout_ms;            /* 0: 250 */
    limit_link_changed_fn *changed; /* or NULL */
    void *context;
};

struct limit_link;

/* Does not connect yet. INVALID: the URL. */
enum err limit_link_open(const struct limit_link_options *options, struct limit_link **out,
                         struct diag *diag);
void limit_link_free(struct limit_link *link); /* nobody calls any more */
DEFINE_OWNED(limit_link);

/* One command and its answer, which the caller ends with freeReplyObject(); it is no error. BUSY:
 * there is no answer; Redis may have done it or not. */
enum err limit_link_call(struct limit_link *link, const slice *words, size_t count,
                         redisReply **out);

#define LIMIT_LINK_WORDS_MAX 96
/* The same for a script: `words` are the number of keys, the keys, the arguments; at most
 * LIMIT_LINK_WORDS_MAX - 2. A Redis that has forgotten the script gets it again. */
enum err limit_link_run(struct limit_link *link, enum limit_script script, const slice *words,
                        size_t count, redisReply **out);

struct limit_link_state {
    bool is_away;
    int64_t away_since_us; /* wall; 0: it is here */
    uint64_t outages, calls, failures, connects, script_loads;
    char error[LIMIT_LINK_ERROR_BYTES]; /* the last one; "": none yet */
};
void limit_link_state(struct limit_link *link, struct limit_link_state *out);

static inline void limit_reply_freep(redisReply **reply) /* for CLEANUP */
{
    if (*reply != NULL) {
        freeReplyObject(*reply);
        *reply = NULL;
    }
}
