/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/quota.h"

#include <time.h>

#include "codec/time.h"
#include "limits/quota_ops.h"

int32_t quota_month(int64_t wall_us)
{
    int64_t known_us = wall_us < TIME_US_MAX ? wall_us : TIME_US_MAX;
    time_t seconds = known_us > 0 ? known_us / 1000000 : 0;
    struct tm civil;
    ASSERT(gmtime_r(&seconds, &civil) != NULL);
    return (civil.tm_year + 1900) * 12 + civil.tm_mon;
}

int64_t quota_month_start_us(int32_t month)
{
    struct tm civil = {.tm_year = month / 12 - 1900, .tm_mon = month % 12, .tm_mday = 1};
    return (int64_t)timegm(&civil) * 1000000;
}

void quota_free(struct quota *quota)
{
    if (quota != NULL) {
        quota->ops->free(quota);
    }
}

static enum err change(struct quota *quota, const struct quota_change *change,
                       struct quota_answer *out)
{
    ASSERT(change->org.len > 0 && change->org.len <= QUOTA_ORG_BYTES_MAX);
    ASSERT(change->limit <= QUOTA_MOST || change->limit == QUOTA_UNLIMITED);
    struct quota_answer answer = {.limit = change->limit};
    enum err e = quota->ops->change(quota, change, &answer);
    if (e != OK && e != ERR_LIMIT) {
        return e;
    }
    uint64_t left = answer.limit > answer.used ? answer.limit - answer.used : 0;
    answer.remaining = change->limit == QUOTA_UNLIMITED ? QUOTA_UNLIMITED : left;
    answer.reset_us = quota_month_start_us(answer.month + 1);
    *out = answer;
    return e;
}

enum err quota_take(struct quota *quota, slice org, uint64_t limit, int64_t wall_us,
                    struct quota_answer *out)
{
    return change(quota, &(struct quota_change){QUOTA_TAKE, org, limit, wall_us, 0}, out);
}

enum err quota_look(struct quota *quota, slice org, uint64_t limit, int64_t wall_us,
                    struct quota_answer *out)
{
    return change(quota, &(struct quota_change){QUOTA_LOOK, org, limit, wall_us, 0}, out);
}

enum err quota_give_back(struct quota *quota, slice org, const struct quota_answer *taken,
                         int64_t wall_us)
{
    struct quota_answer ignored;
    const struct quota_change back = {QUOTA_GIVE_BACK, org, taken->limit, wall_us, taken->month};
    return taken->is_uncounted ? OK : change(quota, &back, &ignored);
}

enum err quota_flush(struct quota *quota, quota_store_fn *store, void *context, struct diag *diag)
{
    return quota->ops->flush(quota, store, context, diag);
}
