/* SPDX-License-Identifier: Apache-2.0 */
/* rows - objects as rows of their kind's table. Texts of statements are made from the description
 * each time; the connection knows them again (sql_statement()). */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "catalog/internal.h"

static enum err prepare(struct sql *sql, struct buf *text, struct sql_statement **out,
                        struct diag *diag)
{
    buf_append_byte(text, '\0');
    ASSERT(!text->failed);
    return sql_statement(sql, (const char *)text->ptr, out, diag);
}

/* ---- Out of the table ---- */

enum { FIRST_FIELD = 5 }; /* columns before the fields */

void rows_columns(const struct kind *kind, struct buf *out)
{
    buf_append_cstr(out, "id, org, version, created_at, updated_at");
    for (size_t i = 0; i < kind->field_count; i++) {
        buf_append_format(out, ", \"%s\"", kind->fields[i].name);
    }
}

static json_t *text_value(slice text)
{
    json_t *value = json_stringn((const char *)text.ptr, text.len);
    return value != NULL ? value : json_null();
}

static json_t *field_value(const struct kind_field *field, struct sql_statement *statement,
                           int column)
{
    if (sql_is_null(statement, column)) {
        return json_null();
    }
    slice text = {0};
    switch (field->type) {
    case KIND_INTEGER:
        return json_integer(sql_i64(statement, column));
    case KIND_BOOLEAN:
        return json_boolean(sql_i64(statement, column) != 0);
    case KIND_CHOICES:
    case KIND_NAMES:
    case KIND_DOCUMENT:
        text = sql_text(statement, column);
        json_t *value = json_loadb((const char *)text.ptr, text.len, JSON_DECODE_ANY, NULL);
        return value != NULL ? value : json_null();
    case KIND_TEXT:
    case KIND_NAME:
    case KIND_HOST:
    case KIND_EMAIL:
    case KIND_URL:
    case KIND_CHOICE:
    case KIND_TIME:
    case KIND_FILTER:
    case KIND_REFERENCE:
        return text_value(sql_text(statement, column));
    }
    return json_null();
}

json_t *rows_object(const struct kind *kind, struct sql_statement *statement)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "id", text_value(sql_text(statement, 0)));
    (void)json_object_set_new(object, "org", text_value(sql_text(statement, 1)));
    (void)json_object_set_new(object, "version", json_integer(sql_i64(statement, 2)));
    (void)json_object_set_new(object, "created_at", text_value(sql_text(statement, 3)));
    (void)json_object_set_new(object, "updated_at", text_value(sql_text(statement, 4)));
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        (void)json_object_set_new(object, field->name,
                                  field_value(field, statement, FIRST_FIELD + (int)i));
    }
    return object;
}

enum err rows_get(struct sql *sql, const struct kind *kind, slice org, const char *column,
                  slice value, json_t **out, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_SQL_BYTES_MAX);
    struct sql_statement *find = NULL;
    bool has_row = false;
    buf_append_cstr(&text, "SELECT ");
    rows_columns(kind, &text);
    buf_append_format(&text, " FROM \"%s\" WHERE \"%s\" = ?1 AND (?2 = '' OR org = ?2)", kind->name,
                      column);
    TRY(prepare(sql, &text, &find, diag));
    sql_bind_text(find, 1, value);
    sql_bind_text(find, 2, org);
    TRY(sql_step(find, &has_row, diag));
    if (!has_row) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "there is no such %s", kind->singular);
    }
    *out = rows_object(kind, find);
    sql_reset(find);
    return OK;
}

/* ---- Into the table ---- */

static void bind_json(struct sql_statement *statement, int at, const json_t *value)
{
    char *text = json_dumps(value, KIND_JSON);
    ASSERT(text != NULL);
    sql_bind_text(statement, at, slice_from_cstr(text));
    free(text);
}

void rows_bind(struct sql_statement *statement, int at, const json_t *value)
{
    if (json_is_string(value)) {
        slice text = {(const uint8_t *)json_string_value(value), json_string_length(value)};
        sql_bind_text(statement, at, text);
    } else if (json_is_integer(value)) {
        sql_bind_i64(statement, at, json_integer_value(value));
    } else if (json_is_boolean(value)) {
        sql_bind_i64(statement, at, json_is_true(value) ? 1 : 0);
    } else if (value == NULL || json_is_null(value)) {
        sql_bind_null(statement, at);
    } else {
        bind_json(statement, at, value);
    }
}

static void bind_object(struct sql_statement *statement, const struct kind *kind,
                        const json_t *object)
{
    static const char *const first[FIRST_FIELD] = {"id", "org", "version", "created_at",
                                                   "updated_at"};
    for (int i = 0; i < FIRST_FIELD; i++) {
        rows_bind(statement, i + 1, json_object_get(object, first[i]));
    }
    for (size_t i = 0; i < kind->field_count; i++) {
        rows_bind(statement, FIRST_FIELD + (int)i + 1,
                  json_object_get(object, kind->fields[i].name));
    }
}

enum err rows_insert(struct sql *sql, const struct kind *kind, const json_t *object,
                     struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_SQL_BYTES_MAX);
    struct sql_statement *insert = NULL;
    buf_append_format(&text, "INSERT INTO \"%s\"(", kind->name);
    rows_columns(kind, &text);
    buf_append_cstr(&text, ") VALUES(?");
    for (size_t i = 1; i < FIRST_FIELD + kind->field_count; i++) {
        buf_append_cstr(&text, ", ?");
    }
    buf_append_cstr(&text, ")");
    TRY(prepare(sql, &text, &insert, diag));
    bind_object(insert, kind, object);
    return sql_step_done(insert, diag);
}

enum err rows_update(struct sql *sql, const struct kind *kind, const json_t *object,
                     struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_SQL_BYTES_MAX);
    struct sql_statement *update = NULL;
    buf_append_format(&text, "UPDATE \"%s\" SET (", kind->name);
    rows_columns(kind, &text);
    buf_append_cstr(&text, ") = (?1");
    for (size_t i = 1; i < FIRST_FIELD + kind->field_count; i++) {
        buf_append_format(&text, ", ?%zu", i + 1);
    }
    buf_append_cstr(&text, ") WHERE id = ?1 AND org = ?2");
    TRY(prepare(sql, &text, &update, diag));
    bind_object(update, kind, object);
    return sql_step_done(update, diag);
}

enum err rows_raise(struct sql *sql, const struct kind *kind, slice id, const char *column,
                    slice value, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_SQL_BYTES_MAX);
    struct sql_statement *raise = NULL;
    buf_append_format(&text,
                      "UPDATE \"%s\" SET \"%s\" = ?1 WHERE id = ?2 AND "
                      "(\"%s\" IS NULL OR \"%s\" < ?1)",
                      kind->name, column, column, column);
    TRY(prepare(sql, &text, &raise, diag));
    sql_bind_text(raise, 1, value);
    sql_bind_text(raise, 2, id);
    return sql_step_done(raise, diag);
}

enum err rows_delete(struct sql *sql, const struct kind *kind, const json_t *object,
                     struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_SQL_BYTES_MAX);
    struct sql_statement *delete = NULL;
    buf_append_format(&text, "DELETE FROM \"%s\" WHERE id = ? AND org = ?", kind->name);
    TRY(prepare(sql, &text, &delete, diag));
    sql_bind_text(delete, 1, kind_text(object, "id"));
    sql_bind_text(delete, 2, kind_text(object, "org"));
    return sql_step_done(delete, diag);
}

/* ---- What an object may not be, because of others ---- */

static enum err check_one(struct sql *sql, const struct kind *kind, const struct kind_field *field,
                          const json_t *object, struct kind_errors *errors, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_SQL_BYTES_MAX);
    struct sql_statement *find = NULL;
    bool has_row = false;
    bool is_everywhere = (field->flags & KIND_UNIQUE_EVERYWHERE) != 0;
    buf_append_format(&text, "SELECT 1 FROM \"%s\" WHERE \"%s\" = ?1 AND id <> ?2 AND %s",
                      kind->name, field->name, is_everywhere ? "?3 IS NOT NULL" : "org = ?3");
    TRY(prepare(sql, &text, &find, diag));
    rows_bind(find, 1, json_object_get(object, field->name));
    sql_bind_text(find, 2, kind_text(object, "id"));
    sql_bind_text(find, 3, kind_text(object, "org"));
    TRY(sql_step(find, &has_row, diag));
    sql_reset(find);
    if (has_row) {
        kind_wrong(errors, field->name, "another %s has it already", kind->singular);
    }
    return OK;
}

enum err rows_check_unique(struct sql *sql, const struct kind *kind, const json_t *object,
                           struct kind_errors *errors, struct diag *diag)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        if ((field->flags & (KIND_UNIQUE | KIND_UNIQUE_EVERYWHERE)) != 0) {
            TRY(check_one(sql, kind, field, object, errors, diag));
        }
    }
    return errors->count == 0 ? OK
                              : diag_fail(diag, ERR_CONFLICT, errors->list[0].pointer, "%s",
                                          errors->list[0].detail);
}

/* Objects of `user` whose `column` holds the id. */
static enum err count_users(struct sql *sql, const struct kind *user, const char *column, slice id,
                            struct kind_errors *errors, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_SQL_BYTES_MAX);
    struct sql_statement *find = NULL;
    bool has_row = false;
    buf_append_format(&text, "SELECT id FROM \"%s\" WHERE \"%s\" = ? LIMIT 5", user->name, column);
    TRY(prepare(sql, &text, &find, diag));
    sql_bind_text(find, 1, id);
    TRY(sql_step(find, &has_row, diag));
    while (has_row) {
        slice by = sql_text(find, 0);
        kind_wrong(errors, "", "the %s %.*s refers to it", user->singular, SLICE_ARG(by));
        TRY(sql_step(find, &has_row, diag));
    }
    return OK;
}

enum err rows_check_unused(struct sql *sql, const struct kind *kind, const json_t *object,
                           struct kind_errors *errors, struct diag *diag)
{
    size_t count = 0;
    const struct kind *const *kinds = kinds_all(&count);
    slice id = kind_text(object, "id");
    for (size_t k = 0; k < count; k++) {
        if (kind->is_organization && kinds[k] != kind) {
            TRY(count_users(sql, kinds[k], "org", id, errors, diag));
        }
        for (size_t i = 0; i < kinds[k]->field_count; i++) {
            const struct kind_field *field = &kinds[k]->fields[i];
            if (field->type == KIND_REFERENCE && strcmp(field->choices, kind->name) == 0) {
                TRY(count_users(sql, kinds[k], field->name, id, errors, diag));
            }
        }
    }
    return errors->count == 0 ? OK
                              : diag_fail(diag, ERR_CONFLICT, "", "%s", errors->list[0].detail);
}

enum err rows_check_references(struct sql *sql, const struct kind *kind, const json_t *object,
                               struct kind_errors *errors, struct diag *diag)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        slice id = kind_text(object, field->name);
        if (field->type != KIND_REFERENCE || id.len == 0) {
            continue;
        }
        const struct kind *other = kind_find(slice_from_cstr(field->choices));
        json_t *found = NULL;
        enum err e = rows_get(sql, other, kind_text(object, "org"), "id", id, &found, diag);
        json_decref(found);
        if (e == ERR_NOT_FOUND) {
            kind_wrong(errors, field->name, "there is no such %s", other->singular);
            return ERR_INVALID;
        }
        TRY(e);
    }
    return OK;
}
