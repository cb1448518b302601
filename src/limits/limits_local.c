/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limits_local.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "limits/limit_ops.h"
#include "limits/limit_table.h"
#include "os/random.h"
#include "os/thread.h"

enum { SHARD_BITS = 6, SHARDS = 1 << SHARD_BITS };

/* On lines of its own, so that two threads with two subjects do not share one. */
struct shard {
    struct mutex lock;
    struct limit_table table; /* under the lock, as all that follows */
    uint64_t allowed[LIMIT_KIND_COUNT], refused[LIMIT_KIND_COUNT];
};
static_assert(sizeof(struct shard) >= 64, "a shard is longer than a cache line");

struct local {
    struct limits limits;
    uint64_t seed;
    struct shard shards[SHARDS];
};

static struct local *local_of(struct limits *limits)
{
    return (struct local *)limits;
}

static uint64_t hash_of(const struct local *local, enum limit_kind kind, slice id)
{
    return hash_bytes(id, local->seed + (uint64_t)kind);
}

static struct shard *shard_of(struct local *local, uint64_t hash)
{
    return &local->shards[hash >> (64 - SHARD_BITS)];
}

/* ---- Judging ---- */

/* Where the subjects of one request are. */
struct request {
    uint64_t hashes[LIMIT_SUBJECTS_MAX];
    struct shard *shards[LIMIT_SUBJECTS_MAX]; /* of the subjects */
    struct shard *locked[LIMIT_SUBJECTS_MAX]; /* the same, each once, by address */
    size_t locked_count;
    struct metered *metered[LIMIT_SUBJECTS_MAX];
};

static void lock_all(struct local *local, const struct limit_subject *subjects, size_t count,
                     struct request *request)
{
    request->locked_count = 0;
    for (size_t i = 0; i < count; i++) {
        request->hashes[i] = hash_of(local, subjects[i].kind, subjects[i].id);
        struct shard *shard = shard_of(local, request->hashes[i]);
        request->shards[i] = shard;
        size_t at = 0;
        while (at < request->locked_count && request->locked[at] < shard) {
            at++;
        }
        if (at < request->locked_count && request->locked[at] == shard) {
            continue;
        }
        for (size_t j = request->locked_count; j > at; j--) {
            request->locked[j] = request->locked[j - 1];
        }
        request->locked[at] = shard;
        request->locked_count++;
    }
    for (size_t i = 0; i < request->locked_count; i++) {
        mutex_lock(&request->locked[i]->lock);
    }
}

static void unlock_all(const struct request *request)
{
    for (size_t i = 0; i < request->locked_count; i++) {
        mutex_unlock(&request->locked[i]->lock);
    }
}

static void state_fill(const struct limit_subject *subject, const struct limit_window *window,
                       struct sliding *sliding, struct limit_time now, struct limit_state *out)
{
    struct sliding_view view;
    sliding_judge(sliding, window, now.steady_us, &view);
    *out = (struct limit_state){
        .kind = subject->kind,
        .window = *window,
        .most = limit_most(window),
        .remaining = view.remaining,
        .reset_us = now.wall_us + view.reset_us,
        .wait_us = view.wait_us,
    };
}

/* Adds the states of one subject to the answer. */
static void judge_subject(const struct limit_subject *subject, struct metered *metered,
                          struct limit_time now, struct limit_answer *out)
{
    for (size_t w = 0; w < subject->window_count; w++) {
        const struct limit_window *window = &subject->windows[w];
        if (limit_window_is_on(window)) {
            state_fill(subject, window, &metered->windows[w].sliding, now,
                       &out->states[out->state_count++]);
        }
    }
}

/* Counts one that passed, in the same order as it was judged. */
static void count_subject(const struct limit_subject *subject, struct metered *metered,
                          struct limit_time now, struct limit_state **state)
{
    metered->allowed++;
    for (size_t w = 0; w < subject->window_count; w++) {
        const struct limit_window *window = &subject->windows[w];
        if (!limit_window_is_on(window)) {
            continue;
        }
        sliding_count(&metered->windows[w].sliding, window);
        if (--(*state)->remaining == 0) { /* then the reset is when the wait ends */
            state_fill(subject, window, &metered->windows[w].sliding, now, *state);
        }
        (*state)++;
    }
}

/* Statistics of a refusal: of the subject and window that decided it. */
static void note_refusal(const struct limit_subject *subjects, size_t count,
                         const struct request *request, const struct limit_answer *answer)
{
    size_t state = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t w = 0; w < subjects[i].window_count; w++) {
            if (!limit_window_is_on(&subjects[i].windows[w])) {
                continue;
            }
            if (state == answer->decisive) {
                request->metered[i]->windows[w].refused++;
                request->shards[i]->refused[subjects[i].kind]++;
            }
            state++;
        }
    }
}

static bool has_full_window(const struct limit_answer *answer)
{
    for (size_t i = 0; i < answer->state_count; i++) {
        if (answer->states[i].remaining == 0) {
            return true;
        }
    }
    return false;
}

static void take(const struct limit_subject *subjects, size_t count, struct request *request,
                 struct limit_time now, struct limit_answer *out)
{
    for (size_t i = 0; i < count; i++) {
        request->metered[i] = limit_table_get(&request->shards[i]->table, &subjects[i],
                                              request->hashes[i], now.steady_us);
        judge_subject(&subjects[i], request->metered[i], now, out);
    }
    limit_answer_decide(out, has_full_window(out));
    if (out->is_refused) {
        note_refusal(subjects, count, request, out);
        return;
    }
    struct limit_state *state = out->states;
    for (size_t i = 0; i < count; i++) {
        count_subject(&subjects[i], request->metered[i], now, &state);
        request->shards[i]->allowed[subjects[i].kind]++;
    }
}

/* Leaves no subject behind that was not there. */
static void look(const struct limit_subject *subjects, size_t count, struct request *request,
                 struct limit_time now, struct limit_answer *out)
{
    for (size_t i = 0; i < count; i++) {
        struct limit_table *table = &request->shards[i]->table;
        struct metered *known =
            limit_table_find(table, subjects[i].kind, subjects[i].id, request->hashes[i]);
        struct metered stranger = {0};
        if (known == NULL) {
            limit_table_recall(table, &subjects[i], request->hashes[i], now.steady_us, &stranger);
        }
        judge_subject(&subjects[i], known != NULL ? known : &stranger, now, out);
        metered_release(&stranger);
    }
    limit_answer_decide(out, has_full_window(out));
}

static enum err local_judge(struct limits *limits, const struct limit_subject *subjects,
                            size_t count, struct limit_time now, bool counts,
                            struct limit_answer *out)
{
    struct request request;
    lock_all(local_of(limits), subjects, count, &request);
    if (counts) {
        take(subjects, count, &request, now, out);
    } else {
        look(subjects, count, &request, now, out);
    }
    unlock_all(&request);
    return OK;
}

/* ---- Administration ---- */

static enum err local_list(struct limits *limits, enum limit_kind kind, struct limit_time now,
                           limits_each_fn *each, void *context)
{
    struct local *local = local_of(limits);
    bool goes_on = true;
    for (size_t i = 0; i < SHARDS && goes_on; i++) {
        struct shard *shard = &local->shards[i];
        mutex_lock(&shard->lock);
        size_t count = shard->table.kinds[kind].count;
        CLEANUP(mem_freep) struct limit_usage *usages = mem_array(count + 1, sizeof(usages[0]));
        size_t at = 0;
        for (struct metered *m = shard->table.kinds[kind].quietest; m != NULL; m = m->busier) {
            metered_usage(m, now.steady_us, &usages[at++]);
        }
        mutex_unlock(&shard->lock);
        for (size_t u = 0; u < at && goes_on; u++) {
            goes_on = each(context, &usages[u]);
        }
    }
    return OK;
}

static enum err local_find(struct limits *limits, enum limit_kind kind, slice id,
                           struct limit_time now, struct limit_usage *out)
{
    struct local *local = local_of(limits);
    uint64_t hash = hash_of(local, kind, id);
    struct shard *shard = shard_of(local, hash);
    mutex_lock(&shard->lock);
    struct metered *metered = limit_table_find(&shard->table, kind, id, hash);
    if (metered != NULL) {
        metered_usage(metered, now.steady_us, out);
    }
    mutex_unlock(&shard->lock);
    return metered != NULL ? OK : ERR_NOT_FOUND;
}

static enum err local_reset(struct limits *limits, enum limit_kind kind, slice id)
{
    struct local *local = local_of(limits);
    uint64_t hash = hash_of(local, kind, id);
    struct shard *shard = shard_of(local, hash);
    mutex_lock(&shard->lock);
    limit_table_reset(&shard->table, kind, id, hash);
    mutex_unlock(&shard->lock);
    return OK;
}

static void local_health(struct limits *limits, struct limits_health *out)
{
    struct local *local = local_of(limits);
    out->backend = "memory";
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &local->shards[i];
        mutex_lock(&shard->lock);
        for (size_t kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
            out->allowed[kind] += shard->allowed[kind];
            out->refused[kind] += shard->refused[kind];
            out->subjects += shard->table.kinds[kind].count;
        }
        out->evicted += shard->table.evicted;
        mutex_unlock(&shard->lock);
    }
}

static void local_free(struct limits *limits)
{
    struct local *local = local_of(limits);
    for (size_t i = 0; i < SHARDS; i++) {
        limit_table_release(&local->shards[i].table);
        mutex_release(&local->shards[i].lock);
    }
    free(local);
}

static const struct limits_ops local_ops = {
    .judge = local_judge,
    .list = local_list,
    .find = local_find,
    .reset = local_reset,
    .health = local_health,
    .free = local_free,
};

struct limits *limits_local_new(size_t subjects_max)
{
    size_t most = subjects_max == 0 ? LIMITS_LOCAL_SUBJECTS_DEFAULT : subjects_max;
    most = most < LIMITS_LOCAL_SUBJECTS_LEAST ? LIMITS_LOCAL_SUBJECTS_LEAST : most;
    struct local *local = mem_zeroed(sizeof(*local));
    local->limits.ops = &local_ops;
    local->seed = random_u64();
    for (size_t i = 0; i < SHARDS; i++) {
        mutex_init(&local->shards[i].lock);
        limit_table_init(&local->shards[i].table, most / SHARDS);
    }
    return &local->limits;
}
