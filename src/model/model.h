/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * model - the ledger as a plain array: what each answer has to be, worked out the slow way. Events
 * are asked one by one with filter_match(), sorted, counted by text; the tree is folded from its
 * first leaf. For tests.
 *
 * Threads: one owner.
 */

#include "store/store.h"

struct model_event {
    struct event event; /* texts live in the model's arena; kept when erased, to be sent again */
    struct merkle_hash leaf;
    bool is_erased;
};

struct model {
    struct arena arena;
    struct model_event *events; /* by seq */
    size_t count;
    size_t capacity;
};

/* One event of a batch: what is sent, and what must become of it. */
struct model_offer {
    struct event event;
    uint64_t sent;
    enum batch_event_state state;
    uint64_t seq;
};

struct model_group {
    char key[160];
    uint64_t count;
};

void model_init(struct model *model);
void model_release(struct model *model);

/* What a batch of these comes to: OK, or CONFLICT at *conflict_at. Adds nothing. */
enum err model_judge(const struct model *model, struct model_offer *offers, size_t count,
                     bool skip_conflicts, size_t *conflict_at);
/* Adds those of a batch that were judged to be new. */
void model_store(struct model *model, const struct model_offer *offers, size_t count);

/* The seqs of a scan, in its order; room for all events in `seqs`. Returns how many. */
size_t model_scan(const struct model *model, const struct store_scan_options *options,
                  uint64_t *seqs);
/* The groups of a count, by key; the caller frees *out. Returns how many. */
size_t model_count(const struct model *model, const struct store_count_options *options,
                   struct model_group **out);
/* The key of a group as the store gives it, and the order of groups by key, for qsort(). */
void model_group_key(const struct store_group *group, size_t group_count, char key[160]);
int model_group_compare(const void *a, const void *b);

/* The seqs of an id, ascending; room for all events in `seqs`. */
size_t model_find_id(const struct model *model, const struct uuid *id, slice org, uint64_t *seqs);

/* Erases what matches in [from, to); returns how many were there. */
uint64_t model_erase(struct model *model, const struct filter *filter, uint64_t from, uint64_t to);
/* Erased ones in [from, to). */
uint64_t model_erased(const struct model *model, uint64_t from, uint64_t to);

struct merkle_hash model_root(const struct model *model, uint64_t size);
