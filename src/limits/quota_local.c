/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table under one lock: a quota is taken for work that costs a thousand times as much. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "limits/limit_slots.h"
#include "limits/quota_ops.h"
#include "os/random.h"
#include "os/thread.h"

struct account {
    struct limit_node node;
    struct quota_count count;
    uint64_t stored_used; /* as it was stored last, with stored_month */
    int32_t stored_month;
};

struct local {
    struct quota quota;
    uint64_t seed;
    struct mutex lock;
    struct limit_slots accounts; /* under the lock */
};

static struct local *local_of(struct quota *quota)
{
    return (struct local *)quota;
}

static slice org_of(const struct quota_count *count)
{
    return (slice){count->org, count->org_len};
}

static struct account *find(const struct local *local, slice org, uint64_t hash)
{
    struct limit_node *node = limit_slots_first(&local->accounts, hash);
    for (; node != NULL; node = node->next) {
        struct account *account = (struct account *)node;
        if (node->hash == hash && slice_equal(org_of(&account->count), org)) {
            return account;
        }
    }
    return NULL;
}

/* NULL: there are too many. */
static struct account *get(struct local *local, slice org)
{
    uint64_t hash = hash_bytes(org, local->seed);
    struct account *account = find(local, org, hash);
    if (account != NULL || local->accounts.count == QUOTA_ORGS_MAX) {
        return account;
    }
    account = mem_zeroed(sizeof(*account));
    account->count.org_len = (uint8_t)org.len;
    memcpy(account->count.org, org.ptr, org.len);
    limit_slots_add(&local->accounts, &account->node, hash);
    return account;
}

/* Under the lock. */
static enum err change_count(struct quota_count *count, const struct quota_change *change)
{
    count->month = quota_month_now(count->month, quota_month(change->wall_us), &count->used);
    switch (change->word) {
    case QUOTA_TAKE:
        if (count->used >= change->limit) {
            return ERR_LIMIT;
        }
        count->used++;
        return OK;
    case QUOTA_GIVE_BACK:
        count->used -= count->used > 0 && count->month == change->taken_month ? 1 : 0;
        return OK;
    case QUOTA_LOOK:
        return OK;
    }
    ASSERT(false);
    return OK;
}

static enum err local_change(struct quota *quota, const struct quota_change *change,
                             struct quota_answer *out)
{
    struct local *local = local_of(quota);
    mutex_lock(&local->lock);
    struct account *account = get(local, change->org);
    enum err e = ERR_BUSY;
    if (account != NULL) {
        e = change_count(&account->count, change);
        out->used = account->count.used;
        out->month = account->count.month;
    }
    mutex_unlock(&local->lock);
    return e;
}

enum err quota_put(struct quota *quota, slice org, int32_t month, uint64_t used)
{
    ASSERT(org.len > 0 && org.len <= QUOTA_ORG_BYTES_MAX);
    struct local *local = local_of(quota);
    mutex_lock(&local->lock);
    struct account *account = get(local, org);
    if (account != NULL) {
        account->count.month = account->stored_month = month;
        account->count.used = account->stored_used = used;
    }
    mutex_unlock(&local->lock);
    return account != NULL ? OK : ERR_BUSY;
}

/* Copies of what changed, from slot *slot on, which is moved. */
static size_t collect(struct local *local, size_t *slot, struct quota_count *out)
{
    size_t count = 0;
    mutex_lock(&local->lock);
    for (; *slot < local->accounts.slot_count; (*slot)++) {
        size_t before = count;
        struct limit_node *node = local->accounts.slots[*slot];
        for (; node != NULL && count < QUOTA_STORED_AT_ONCE; node = node->next) {
            const struct account *account = (const struct account *)node;
            bool is_changed = account->count.used != account->stored_used ||
                              account->count.month != account->stored_month;
            if (is_changed) {
                out[count++] = account->count;
            }
        }
        if (node != NULL) { /* this slot does not fit any more: it is the next one's first */
            count = before > 0 ? before : count;
            break;
        }
    }
    mutex_unlock(&local->lock);
    return count;
}

static void note_stored(struct local *local, const struct quota_count *stored, size_t count)
{
    mutex_lock(&local->lock);
    for (size_t i = 0; i < count; i++) {
        slice org = org_of(&stored[i]);
        struct account *account = find(local, org, hash_bytes(org, local->seed));
        ASSERT(account != NULL); /* none ever goes */
        account->stored_used = stored[i].used;
        account->stored_month = stored[i].month;
    }
    mutex_unlock(&local->lock);
}

static enum err local_flush(struct quota *quota, quota_store_fn *store, void *context,
                            struct diag *diag)
{
    struct local *local = local_of(quota);
    struct quota_count changed[QUOTA_STORED_AT_ONCE];
    size_t slot = 0;
    size_t count = collect(local, &slot, changed);
    while (count > 0) {
        TRY(store(context, changed, count, diag));
        note_stored(local, changed, count);
        count = collect(local, &slot, changed);
    }
    return OK;
}

static void end_account(struct limit_node *node)
{
    free(node);
}

static void local_free(struct quota *quota)
{
    struct local *local = local_of(quota);
    limit_slots_release(&local->accounts, end_account);
    mutex_release(&local->lock);
    free(local);
}

static const struct quota_ops local_ops = {
    .change = local_change,
    .flush = local_flush,
    .free = local_free,
};

struct quota *quota_local_new(void)
{
    struct local *local = mem_zeroed(sizeof(*local));
    local->quota.ops = &local_ops;
    local->seed = random_u64();
    limit_slots_init(&local->accounts);
    mutex_init(&local->lock);
    return &local->quota;
}
