/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/segment_make.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "columns/column.h"
#include "columns/ids.h"
#include "columns/numbers.h"
#include "columns/row_set.h"
#include "event/stored.h"

/* A column of 65,536 values of the longest field, and then some. */
#define SECTION_BYTES_MAX ((size_t)3 << 30)

enum stage { STAGE_FIELDS, STAGE_IDS, STAGE_BLOOM, STAGE_ROOTS, STAGE_ERASED, STAGE_END };

void segment_make_init(struct segment_make *make, const struct rows *source,
                       const struct row_set *erase)
{
    ASSERT(source->count > 0 && source->count <= ROWS_MAX);
    *make = (struct segment_make){.source = source};
    make->reader = source->ops->reader_new(source);
    if (source->erased != NULL) {
        make->gone_rows = *source->erased;
        make->gone = &make->gone_rows;
    }
    if (erase != NULL) {
        row_set_or(&make->gone_rows, erase);
        make->gone = &make->gone_rows;
    }
    struct row_set all;
    row_set_fill(&all, source->count);
    row_set_and(&make->gone_rows, &all);
    make->numbers = mem_array(source->count, sizeof(int64_t));
    make->times = mem_array(source->count, sizeof(int64_t));
    buf_init(&make->section, SECTION_BYTES_MAX);
    make->bloom = bloom_build_new();
    make->tile_roots = mem_array(rows_tiles(source->count), sizeof(struct merkle_hash));
    make->summary = (struct segment_summary){
        .first_seq = source->first_seq,
        .count = source->count,
        .erased = row_set_count(&make->gone_rows),
        .time_min_us = INT64_MAX,
        .time_max_us = INT64_MIN,
        .recorded_min_us = INT64_MAX,
        .recorded_max_us = INT64_MIN,
    };
    make->gone = make->summary.erased > 0 ? make->gone : NULL;
    make->gone_leaves = mem_array((size_t)make->summary.erased + 1, sizeof(struct leaf_hash));
}

void segment_make_release(struct segment_make *make)
{
    if (make->reader != NULL) {
        make->source->ops->reader_free(make->reader);
    }
    text_write_release(&make->text);
    free(make->numbers);
    free(make->times);
    buf_release(&make->section);
    bloom_build_free(make->bloom);
    free(make->tile_roots);
    free(make->gone_leaves);
    *make = (struct segment_make){0};
}

static bool is_gone(const struct segment_make *make, uint32_t row)
{
    return make->gone != NULL && row_set_has(make->gone, row);
}

/* ---- Rows ---- */

static struct merkle_hash root_of_leaves(const struct merkle_hash *leaves, uint32_t n)
{
    struct merkle_frontier frontier = {0};
    for (uint32_t i = 0; i < n; i++) {
        merkle_append(&frontier, &leaves[i]);
    }
    return merkle_root(&frontier);
}

/* `leaves` are overwritten. */
static void end_tile(struct segment_make *make, uint32_t tile, struct merkle_hash *leaves,
                     uint32_t n, struct merkle_frontier *tree)
{
    bloom_build_end_tile(make->bloom);
    if (n == ROWS_TILE) {
        make->tile_roots[tile] = merkle_fold_perfect(leaves, ROWS_TILE);
        merkle_append_subtree(tree, ROWS_TILE_LEVEL, &make->tile_roots[tile]);
        return;
    }
    make->tile_roots[tile] = root_of_leaves(leaves, n);
    for (uint32_t i = 0; i < n; i++) {
        merkle_append(tree, &leaves[i]);
    }
}

static enum err add_row(struct segment_make *make, uint32_t row, struct merkle_hash *leaf_out)
{
    const struct rows_ops *ops = make->source->ops;
    struct leaf_hash leaf;
    slice data = {0};
    slice metadata = {0};
    static_assert(sizeof(leaf.bytes) == sizeof(leaf_out->bytes), "a leaf hash is a node hash");
    TRY(ops->leaf(make->reader, row, &leaf));
    memcpy(leaf_out->bytes, leaf.bytes, sizeof(leaf.bytes));
    if (is_gone(make, row)) {
        make->gone_leaves[make->gone_count++] = leaf;
        return OK;
    }
    TRY(ops->payload(make->reader, row, &data, &metadata));
    bloom_build_row(make->bloom, data, metadata);
    return OK;
}

enum err segment_make_unreadable(const struct rows *source, uint32_t row, enum err e,
                                 struct diag *diag)
{
    return e == OK ? OK
                   : diag_fail(diag, e, "", "event %llu cannot be read",
                               (unsigned long long)(source->first_seq + row));
}

static enum err add_tile(struct segment_make *make, uint32_t n, struct diag *diag)
{
    struct merkle_hash leaves[ROWS_TILE];
    uint32_t first = make->next_row;
    for (uint32_t i = 0; i < n; i++) {
        TRY(segment_make_unreadable(make->source, first + i, add_row(make, first + i, &leaves[i]),
                                    diag));
    }
    end_tile(make, first / ROWS_TILE, leaves, n, &make->tree);
    make->next_row += n;
    return OK;
}

enum err segment_make_rows(struct segment_make *make, const struct segment_stop *stop,
                           struct diag *diag)
{
    while (make->next_row < make->source->count) {
        if (segment_stop_is_set(stop)) {
            return ERR_BUSY;
        }
        uint32_t left = make->source->count - make->next_row;
        TRY(add_tile(make, left < ROWS_TILE ? left : ROWS_TILE, diag));
    }
    make->summary.root = merkle_root(&make->tree);
    return OK;
}

/* ---- Sections ---- */

/* False if no row that stays has the field. */
static bool read_numbers(struct segment_make *make, enum field field, int64_t *out)
{
    uint32_t count = make->source->count;
    bool any = false;
    if (!make->source->ops->numbers(make->source, field, 0, count, out)) {
        for (uint32_t row = 0; row < count; row++) {
            out[row] = ROWS_ABSENT;
        }
        return false;
    }
    for (uint32_t row = 0; row < count; row++) {
        out[row] = is_gone(make, row) ? ROWS_ABSENT : out[row];
        any = any || out[row] != ROWS_ABSENT;
    }
    return any;
}

static void bounds_of(const int64_t *numbers, uint32_t count, int64_t *min, int64_t *max)
{
    for (uint32_t row = 0; row < count; row++) {
        if (numbers[row] != ROWS_ABSENT) {
            *min = numbers[row] < *min ? numbers[row] : *min;
            *max = numbers[row] > *max ? numbers[row] : *max;
        }
    }
}

static bool are_in_order(const int64_t *numbers, uint32_t count)
{
    int64_t last = ROWS_ABSENT;
    for (uint32_t row = 0; row < count; row++) {
        if (numbers[row] != ROWS_ABSENT) {
            if (numbers[row] < last) {
                return false;
            }
            last = numbers[row];
        }
    }
    return true;
}

static bool make_numbers(struct segment_make *make, enum field field, struct section *what)
{
    struct segment_summary *summary = &make->summary;
    uint32_t count = make->source->count;
    bool any = read_numbers(make, field, make->numbers);
    if (field == FIELD_EVENT_TIMESTAMP) {
        memcpy(make->times, make->numbers, count * sizeof(int64_t));
        bounds_of(make->times, count, &summary->time_min_us, &summary->time_max_us);
        make->time_ordered = are_in_order(make->times, count);
    } else if (field == FIELD_RECORDED_AT) {
        bounds_of(make->numbers, count, &summary->recorded_min_us, &summary->recorded_max_us);
    }
    if (any) {
        *what = (struct section){.kind = SEGMENT_NUMBERS, .field = stored_of_field(field)};
        numbers_write(make->numbers, count, &make->section);
    }
    return any;
}

static enum err make_text(struct segment_make *make, enum field field, struct section *what,
                          bool *made)
{
    struct segment_text_shape shape;
    TRY(text_write_column(&make->text, make->source, make->gone, field, &make->section, &shape,
                          made));
    *what = (struct section){
        .kind = SEGMENT_TEXT,
        .field = stored_of_field(field),
        .a = shape.dictionary.count,
        .b = segment_text_shape_pack(&shape),
    };
    return OK;
}

/* The column of the next field that has one; *made is false behind the last. */
static enum err make_fields(struct segment_make *make, unsigned *field, struct section *what,
                            bool *made)
{
    *made = false;
    while (!*made && *field < FIELD_COUNT) {
        enum field this = (enum field)(*field)++;
        if (field_is_text_column(this)) {
            TRY(make_text(make, this, what, made));
        } else if (field_is_number_column(this)) {
            *made = make_numbers(make, this, what);
        }
    }
    return OK;
}

static void make_ids(struct segment_make *make, struct section *what)
{
    uint32_t count = make->source->count;
    CLEANUP(mem_freep) struct uuid *ids = mem_array(count, sizeof(*ids));
    for (uint32_t row = 0; row < count; row++) {
        if (!is_gone(make, row)) {
            make->source->ops->id(make->source, row, &ids[row]);
        }
    }
    *what = (struct section){.kind = SEGMENT_IDS, .field = SECTIONS_NO_FIELD};
    ids_write(ids, make->times, make->gone, count, &make->section);
}

static void make_bloom(struct segment_make *make, struct section *what)
{
    *what = (struct section){
        .kind = SEGMENT_BLOOM,
        .field = SECTIONS_NO_FIELD,
        .a = bloom_build_write(make->bloom, &make->section),
        .b = BLOOM_PROBES,
    };
}

static void make_roots(struct segment_make *make, struct section *what)
{
    *what = (struct section){.kind = SEGMENT_TILE_ROOTS, .field = SECTIONS_NO_FIELD};
    for (uint32_t tile = 0; tile < rows_tiles(make->source->count); tile++) {
        buf_append(&make->section, (slice){make->tile_roots[tile].bytes, MERKLE_HASH_BYTES});
    }
}

static bool make_erased(struct segment_make *make, struct section *what)
{
    uint8_t word[sizeof(uint64_t)];
    if (make->gone == NULL) {
        return false;
    }
    *what = (struct section){.kind = SEGMENT_ERASED,
                             .field = SECTIONS_NO_FIELD,
                             .a = make->summary.erased};
    for (size_t i = 0; i < segment_set_bytes(make->source->count) / sizeof(word); i++) {
        wire_put_u64le(word, make->gone->words[i]);
        buf_append(&make->section, (slice){word, sizeof(word)});
    }
    for (uint32_t i = 0; i < make->summary.erased; i++) {
        buf_append(&make->section, (slice){make->gone_leaves[i].bytes, LEAF_HASH_BYTES});
    }
    return true;
}

static enum err make_next(struct segment_make *make, struct segment_make_cursor *cursor,
                          struct section *what, bool *more)
{
    *more = false;
    buf_clear(&make->section);
    if (cursor->stage == STAGE_FIELDS) {
        TRY(make_fields(make, &cursor->field, what, more));
        cursor->stage += *more ? 0 : 1;
    }
    while (!*more && cursor->stage < STAGE_END) {
        switch ((enum stage)cursor->stage++) {
        case STAGE_IDS:
            make_ids(make, what);
            *more = true;
            break;
        case STAGE_BLOOM:
            make_bloom(make, what);
            *more = true;
            break;
        case STAGE_ROOTS:
            make_roots(make, what);
            *more = true;
            break;
        case STAGE_ERASED:
            *more = make_erased(make, what);
            break;
        case STAGE_FIELDS:
        case STAGE_END:
            break;
        }
    }
    return buf_check(&make->section);
}

enum err segment_make_next(struct segment_make *make, struct segment_make_cursor *cursor,
                           struct section *what, bool *more, struct diag *diag)
{
    enum err e = make_next(make, cursor, what, more);
    if (e == ERR_CORRUPT) {
        return diag_fail(diag, e, "", "a dictionary out of order, or a code without a value");
    }
    return e == OK ? OK : diag_fail(diag, e, "", "a section would be larger than one may be");
}
