/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * codes - rows whose code in a text column is one of some: the loops that a query over millions of
 * rows spends its time in, 16 bytes of codes at once.
 *
 * Threads: any.
 */

#include "columns/rows.h"

static inline uint32_t code_at(const void *codes, enum rows_code_width width, uint32_t row)
{
    switch (width) {
    case ROWS_CODE_CONSTANT:
        break;
    case ROWS_CODE_U8:
        return ((const uint8_t *)codes)[row];
    case ROWS_CODE_U16:
        return ((const uint16_t *)codes)[row];
    case ROWS_CODE_U32:
        return ((const uint32_t *)codes)[row];
    }
    return 0;
}

static inline uint32_t code_of_row(const struct rows_text_column *column, uint32_t row)
{
    return code_at(column->codes, column->width, row);
}

/* Adds to `out` the rows below `count` whose code is in [first, first + n); n is 1 or more. */
void codes_in_range(const struct rows_text_column *column, uint32_t count, uint32_t first,
                    uint32_t n, struct row_set *out);

/* Adds those whose code has its bit set in `table`, which has `table_bits` bits. */
void codes_in_table(const struct rows_text_column *column, uint32_t count, const uint64_t *table,
                    uint32_t table_bits, struct row_set *out);
