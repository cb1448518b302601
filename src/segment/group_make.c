/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/group_make.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "columns/codes.h"
#include "columns/stored.h"

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

/* Entries with their bucket in front: bucket, tag, place, from the highest bits down. */
struct keys {
    uint64_t *keys;
    size_t count;
    uint32_t bucket_bits;
    uint32_t place_bits;
};

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

/* By bucket, then within each. Equal keys are kept once. */
static void sort_keys(struct keys *keys)
{
    uint32_t shift = GROUP_TAG_BITS + keys->place_bits;
    size_t buckets = (size_t)1 << keys->bucket_bits;
    CLEANUP(mem_freep) size_t *ends = mem_array(buckets + 1, sizeof(*ends));
    uint64_t *sorted = mem_array(keys->count + 1, sizeof(*sorted));
    for (size_t i = 0; i < keys->count; i++) {
        ends[(keys->keys[i] >> shift) + 1]++;
    }
    for (size_t bucket = 0; bucket < buckets; bucket++) {
        ends[bucket + 1] += ends[bucket];
    }
    for (size_t i = 0; i < keys->count;
         i++) { /* ends[b] moves from the beginning of b to its end */
        sorted[ends[keys->keys[i] >> shift]++] = keys->keys[i];
    }
    size_t kept = 0;
    for (size_t bucket = 0, first = 0; bucket < buckets; first = ends[bucket++]) {
        sort_bucket(sorted + first, ends[bucket] - first);
        for (size_t i = first; i < ends[bucket]; i++) {
            if (kept == 0 || sorted[kept - 1] != sorted[i]) {
                sorted[kept++] = sorted[i];
            }
        }
    }
    free(keys->keys);
    keys->keys = sorted;
    keys->count = kept;
}

static void put_starts(const struct keys *keys, struct buf *out)
{
    uint32_t shift = GROUP_TAG_BITS + keys->place_bits;
    size_t at = 0;
    for (uint64_t bucket = 0; bucket <= UINT64_C(1) << keys->bucket_bits; bucket++) {
        uint8_t start[4];
        while (at < keys->count && keys->keys[at] >> shift < bucket) {
            at++;
        }
        wire_put_u32le(start, (uint32_t)at);
        buf_append(out, (slice){start, sizeof(start)});
    }
}

static void put_table(struct keys *keys, uint32_t entry_bytes, struct buf *out)
{
    sort_keys(keys);
    put_starts(keys, out);
    if (!buf_reserve(out, keys->count * entry_bytes + sizeof(uint64_t))) {
        return;
    }
    uint8_t *to = out->ptr + out->len;
    for (size_t i = 0; i < keys->count; i++) {
        for (uint32_t byte = 0; byte < entry_bytes; byte++) {
            to[byte] = (uint8_t)(keys->keys[i] >> (8 * byte));
        }
        to += entry_bytes;
    }
    out->len += keys->count * entry_bytes;
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
    struct keys keys = {.bucket_bits = GROUP_ID_BUCKET_BITS, .place_bits = GROUP_ROW_BITS};
    keys.keys = mem_array(GROUP_ROWS, sizeof(*keys.keys));
    enum err e = OK;
    for (uint32_t i = 0; i < GROUP_SEGMENTS && e == OK; i++) {
        e = make->segments[i] != NULL ? add_ids(make, i, &keys) : OK;
    }
    if (e == OK) {
        *what =
            (struct section){.kind = GROUP_IDS, .field = SECTIONS_NO_FIELD, .a = keys.bucket_bits};
        put_table(&keys, GROUP_ID_ENTRY_BYTES, &make->section);
    }
    free(keys.keys);
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
    struct keys keys = {.bucket_bits = bucket_bits_for(total), .place_bits = GROUP_SEGMENT_BITS};
    keys.keys = mem_array(total + 1, sizeof(*keys.keys));
    bool is_sound = true;
    for (uint32_t i = 0; i < GROUP_SEGMENTS && is_sound; i++) {
        is_sound = !column_of(make, i, field, &column) || add_values(&column, i, &keys);
    }
    if (is_sound) {
        *what = (struct section){.kind = GROUP_LOOKUP,
                                 .field = stored_of_field(field),
                                 .a = keys.bucket_bits};
        put_table(&keys, GROUP_LOOKUP_ENTRY_BYTES, &make->section);
    }
    free(keys.keys);
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
