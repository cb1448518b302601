/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_count - how many events match, by the values of fields and by time.
 *
 * Within an entry a value is its code (or, of a number, itself), so that rows are counted without
 * touching a dictionary; values are looked up once for each group of an entry, and groups of all
 * entries meet in one table. Lines are decoded only where the columns leave a doubt.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "ledger/codes.h"
#include "ledger/lookups.h"
#include "ledger/match.h"
#include "ledger/row_set.h"
#include "ledger/view.h"
#include "store/store.h"

enum {
    TABLE_FIRST_SLOTS = 256,
    NUMBER_TEXT_BYTES = 24,
};
#define NO_VALUE INT64_MIN

/* ---- Groups of one entry ---- */

struct local_key {
    int64_t values[STORE_GROUP_FIELDS_MAX]; /* code of a text, or the number; NO_VALUE: absent */
    int64_t bucket_us;
};

struct local_group {
    struct local_key key;
    uint64_t count; /* 0: an empty slot */
};

struct local_table {
    struct local_group *slots;
    size_t capacity; /* a power of two */
    size_t used;
};

static uint64_t hash_key(const struct local_key *key)
{
    uint64_t hash = hash_u64((uint64_t)key->values[0], HASH_STORED);
    hash = hash_u64((uint64_t)key->values[1], hash);
    return hash_u64((uint64_t)key->bucket_us, hash);
}

static bool same_key(const struct local_key *a, const struct local_key *b)
{
    return a->values[0] == b->values[0] && a->values[1] == b->values[1] &&
           a->bucket_us == b->bucket_us;
}

static void add_local(struct local_table *table, const struct local_key *key, uint64_t count);

static void grow_local(struct local_table *table)
{
    struct local_group *old = table->slots;
    size_t old_capacity = table->capacity;
    table->capacity = old_capacity > 0 ? 2 * old_capacity : TABLE_FIRST_SLOTS;
    table->slots = mem_array(table->capacity, sizeof(*table->slots));
    table->used = 0;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].count > 0) {
            add_local(table, &old[i].key, old[i].count);
        }
    }
    free(old);
}

static void add_local(struct local_table *table, const struct local_key *key, uint64_t count)
{
    if (2 * (table->used + 1) > table->capacity) {
        grow_local(table);
    }
    size_t slot = (size_t)hash_key(key) & (table->capacity - 1);
    while (table->slots[slot].count > 0 && !same_key(&table->slots[slot].key, key)) {
        slot = (slot + 1) & (table->capacity - 1);
    }
    table->used += table->slots[slot].count == 0 ? 1 : 0;
    table->slots[slot].key = *key;
    table->slots[slot].count += count;
}

/* ---- Groups of all ---- */

struct counting {
    const struct view *view;
    const struct store_count_options *options;
    struct arena *arena;
    struct store_group *groups; /* on the heap while they grow */
    size_t group_count;
    size_t group_capacity;
    uint32_t *slots; /* 0: empty, else 1 + index */
    size_t slot_count;
    struct lookups lookups;
    struct local_table local;
    int64_t from_us, to_us;
    struct diag *diag;
};

static void counting_release(struct counting *counting)
{
    free(counting->groups);
    free(counting->slots);
    free(counting->local.slots);
    lookups_release(&counting->lookups);
}

static uint64_t hash_group(const struct store_group *group)
{
    uint64_t hash = hash_u64((uint64_t)group->bucket_us, HASH_STORED);
    for (size_t i = 0; i < STORE_GROUP_FIELDS_MAX; i++) {
        hash = hash_u64(group->values[i].ptr != NULL, hash);
        hash = hash_bytes(group->values[i], hash);
    }
    return hash;
}

static bool same_group(const struct store_group *a, const struct store_group *b)
{
    for (size_t i = 0; i < STORE_GROUP_FIELDS_MAX; i++) {
        if ((a->values[i].ptr == NULL) != (b->values[i].ptr == NULL) ||
            !slice_equal(a->values[i], b->values[i])) {
            return false;
        }
    }
    return a->bucket_us == b->bucket_us;
}

static uint32_t *find_slot(const struct counting *counting, const struct store_group *group)
{
    size_t slot = (size_t)hash_group(group) & (counting->slot_count - 1);
    while (counting->slots[slot] != 0 &&
           !same_group(&counting->groups[counting->slots[slot] - 1], group)) {
        slot = (slot + 1) & (counting->slot_count - 1);
    }
    return &counting->slots[slot];
}

static void make_room(struct counting *counting)
{
    if (2 * (counting->group_count + 1) > counting->slot_count) {
        free(counting->slots);
        counting->slot_count =
            counting->slot_count > 0 ? 2 * counting->slot_count : TABLE_FIRST_SLOTS;
        counting->slots = mem_array(counting->slot_count, sizeof(*counting->slots));
        for (size_t i = 0; i < counting->group_count; i++) {
            *find_slot(counting, &counting->groups[i]) = (uint32_t)i + 1;
        }
    }
    if (counting->group_count == counting->group_capacity) {
        counting->group_capacity =
            counting->group_capacity > 0 ? 2 * counting->group_capacity : TABLE_FIRST_SLOTS;
        counting->groups =
            mem_resize(counting->groups, counting->group_capacity * sizeof(*counting->groups));
    }
}

static enum err add_group(struct counting *counting, const struct store_group *group)
{
    make_room(counting);
    uint32_t *slot = find_slot(counting, group);
    if (*slot != 0) {
        counting->groups[*slot - 1].count += group->count;
        return OK;
    }
    struct store_group kept = *group;
    if (counting->group_count >= counting->options->groups_max) {
        return diag_fail(counting->diag, ERR_LIMIT, "", "more than %zu groups",
                         counting->options->groups_max);
    }
    for (size_t i = 0; i < STORE_GROUP_FIELDS_MAX; i++) {
        if (kept.values[i].ptr != NULL &&
            !arena_copy(counting->arena, kept.values[i], &kept.values[i])) {
            return diag_fail(counting->diag, ERR_LIMIT, "", "the groups take too much memory");
        }
    }
    counting->groups[counting->group_count++] = kept;
    *slot = (uint32_t)counting->group_count;
    return OK;
}

/* ---- One entry ---- */

/* How a group field is read in this entry. */
struct key_source {
    enum field field;
    bool is_text;
    bool is_there;
    struct rows_text_column column;
    int64_t *numbers; /* [count] */
};

static bool holds_numbers(enum field field)
{
    enum field_type type = fields[field].type;
    return type == TYPE_INTEGER || type == TYPE_BOOLEAN || type == TYPE_TIME;
}

static void source_init(struct key_source *source, const struct rows *rows, enum field field,
                        uint32_t count)
{
    *source = (struct key_source){.field = field, .is_text = !holds_numbers(field)};
    if (source->is_text) {
        source->is_there = rows->ops->text_column(rows, field, &source->column);
        return;
    }
    source->numbers = mem_array(count, sizeof(*source->numbers));
    source->is_there = rows->ops->numbers(rows, field, 0, count, source->numbers);
}

static int64_t source_value(const struct key_source *source, uint32_t row)
{
    if (!source->is_there) {
        return NO_VALUE;
    }
    if (!source->is_text) {
        return source->numbers[row]; /* ROWS_ABSENT is NO_VALUE */
    }
    uint32_t code = code_of_row(&source->column, row);
    if (!source->column.has_absent) {
        return code;
    }
    return code == 0 ? NO_VALUE : (int64_t)code - 1;
}

static enum err source_text(const struct key_source *source, int64_t value, char *scratch,
                            slice *out)
{
    if (value == NO_VALUE) {
        *out = (slice){0};
    } else if (source->is_text) {
        if (value >= (int64_t)source->column.value_count) {
            return ERR_CORRUPT;
        }
        *out = source->column.ops->text_value(&source->column, (uint32_t)value, scratch);
    } else if (fields[source->field].type == TYPE_BOOLEAN) {
        *out = value != 0 ? SLICE("true") : SLICE("false");
    } else {
        int len = snprintf(scratch, NUMBER_TEXT_BYTES, "%lld", (long long)value);
        *out = (slice){(const uint8_t *)scratch, (size_t)len};
    }
    return OK;
}

/* Start of the bucket: also of times before 1970, towards the past. */
static int64_t bucket_of(int64_t time_us, int64_t interval_us)
{
    int64_t rest = time_us % interval_us;
    return time_us - (rest < 0 ? rest + interval_us : rest);
}

/* Rows that match for sure: what the columns say, and what a look at the doubtful ones adds. */
static enum err decide(const struct rows *rows, const struct filter *filter,
                       const struct match_bounds *bounds, struct row_set *out)
{
    struct row_set doubt = bounds->may;
    *out = bounds->must;
    row_set_and_not(&doubt, &bounds->must);
    if (row_set_is_empty(&doubt)) {
        return OK;
    }
    struct rows_reader *reader = rows->ops->reader_new(rows);
    char *scratch = mem_pages(ROWS_EVENT_SCRATCH_BYTES);
    enum err e = OK;
    for (uint32_t row = row_set_next(&doubt, 0); row < ROWS_MAX && e == OK;
         row = row_set_next(&doubt, row + 1)) {
        struct event event;
        e = rows_event(reader, row, scratch, &event);
        if (e == OK && filter_match(filter, &event)) {
            row_set_add(out, row);
        }
    }
    free(scratch);
    rows->ops->reader_free(reader);
    return e;
}

static void count_rows(struct counting *counting, const struct rows *rows, uint32_t count,
                       const struct row_set *set, struct key_source *sources)
{
    const struct store_count_options *options = counting->options;
    CLEANUP(mem_freep) int64_t *times = NULL;
    struct local_key key = {{NO_VALUE, NO_VALUE}, 0};
    if (options->group_count == 0 && options->interval_us == 0) {
        uint32_t total = row_set_count(set);
        if (total > 0) {
            add_local(&counting->local, &key, total);
        }
        return;
    }
    if (options->interval_us > 0) {
        times = mem_array(count, sizeof(*times));
        if (!rows->ops->numbers(rows, FIELD_EVENT_TIMESTAMP, 0, count, times)) {
            memset(times, 0, count * sizeof(*times));
        }
    }
    for (uint32_t row = row_set_next(set, 0); row < ROWS_MAX; row = row_set_next(set, row + 1)) {
        for (size_t i = 0; i < options->group_count; i++) {
            key.values[i] = source_value(&sources[i], row);
        }
        key.bucket_us = times != NULL ? bucket_of(times[row], options->interval_us) : 0;
        add_local(&counting->local, &key, 1);
    }
}

/* Moves the groups of an entry into the table of all. */
static enum err merge(struct counting *counting, const struct key_source *sources)
{
    char scratch[STORE_GROUP_FIELDS_MAX][ROWS_TEXT_SCRATCH_BYTES];
    for (size_t i = 0; i < counting->local.capacity; i++) {
        struct local_group *local = &counting->local.slots[i];
        struct store_group group = {.bucket_us = local->key.bucket_us, .count = local->count};
        if (local->count == 0) {
            continue;
        }
        for (size_t k = 0; k < counting->options->group_count; k++) {
            TRY(source_text(&sources[k], local->key.values[k], scratch[k], &group.values[k]));
        }
        TRY(add_group(counting, &group));
        local->count = 0;
    }
    counting->local.used = 0;
    return OK;
}

static enum err count_entry(struct counting *counting, const struct view_entry *entry,
                            uint32_t count)
{
    const struct store_count_options *options = counting->options;
    struct key_source sources[STORE_GROUP_FIELDS_MAX] = {0};
    struct match_bounds bounds;
    struct row_set set;
    TRY(match_rows(entry->rows, count, options->org, options->filter, &bounds));
    TRY(decide(entry->rows, options->filter, &bounds, &set));
    for (size_t i = 0; i < options->group_count; i++) {
        source_init(&sources[i], entry->rows, options->group_by[i], count);
    }
    count_rows(counting, entry->rows, count, &set, sources);
    enum err e = merge(counting, sources);
    for (size_t i = 0; i < options->group_count; i++) {
        free(sources[i].numbers);
    }
    return e;
}

static enum err count_entries(struct counting *counting)
{
    const struct view *view = counting->view;
    uint64_t size = counting->options->size < view->size ? counting->options->size : view->size;
    for (size_t i = 0; i < view->entry_count; i++) {
        const struct view_entry *entry = &view->entries[i];
        uint64_t visible = entry->first_seq < size ? size - entry->first_seq : 0;
        uint32_t count = visible < entry->count ? (uint32_t)visible : entry->count;
        bool in_time =
            entry->time_max_us >= counting->from_us && entry->time_min_us <= counting->to_us;
        if (entry->rows != NULL && count > 0 && in_time &&
            lookups_may_have(&counting->lookups, i)) {
            TRY(count_entry(counting, entry, count));
        }
    }
    return OK;
}

enum err view_count(const struct view *view, const struct store_count_options *options,
                    struct arena *arena, struct store_group **out, size_t *count_out,
                    struct diag *diag)
{
    CLEANUP(counting_release)
    struct counting counting = {
        .view = view,
        .options = options,
        .arena = arena,
        .from_us = INT64_MIN,
        .to_us = INT64_MAX,
        .diag = diag,
    };
    filter_time_bounds(options->filter, &counting.from_us, &counting.to_us);
    lookups_init(&counting.lookups, view, options->filter);
    TRY(count_entries(&counting));
    size_t bytes = counting.group_count * sizeof(*counting.groups);
    struct store_group *groups = arena_take(arena, bytes);
    if (groups == NULL) {
        return diag_fail(diag, ERR_LIMIT, "", "the groups take too much memory");
    }
    if (bytes > 0) {
        memcpy(groups, counting.groups, bytes);
    }
    *out = groups;
    *count_out = counting.group_count;
    return OK;
}
