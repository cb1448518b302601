/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/sessions.h"

#include <stdio.h>

#include "catalog/internal.h"

#define KEPT_US ((int64_t)7 * 86400 * 1000000) /* what ended, for whoever looks into it */
#define COLUMNS "id, user, org, newest, created_us, used_us, expires_us, revoked_us"

static enum err forget_old(struct sql *sql, int64_t now_us, struct diag *diag)
{
    return sql_run_i64(sql, "DELETE FROM sessions WHERE expires_us < ?", now_us - KEPT_US, diag);
}

enum err catalog_session_insert(struct catalog *catalog, const struct catalog_session *session,
                                struct diag *diag)
{
    struct sql_statement *insert = NULL;
    TRY(forget_old(catalog->writer, session->created_us, diag));
    TRY(sql_statement(catalog->writer,
                      "INSERT INTO sessions(" COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?)", &insert,
                      diag));
    sql_bind_text(insert, 1, slice_from_cstr(session->id));
    sql_bind_text(insert, 2, slice_from_cstr(session->user));
    sql_bind_text(insert, 3, slice_from_cstr(session->org));
    sql_bind_text(insert, 4, slice_from_cstr(session->newest));
    sql_bind_i64(insert, 5, session->created_us);
    sql_bind_i64(insert, 6, session->used_us);
    sql_bind_i64(insert, 7, session->expires_us);
    sql_bind_i64(insert, 8, session->revoked_us);
    return sql_step_done(insert, diag);
}

static void copy_text(const struct sql_statement *row, int column, char *out, size_t out_bytes)
{
    slice text = sql_text(row, column);
    (void)snprintf(out, out_bytes, "%.*s", SLICE_ARG(text));
}

static void read_row(const struct sql_statement *row, struct catalog_session *out)
{
    *out = (struct catalog_session){0};
    copy_text(row, 0, out->id, sizeof(out->id));
    copy_text(row, 1, out->user, sizeof(out->user));
    copy_text(row, 2, out->org, sizeof(out->org));
    copy_text(row, 3, out->newest, sizeof(out->newest));
    out->created_us = sql_i64(row, 4);
    out->used_us = sql_i64(row, 5);
    out->expires_us = sql_i64(row, 6);
    out->revoked_us = sql_i64(row, 7);
}

enum err catalog_session_find(struct catalog *catalog, slice id, struct catalog_session *out,
                              struct diag *diag)
{
    struct sql_statement *find = NULL;
    bool has_row = false;
    TRY(sql_statement(catalog->writer, "SELECT " COLUMNS " FROM sessions WHERE id = ?", &find,
                      diag));
    sql_bind_text(find, 1, id);
    TRY(sql_step(find, &has_row, diag));
    if (!has_row) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "there is no such session");
    }
    read_row(find, out);
    sql_reset(find);
    return OK;
}

enum err catalog_session_advance(struct catalog *catalog, slice id, slice seen, slice next,
                                 int64_t now_us, struct diag *diag)
{
    struct sql_statement *update = NULL;
    TRY(sql_statement(catalog->writer,
                      "UPDATE sessions SET newest = ?, used_us = ? "
                      "WHERE id = ? AND newest = ? AND revoked_us = 0",
                      &update, diag));
    sql_bind_text(update, 1, next);
    sql_bind_i64(update, 2, now_us);
    sql_bind_text(update, 3, id);
    sql_bind_text(update, 4, seen);
    TRY(sql_step_done(update, diag));
    return sql_changes(catalog->writer) == 1
               ? OK
               : diag_fail(diag, ERR_CONFLICT, "", "another request was quicker");
}

enum err catalog_session_revoke(struct catalog *catalog, slice id, int64_t now_us,
                                struct diag *diag)
{
    struct sql_statement *update = NULL;
    TRY(sql_statement(catalog->writer,
                      "UPDATE sessions SET revoked_us = ? WHERE id = ? AND revoked_us = 0", &update,
                      diag));
    sql_bind_i64(update, 1, now_us);
    sql_bind_text(update, 2, id);
    return sql_step_done(update, diag);
}

enum err catalog_sessions_revoke(struct catalog *catalog, slice user, slice but, int64_t now_us,
                                 struct diag *diag)
{
    struct sql_statement *update = NULL;
    TRY(sql_statement(catalog->writer,
                      "UPDATE sessions SET revoked_us = ? "
                      "WHERE user = ? AND id <> ? AND revoked_us = 0",
                      &update, diag));
    sql_bind_i64(update, 1, now_us);
    sql_bind_text(update, 2, user);
    sql_bind_text(update, 3, but);
    return sql_step_done(update, diag);
}

static enum err each_row(struct sql *sql, int64_t now_us, catalog_session_fn *fn, void *context,
                         struct diag *diag)
{
    struct sql_statement *select = NULL;
    struct catalog_session session;
    bool has_row = true;
    TRY(sql_statement(sql,
                      "SELECT " COLUMNS " FROM sessions WHERE revoked_us = 0 AND expires_us > ?",
                      &select, diag));
    sql_bind_i64(select, 1, now_us);
    for (;;) {
        TRY(sql_step(select, &has_row, diag));
        if (!has_row) {
            return OK;
        }
        read_row(select, &session);
        fn(context, &session);
    }
}

enum err catalog_sessions_each(struct catalog *catalog, int64_t now_us, catalog_session_fn *fn,
                               void *context, struct diag *diag)
{
    enum err e = each_row(reading_begin(catalog), now_us, fn, context, diag);
    reading_end(catalog);
    return e;
}
