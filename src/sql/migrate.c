/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/migrate.h"

#include "os/clock.h"

static const char table[] = "CREATE TABLE IF NOT EXISTS migrations("
                            "position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
                            "applied_us INTEGER NOT NULL) STRICT";

static bool is_in_list(const struct sql_migration *steps, size_t count, slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(slice_from_cstr(steps[i].name), name)) {
            return true;
        }
    }
    return false;
}

static enum err refuse_unknown(struct sql *sql, const struct sql_migration *steps, size_t count,
                               struct diag *diag)
{
    struct sql_statement *all = NULL;
    bool has_row = false;
    TRY(sql_statement(sql, "SELECT name FROM migrations", &all, diag));
    TRY(sql_step(all, &has_row, diag));
    while (has_row) {
        slice name = sql_text(all, 0);
        if (!is_in_list(steps, count, name)) {
            enum err e =
                diag_fail(diag, ERR_INVALID, "catalog",
                          "was made by a newer version: it went through %.*s", SLICE_ARG(name));
            sql_reset(all);
            return e;
        }
        TRY(sql_step(all, &has_row, diag));
    }
    return OK;
}

static enum err has_run(struct sql *sql, const char *name, bool *out, struct diag *diag)
{
    struct sql_statement *find = NULL;
    TRY(sql_statement(sql, "SELECT 1 FROM migrations WHERE name = ?", &find, diag));
    sql_bind_text(find, 1, slice_from_cstr(name));
    TRY(sql_step(find, out, diag));
    sql_reset(find);
    return OK;
}

static enum err run_step(struct sql *sql, const struct sql_migration *step, struct diag *diag)
{
    struct sql_statement *note = NULL;
    TRY(sql_run(sql, step->text, diag));
    TRY(sql_statement(sql, "INSERT INTO migrations(name, applied_us) VALUES(?, ?)", &note, diag));
    sql_bind_text(note, 1, slice_from_cstr(step->name));
    sql_bind_i64(note, 2, clock_now_us());
    return sql_step_done(note, diag);
}

static enum err run_new(struct sql *sql, const struct sql_migration *steps, size_t count,
                        struct diag *diag)
{
    for (size_t i = 0; i < count; i++) {
        bool is_done = false;
        TRY(has_run(sql, steps[i].name, &is_done, diag));
        if (!is_done) {
            TRY(run_step(sql, &steps[i], diag));
        }
    }
    return OK;
}

enum err sql_migrate(struct sql *sql, const struct sql_migration *steps, size_t count,
                     struct diag *diag)
{
    TRY(sql_run(sql, table, diag));
    TRY(refuse_unknown(sql, steps, count, diag));
    TRY(sql_begin(sql, diag));
    enum err e = run_new(sql, steps, count, diag);
    if (e != OK) {
        sql_rollback(sql);
        return e;
    }
    return sql_commit(sql, diag);
}

enum err sql_migrations(struct sql *sql, sql_migration_fn fn, void *context, struct diag *diag)
{
    struct sql_statement *all = NULL;
    bool has_row = false;
    TRY(sql_statement(sql, "SELECT name, applied_us FROM migrations ORDER BY position", &all,
                      diag));
    TRY(sql_step(all, &has_row, diag));
    while (has_row) {
        fn(context, sql_text(all, 0), sql_i64(all, 1));
        TRY(sql_step(all, &has_row, diag));
    }
    return OK;
}
