/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_table - the subjects of one shard of the limiter in process, and who goes when it is full.
 *
 * Threads: one at a time.
 */

#include "limits/limit_sliding.h"
#include "limits/limit_slots.h"

#define LIMIT_TRACE_WAYS 8

/* A subject. */
struct metered {
    struct limit_node node;
    struct metered *quieter, *busier; /* the order in which they were last asked for */
    uint64_t allowed;
    struct {
        struct limit_window config;
        uint64_t refused;
        struct sliding sliding;
    } windows[LIMIT_WINDOWS_MAX];
    enum limit_kind kind;
    uint8_t window_count, id_len;
    uint8_t id[LIMIT_ID_BYTES_MAX];
};

void metered_release(struct metered *metered); /* what its windows hold */
void metered_usage(struct metered *metered, int64_t now_us, struct limit_usage *out);

/* What one had that went and may come back. */
struct limit_trace {
    uint64_t hash;
    int64_t until_us;  /* then its windows are empty */
    uint64_t nearness; /* as it went; 0: no trace */
    struct {
        int64_t counted_us;
        uint32_t seconds, held;
    } windows[LIMIT_WINDOWS_MAX];
};

struct limit_table {
    struct limit_slots known;
    size_t kind_max;
    uint64_t evicted;
    struct {
        struct metered *quietest, *busiest;
        size_t count;
        struct limit_trace *traces; /* kind_max of them, or NULL as long as nobody went */
    } kinds[LIMIT_KIND_COUNT];
};

/* `kind_max`: the most subjects of each kind, at least 16; also how many traces of each. */
void limit_table_init(struct limit_table *table, size_t kind_max);
void limit_table_release(struct limit_table *table);

/* NULL: not known. */
struct metered *limit_table_find(const struct limit_table *table, enum limit_kind kind, slice id,
                                 uint64_t hash);

/* It is known afterwards, as the busiest; another one may have gone, never one of the last
 * LIMIT_SUBJECTS_MAX that were got. Valid until it goes. */
struct metered *limit_table_get(struct limit_table *table, const struct limit_subject *subject,
                                uint64_t hash, int64_t now_us);

/* What a subject would start with, into an empty *out that is not of the table. */
void limit_table_recall(const struct limit_table *table, const struct limit_subject *subject,
                        uint64_t hash, int64_t now_us, struct metered *out);

/* Empties its windows and its trace. */
void limit_table_reset(struct limit_table *table, enum limit_kind kind, slice id, uint64_t hash);
