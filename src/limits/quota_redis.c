/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "limits/limit_script.h"
#include "limits/quota_ops.h"

struct remote {
    struct quota quota;
    struct limit_link *link;
    bool is_closed;
    bool takes_callers_time;
};

static struct remote *remote_of(struct quota *quota)
{
    return (struct remote *)quota;
}

static slice word_of(enum quota_word word)
{
    static const slice words[] = {[QUOTA_TAKE] = SLICE_INIT("take"),
                                  [QUOTA_LOOK] = SLICE_INIT("look"),
                                  [QUOTA_GIVE_BACK] = SLICE_INIT("back")};
    return words[word];
}

/* Redis is away: it passes and is not counted, or it does not pass. */
static enum err uncounted(const struct remote *remote, const struct quota_change *change,
                          struct quota_answer *out)
{
    if (remote->is_closed || change->word != QUOTA_TAKE) {
        return ERR_BUSY;
    }
    out->is_uncounted = true;
    out->month = quota_month(change->wall_us);
    return OK;
}

static enum err remote_change(struct quota *quota, const struct quota_change *change,
                              struct quota_answer *out)
{
    struct remote *remote = remote_of(quota);
    char key[16 + QUOTA_ORG_BYTES_MAX];
    char limit[24] = "-1";
    char seconds[24] = "0";
    char month[16];
    int key_len = snprintf(key, sizeof(key), "cairn:quota:%.*s", SLICE_ARG(change->org));
    ASSERT(key_len > 0 && (size_t)key_len < sizeof(key));
    if (change->limit != QUOTA_UNLIMITED) {
        (void)snprintf(limit, sizeof(limit), "%" PRIu64, change->limit);
    }
    if (remote->takes_callers_time) {
        (void)snprintf(seconds, sizeof(seconds), "%" PRId64, change->wall_us / 1000000);
    }
    (void)snprintf(month, sizeof(month), "%" PRId32, change->taken_month);
    const slice words[] = {SLICE("1"),
                           {(const uint8_t *)key, (size_t)key_len},
                           word_of(change->word),
                           slice_from_cstr(limit),
                           slice_from_cstr(seconds),
                           slice_from_cstr(month)};
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    enum err e = limit_link_run(remote->link, LIMIT_SCRIPT_QUOTA, words, COUNT_OF(words), &reply);
    if (e != OK || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
        return uncounted(remote, change, out);
    }
    out->used = (uint64_t)reply->element[1]->integer;
    out->month = (int32_t)reply->element[2]->integer;
    return reply->element[0]->integer == 1 ? OK : ERR_LIMIT;
}

static enum err remote_flush(struct quota *quota, quota_store_fn *store, void *context,
                             struct diag *diag)
{
    UNUSED(quota);
    UNUSED(store);
    UNUSED(context);
    UNUSED(diag);
    return OK;
}

static void remote_free(struct quota *quota)
{
    free(quota);
}

static const struct quota_ops remote_ops = {
    .change = remote_change,
    .flush = remote_flush,
    .free = remote_free,
};

struct quota *quota_redis_new(struct limit_link *link, bool is_closed)
{
    struct remote *remote = mem_zeroed(sizeof(*remote));
    remote->quota.ops = &remote_ops;
    remote->link = link;
    remote->is_closed = is_closed;
    return &remote->quota;
}

void quota_redis_set_time_for_tests(struct quota *quota)
{
    remote_of(quota)->takes_callers_time = true;
}
