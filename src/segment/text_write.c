/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/text_write.h"

#include <stdlib.h>

#include "base/mem.h"
#include "columns/codes.h"
#include "columns/value_sort.h"

#define COPIED_BYTES_MAX ((size_t)ROWS_MAX * ROWS_TEXT_SCRATCH_BYTES)

void text_write_release(struct text_write *work)
{
    free(work->values);
    free(work->order);
    free(work->code_of);
    free(work->used);
    free(work->copies);
    buf_release(&work->copied);
    *work = (struct text_write){0};
}

static void make_room(struct text_write *work, uint32_t value_count)
{
    if (work->capacity < value_count) {
        text_write_release(work);
        work->values = mem_array(value_count, sizeof(*work->values));
        work->order = mem_array(value_count, sizeof(*work->order));
        work->code_of = mem_array(value_count, sizeof(*work->code_of));
        work->used = mem_array(value_count, sizeof(*work->used));
        work->copies = mem_array(value_count, sizeof(*work->copies));
        work->capacity = value_count;
    }
    memset(work->used, 0, value_count);
    buf_release(&work->copied);
    buf_init(&work->copied, COPIED_BYTES_MAX);
}

static bool is_gone(const struct row_set *gone, uint32_t row)
{
    return gone != NULL && row_set_has(gone, row);
}

/* Which values rows have; *has_absent if a row that stays has none. False: codes are damaged. */
static bool find_used(struct text_write *work, const struct rows_text_column *column,
                      const struct row_set *gone, uint32_t count, bool *has_absent)
{
    uint32_t absent = column->has_absent ? 1 : 0;
    for (uint32_t row = 0; row < count; row++) {
        uint32_t code = code_of_row(column, row);
        if (is_gone(gone, row)) {
            continue;
        }
        if (code < absent) {
            *has_absent = true;
        } else if (code - absent < column->value_count) {
            work->used[code - absent] = 1;
        } else {
            return false;
        }
    }
    return true;
}

/* Values that were unpacked into scratch are kept; their place is known once all have been. */
static bool fetch_values(struct text_write *work, const struct rows_text_column *column,
                         uint32_t *count_out)
{
    char scratch[ROWS_TEXT_SCRATCH_BYTES];
    uint32_t count = 0;
    uint32_t copies = 0;
    for (uint32_t index = 0; index < column->value_count; index++) {
        if (!work->used[index]) {
            continue;
        }
        slice value = column->ops->text_value(column, index, scratch);
        if (value.ptr == NULL) {
            return false;
        }
        if (value.ptr == (const uint8_t *)scratch) {
            buf_append(&work->copied, value);
            work->copies[copies++] = index;
        }
        work->values[index] = value;
        work->order[count++] = index;
    }
    size_t at = 0;
    for (uint32_t i = 0; i < copies; i++) {
        slice *value = &work->values[work->copies[i]];
        value->ptr = value->len > 0 ? work->copied.ptr + at : NULL;
        at += value->len;
    }
    *count_out = count;
    return !work->copied.failed;
}

/* What says that it is sorted may come from a damaged file. */
static bool are_ascending(const struct text_write *work, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (slice_compare(work->values[work->order[i - 1]], work->values[work->order[i]]) >= 0) {
            return false;
        }
    }
    return true;
}

static uint32_t width_for(uint32_t codes)
{
    return codes == 1                ? ROWS_CODE_CONSTANT
           : codes <= UINT8_MAX + 1  ? ROWS_CODE_U8
           : codes <= UINT16_MAX + 1 ? ROWS_CODE_U16
                                     : ROWS_CODE_U32;
}

static uint32_t new_code(const struct text_write *work, const struct rows_text_column *column,
                         const struct row_set *gone, uint32_t row)
{
    uint32_t absent = column->has_absent ? 1 : 0;
    uint32_t code = code_of_row(column, row);
    return code < absent || is_gone(gone, row) ? 0 : work->code_of[code - absent];
}

#define PUT_CODES(type)                                                                            \
    for (uint32_t row = 0; row < count; row++) {                                                   \
        ((type *)to)[row] = (type)new_code(work, column, gone, row);                               \
    }

/* `to` is aligned: a column is written to the beginning of a buffer. */
static void put_codes(const struct text_write *work, const struct rows_text_column *column,
                      const struct row_set *gone, uint32_t count, uint32_t width, void *to)
{
    switch ((enum rows_code_width)width) {
    case ROWS_CODE_CONSTANT:
        break;
    case ROWS_CODE_U8:
        PUT_CODES(uint8_t)
        break;
    case ROWS_CODE_U16:
        PUT_CODES(uint16_t)
        break;
    case ROWS_CODE_U32:
        PUT_CODES(uint32_t)
        break;
    }
}

enum err text_write_column(struct text_write *work, const struct rows *source,
                           const struct row_set *gone, enum field field, struct buf *out,
                           struct segment_text_shape *shape, bool *has_any)
{
    struct rows_text_column column;
    uint32_t count = 0;
    *has_any = false;
    *shape = (struct segment_text_shape){0};
    if (!source->ops->text_column(source, field, &column) || column.value_count == 0) {
        return OK;
    }
    ASSERT(out->len == 0);
    make_room(work, column.value_count);
    if (!find_used(work, &column, gone, source->count, &shape->has_absent) ||
        !fetch_values(work, &column, &count)) {
        return ERR_CORRUPT;
    }
    if (count == 0) {
        return OK;
    }
    if (!column.is_sorted) {
        values_sort(work->values, work->order, count);
    } else if (!are_ascending(work, count)) {
        return ERR_CORRUPT;
    }
    for (uint32_t i = 0; i < count; i++) {
        work->code_of[work->order[i]] = i + (shape->has_absent ? 1 : 0);
    }
    shape->width = width_for(count + (shape->has_absent ? 1 : 0));
    size_t codes_bytes = (size_t)source->count * shape->width;
    if (!buf_reserve(out, codes_bytes + 1)) {
        return ERR_LIMIT;
    }
    put_codes(work, &column, gone, source->count, shape->width, out->ptr);
    out->len = codes_bytes;
    dictionary_write(work->values, work->order, count, out, &shape->dictionary);
    *has_any = true;
    return buf_check(out);
}
