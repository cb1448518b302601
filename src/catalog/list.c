/* SPDX-License-Identifier: Apache-2.0 */
/* list - pages of objects. */
#include "base/buf.h"
#include "base/mem.h"
#include "catalog/internal.h"

/* Appends " WHERE ..." with parameters from 1 on. */
static void write_where(const struct catalog_list *list, struct buf *text)
{
    buf_append_cstr(text, " WHERE (?1 = '' OR org = ?1)");
    for (size_t i = 0; i < list->filter_count; i++) {
        buf_append_format(text, " AND \"%s\" = ?%zu", list->filters[i].field->name, i + 2);
    }
}

static enum err bind_filter(struct sql_statement *statement, int at, const struct kind_field *field,
                            slice value, struct diag *diag)
{
    uint64_t number = 0;
    if (field->type == KIND_BOOLEAN) {
        bool is_true = slice_equal(value, SLICE("true"));
        if (!is_true && !slice_equal(value, SLICE("false"))) {
            return diag_fail(diag, ERR_INVALID, field->name, "expected true or false");
        }
        sql_bind_i64(statement, at, is_true ? 1 : 0);
    } else if (field->type == KIND_INTEGER) {
        if (!slice_parse_u64(value, &number)) {
            return diag_fail(diag, ERR_INVALID, field->name, "expected a whole number");
        }
        sql_bind_i64(statement, at, (int64_t)number);
    } else {
        sql_bind_text(statement, at, value);
    }
    return OK;
}

static enum err bind_where(const struct catalog_list *list, struct sql_statement *statement,
                           struct diag *diag)
{
    sql_bind_text(statement, 1, list->org);
    for (size_t i = 0; i < list->filter_count; i++) {
        TRY(bind_filter(statement, (int)i + 2, list->filters[i].field, list->filters[i].value,
                        diag));
    }
    return OK;
}

static enum err count(struct sql *sql, const struct kind *kind, const struct catalog_list *list,
                      uint64_t *total, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_SQL_BYTES_MAX);
    struct sql_statement *statement = NULL;
    bool has_row = false;
    buf_append_format(&text, "SELECT count(*) FROM \"%s\"", kind->name);
    write_where(list, &text);
    buf_append_byte(&text, '\0');
    TRY(sql_statement(sql, (const char *)text.ptr, &statement, diag));
    TRY(bind_where(list, statement, diag));
    TRY(sql_step(statement, &has_row, diag));
    *total = (uint64_t)sql_i64(statement, 0);
    sql_reset(statement);
    return OK;
}

/* ---- Order: that of the kind, then the id, which may be the same in two organisations ---- */

static size_t order_columns(const struct kind *kind, const char *names[KIND_ORDER_MAX + 2])
{
    size_t count = 0;
    while (count < KIND_ORDER_MAX && kind->order[count] != NULL) {
        names[count] = kind->order[count];
        count++;
    }
    names[count++] = "id";
    names[count++] = "org";
    return count;
}

json_t *catalog_position(const struct kind *kind, const json_t *object)
{
    const char *names[KIND_ORDER_MAX + 2];
    size_t count = order_columns(kind, names);
    json_t *position = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append(position, json_object_get(object, names[i]));
    }
    return position;
}

/* Appends the names, or as many parameters from `first` on. */
static void write_order(const struct kind *kind, int first, struct buf *text)
{
    const char *names[KIND_ORDER_MAX + 2];
    size_t count = order_columns(kind, names);
    for (size_t i = 0; i < count; i++) {
        const char *comma = i > 0 ? ", " : "";
        if (first > 0) {
            buf_append_format(text, "%s?%d", comma, first + (int)i);
        } else {
            buf_append_format(text, "%s\"%s\"", comma, names[i]);
        }
    }
}

static void bind_position(struct sql_statement *statement, int first, const json_t *position)
{
    size_t i = 0;
    const json_t *value = NULL;
    json_array_foreach(position, i, value)
    {
        rows_bind(statement, first + (int)i, value);
    }
}

static void write_page_query(const struct kind *kind, const struct catalog_list *list, int limit_at,
                             struct buf *text)
{
    buf_append_cstr(text, "SELECT ");
    rows_columns(kind, text);
    buf_append_format(text, " FROM \"%s\"", kind->name);
    write_where(list, text);
    if (list->after != NULL) {
        buf_append_cstr(text, " AND (");
        write_order(kind, 0, text);
        buf_append_cstr(text, ") > (");
        write_order(kind, limit_at + 2, text);
        buf_append_cstr(text, ")");
    }
    buf_append_cstr(text, " ORDER BY ");
    write_order(kind, 0, text);
    buf_append_format(text, " LIMIT ?%d OFFSET ?%d", limit_at, limit_at + 1);
    buf_append_byte(text, '\0');
}

static enum err select_page(struct sql *sql, const struct kind *kind,
                            const struct catalog_list *list, json_t *out, bool *has_more,
                            struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_SQL_BYTES_MAX);
    struct sql_statement *statement = NULL;
    bool has_row = false;
    int limit_at = (int)list->filter_count + 2;
    write_page_query(kind, list, limit_at, &text);
    TRY(sql_statement(sql, (const char *)text.ptr, &statement, diag));
    TRY(bind_where(list, statement, diag));
    sql_bind_i64(statement, limit_at, (int64_t)list->limit + 1);
    sql_bind_i64(statement, limit_at + 1, (int64_t)list->offset);
    bind_position(statement, limit_at + 2, list->after);
    TRY(sql_step(statement, &has_row, diag));
    while (has_row && json_array_size(out) < list->limit) {
        (void)json_array_append_new(out, rows_object(kind, statement));
        TRY(sql_step(statement, &has_row, diag));
    }
    *has_more = has_row;
    sql_reset(statement);
    return OK;
}

static enum err list_both(struct sql *sql, const struct kind *kind, const struct catalog_list *list,
                          json_t *out, bool *has_more, uint64_t *total, struct diag *diag)
{
    if (list->wants_total) {
        TRY(count(sql, kind, list, total, diag));
    }
    return select_page(sql, kind, list, out, has_more, diag);
}

enum err catalog_list(struct catalog *catalog, const struct kind *kind,
                      const struct catalog_list *list, json_t **out, bool *has_more,
                      uint64_t *total, struct diag *diag)
{
    ASSERT(list->limit > 0 && list->limit <= CATALOG_LIST_MAX);
    json_t *objects = json_array();
    *total = 0;
    enum err e = list_both(reading_begin(catalog), kind, list, objects, has_more, total, diag);
    reading_end(catalog);
    if (e != OK) {
        json_decref(objects);
        return e;
    }
    *out = objects;
    return OK;
}

/* ---- All of a list ---- */

static enum err tell_page(const struct kind *kind, const json_t *objects, catalog_each_fn *fn,
                          void *context, bool *is_enough)
{
    json_t *object = NULL;
    size_t i = 0;
    json_array_foreach(objects, i, object)
    {
        if (!*is_enough) {
            TRY(fn(context, kind, object, is_enough));
        }
    }
    return OK;
}

enum err catalog_each(struct catalog *catalog, const struct kind *kind,
                      const struct catalog_list *list, catalog_each_fn *fn, void *context,
                      struct diag *diag)
{
    ASSERT(list->offset == 0 && list->after == NULL && !list->wants_total);
    struct catalog_list page = *list;
    json_t *last = NULL; /* the position of the page's last object */
    bool has_more = true;
    bool is_enough = false;
    enum err e = OK;
    page.limit = list->limit > 0 ? list->limit : CATALOG_LIST_MAX;
    while (e == OK && has_more && !is_enough) {
        json_t *objects = NULL;
        uint64_t total = 0;
        page.after = last;
        e = catalog_list(catalog, kind, &page, &objects, &has_more, &total, diag);
        json_decref(last);
        last = e == OK && has_more ? catalog_position(kind, json_array_get(objects, page.limit - 1))
                                   : NULL;
        e = e == OK ? tell_page(kind, objects, fn, context, &is_enough) : e;
        json_decref(objects);
    }
    json_decref(last);
    return e;
}
