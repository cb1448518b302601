/* SPDX-License-Identifier: Apache-2.0 */
/* usage - how much a key was used, as `cairn key usage` tells it. */
#include <stdlib.h>

#include "show/show.h"

static json_int_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void add_number(struct table *table, json_int_t number, enum colour colour)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(64);
    screen_count(&text, number < 0 ? 0 : (uint64_t)number);
    table_add(table, buf_slice(&text), number > 0 ? colour : COLOUR_DIM);
}

static void add_counts(struct table *table, const json_t *sum, const char *requests)
{
    const json_t *errors = json_object_get(sum, "errors");
    add_number(table, number_of(sum, requests), COLOUR_BOLD);
    add_number(table, number_of(errors, "4xx"), COLOUR_YELLOW);
    add_number(table, number_of(errors, "5xx"), COLOUR_RED);
}

/* A table of the sums of one list, with one line for all of them if `total` is not NULL. */
static void write_sums(const struct screen *screen, const char *name, const json_t *sums,
                       const json_t *total, struct buf *out)
{
    const struct table_column columns[] = {{name, COLUMN_TEXT},
                                           {"requests", COLUMN_NUMBER},
                                           {"4xx", COLUMN_NUMBER},
                                           {"5xx", COLUMN_NUMBER}};
    struct table table;
    size_t i = 0;
    json_t *sum = NULL;
    table_init(&table, screen, columns, COUNT_OF(columns));
    json_array_foreach(sums, i, sum)
    {
        table_add(&table, slice_from_cstr(show_member_text(sum, name)), COLOUR_PLAIN);
        add_counts(&table, sum, "requests");
    }
    if (total != NULL) {
        table_add(&table, SLICE("total"), COLOUR_BOLD);
        add_counts(&table, total, "total");
    }
    table_write(&table, out);
    table_release(&table);
}

void show_usage(const struct screen *screen, const json_t *usage, struct buf *out)
{
    struct buf last CLEANUP(buf_release) = BUF_INIT(KIB(1));
    show_time(&last, show_member_text(usage, "last_used_at"));
    buf_append_cstr(out, "last used  ");
    (void)screen_text(out, last.len > 0 ? buf_slice(&last) : SLICE("never"), SIZE_MAX);
    buf_append_cstr(out, "\n\n");
    write_sums(screen, "day", json_object_get(usage, "by_day"), usage, out);
    if (json_array_size(json_object_get(usage, "by_route")) > 0) {
        buf_append_byte(out, '\n');
        write_sums(screen, "route", json_object_get(usage, "by_route"), NULL, out);
    }
}
