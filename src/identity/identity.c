/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/identity.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "identity/idtable.h"
#include "os/thread.h"

struct known_group {
    struct group *group;
    int64_t recorded_max_us;
    uint64_t v7_min_ms, v7_max_ms;
};

/*
 * Two tables, because sealing lags behind: rows of the group that is being filled, and rows
 * behind it. `lock` covers everything; groups are never freed while the identity lives, but
 * replaced ones.
 */
struct identity {
    uint64_t secret; /* for table_hash() */
    struct mutex lock;
    struct idtable *table;
    struct idtable *next; /* NULL until a row behind the first table's span comes */
    struct known_group *groups;
    size_t group_count;
};

struct identity *identity_new(uint64_t base_seq, uint64_t secret)
{
    struct identity *identity = mem_zeroed(sizeof(*identity));
    identity->secret = secret;
    mutex_init(&identity->lock);
    identity->table = idtable_new(base_seq);
    return identity;
}

void identity_free(struct identity *identity)
{
    if (identity == NULL) {
        return;
    }
    for (size_t i = 0; i < identity->group_count; i++) {
        group_free(identity->groups[i].group);
    }
    free(identity->groups);
    idtable_free(identity->table);
    idtable_free(identity->next);
    mutex_release(&identity->lock);
    free(identity);
}

/* Anyone can make ids that share a stored hash. The tables, whose runs would grow with them, use
 * another one, in which a secret of this process keeps such ids apart. */
static uint64_t table_hash(const struct identity *identity, uint64_t hash, const struct uuid *id)
{
    return hash_bytes((slice){id->bytes, sizeof(id->bytes)}, hash ^ identity->secret);
}

static struct idtable *table_of(struct identity *identity, uint64_t seq)
{
    uint64_t next_base = idtable_base(identity->table) + IDTABLE_SPAN;
    if (seq < next_base) {
        return identity->table;
    }
    if (identity->next == NULL) {
        identity->next = idtable_new(next_base);
    }
    return identity->next;
}

void identity_add(struct identity *identity, uint64_t hash, const struct uuid *id, uint64_t seq)
{
    uint64_t in_table = table_hash(identity, hash, id);
    mutex_lock(&identity->lock);
    idtable_add(table_of(identity, seq), in_table, seq);
    mutex_unlock(&identity->lock);
}

void identity_undo(struct identity *identity, uint64_t hash, const struct uuid *id, uint64_t seq)
{
    uint64_t in_table = table_hash(identity, hash, id);
    mutex_lock(&identity->lock);
    idtable_undo(table_of(identity, seq), in_table, seq);
    mutex_unlock(&identity->lock);
}

static void replace_group(struct known_group *known, struct group *group)
{
    group_free(known->group);
    known->group = group;
    group_v7_bounds(group, &known->v7_min_ms, &known->v7_max_ms);
}

void identity_add_group(struct identity *identity, size_t index, struct group *group,
                        int64_t recorded_max_us)
{
    mutex_lock(&identity->lock);
    ASSERT(index <= identity->group_count);
    if (index == identity->group_count) {
        identity->groups = mem_resize(identity->groups, (index + 1) * sizeof(*identity->groups));
        identity->groups[index] = (struct known_group){.recorded_max_us = recorded_max_us};
        identity->group_count++;
        uint64_t end = (uint64_t)(index + 1) * GROUP_ROWS;
        if (idtable_base(identity->table) < end) {
            idtable_free(identity->table);
            identity->table = identity->next != NULL ? identity->next : idtable_new(end);
            identity->next = NULL;
        }
    }
    replace_group(&identity->groups[index], group);
    mutex_unlock(&identity->lock);
}

/* Whether a check of this id must look into the group, seen from the newest at `behind` 0. */
static bool is_in_question(const struct known_group *known, const struct uuid *id, size_t behind,
                           int64_t now_us)
{
    if (uuid_version(id) == 7) {
        uint64_t ms = uuid_v7_ms(id);
        return ms >= known->v7_min_ms && ms <= known->v7_max_ms;
    }
    return now_us == 0 || behind == 0 || known->recorded_max_us >= now_us - IDENTITY_WINDOW_US;
}

void identity_prefetch(struct identity *identity, uint64_t hash, const struct uuid *id,
                       int64_t now_us)
{
    uint64_t in_table = table_hash(identity, hash, id);
    mutex_lock(&identity->lock);
    for (size_t i = 0; i < identity->group_count; i++) {
        const struct known_group *known = &identity->groups[i];
        if (is_in_question(known, id, identity->group_count - 1 - i, now_us)) {
            group_prefetch_id(known->group, hash);
        }
    }
    idtable_prefetch(identity->table, in_table);
    if (identity->next != NULL) {
        idtable_prefetch(identity->next, in_table);
    }
    mutex_unlock(&identity->lock);
}

size_t identity_find(struct identity *identity, uint64_t hash, const struct uuid *id,
                     int64_t now_us, uint64_t seqs_out[IDENTITY_FIND_MAX])
{
    size_t found = 0;
    uint64_t in_table = table_hash(identity, hash, id);
    mutex_lock(&identity->lock);
    for (size_t i = 0; i < identity->group_count && found + GROUP_FIND_MAX <= IDENTITY_FIND_MAX;
         i++) {
        const struct known_group *known = &identity->groups[i];
        if (!is_in_question(known, id, identity->group_count - 1 - i, now_us)) {
            continue;
        }
        uint32_t rows[GROUP_FIND_MAX];
        size_t count = group_find_id(known->group, hash, rows);
        for (size_t k = 0; k < count; k++) {
            seqs_out[found++] = (uint64_t)i * GROUP_ROWS + rows[k];
        }
    }
    size_t from_groups = found;
    found += idtable_find(identity->table, in_table, seqs_out + found, IDENTITY_FIND_MAX - found);
    if (identity->next != NULL) {
        found +=
            idtable_find(identity->next, in_table, seqs_out + found, IDENTITY_FIND_MAX - found);
    }
    mutex_unlock(&identity->lock);
    for (size_t i = from_groups + 1; i < found; i++) { /* the table gives them in no order */
        uint64_t seq = seqs_out[i];
        size_t at = i;
        for (; at > from_groups && seqs_out[at - 1] > seq; at--) {
            seqs_out[at] = seqs_out[at - 1];
        }
        seqs_out[at] = seq;
    }
    return found;
}
