/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts entry by entry: first by what columns hold, dictionary codes and numbers, without a text;
 * then the groups of the entry are added to those of the view, by the texts of their values.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "columns/codes.h"
#include "columns/column.h"
#include "columns/row_set.h"
#include "search/count_table.h"
#include "search/match.h"
#include "search/view.h"
#include "search/view_prune.h"

enum {
    DENSE_MAX = 65536,       /* combinations of codes that are counted in an array */
    SPARSE_SLOTS = 2 * 65536 /* twice the rows of an entry */
};

/* A field to group by, as one entry has it. A row's part of the key is its code or its number. */
struct part {
    enum field field;
    bool has_codes;
    struct rows_text_column column;
    uint32_t size; /* codes; 1 when no row has the field */
    bool is_number;
    int64_t numbers[ROWS_TILE]; /* of the tile that is being counted */
};

struct key {
    int64_t parts[STORE_GROUP_FIELDS_MAX];
    int64_t bucket_us;
};

struct sparse {
    struct key *keys; /* [SPARSE_SLOTS] */
    uint64_t *counts; /* 0: free */
    uint32_t *used;   /* slots, in the order of first use */
    uint32_t used_count;
};

struct counting {
    const struct store_count_options *options;
    struct count_table table;
    struct match_bounds bounds;
    char *scratch;
    uint64_t *dense; /* [DENSE_MAX] */
    struct sparse sparse;
    struct part parts[STORE_GROUP_FIELDS_MAX];
};

static int64_t bucket_of(int64_t time_us, int64_t interval_us)
{
    int64_t in_bucket = time_us % interval_us;
    return time_us - (in_bucket < 0 ? in_bucket + interval_us : in_bucket);
}

/* ---- Rows that columns cannot decide ---- */

static enum err decide(struct counting *counting, struct rows_reader *reader)
{
    const uint64_t wanted = match_fields(counting->options->filter);
    struct row_set *must = &counting->bounds.must;
    struct row_set doubt = counting->bounds.may;
    row_set_and_not(&doubt, must);
    for (uint32_t row = row_set_next(&doubt, 0); row < ROWS_MAX;
         row = row_set_next(&doubt, row + 1)) {
        struct event event;
        TRY(rows_event_fields(reader, row, wanted, counting->scratch, &event));
        if (filter_match(counting->options->filter, &event)) {
            row_set_add(must, row);
        }
    }
    return OK;
}

/* ---- Groups by what only a whole event has: event_id, JSON ---- */

static enum err count_events(struct counting *counting, struct rows_reader *reader)
{
    const struct store_count_options *options = counting->options;
    const struct row_set *rows = &counting->bounds.must;
    for (uint32_t row = row_set_next(rows, 0); row < ROWS_MAX; row = row_set_next(rows, row + 1)) {
        char texts[STORE_GROUP_FIELDS_MAX][FIELD_TEXT_BYTES_MAX];
        slice values[STORE_GROUP_FIELDS_MAX] = {{0}};
        int64_t bucket_us = 0;
        struct event event;
        TRY(rows_event(reader, row, counting->scratch, &event));
        for (size_t i = 0; i < options->group_count; i++) {
            if (event_has(&event, options->group_by[i])) {
                values[i] = event_value_text(&event, options->group_by[i], texts[i]);
            }
        }
        if (options->interval_us > 0) {
            bucket_us = bucket_of(event.value[FIELD_EVENT_TIMESTAMP].number, options->interval_us);
        }
        TRY(count_table_add(&counting->table, values, bucket_us, 1));
    }
    return OK;
}

/* ---- Groups by columns ---- */

static void find_parts(struct counting *counting, const struct rows *rows)
{
    for (size_t i = 0; i < counting->options->group_count; i++) {
        struct part *part = &counting->parts[i];
        part->field = counting->options->group_by[i];
        part->is_number = field_is_number_column(part->field);
        part->has_codes =
            !part->is_number && rows->ops->text_column(rows, part->field, &part->column);
        part->size =
            part->has_codes ? part->column.value_count + (part->column.has_absent ? 1 : 0) : 1;
    }
}

static enum err value_of(const struct part *part, int64_t key, char *scratch, slice *out)
{
    *out = (slice){0};
    if (part->is_number && key != ROWS_ABSENT) {
        struct event event = {.present = FIELD_BIT(part->field)};
        event.value[part->field].number = key;
        *out = event_value_text(&event, part->field, scratch);
    } else if (part->has_codes) {
        uint32_t absent = part->column.has_absent ? 1 : 0;
        uint32_t code = (uint32_t)key;
        if (code >= part->size) {
            return ERR_CORRUPT;
        }
        if (code >= absent) {
            *out = part->column.ops->text_value(&part->column, code - absent, scratch);
            return out->ptr != NULL ? OK : ERR_CORRUPT;
        }
    }
    return OK;
}

static enum err add_group(struct counting *counting, const struct key *key, uint64_t count)
{
    char scratch[STORE_GROUP_FIELDS_MAX][ROWS_TEXT_SCRATCH_BYTES];
    slice values[STORE_GROUP_FIELDS_MAX] = {{0}};
    for (size_t i = 0; i < counting->options->group_count; i++) {
        TRY(value_of(&counting->parts[i], key->parts[i], scratch[i], &values[i]));
    }
    return count_table_add(&counting->table, values, key->bucket_us, count);
}

static uint32_t code_in_part(const struct part *part, uint32_t row)
{
    return part->has_codes ? code_of_row(&part->column, row) : 0;
}

/* The word of 64 rows that begins at row `first`; with every bit set, which is common, there is
 * nothing to look for. */
static bool count_word(const struct part *a, const struct part *b, uint32_t first, uint64_t word,
                       uint64_t *counts)
{
    for (; word != 0; word &= word - 1) {
        uint32_t row = first + (uint32_t)__builtin_ctzll(word);
        uint32_t code_a = code_in_part(a, row);
        uint32_t code_b = code_in_part(b, row);
        if (code_a >= a->size || code_b >= b->size) {
            return false;
        }
        counts[(size_t)code_a * b->size + code_b]++;
    }
    return true;
}

/* A full word of one column of bytes. Four arrays, so that equal codes in a row do not wait for
 * each other; codes are checked when the arrays are added up. */
static void count_full_u8(const uint8_t *codes, uint64_t counts[4][256])
{
    for (size_t i = 0; i < 64; i += 4) {
        counts[0][codes[i]]++;
        counts[1][codes[i + 1]]++;
        counts[2][codes[i + 2]]++;
        counts[3][codes[i + 3]]++;
    }
}

static bool add_up(uint64_t four[4][256], const struct part *part, uint64_t *counts)
{
    for (size_t code = 0; code < 256; code++) {
        uint64_t sum = four[0][code] + four[1][code] + four[2][code] + four[3][code];
        if (sum > 0 && code >= part->size) {
            return false;
        }
        if (sum > 0) {
            counts[code] += sum;
        }
    }
    return true;
}

static enum err count_dense(struct counting *counting)
{
    const struct part nothing = {.size = 1};
    bool has_two = counting->options->group_count > 1;
    const struct part *a = counting->options->group_count > 0 ? &counting->parts[0] : &nothing;
    const struct part *b = has_two ? &counting->parts[1] : &nothing;
    bool is_u8 = !has_two && a->has_codes && a->column.width == ROWS_CODE_U8;
    size_t size = (size_t)a->size * b->size;
    uint64_t four[4][256] = {{0}};
    memset(counting->dense, 0, size * sizeof(*counting->dense));
    for (uint32_t i = 0; i < ROW_SET_WORDS; i++) {
        uint64_t word = counting->bounds.must.words[i];
        if (word == UINT64_MAX && is_u8) {
            count_full_u8((const uint8_t *)a->column.codes + (size_t)i * 64, four);
        } else if (word != 0 && !count_word(a, b, i * 64, word, counting->dense)) {
            return ERR_CORRUPT;
        }
    }
    if (!add_up(four, a, counting->dense)) {
        return ERR_CORRUPT;
    }
    for (size_t i = 0; i < size; i++) {
        const struct key key = {.parts = {(int64_t)(i / b->size), (int64_t)(i % b->size)}};
        if (counting->dense[i] > 0) {
            TRY(add_group(counting, &key, counting->dense[i]));
        }
    }
    return OK;
}

static void sparse_add(struct sparse *sparse, const struct key *key)
{
    uint64_t hash = hash_u64((uint64_t)key->bucket_us, (uint64_t)key->parts[0]);
    hash = hash_u64(hash, (uint64_t)key->parts[1]);
    uint32_t slot = (uint32_t)hash % SPARSE_SLOTS;
    while (sparse->counts[slot] != 0 && memcmp(&sparse->keys[slot], key, sizeof(*key)) != 0) {
        slot = (slot + 1) % SPARSE_SLOTS;
    }
    if (sparse->counts[slot]++ == 0) {
        sparse->keys[slot] = *key;
        sparse->used[sparse->used_count++] = slot;
    }
}

static void read_numbers(const struct rows *rows, enum field field, uint32_t first, int64_t *out)
{
    uint32_t n = rows->count - first < ROWS_TILE ? rows->count - first : ROWS_TILE;
    if (!rows->ops->numbers(rows, field, first, n, out)) {
        for (uint32_t i = 0; i < n; i++) {
            out[i] = ROWS_ABSENT;
        }
    }
}

static bool tile_is_empty(const struct row_set *set, uint32_t first)
{
    const uint64_t *words = &set->words[first / 64];
    return (words[0] | words[1] | words[2] | words[3]) == 0;
}

/* What one tile adds. */
static void count_tile(struct counting *counting, const struct rows *rows, uint32_t first)
{
    const struct store_count_options *options = counting->options;
    const struct row_set *set = &counting->bounds.must;
    int64_t times[ROWS_TILE];
    if (options->interval_us > 0) {
        read_numbers(rows, FIELD_EVENT_TIMESTAMP, first, times);
    }
    for (size_t i = 0; i < options->group_count; i++) {
        if (counting->parts[i].is_number) {
            read_numbers(rows, counting->parts[i].field, first, counting->parts[i].numbers);
        }
    }
    for (uint32_t row = row_set_next(set, first); row < first + ROWS_TILE;
         row = row_set_next(set, row + 1)) {
        struct key key = {0};
        for (size_t i = 0; i < options->group_count; i++) {
            const struct part *part = &counting->parts[i];
            key.parts[i] = part->is_number ? part->numbers[row - first] : code_in_part(part, row);
        }
        if (options->interval_us > 0) {
            key.bucket_us = bucket_of(times[row - first], options->interval_us);
        }
        sparse_add(&counting->sparse, &key);
    }
}

static enum err count_sparse(struct counting *counting, const struct rows *rows)
{
    struct sparse *sparse = &counting->sparse;
    if (sparse->keys == NULL) {
        sparse->keys = mem_array(SPARSE_SLOTS, sizeof(*sparse->keys));
        sparse->counts = mem_array(SPARSE_SLOTS, sizeof(*sparse->counts));
        sparse->used = mem_array(ROWS_MAX, sizeof(*sparse->used));
    }
    for (uint32_t first = 0; first < rows->count; first += ROWS_TILE) {
        if (!tile_is_empty(&counting->bounds.must, first)) {
            count_tile(counting, rows, first);
        }
    }
    for (uint32_t i = 0; i < sparse->used_count; i++) {
        uint32_t slot = sparse->used[i];
        TRY(add_group(counting, &sparse->keys[slot], sparse->counts[slot]));
        sparse->counts[slot] = 0;
    }
    sparse->used_count = 0;
    return OK;
}

static bool is_dense(const struct counting *counting)
{
    uint64_t size = 1;
    for (size_t i = 0; i < counting->options->group_count; i++) {
        if (counting->parts[i].is_number) {
            return false;
        }
        size *= counting->parts[i].size;
    }
    return counting->options->interval_us == 0 && size <= DENSE_MAX;
}

/* ---- One entry, all entries ---- */

static bool wants_events(const struct store_count_options *options)
{
    for (size_t i = 0; i < options->group_count; i++) {
        enum field field = options->group_by[i];
        if (!field_is_text_column(field) && !field_is_number_column(field)) {
            return true;
        }
    }
    return false;
}

static enum err count_entry(struct counting *counting, const struct view_choice *choice,
                            struct rows_reader *reader)
{
    const struct rows *rows = choice->entry->rows;
    TRY(match_rows(rows, choice->count, counting->options->org, counting->options->filter,
                   &counting->bounds));
    TRY(decide(counting, reader));
    if (row_set_is_empty(&counting->bounds.must)) {
        return OK;
    }
    if (wants_events(counting->options)) {
        return count_events(counting, reader);
    }
    find_parts(counting, rows);
    return is_dense(counting) ? count_dense(counting) : count_sparse(counting, rows);
}

static enum err count_all(struct counting *counting, const struct view_choice *chosen, size_t count,
                          struct diag *diag)
{
    for (size_t i = 0; i < count; i++) {
        const struct rows *rows = chosen[i].entry->rows;
        struct rows_reader *reader = rows->ops->reader_new(rows);
        enum err e = count_entry(counting, &chosen[i], reader);
        rows->ops->reader_free(reader);
        if (e == ERR_CORRUPT) {
            return diag_fail(diag, e, "", "events %" PRIu64 " to %" PRIu64 " cannot be read",
                             rows->first_seq, rows->first_seq + rows->count - 1);
        }
        if (e == ERR_LIMIT) {
            return diag_fail(diag, e, "", "there are more than %zu groups",
                             counting->options->groups_max);
        }
        TRY(e);
    }
    return OK;
}

static void counting_freep(struct counting **pointer)
{
    struct counting *counting = *pointer;
    count_table_release(&counting->table);
    free(counting->scratch);
    free(counting->dense);
    free(counting->sparse.keys);
    free(counting->sparse.counts);
    free(counting->sparse.used);
    free(counting);
}

enum err view_count(const struct view *view, const struct store_count_options *options,
                    struct arena *arena, struct store_group **out, size_t *count_out,
                    struct diag *diag)
{
    ASSERT(options->group_count <= STORE_GROUP_FIELDS_MAX);
    ASSERT(options->interval_us >= 0);
    size_t count = 0;
    CLEANUP(mem_freep)
    struct view_choice *chosen =
        view_prune(view, options->org, options->filter, options->size, &count);
    CLEANUP(counting_freep) struct counting *counting = mem_zeroed(sizeof(*counting));
    counting->options = options;
    count_table_init(&counting->table, arena, options->group_count, options->groups_max);
    counting->scratch = mem_resize(NULL, ROWS_EVENT_SCRATCH_BYTES);
    counting->dense = mem_array(DENSE_MAX, sizeof(*counting->dense));
    TRY(count_all(counting, chosen, count, diag));
    size_t bytes = counting->table.count * sizeof(struct store_group);
    struct store_group *groups = arena_take(arena, bytes > 0 ? bytes : 1);
    if (groups == NULL) {
        return diag_fail(diag, ERR_LIMIT, "", "the groups need too much memory");
    }
    if (bytes > 0) {
        memcpy(groups, counting->table.groups, bytes);
    }
    *out = groups;
    *count_out = counting->table.count;
    return OK;
}
