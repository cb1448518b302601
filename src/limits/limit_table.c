/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limit_table.h"

#include <stdlib.h>

#include "base/mem.h"
#include "limits/limit_ops.h"

enum { LOOKED_AT = 8 };

void metered_release(struct metered *metered)
{
    for (size_t w = 0; w < LIMIT_WINDOWS_MAX; w++) {
        sliding_release(&metered->windows[w].sliding);
    }
}

/* In the window now; 0 where it is off. */
static uint32_t used_now(struct metered *metered, size_t w, int64_t now_us)
{
    if (!limit_window_is_on(&metered->windows[w].config)) {
        return 0;
    }
    struct sliding_view view;
    sliding_judge(&metered->windows[w].sliding, &metered->windows[w].config, now_us, &view);
    return view.used;
}

void metered_usage(struct metered *metered, int64_t now_us, struct limit_usage *out)
{
    *out = (struct limit_usage){.kind = metered->kind,
                                .allowed = metered->allowed,
                                .window_count = metered->window_count};
    memcpy(out->id, metered->id, metered->id_len);
    for (size_t w = 0; w < metered->window_count; w++) {
        out->windows[w] = metered->windows[w].config;
        out->refused[w] = metered->windows[w].refused;
        out->used[w] = used_now(metered, w, now_us);
    }
}

/* ---- Who is known ---- */

void limit_table_init(struct limit_table *table, size_t kind_max)
{
    ASSERT(kind_max >= 2 * LOOKED_AT);
    kind_max -= kind_max % LIMIT_TRACE_WAYS;
    *table = (struct limit_table){.kind_max = kind_max};
    limit_slots_init(&table->known);
}

static struct metered *metered_of(struct limit_node *node)
{
    return (struct metered *)node;
}

static void end_metered(struct limit_node *node)
{
    metered_release(metered_of(node));
    free(node);
}

void limit_table_release(struct limit_table *table)
{
    limit_slots_release(&table->known, end_metered);
    for (size_t kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
        free(table->kinds[kind].traces);
    }
    *table = (struct limit_table){0};
}

struct metered *limit_table_find(const struct limit_table *table, enum limit_kind kind, slice id,
                                 uint64_t hash)
{
    struct limit_node *node = limit_slots_first(&table->known, hash);
    for (; node != NULL; node = node->next) {
        struct metered *metered = metered_of(node);
        if (node->hash == hash && metered->kind == kind && metered->id_len == id.len &&
            memcmp(metered->id, id.ptr, id.len) == 0) {
            return metered;
        }
    }
    return NULL;
}

/* ---- Who was asked for when ---- */

static void unlink_order(struct limit_table *table, struct metered *metered)
{
    struct metered **quietest = &table->kinds[metered->kind].quietest;
    struct metered **busiest = &table->kinds[metered->kind].busiest;
    *(metered->quieter != NULL ? &metered->quieter->busier : quietest) = metered->busier;
    *(metered->busier != NULL ? &metered->busier->quieter : busiest) = metered->quieter;
}

static void link_busiest(struct limit_table *table, struct metered *metered)
{
    struct metered **busiest = &table->kinds[metered->kind].busiest;
    metered->busier = NULL;
    metered->quieter = *busiest;
    *(*busiest != NULL ? &(*busiest)->busier : &table->kinds[metered->kind].quietest) = metered;
    *busiest = metered;
}

/* ---- Going and coming back ---- */

/* How near a subject is to a limit, in 1/1024, and 1 more; 0 when its windows hold nothing. */
static uint64_t nearness(struct metered *metered, int64_t now_us)
{
    uint64_t nearest = 0;
    for (size_t w = 0; w < metered->window_count; w++) {
        uint64_t used = used_now(metered, w, now_us);
        bool is_on = limit_window_is_on(&metered->windows[w].config);
        if (is_on && sliding_held(&metered->windows[w].sliding) > 0) {
            uint64_t part = used * 1024 / limit_most(&metered->windows[w].config) + 1;
            nearest = part > nearest ? part : nearest;
        }
    }
    return nearest;
}

/* The LIMIT_TRACE_WAYS traces where one of this hash would be. NULL: nobody went yet. */
static struct limit_trace *trace_set(const struct limit_table *table, enum limit_kind kind,
                                     uint64_t hash)
{
    struct limit_trace *traces = table->kinds[kind].traces;
    size_t sets = table->kind_max / LIMIT_TRACE_WAYS;
    return traces != NULL ? &traces[(hash >> 24) % sets * LIMIT_TRACE_WAYS] : NULL;
}

static struct limit_trace *trace_find(const struct limit_table *table, enum limit_kind kind,
                                      uint64_t hash)
{
    struct limit_trace *set = trace_set(table, kind, hash);
    for (size_t i = 0; set != NULL && i < LIMIT_TRACE_WAYS; i++) {
        if (set[i].nearness > 0 && set[i].hash == hash) {
            return &set[i];
        }
    }
    return NULL;
}

static void trace_fill(struct limit_trace *trace, const struct metered *metered, uint64_t near)
{
    *trace = (struct limit_trace){.hash = metered->node.hash, .nearness = near};
    for (size_t w = 0; w < metered->window_count; w++) {
        const struct sliding *sliding = &metered->windows[w].sliding;
        trace->windows[w].counted_us = sliding->counted_us;
        trace->windows[w].seconds = sliding->seconds;
        trace->windows[w].held = sliding_held(sliding);
        int64_t until_us = sliding->counted_us + 2 * (int64_t)sliding->seconds * 1000000;
        trace->until_us = until_us > trace->until_us ? until_us : trace->until_us;
    }
}

/* In place of one that is over, else of the one furthest from its limit, if that is further. */
static void leave_trace(struct limit_table *table, const struct metered *metered, uint64_t near,
                        int64_t now_us)
{
    if (table->kinds[metered->kind].traces == NULL) {
        table->kinds[metered->kind].traces = mem_array(table->kind_max, sizeof(struct limit_trace));
    }
    struct limit_trace *set = trace_set(table, metered->kind, metered->node.hash);
    struct limit_trace *chosen = &set[0];
    for (size_t i = 0; i < LIMIT_TRACE_WAYS; i++) {
        if (set[i].until_us <= now_us || set[i].hash == metered->node.hash) {
            set[i].nearness = 0;
        }
        chosen = set[i].nearness < chosen->nearness ? &set[i] : chosen;
    }
    if (chosen->nearness <= near) {
        trace_fill(chosen, metered, near);
    }
}

void limit_table_recall(const struct limit_table *table, const struct limit_subject *subject,
                        uint64_t hash, int64_t now_us, struct metered *out)
{
    const struct limit_trace *trace = trace_find(table, subject->kind, hash);
    for (size_t w = 0; trace != NULL && w < subject->window_count; w++) {
        const struct limit_window *window = &subject->windows[w];
        if (limit_window_is_on(window) && trace->windows[w].seconds == window->seconds) {
            int64_t at_us = trace->windows[w].counted_us;
            sliding_fill(&out->windows[w].sliding, window, trace->windows[w].held,
                         at_us < now_us ? at_us : now_us);
        }
    }
}

static void evict_one(struct limit_table *table, enum limit_kind kind, int64_t now_us)
{
    struct metered *chosen = table->kinds[kind].quietest; /* there is one: the kind is full */
    uint64_t least = nearness(chosen, now_us);
    struct metered *metered = chosen->busier;
    for (int i = 1; i < LOOKED_AT && metered != NULL && least > 0; i++) {
        uint64_t near = nearness(metered, now_us);
        if (near < least) {
            chosen = metered;
            least = near;
        }
        metered = metered->busier;
    }
    if (least > 0) {
        leave_trace(table, chosen, least, now_us);
    }
    limit_slots_remove(&table->known, &chosen->node);
    unlink_order(table, chosen);
    table->kinds[kind].count--;
    table->evicted++;
    end_metered(&chosen->node);
}

static struct metered *add(struct limit_table *table, const struct limit_subject *subject,
                           uint64_t hash, int64_t now_us)
{
    if (table->kinds[subject->kind].count == table->kind_max) {
        evict_one(table, subject->kind, now_us);
    }
    struct metered *metered = mem_zeroed(sizeof(*metered));
    metered->kind = subject->kind;
    metered->id_len = (uint8_t)subject->id.len;
    memcpy(metered->id, subject->id.ptr, subject->id.len);
    limit_table_recall(table, subject, hash, now_us, metered);
    struct limit_trace *trace = trace_find(table, subject->kind, hash);
    if (trace != NULL) {
        trace->nearness = 0;
    }
    limit_slots_add(&table->known, &metered->node, hash);
    link_busiest(table, metered);
    table->kinds[subject->kind].count++;
    return metered;
}

struct metered *limit_table_get(struct limit_table *table, const struct limit_subject *subject,
                                uint64_t hash, int64_t now_us)
{
    struct metered *metered = limit_table_find(table, subject->kind, subject->id, hash);
    if (metered == NULL) {
        metered = add(table, subject, hash, now_us);
    } else if (metered->busier != NULL) {
        unlink_order(table, metered);
        link_busiest(table, metered);
    }
    metered->window_count = (uint8_t)subject->window_count;
    for (size_t w = 0; w < subject->window_count; w++) {
        metered->windows[w].config = subject->windows[w];
    }
    return metered;
}

void limit_table_reset(struct limit_table *table, enum limit_kind kind, slice id, uint64_t hash)
{
    struct metered *metered = limit_table_find(table, kind, id, hash);
    if (metered != NULL) {
        metered_release(metered);
    }
    struct limit_trace *trace = trace_find(table, kind, hash);
    if (trace != NULL) {
        trace->nearness = 0;
    }
}
