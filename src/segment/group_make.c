/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/group_make.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "columns/codes.h"
#include "columns/column.h"
#include "event/stored.h"

enum { FEW = 1024 /* in a bucket: insertion is the fastest, and never slow */ };
#define SECTION_BYTES_MAX ((size_t)1 << 30)

void group_make_init(struct group_make *make, struct segment *const segments[GROUP_SEGMENTS])
{
    *make = (struct group_make){.segments = segments, .v7_min_ms = UINT64_MAX};
    buf_init(&make->section, SECTION_BYTES_MAX);
}

void group_make_release(struct group_make *make)
{
    buf_release(&make->section);
}

/* ---- Tables ---- */

/* Entries with their bucket in front: bucket, tag, place, from the highest bits down. They stand
 * where the table will: behind room for its starts, which come first. */
struct keys {
    uint8_t *block;
    uint64_t *keys;
    size_t count;
    uint32_t bucket_bits;
    uint32_t place_bits;
};

static size_t starts_bytes(const struct keys *keys)
{
    return (((size_t)1 << keys->bucket_bits) + 1) * sizeof(uint32_t);
}

static void keys_init(struct keys *keys, uint32_t bucket_bits, uint32_t place_bits,
                      size_t count_max)
{
    *keys = (struct keys){.bucket_bits = bucket_bits, .place_bits = place_bits};
    size_t keys_at = (starts_bytes(keys) + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    keys->block = mem_pages((keys_at + count_max + 1) * sizeof(uint64_t));
    keys->keys = (uint64_t *)(void *)keys->block + keys_at;
}

static void keys_release(struct keys *keys)
{
    free(keys->block);
    keys->block = NULL;
}

static uint64_t key_of(uint64_t hash, const struct keys *keys, uint64_t place)
{
    uint64_t bucket = group_bucket(hash, keys->bucket_bits);
    uint64_t tag = group_tag(hash, keys->bucket_bits);
    return (bucket << GROUP_TAG_BITS | tag) << keys->place_bits | place;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void sort_bucket(uint64_t *keys, size_t count)
{
    if (count > FEW) {
        qsort(keys, count, sizeof(*keys), compare_keys);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        size_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--) {
            keys[at] = keys[at - 1];
        }
        keys[at] = key;
    }
}

/* In place: each key changes places with the one that stands where it belongs (McIlroy, Bostic and
 * McIlroy, "Engineering Radix Sort", 1993). There are millions, and no room for them twice. */
static void spread_over_buckets(struct keys *keys, size_t *next, const size_t *ends)
{
    uint32_t shift = GROUP_TAG_BITS + keys->place_bits;
    for (size_t bucket = 0; bucket < (size_t)1 << keys->bucket_bits; bucket++) {
        while (next[bucket] < ends[bucket]) {
            uint64_t *here = &keys->keys[next[bucket]];
            size_t home = (size_t)(*here >> shift);
            uint64_t *there = &keys->keys[next[home]++];
            uint64_t key = *here;
            *here = *there;
            *there = key;
        }
    }
}

/* By bucket, then within each. Equal keys are kept once. */
static void sort_keys(struct keys *keys)
{
    uint32_t shift = GROUP_TAG_BITS + keys->place_bits;
    size_t buckets = (size_t)1 << keys->bucket_bits;
    CLEANUP(mem_freep) size_t *ends = mem_array(buckets, sizeof(*ends));
    CLEANUP(mem_freep) size_t *next = mem_array(buckets, sizeof(*next));
    for (size_t i = 0; i < keys->count; i++) {
        ends[keys->keys[i] >> shift]++;
    }
    for (size_t bucket = 1; bucket < buckets; bucket++) {
        next[bucket] = ends[bucket - 1];
        ends[bucket] += ends[bucket - 1];
    }
    spread_over_buckets(keys, next, ends);
    size_t kept = 0;
    for (size_t bucket = 0, first = 0; bucket < buckets; first = ends[bucket++]) {
        sort_bucket(keys->keys + first, ends[bucket] - first);
        for (size_t i = first; i < ends[bucket]; i++) {
            if (kept == 0 || keys->keys[kept - 1] != keys->keys[i]) {
                keys->keys[kept++] = keys->keys[i];
            }
        }
    }
    keys->count = kept;
}

static void put_starts(const struct keys *keys)
{
    uint32_t shift = GROUP_TAG_BITS + keys->place_bits;
    size_t at = 0;
    for (uint64_t bucket = 0; bucket <= UINT64_C(1) << keys->bucket_bits; bucket++) {
        while (at < keys->count && keys->keys[at] >> shift < bucket) {
            at++;
        }
        wire_put_u32le(keys->block + bucket * sizeof(uint32_t), (uint32_t)at);
    }
}

/* The keys become the table, in their own memory, which goes to *out. */
static void make_table(struct keys *keys, uint32_t entry_bytes, struct buf *out)
{
    sort_keys(keys);
    put_starts(keys);
    uint8_t *to = keys->block + starts_bytes(keys); /* never ahead of the key that is read */
    for (size_t i = 0; i < keys->count; i++) {
        uint64_t key = keys->keys[i];
        for (uint32_t byte = 0; byte < entry_bytes; byte++) {
            *to++ = (uint8_t)(key >> (8 * byte));
        }
    }
    size_t bytes = (size_t)(to - keys->block);
    buf_release(out);
    *out = (struct buf){.ptr = MOVE(keys->block),
                        .len = bytes,
                        .capacity = bytes,
                        .max = SECTION_BYTES_MAX};
}

/* ---- Ids ---- */

/* The organisation of a row, fetched again only when it is another than the last row's. */
struct org_of {
    struct rows_text_column column;
    bool has_column;
    uint32_t code; /* UINT32_MAX: none yet */
    slice org;
    char scratch[ROWS_TEXT_SCRATCH_BYTES];
};

static bool find_org(struct org_of *of, uint32_t row)
{
    uint32_t code = of->has_column ? code_of_row(&of->column, row) : 0;
    if (code == of->code) {
        return true;
    }
    of->code = code;
    of->org = (slice){0};
    uint32_t absent = of->has_column && of->column.has_absent ? 1 : 0;
    if (!of->has_column || code < absent) {
        return true;
    }
    if (code - absent >= of->column.value_count) {
        return false;
    }
    of->org = of->column.ops->text_value(&of->column, code - absent, of->scratch);
    return of->org.ptr != NULL;
}

static void note_v7(struct group_make *make, const struct uuid *id)
{
    if (uuid_version(id) == 7) {
        uint64_t ms = uuid_v7_ms(id);
        make->v7_min_ms = ms < make->v7_min_ms ? ms : make->v7_min_ms;
        make->v7_max_ms = ms > make->v7_max_ms ? ms : make->v7_max_ms;
    }
}

static enum err add_ids(struct group_make *make, uint32_t index, struct keys *keys)
{
    const struct rows *rows = segment_rows(make->segments[index]);
    struct org_of of = {.code = UINT32_MAX};
    of.has_column = rows->ops->text_column(rows, FIELD_ORG, &of.column);
    for (uint32_t row = 0; row < rows->count; row++) {
        struct uuid id;
        if (rows->erased != NULL && row_set_has(rows->erased, row)) {
            continue;
        }
        if (!find_org(&of, row)) {
            return ERR_CORRUPT;
        }
        rows->ops->id(rows, row, &id);
        note_v7(make, &id);
        uint64_t place = (uint64_t)index * ROWS_MAX + row;
        keys->keys[keys->count++] = key_of(event_id_hash(of.org, &id), keys, place);
    }
    return OK;
}

static enum err make_ids(struct group_make *make, struct section *what)
{
    CLEANUP(keys_release) struct keys keys;
    keys_init(&keys, GROUP_ID_BUCKET_BITS, GROUP_ROW_BITS, GROUP_ROWS);
    enum err e = OK;
    for (uint32_t i = 0; i < GROUP_SEGMENTS && e == OK; i++) {
        e = make->segments[i] != NULL ? add_ids(make, i, &keys) : OK;
    }
    if (e == OK) {
        *what =
            (struct section){.kind = GROUP_IDS, .field = SECTIONS_NO_FIELD, .a = keys.bucket_bits};
        make_table(&keys, GROUP_ID_ENTRY_BYTES, &make->section);
    }
    return e;
}

/* ---- Lookups ---- */

static bool column_of(const struct group_make *make, uint32_t index, enum field field,
                      struct rows_text_column *out)
{
    if (make->segments[index] == NULL) {
        return false;
    }
    const struct rows *rows = segment_rows(make->segments[index]);
    return rows->ops->text_column(rows, field, out);
}

static uint32_t bucket_bits_for(size_t count)
{
    uint32_t bits = 0;
    while (bits < GROUP_BUCKET_BITS_MAX && count >> bits > GROUP_LOOKUP_PER_BUCKET) {
        bits++;
    }
    return bits;
}

static bool add_values(const struct rows_text_column *column, uint32_t index, struct keys *keys)
{
    char scratch[ROWS_TEXT_SCRATCH_BYTES];
    for (uint32_t i = 0; i < column->value_count; i++) {
        slice value = column->ops->text_value(column, i, scratch);
        if (value.ptr == NULL) {
            return false;
        }
        uint64_t hash = group_value_hash(column->field, value);
        keys->keys[keys->count++] = key_of(hash, keys, index);
    }
    return true;
}

static enum err make_lookup(struct group_make *make, enum field field, struct section *what)
{
    struct rows_text_column column;
    size_t total = 0;
    for (uint32_t i = 0; i < GROUP_SEGMENTS; i++) {
        total += column_of(make, i, field, &column) ? column.value_count : 0;
    }
    CLEANUP(keys_release) struct keys keys;
    keys_init(&keys, bucket_bits_for(total), GROUP_SEGMENT_BITS, total);
    bool is_sound = true;
    for (uint32_t i = 0; i < GROUP_SEGMENTS && is_sound; i++) {
        is_sound = !column_of(make, i, field, &column) || add_values(&column, i, &keys);
    }
    if (is_sound) {
        *what = (struct section){.kind = GROUP_LOOKUP,
                                 .field = stored_of_field(field),
                                 .a = keys.bucket_bits};
        make_table(&keys, GROUP_LOOKUP_ENTRY_BYTES, &make->section);
    }
    return is_sound ? OK : ERR_CORRUPT;
}

enum err group_make_next(struct group_make *make, struct section *what, bool *more)
{
    *more = false;
    buf_clear(&make->section);
    if (!make->made_ids) {
        make->made_ids = true;
        *more = true;
        TRY(make_ids(make, what));
        return buf_check(&make->section);
    }
    while (!*more && make->next_field < FIELD_COUNT) {
        enum field field = (enum field)make->next_field++;
        if ((fields[field].flags & FIELD_LOOKUP) != 0 && field_is_text_column(field)) {
            *more = true;
            TRY(make_lookup(make, field, what));
        }
    }
    return buf_check(&make->section);
}

void group_make_head(const struct group_make *make, uint64_t first_seq,
                     uint8_t out[GROUP_HEAD_BYTES])
{
    wire_put_u64le(out + GROUP_HEAD_FIRST_SEQ, first_seq);
    wire_put_u64le(out + GROUP_HEAD_V7_MIN, make->v7_min_ms);
    wire_put_u64le(out + GROUP_HEAD_V7_MAX, make->v7_max_ms);
}
