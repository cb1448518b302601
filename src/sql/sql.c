/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sql.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
    STATEMENTS_MAX = 128, /* prepared and kept; a power of two */
    BUSY_MS_MAX = 2000,
    PATH_BYTES_MAX = 4096,
};

struct sql_statement {
    struct sql *sql;
    sqlite3_stmt *handle;
    char *text; /* NULL: the slot is free */
};

struct sql {
    sqlite3 *db;
    char name[64]; /* of the file, for messages */
    bool in_transaction;
    enum err lost; /* why SQLite ended the transaction by itself; OK: it did not */
    struct sql_statement statements[STATEMENTS_MAX]; /* at the hash of their text */
};

/* ---- Errors ---- */

static enum err code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}

static enum err fail(struct sql *sql, int result, struct diag *diag)
{
    if (sql->in_transaction && sqlite3_get_autocommit(sql->db) != 0 && sql->lost == OK) {
        sql->lost = code_of(result);
    }
    return diag_fail(diag, code_of(result), sql->name, "%s", sqlite3_errmsg(sql->db));
}

static enum err check(struct sql *sql, int result, struct diag *diag)
{
    return result == SQLITE_OK ? OK : fail(sql, result, diag);
}

/* ---- Life ---- */

/* SQLite makes files as the umask says; this one is made before it looks. One that is there is left
 * alone: closing it would end the locks that other connections of this process hold (fcntl(2)), and
 * a process that looks into the database then deletes the log that this one writes to. */
static enum err make_file(const struct dir *dir, const char *name, struct diag *diag)
{
    OWNED(file) file = NULL;
    return dir_has(dir, name) ? OK : file_open(dir, name, FILE_CREATE, &file, diag);
}

static enum err open_at(struct sql *sql, const char *path, struct diag *diag)
{
    static const char settings[] = "PRAGMA journal_mode = WAL;"
                                   "PRAGMA synchronous = FULL;"
                                   "PRAGMA foreign_keys = ON;"
                                   "PRAGMA secure_delete = ON;"
                                   "PRAGMA trusted_schema = OFF;";
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int result = sqlite3_open_v2(path, &sql->db, flags, NULL);
    if (result != SQLITE_OK) {
        return diag_fail(diag, code_of(result), path, "cannot be opened: %s",
                         sqlite3_errstr(result));
    }
    TRY(check(sql, sqlite3_busy_timeout(sql->db, BUSY_MS_MAX), diag));
    TRY(check(sql, sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL), diag));
    return sql_run(sql, settings, diag);
}

enum err sql_open(const struct dir *dir, const char *name, struct sql **out, struct diag *diag)
{
    char path[PATH_BYTES_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", dir_path(dir), name);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return diag_fail(diag, ERR_INVALID, name, "the path is too long");
    }
    OWNED(sql) sql = mem_zeroed(sizeof(*sql));
    (void)snprintf(sql->name, sizeof(sql->name), "%s", name);
    TRY(make_file(dir, name, diag));
    TRY(open_at(sql, path, diag));
    *out = MOVE(sql);
    return OK;
}

static void release_statement(struct sql_statement *statement)
{
    (void)sqlite3_finalize(statement->handle);
    free(statement->text);
    *statement = (struct sql_statement){0};
}

void sql_free(struct sql *sql)
{
    if (sql == NULL) {
        return;
    }
    sql_rollback(sql);
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        release_statement(&sql->statements[i]);
    }
    int result = sqlite3_close(sql->db);
    ASSERT(result == SQLITE_OK); /* all statements are finalised */
    free(sql);
}

/* ---- Statements ---- */

enum err sql_run(struct sql *sql, const char *texts, struct diag *diag)
{
    return check(sql, sqlite3_exec(sql->db, texts, NULL, NULL, NULL), diag);
}

/* Where the text lives: its slot, or the next one that is free; all taken: its slot is emptied. */
static struct sql_statement *find_slot(struct sql *sql, const char *text)
{
    size_t at = (size_t)hash_bytes(slice_from_cstr(text), 0) % STATEMENTS_MAX;
    struct sql_statement *first = &sql->statements[at];
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        struct sql_statement *slot = &sql->statements[(at + i) % STATEMENTS_MAX];
        if (slot->text == NULL || strcmp(slot->text, text) == 0) {
            return slot;
        }
    }
    release_statement(first);
    return first;
}

enum err sql_statement(struct sql *sql, const char *text, struct sql_statement **out,
                       struct diag *diag)
{
    struct sql_statement *statement = find_slot(sql, text);
    if (statement->text != NULL) {
        sql_reset(statement);
        *out = statement;
        return OK;
    }
    const char *rest = NULL;
    sqlite3_stmt *handle = NULL;
    int result = sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &handle, &rest);
    if (result != SQLITE_OK) {
        return fail(sql, result, diag);
    }
    ASSERT(handle != NULL && *rest == '\0'); /* one statement, of our own making */
    *statement = (struct sql_statement){sql, handle, mem_text(text, strlen(text))};
    *out = statement;
    return OK;
}

static void must_bind(int result)
{
    ASSERT(result == SQLITE_OK); /* a parameter that the text does not have */
}

void sql_bind_text(struct sql_statement *statement, int at, slice text)
{
    const char *bytes = text.len > 0 ? (const char *)text.ptr : "";
    must_bind(
        sqlite3_bind_text64(statement->handle, at, bytes, text.len, SQLITE_TRANSIENT, SQLITE_UTF8));
}

void sql_bind_i64(struct sql_statement *statement, int at, int64_t value)
{
    must_bind(sqlite3_bind_int64(statement->handle, at, value));
}

void sql_bind_null(struct sql_statement *statement, int at)
{
    must_bind(sqlite3_bind_null(statement->handle, at));
}

enum err sql_step(struct sql_statement *statement, bool *has_row, struct diag *diag)
{
    int result = sqlite3_step(statement->handle);
    *has_row = result == SQLITE_ROW;
    if (result == SQLITE_ROW) {
        return OK;
    }
    enum err e = result == SQLITE_DONE ? OK : fail(statement->sql, result, diag);
    sql_reset(statement);
    return e;
}

enum err sql_step_done(struct sql_statement *statement, struct diag *diag)
{
    bool has_row = false;
    enum err e = sql_step(statement, &has_row, diag);
    sql_reset(statement);
    return e;
}

enum err sql_run_i64(struct sql *sql, const char *text, int64_t value, struct diag *diag)
{
    struct sql_statement *statement = NULL;
    TRY(sql_statement(sql, text, &statement, diag));
    ASSERT(statement != NULL);
    sql_bind_i64(statement, 1, value);
    return sql_step_done(statement, diag);
}

void sql_reset(struct sql_statement *statement)
{
    (void)sqlite3_reset(statement->handle); /* says again what the step said */
    (void)sqlite3_clear_bindings(statement->handle);
}

/* ---- Rows ---- */

int sql_column_count(const struct sql_statement *statement)
{
    return sqlite3_column_count(statement->handle);
}

bool sql_is_null(const struct sql_statement *statement, int column)
{
    return sqlite3_column_type(statement->handle, column) == SQLITE_NULL;
}

slice sql_text(const struct sql_statement *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement->handle, column);
    int len = sqlite3_column_bytes(statement->handle, column);
    return text != NULL ? (slice){text, (size_t)len} : (slice){0};
}

int64_t sql_i64(const struct sql_statement *statement, int column)
{
    return sqlite3_column_int64(statement->handle, column);
}

int64_t sql_changes(const struct sql *sql)
{
    return sqlite3_changes64(sql->db);
}

/* ---- Transactions ---- */

enum err sql_begin(struct sql *sql, struct diag *diag)
{
    ASSERT(!sql->in_transaction);
    TRY(sql_run(sql, "BEGIN IMMEDIATE", diag));
    sql->in_transaction = true;
    sql->lost = OK;
    return OK;
}

/* Runs a text that only makes sense in the transaction, and rolls it back if that fails. */
static enum err run_inside(struct sql *sql, const char *text, struct diag *diag)
{
    ASSERT(sql->in_transaction);
    enum err e = sql->lost != OK
                     ? diag_fail(diag, sql->lost, sql->name, "the transaction was rolled back")
                     : sql_run(sql, text, diag);
    if (e != OK) {
        sql_rollback(sql);
    }
    return e;
}

enum err sql_commit(struct sql *sql, struct diag *diag)
{
    TRY(run_inside(sql, "COMMIT", diag));
    sql->in_transaction = false;
    return OK;
}

void sql_rollback(struct sql *sql)
{
    if (sql->in_transaction) {
        /* an error that ended the transaction by itself leaves nothing to roll back */
        (void)sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
        sql->in_transaction = false;
    }
}

enum err sql_savepoint(struct sql *sql, struct diag *diag)
{
    return run_inside(sql, "SAVEPOINT part", diag);
}

enum err sql_keep(struct sql *sql, struct diag *diag)
{
    return run_inside(sql, "RELEASE part", diag);
}

enum err sql_undo(struct sql *sql, struct diag *diag)
{
    return run_inside(sql, "ROLLBACK TO part; RELEASE part", diag);
}
