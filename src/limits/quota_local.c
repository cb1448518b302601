/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table under one lock: a quota is taken for work that costs a thousand times as much. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "limits/quota_ops.h"
#include "os/random.h"
#include "os/thread.h"

enum { SLOTS_FIRST = 64, FLUSHED_AT_ONCE = 64 };

struct account {
    struct account *next;
    uint64_t hash, used;
    uint64_t stored_used; /* as it was stored last, with stored_month */
    int32_t month, stored_month;
    uint8_t org_len;
    uint8_t org[QUOTA_ORG_BYTES_MAX];
};

struct local {
    struct quota quota;
    uint64_t seed;
    struct mutex lock;
    struct account **slots; /* under the lock, as all that follows */
    size_t slot_count, count;
};

static struct local *local_of(struct quota *quota)
{
    return (struct local *)quota;
}

static struct account **slot_of(const struct local *local, uint64_t hash)
{
    return &local->slots[hash & (local->slot_count - 1)];
}

static struct account *find(const struct local *local, slice org, uint64_t hash)
{
    struct account *account = *slot_of(local, hash);
    while (account != NULL &&
           !(account->hash == hash && slice_equal((slice){account->org, account->org_len}, org))) {
        account = account->next;
    }
    return account;
}

static void grow(struct local *local)
{
    struct account **old = local->slots;
    size_t old_count = local->slot_count;
    local->slot_count *= 2;
    local->slots = mem_array(local->slot_count, sizeof(struct account *));
    for (size_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct account *account = old[i];
            old[i] = account->next;
            struct account **slot = slot_of(local, account->hash);
            account->next = *slot;
            *slot = account;
        }
    }
    free(old);
}

/* NULL: there are too many. */
static struct account *get(struct local *local, slice org)
{
    uint64_t hash = hash_bytes(org, local->seed);
    struct account *account = find(local, org, hash);
    if (account != NULL || local->count == QUOTA_ORGS_MAX) {
        return account;
    }
    if (local->count == local->slot_count) {
        grow(local);
    }
    account = mem_zeroed(sizeof(*account));
    account->hash = hash;
    account->org_len = (uint8_t)org.len;
    memcpy(account->org, org.ptr, org.len);
    struct account **slot = slot_of(local, hash);
    account->next = *slot;
    *slot = account;
    local->count++;
    return account;
}

/* Under the lock. */
static enum err change_account(struct account *account, const struct quota_change *change)
{
    account->month = quota_month_now(account->month, quota_month(change->wall_us), &account->used);
    switch (change->word) {
    case QUOTA_TAKE:
        if (account->used >= change->limit) {
            return ERR_LIMIT;
        }
        account->used++;
        return OK;
    case QUOTA_GIVE_BACK:
        account->used -= account->used > 0 && account->month == change->taken_month ? 1 : 0;
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
        e = change_account(account, change);
        out->used = account->used;
        out->month = account->month;
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
        account->month = month;
        account->stored_month = month;
        account->used = used;
        account->stored_used = used;
    }
    mutex_unlock(&local->lock);
    return account != NULL ? OK : ERR_BUSY;
}

/* Up to FLUSHED_AT_ONCE copies of what changed, from slot *slot on, which is moved. */
static size_t collect(struct local *local, size_t *slot, struct account *out)
{
    size_t count = 0;
    mutex_lock(&local->lock);
    for (; *slot < local->slot_count; (*slot)++) {
        size_t before = count;
        const struct account *account = local->slots[*slot];
        while (account != NULL && count < FLUSHED_AT_ONCE) {
            bool is_changed =
                account->used != account->stored_used || account->month != account->stored_month;
            if (is_changed) {
                out[count++] = *account;
            }
            account = account->next;
        }
        if (account != NULL) { /* this slot does not fit any more: it is the next one's first */
            count = before > 0 ? before : count;
            break;
        }
    }
    mutex_unlock(&local->lock);
    return count;
}

static void note_stored(struct local *local, const struct account *stored)
{
    mutex_lock(&local->lock);
    struct account *account = find(local, (slice){stored->org, stored->org_len}, stored->hash);
    ASSERT(account != NULL); /* none ever goes */
    account->stored_used = stored->used;
    account->stored_month = stored->month;
    mutex_unlock(&local->lock);
}

static enum err local_flush(struct quota *quota, quota_store_fn *store, void *context,
                            struct diag *diag)
{
    struct local *local = local_of(quota);
    struct account changed[FLUSHED_AT_ONCE];
    size_t slot = 0;
    size_t count = collect(local, &slot, changed);
    while (count > 0) {
        for (size_t i = 0; i < count; i++) {
            const struct account *account = &changed[i];
            slice org = {account->org, account->org_len};
            TRY(store(context, org, account->month, account->used, diag));
            note_stored(local, account);
        }
        count = collect(local, &slot, changed);
    }
    return OK;
}

static void local_free(struct quota *quota)
{
    struct local *local = local_of(quota);
    for (size_t i = 0; i < local->slot_count; i++) {
        while (local->slots[i] != NULL) {
            struct account *account = local->slots[i];
            local->slots[i] = account->next;
            free(account);
        }
    }
    free(local->slots);
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
    local->slot_count = SLOTS_FIRST;
    local->slots = mem_array(SLOTS_FIRST, sizeof(struct account *));
    mutex_init(&local->lock);
    return &local->quota;
}
