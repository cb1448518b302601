/* SPDX-License-Identifier: Apache-2.0 */
#include "show/table.h"

#include <stdlib.h>

#include "base/mem.h"

enum { GAP = 2, WIDTH_LEAST = 8, TEXTS_MAX = 64 * 1024 * 1024 };

void table_init(struct table *table, const struct screen *screen,
                const struct table_column *columns, size_t column_count)
{
    ASSERT(column_count > 0 && column_count <= TABLE_COLUMNS_MAX);
    *table = (struct table){.screen = screen,
                            .column_count = column_count,
                            .texts = BUF_INIT(TEXTS_MAX)};
    memcpy(table->columns, columns, column_count * sizeof(columns[0]));
}

void table_release(struct table *table)
{
    buf_release(&table->texts);
    free(table->cells);
    *table = (struct table){0};
}

void table_add(struct table *table, slice text, enum colour colour)
{
    if (table->cell_count == table->cell_capacity) {
        table->cell_capacity = table->cell_capacity == 0 ? 256 : table->cell_capacity * 2;
        table->cells = mem_resize(table->cells, table->cell_capacity * sizeof(table->cells[0]));
    }
    size_t at = table->texts.len;
    buf_append(&table->texts, text);
    table->cells[table->cell_count++] =
        (struct table_cell){.at = at, .len = table->texts.len - at, .colour = colour};
}

size_t table_rows(const struct table *table)
{
    return table->cell_count / table->column_count;
}

static slice cell_text(const struct table *table, const struct table_cell *cell)
{
    return cell->len == 0 ? SLICE("") : (slice){table->texts.ptr + cell->at, cell->len};
}

static void find_widths(struct table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        table->widths[c] = screen_columns(slice_from_cstr(table->columns[c].title));
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t *width = &table->widths[i % table->column_count];
        size_t wide = screen_columns(cell_text(table, &table->cells[i]));
        *width = wide > *width ? wide : *width;
    }
}

/* Takes a column at a time off the widest until the row fits. */
static void fit_widths(struct table *table)
{
    size_t sum = GAP * (table->column_count - 1);
    for (size_t c = 0; c < table->column_count; c++) {
        bool wraps = table->columns[c].form == COLUMN_WHOLE && c + 1 == table->column_count;
        sum += wraps ? 0 : table->widths[c]; /* nothing has to give way to it */
    }
    while (sum > table->screen->width) {
        size_t *widest = NULL;
        for (size_t c = 0; c < table->column_count; c++) {
            bool is_wider = widest == NULL || table->widths[c] > *widest;
            widest =
                is_wider && table->columns[c].form != COLUMN_WHOLE ? &table->widths[c] : widest;
        }
        if (widest == NULL || *widest <= WIDTH_LEAST) {
            return; /* a terminal too narrow for this table wraps its lines */
        }
        --*widest;
        sum--;
    }
}

static void write_cell(const struct table *table, size_t column, slice text, enum colour colour,
                       struct buf *out)
{
    size_t width = table->widths[column];
    bool is_last = column + 1 == table->column_count;
    bool is_whole = table->columns[column].form == COLUMN_WHOLE;
    struct buf cell = BUF_INIT(MIB(2));
    size_t used = screen_text(&cell, text, is_whole ? SIZE_MAX : width);
    width = used > width ? used : width; /* of a later batch */
    if (table->columns[column].form == COLUMN_NUMBER) {
        screen_spaces(out, width - used);
    }
    if (colour != COLOUR_PLAIN) {
        screen_colour(table->screen, out, colour);
    }
    buf_append(out, buf_slice(&cell));
    if (colour != COLOUR_PLAIN) {
        screen_colour(table->screen, out, COLOUR_PLAIN);
    }
    if (!is_last) {
        screen_spaces(out, (table->columns[column].form == COLUMN_NUMBER ? 0 : width - used) + GAP);
    }
    buf_release(&cell);
}

void table_write(struct table *table, struct buf *out)
{
    ASSERT(table->cell_count % table->column_count == 0);
    if (!table->has_widths) {
        find_widths(table);
        fit_widths(table);
        table->has_widths = true;
        for (size_t c = 0; c < table->column_count; c++) {
            write_cell(table, c, slice_from_cstr(table->columns[c].title), COLOUR_BOLD, out);
        }
        buf_append_byte(out, '\n');
    }
    ASSERT(table->column_count > 0);
    for (size_t i = 0; i < table->cell_count; i++) {
        const struct table_cell *cell = &table->cells[i];
        size_t column = i % table->column_count;
        write_cell(table, column, cell_text(table, cell), cell->colour, out);
        if (column + 1 == table->column_count) {
            buf_append_byte(out, '\n');
        }
    }
    table->cell_count = 0;
    buf_clear(&table->texts);
}
