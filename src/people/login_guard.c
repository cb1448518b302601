/* SPDX-License-Identifier: Apache-2.0 */
#include "people/login_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/random.h"
#include "os/thread.h"

enum {
    WAYS = 8,
    ACCOUNT_BYTES_MAX = 320,
    ADDRESS_TEXT_MAX = 64,
    NET_BYTES = 8,
    MAPPED_BYTES = 12,
};

struct slot {
    uint64_t key[2];
    uint32_t count; /* failures in the window, when it was last looked at; 0: free */
};

struct table {
    struct slot *slots;
    int64_t *times; /* failures_max of each slot, oldest first */
    size_t set_mask;
};

struct login_guard {
    uint64_t seeds[2];
    size_t names_max;
    struct mutex lock; /* of the rest */
    uint32_t failures_max;
    int64_t window_us;
    struct table accounts, addresses; /* without slots while failures_max is 0 */
};

/* ---- Life ---- */

static void table_init(struct table *table, size_t names_max, uint32_t failures_max)
{
    size_t sets = 1;
    while (sets * WAYS < names_max) {
        sets *= 2;
    }
    table->slots = mem_array(sets * WAYS, sizeof(*table->slots));
    table->times = mem_array(sets * WAYS * failures_max, sizeof(*table->times));
    table->set_mask = sets - 1;
}

static void table_release(struct table *table)
{
    free(table->slots);
    free(table->times);
    *table = (struct table){0};
}

/* Other room in each slot; of more failures than that the newest stay. */
static void table_resize(struct table *table, uint32_t old_max, uint32_t new_max)
{
    size_t count = (table->set_mask + 1) * WAYS;
    int64_t *times = mem_array(count * new_max, sizeof(*times));
    for (size_t i = 0; i < count; i++) {
        uint32_t all = table->slots[i].count;
        uint32_t kept = all < new_max ? all : new_max;
        memcpy(times + i * new_max, table->times + i * old_max + (all - kept),
               kept * sizeof(*times));
        table->slots[i].count = kept;
    }
    free(table->times);
    table->times = times;
}

static void table_set(struct table *table, size_t names_max, uint32_t old_max, uint32_t new_max)
{
    if (new_max == 0) {
        table_release(table);
    } else if (old_max == 0) {
        table_init(table, names_max, new_max);
    } else if (new_max != old_max) {
        table_resize(table, old_max, new_max);
    }
}

void login_guard_set(struct login_guard *guard, uint32_t failures_max, uint32_t window_s)
{
    ASSERT(failures_max <= LOGIN_GUARD_FAILURES_MAX);
    ASSERT(window_s > 0 && window_s <= LOGIN_GUARD_WINDOW_S_MAX);
    mutex_lock(&guard->lock);
    guard->window_us = (int64_t)window_s * 1000000;
    table_set(&guard->accounts, guard->names_max, guard->failures_max, failures_max);
    table_set(&guard->addresses, guard->names_max, guard->failures_max, failures_max);
    guard->failures_max = failures_max;
    mutex_unlock(&guard->lock);
}

struct login_guard *login_guard_new(const struct login_guard_options *options)
{
    struct login_guard *guard = mem_zeroed(sizeof(*guard));
    guard->names_max = options->names_max;
    guard->seeds[0] = random_u64();
    guard->seeds[1] = random_u64();
    mutex_init(&guard->lock);
    login_guard_set(guard, options->failures_max, options->window_s);
    return guard;
}

void login_guard_free(struct login_guard *guard)
{
    if (guard == NULL) {
        return;
    }
    table_release(&guard->accounts);
    table_release(&guard->addresses);
    mutex_release(&guard->lock);
    free(guard);
}

/* ---- Names ---- */

/* 128 bits under seeds of our own: nobody can make two names that meet. */
static void hash_name(const struct login_guard *guard, slice name, uint64_t out[2])
{
    out[0] = hash_bytes(name, guard->seeds[0]);
    out[1] = hash_bytes(name, guard->seeds[1]);
}

/* Of a name that is longer than any account's, the beginning. */
static void hash_account(const struct login_guard *guard, slice account, uint64_t out[2])
{
    uint8_t lower[ACCOUNT_BYTES_MAX];
    size_t len = account.len < sizeof(lower) ? account.len : sizeof(lower);
    for (size_t i = 0; i < len; i++) {
        lower[i] = byte_lower(account.ptr[i]);
    }
    hash_name(guard, (slice){lower, len}, out);
}

/* IPv4 whole, also when it is mapped into IPv6; of IPv6 the network. What is no address counts as
 * the text that it is. */
static void hash_address(const struct login_guard *guard, slice address, uint64_t out[2])
{
    char text[ADDRESS_TEXT_MAX] = "";
    struct in_addr four = {0};
    struct in6_addr six = {0};
    slice name = address;
    if (address.len > 0 && address.len < sizeof(text)) {
        memcpy(text, address.ptr, address.len);
    }
    if (inet_pton(AF_INET, text, &four) == 1) {
        name = (slice){(const uint8_t *)&four, sizeof(four)};
    } else if (inet_pton(AF_INET6, text, &six) == 1) {
        name = IN6_IS_ADDR_V4MAPPED(&six)
                   ? (slice){six.s6_addr + MAPPED_BYTES, sizeof(six.s6_addr) - MAPPED_BYTES}
                   : (slice){six.s6_addr, NET_BYTES};
    }
    hash_name(guard, name, out);
}

/* ---- Slots, under the lock ---- */

static int64_t *times_of(const struct login_guard *guard, const struct table *table,
                         const struct slot *slot)
{
    return table->times + (size_t)(slot - table->slots) * guard->failures_max;
}

static struct slot *set_of(const struct table *table, const uint64_t key[2])
{
    return table->slots + (size_t)(key[0] & table->set_mask) * WAYS;
}

/* Drops the first `n` times. */
static void drop(const struct login_guard *guard, const struct table *table, struct slot *slot,
                 uint32_t n)
{
    int64_t *times = times_of(guard, table, slot);
    slot->count -= n;
    memmove(times, times + n, slot->count * sizeof(*times));
}

static void drop_old(const struct login_guard *guard, const struct table *table, struct slot *slot,
                     int64_t now_us)
{
    const int64_t *times = times_of(guard, table, slot);
    uint32_t old = 0;
    while (old < slot->count && times[old] + guard->window_us <= now_us) {
        old++;
    }
    drop(guard, table, slot, old);
}

static struct slot *find(const struct table *table, const uint64_t key[2])
{
    if (table->slots == NULL) {
        return NULL;
    }
    struct slot *set = set_of(table, key);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].count > 0 && set[i].key[0] == key[0] && set[i].key[1] == key[1]) {
            return &set[i];
        }
    }
    return NULL;
}

/* Whether `a` should go rather than `b`: what is free, what is not refused, what failed earlier. */
static bool goes_rather(const struct login_guard *guard, const struct table *table,
                        const struct slot *a, const struct slot *b)
{
    if (a->count == 0 || b->count == 0) {
        return a->count < b->count;
    }
    bool a_is_refused = a->count == guard->failures_max;
    bool b_is_refused = b->count == guard->failures_max;
    if (a_is_refused != b_is_refused) {
        return b_is_refused;
    }
    return times_of(guard, table, a)[a->count - 1] < times_of(guard, table, b)[b->count - 1];
}

static struct slot *find_or_make(const struct login_guard *guard, const struct table *table,
                                 const uint64_t key[2], int64_t now_us)
{
    struct slot *found = find(table, key);
    struct slot *set = set_of(table, key);
    struct slot *spare = set;
    if (found != NULL) {
        return found;
    }
    for (size_t i = 0; i < WAYS; i++) {
        drop_old(guard, table, &set[i], now_us);
        spare = goes_rather(guard, table, &set[i], spare) ? &set[i] : spare;
    }
    *spare = (struct slot){.key = {key[0], key[1]}};
    return spare;
}

/* How long until it may be tried again; 0: now. */
static int64_t wait_us(const struct login_guard *guard, const struct table *table,
                       const uint64_t key[2], int64_t now_us)
{
    struct slot *slot = find(table, key);
    if (slot == NULL) {
        return 0;
    }
    drop_old(guard, table, slot, now_us);
    bool is_refused = slot->count == guard->failures_max;
    return is_refused ? times_of(guard, table, slot)[0] + guard->window_us - now_us : 0;
}

static void add(const struct login_guard *guard, const struct table *table, const uint64_t key[2],
                int64_t now_us)
{
    struct slot *slot = find_or_make(guard, table, key, now_us);
    ASSERT(slot->count < guard->failures_max);
    times_of(guard, table, slot)[slot->count++] = now_us;
}

/* Takes one failure of that time away, if it is still there. */
static void take_away(const struct login_guard *guard, const struct table *table,
                      const uint64_t key[2], int64_t began_us)
{
    struct slot *slot = find(table, key);
    for (uint32_t i = 0; slot != NULL && i < slot->count; i++) {
        int64_t *times = times_of(guard, table, slot);
        if (times[i] == began_us) {
            memmove(times + i, times + i + 1, (slot->count - i - 1) * sizeof(*times));
            slot->count--;
            return;
        }
    }
}

static int64_t longer_wait_us(const struct login_guard *guard, const struct login_attempt *attempt,
                              int64_t now_us)
{
    int64_t account_us = wait_us(guard, &guard->accounts, attempt->account, now_us);
    int64_t address_us = wait_us(guard, &guard->addresses, attempt->address, now_us);
    return account_us > address_us ? account_us : address_us;
}

/* ---- From any thread ---- */

enum err login_guard_enter(struct login_guard *guard, slice account, slice address,
                           struct login_attempt *out, int64_t *retry_after_us)
{
    struct login_attempt attempt = {0};
    hash_account(guard, account, attempt.account);
    hash_address(guard, address, attempt.address);
    mutex_lock(&guard->lock);
    int64_t now_us = clock_monotonic_us();
    int64_t longer_us = longer_wait_us(guard, &attempt, now_us);
    if (longer_us == 0 && guard->failures_max > 0) {
        attempt.began_us = now_us;
        add(guard, &guard->accounts, attempt.account, now_us);
        add(guard, &guard->addresses, attempt.address, now_us);
    }
    mutex_unlock(&guard->lock);
    if (longer_us > 0) {
        *retry_after_us = longer_us;
        return ERR_LIMIT;
    }
    *out = attempt;
    return OK;
}

void login_guard_succeeded(struct login_guard *guard, const struct login_attempt *attempt)
{
    if (attempt->began_us == 0) {
        return;
    }
    mutex_lock(&guard->lock);
    struct slot *slot = find(&guard->accounts, attempt->account);
    if (slot != NULL) {
        slot->count = 0;
    }
    take_away(guard, &guard->addresses, attempt->address, attempt->began_us);
    mutex_unlock(&guard->lock);
}

void login_guard_undone(struct login_guard *guard, const struct login_attempt *attempt)
{
    if (attempt->began_us == 0) {
        return;
    }
    mutex_lock(&guard->lock);
    take_away(guard, &guard->accounts, attempt->account, attempt->began_us);
    take_away(guard, &guard->addresses, attempt->address, attempt->began_us);
    mutex_unlock(&guard->lock);
}
