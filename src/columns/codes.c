/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/codes.h"

#if defined(__SSE2__)
#include "columns/codes_block_sse2.h"
#else
#include "columns/codes_block.h"
#endif

static uint64_t block_in_range(const void *codes, enum rows_code_width width, uint32_t row,
                               uint32_t first, uint32_t last)
{
    switch (width) {
    case ROWS_CODE_U8:
        return codes_block_u8((const uint8_t *)codes + row, first, last);
    case ROWS_CODE_U16:
        return codes_block_u16((const uint16_t *)codes + row, first, last);
    case ROWS_CODE_U32:
        return codes_block_u32((const uint32_t *)codes + row, first, last);
    case ROWS_CODE_CONSTANT:
        break;
    }
    return first == 0 ? UINT64_MAX : 0;
}

static uint32_t code_max(enum rows_code_width width)
{
    switch (width) {
    case ROWS_CODE_CONSTANT:
        return 0;
    case ROWS_CODE_U8:
        return UINT8_MAX;
    case ROWS_CODE_U16:
        return UINT16_MAX;
    case ROWS_CODE_U32:
        break;
    }
    return UINT32_MAX;
}

void codes_in_range(const struct rows_text_column *column, uint32_t count, uint32_t first,
                    uint32_t n, struct row_set *out)
{
    ASSERT(n > 0);
    uint32_t max = code_max(column->width);
    if (first > max) {
        return; /* no code of this width reaches it */
    }
    uint32_t last = n - 1 < max - first ? n - 1 : max - first;
    uint32_t row = 0;
    for (; row + 64 <= count; row += 64) {
        out->words[row / 64] |= block_in_range(column->codes, column->width, row, first, last);
    }
    for (; row < count; row++) {
        uint32_t code = code_of_row(column, row);
        out->words[row / 64] |= (uint64_t)(code - first <= last && code >= first) << (row % 64);
    }
}

void codes_in_table(const struct rows_text_column *column, uint32_t count, const uint64_t *table,
                    uint32_t table_bits, struct row_set *out)
{
    for (uint32_t row = 0; row < count; row++) {
        uint32_t code = code_of_row(column, row);
        uint64_t bit = code < table_bits ? table[code / 64] >> (code % 64) & 1 : 0;
        out->words[row / 64] |= bit << (row % 64);
    }
}
