/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * quota - how much an organisation may use up in a calendar month, in UTC.
 *
 * A unit is taken before the work and given back if the work fails or is refused, so that only what
 * was accepted counts. The month is that of the wall clock. A clock that is set back into the month
 * before does not bring that back; one that is set back further takes the month along with what was
 * used. A clock that runs ahead into the next month starts that.
 *
 * In process the counts are in memory: quota_put() brings them at the start, and quota_flush()
 * hands those that changed to a callback; a crash forgets what was not flushed. In Redis they are
 * there, with an expiry of 40 days, shared by servers, in the month of Redis' clock.
 *
 * Threads: any.
 */

#include "base/err.h"
#include "base/slice.h"

#define QUOTA_ORG_BYTES_MAX 64
#define QUOTA_ORGS_MAX      1000000 /* in process */
#define QUOTA_UNLIMITED     UINT64_MAX
#define QUOTA_MOST          1000000000 /* of a limit that is one */

/* Months are numbers: 12 * year + month - 1. A time outside 1970 to 9999 is in the nearest one. */
int32_t quota_month(int64_t wall_us);
int64_t quota_month_start_us(int32_t month);

struct quota_answer {
    uint64_t limit;     /* QUOTA_UNLIMITED: none */
    uint64_t used;      /* with this one, if it passed */
    uint64_t remaining; /* QUOTA_UNLIMITED: no limit */
    int64_t reset_us;   /* wall: the first moment of the next month */
    int32_t month;
    bool is_uncounted; /* Redis is away, and everything passes then */
};

struct quota;
void quota_free(struct quota *quota); /* does not flush */
DEFINE_OWNED(quota);

/* Takes one unit. `org` has 1 to QUOTA_ORG_BYTES_MAX bytes. OK. LIMIT: there is none left, nothing
 * was taken, *out says when there will be. BUSY: Redis is away and nothing passes then, or in
 * process there are QUOTA_ORGS_MAX others. */
enum err quota_take(struct quota *quota, slice org, uint64_t limit, int64_t wall_us,
                    struct quota_answer *out);

/* Gives back what quota_take() took; nothing if its month is over. BUSY: it is not given back. */
enum err quota_give_back(struct quota *quota, slice org, const struct quota_answer *taken,
                         int64_t wall_us);

/* How it stands; `remaining` is what quota_take() would find. OK if nothing is left, too; BUSY. */
enum err quota_look(struct quota *quota, slice org, uint64_t limit, int64_t wall_us,
                    struct quota_answer *out);

struct quota_count {
    uint8_t org_len;
    uint8_t org[QUOTA_ORG_BYTES_MAX];
    int32_t month;
    uint64_t used;
};

/* Stores all of `counts`, or, after an error, none. Called by quota_flush() alone, without a lock;
 * may not call quota. */
typedef enum err quota_store_fn(void *context, const struct quota_count *counts, size_t count,
                                struct diag *diag);

#define QUOTA_STORED_AT_ONCE 64
/* Stores every count that changed since it was stored, up to QUOTA_STORED_AT_ONCE at a time. The
 * first error ends it; what was not stored is stored by the next call. In Redis there is nothing to
 * do. One thread at a time. */
enum err quota_flush(struct quota *quota, quota_store_fn *store, void *context, struct diag *diag);

/* In process; never NULL. */
struct quota *quota_local_new(void);
/* What was stored, at the start. BUSY: QUOTA_ORGS_MAX. */
enum err quota_put(struct quota *quota, slice org, int32_t month, uint64_t used);

struct limit_link;
/* In Redis. `link` outlives it. `is_closed`: when Redis is away nothing passes. Never NULL. */
struct quota *quota_redis_new(struct limit_link *link, bool is_closed);
/* The time is the caller's, not that of Redis. */
void quota_redis_set_time_for_tests(struct quota *quota);
