/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * table - rows in aligned columns, no wider than the terminal.
 *
 * Rows are held until table_write(), which finds the widths: each column as wide as its widest
 * cell, the widest ones cut until all fit, but for those that are whole. Written in batches, later
 * ones keep the first one's widths, so that a long list stays in line.
 *
 * Threads: one owner at a time.
 */

#include "show/screen.h"

#define TABLE_COLUMNS_MAX 12

enum column_form {
    COLUMN_TEXT,
    COLUMN_NUMBER, /* flush right */
    COLUMN_WHOLE,  /* never cut: what people copy, or what is of no use in part; lines wrap */
};

struct table_column {
    const char *title;
    enum column_form form;
};

struct table_cell {
    size_t at, len; /* in `texts` */
    enum colour colour;
};

struct table {
    const struct screen *screen;
    struct table_column columns[TABLE_COLUMNS_MAX];
    size_t column_count;
    size_t widths[TABLE_COLUMNS_MAX];
    bool has_widths; /* the first batch was written */
    struct buf texts;
    struct table_cell *cells;
    size_t cell_count, cell_capacity;
};

void table_init(struct table *table, const struct screen *screen,
                const struct table_column *columns, size_t column_count);
void table_release(struct table *table);

/* The next cell, left to right, row by row. Copies the text. */
void table_add(struct table *table, slice text, enum colour colour);
size_t table_rows(const struct table *table);

/* Appends what is held (the titles first, the first time) and forgets it. */
void table_write(struct table *table, struct buf *out);
