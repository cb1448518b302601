/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "event/read.h"

void model_init(struct model *model)
{
    *model = (struct model){0};
    arena_init(&model->arena, MIB(2048));
}

void model_release(struct model *model)
{
    free(model->events);
    arena_release(&model->arena);
}

static bool is_text(enum field field)
{
    enum field_type type = fields[field].type;
    return type == TYPE_TEXT || type == TYPE_ADDRESS || type == TYPE_CHOICE || type == TYPE_JSON;
}

static struct merkle_hash leaf_of(const struct event *event)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(4));
    struct merkle_hash out;
    struct leaf_hash leaf;
    ASSERT(event_leaf(event, &line, &leaf) == OK);
    memcpy(out.bytes, leaf.bytes, sizeof(out.bytes));
    return out;
}

static void add(struct model *model, const struct event *event)
{
    if (model->count == model->capacity) {
        model->capacity = model->capacity > 0 ? 2 * model->capacity : 64;
        model->events = mem_resize(model->events, model->capacity * sizeof(*model->events));
    }
    struct model_event *one = &model->events[model->count++];
    *one = (struct model_event){.event = *event, .leaf = leaf_of(event)};
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        if (event_has(event, field) && is_text(field)) {
            slice *text = &one->event.value[field].text;
            ASSERT(arena_copy(&model->arena, *text, text));
        }
    }
}

/* ---- In ---- */

static bool has_identity(const struct event *event, const struct uuid *id, slice org)
{
    return uuid_equal(&event->value[FIELD_EVENT_ID].uuid, id) &&
           slice_equal(event->value[FIELD_ORG].text, org);
}

/* The stored event that a new one would repeat, or one of the same batch; NULL if there is none. */
static const struct event *find_known(const struct model *model, const struct model_offer *offers,
                                      size_t count, const struct event *event, uint64_t *seq)
{
    const struct uuid *id = &event->value[FIELD_EVENT_ID].uuid;
    slice org = event->value[FIELD_ORG].text;
    for (size_t i = 0; i < model->count; i++) {
        const struct model_event *one = &model->events[i];
        if (!one->is_erased && has_identity(&one->event, id, org)) {
            *seq = i;
            return &one->event;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (offers[i].state == BATCH_STORED && has_identity(&offers[i].event, id, org)) {
            *seq = offers[i].seq;
            return &offers[i].event;
        }
    }
    return NULL;
}

enum err model_judge(const struct model *model, struct model_offer *offers, size_t count,
                     bool skip_conflicts, size_t *conflict_at)
{
    uint64_t next = model->count;
    for (size_t i = 0; i < count; i++) {
        struct model_offer *offer = &offers[i];
        const struct event *known = find_known(model, offers, i, &offer->event, &offer->seq);
        if (known == NULL) {
            offer->state = BATCH_STORED;
            offer->seq = next++;
            continue;
        }
        bool same = event_repeats(known, &offer->event, offer->sent);
        offer->state = same ? BATCH_DUPLICATE : BATCH_CONFLICT;
        if (!same && !skip_conflicts) {
            *conflict_at = i;
            return ERR_CONFLICT;
        }
    }
    return OK;
}

void model_store(struct model *model, const struct model_offer *offers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (offers[i].state == BATCH_STORED) {
            ASSERT(offers[i].seq == model->count);
            add(model, &offers[i].event);
        }
    }
}

/* ---- Out ---- */

static bool matches(const struct model *model, uint64_t seq, const struct filter *filter, slice org,
                    uint64_t size)
{
    const struct model_event *one = &model->events[seq];
    bool is_of = org.len == 0 || slice_equal(one->event.value[FIELD_ORG].text, org);
    return seq < size && is_of && !one->is_erased && filter_match(filter, &one->event);
}

struct place {
    int64_t time_us; /* 0 where seq alone orders */
    uint64_t seq;
};

static int compare_up(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    if (x->time_us != y->time_us) {
        return x->time_us < y->time_us ? -1 : 1;
    }
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int compare_down(const void *a, const void *b)
{
    return compare_up(b, a);
}

size_t model_scan(const struct model *model, const struct store_scan_options *options,
                  uint64_t *seqs)
{
    bool by_time = options->order == STORE_TIME_ASC || options->order == STORE_TIME_DESC;
    bool down = options->order == STORE_TIME_DESC || options->order == STORE_SEQ_DESC;
    int (*compare)(const void *, const void *) = down ? compare_down : compare_up;
    const struct place after = {by_time ? options->after.time_us : 0, options->after.seq};
    CLEANUP(mem_freep) struct place *places = mem_array(model->count + 1, sizeof(*places));
    size_t count = 0;
    for (uint64_t seq = 0; seq < model->count; seq++) {
        const union value *time = &model->events[seq].event.value[FIELD_EVENT_TIMESTAMP];
        const struct place place = {by_time ? time->number : 0, seq};
        if ((!options->has_after || compare(&after, &place) < 0) &&
            matches(model, seq, options->filter, options->org, options->size)) {
            places[count++] = place;
        }
    }
    qsort(places, count, sizeof(*places), compare);
    for (size_t i = 0; i < count; i++) {
        seqs[i] = places[i].seq;
    }
    return count;
}

size_t model_find_id(const struct model *model, const struct uuid *id, slice org, uint64_t *seqs)
{
    size_t count = 0;
    for (uint64_t seq = 0; seq < model->count; seq++) {
        const struct model_event *one = &model->events[seq];
        if (!one->is_erased && has_identity(&one->event, id, org)) {
            seqs[count++] = seq;
        }
    }
    return count;
}

/* ---- Counts ---- */

static void make_key(const slice *values, size_t count, int64_t bucket_us, char key[160])
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        slice text = values[i].ptr != NULL ? values[i] : SLICE("(absent)");
        size_t n = text.len < 48 ? text.len : 48;
        memcpy(key + len, text.ptr, n);
        key[len + n] = '|';
        len += n + 1;
    }
    (void)snprintf(key + len, 160 - len, "%" PRId64, bucket_us);
}

void model_group_key(const struct store_group *group, size_t group_count, char key[160])
{
    make_key(group->values, group_count, group->bucket_us, key);
}

int model_group_compare(const void *a, const void *b)
{
    const struct model_group *x = a;
    const struct model_group *y = b;
    return strcmp(x->key, y->key);
}

static void key_of(const struct event *event, const struct store_count_options *options,
                   char key[160])
{
    char scratch[STORE_GROUP_FIELDS_MAX][FIELD_TEXT_BYTES_MAX];
    slice values[STORE_GROUP_FIELDS_MAX] = {{0}};
    int64_t time_us = event->value[FIELD_EVENT_TIMESTAMP].number;
    int64_t interval_us = options->interval_us;
    for (size_t i = 0; i < options->group_count; i++) {
        if (event_has(event, options->group_by[i])) {
            values[i] = event_value_text(event, options->group_by[i], scratch[i]);
        }
    }
    make_key(values, options->group_count,
             interval_us > 0 ? time_us / interval_us * interval_us : 0, key);
}

size_t model_count(const struct model *model, const struct store_count_options *options,
                   struct model_group **out)
{
    struct model_group *groups = mem_array(model->count + 1, sizeof(*groups));
    size_t events = 0;
    size_t count = 0;
    for (uint64_t seq = 0; seq < model->count; seq++) {
        if (matches(model, seq, options->filter, options->org, options->size)) {
            key_of(&model->events[seq].event, options, groups[events++].key);
        }
    }
    qsort(groups, events, sizeof(*groups), model_group_compare);
    for (size_t i = 0; i < events; i++) {
        if (count == 0 || model_group_compare(&groups[i], &groups[count - 1]) != 0) {
            memmove(groups[count].key, groups[i].key, sizeof(groups[i].key));
            groups[count++].count = 0;
        }
        groups[count - 1].count++;
    }
    *out = groups;
    return count;
}

/* ---- Erasure and tree ---- */

uint64_t model_erase(struct model *model, const struct filter *filter, uint64_t from, uint64_t to)
{
    uint64_t erased = 0;
    for (uint64_t seq = from; seq < to && seq < model->count; seq++) {
        if (matches(model, seq, filter, (slice){0}, UINT64_MAX)) {
            model->events[seq].is_erased = true;
            erased++;
        }
    }
    return erased;
}

uint64_t model_erased(const struct model *model, uint64_t from, uint64_t to)
{
    uint64_t erased = 0;
    for (uint64_t seq = from; seq < to && seq < model->count; seq++) {
        erased += model->events[seq].is_erased ? 1 : 0;
    }
    return erased;
}

struct merkle_hash model_root(const struct model *model, uint64_t size)
{
    struct merkle_frontier frontier = {0};
    ASSERT(size <= model->count);
    for (uint64_t seq = 0; seq < size; seq++) {
        merkle_append(&frontier, &model->events[seq].leaf);
    }
    return merkle_root(&frontier);
}
