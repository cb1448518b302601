/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sql - one connection to a database of SQLite: statements that are prepared once, transactions.
 *
 *     struct sql_statement *find = NULL;
 *     TRY(sql_statement(sql, "SELECT name FROM users WHERE id = ?", &find, diag));
 *     sql_bind_text(find, 1, id);
 *     TRY(sql_step(find, &has_row, diag));      has_row: sql_text(find, 0) is the name
 *
 * Values are bound, never pasted into a text. What an error means for the caller:
 *
 *     CONFLICT  a UNIQUE, CHECK or FOREIGN KEY constraint says no
 *     BUSY      another process holds the database for longer than two seconds
 *     FULL      no room on the disk
 *     CORRUPT   the file is no sound database
 *     IO        anything else
 *
 * A commit is durable when it returns (write-ahead log, synchronous = FULL); what was deleted is
 * overwritten (secure_delete).
 *
 * Threads: a connection and its statements belong to one thread at a time.
 */

#include "base/err.h"
#include "base/slice.h"
#include "os/file.h"

struct sql;
struct sql_statement;

/* Opens or makes the file in `dir` (mode 0600). */
enum err sql_open(const struct dir *dir, const char *name, struct sql **out, struct diag *diag);
/* A transaction that is open is rolled back. */
void sql_free(struct sql *sql);
DEFINE_OWNED(sql);

/* Runs texts without parameters and rows, separated by semicolons. */
enum err sql_run(struct sql *sql, const char *texts, struct diag *diag);
/* Runs one text with one parameter, a number, and without rows; prepared once, as below. */
enum err sql_run_i64(struct sql *sql, const char *text, int64_t value, struct diag *diag);

/* The statement of that text, ready to be bound, prepared at its first use. It is the connection's
 * and stays valid until it is asked for again, or 128 others were. One row set at a time. */
enum err sql_statement(struct sql *sql, const char *text, struct sql_statement **out,
                       struct diag *diag);

/* Parameters count from 1. The bytes are copied. */
void sql_bind_text(struct sql_statement *statement, int at, slice text);
void sql_bind_i64(struct sql_statement *statement, int at, int64_t value);
void sql_bind_null(struct sql_statement *statement, int at);

/* The next row; *has_row false behind the last, after which the statement is done and may be asked
 * for again. */
enum err sql_step(struct sql_statement *statement, bool *has_row, struct diag *diag);
/* The same for one that has no rows. */
enum err sql_step_done(struct sql_statement *statement, struct diag *diag);
/* Rows that follow are not wanted. */
void sql_reset(struct sql_statement *statement);

/* Columns of the row count from 0. Texts live until the next step or reset; NULL is empty, 0. */
int sql_column_count(const struct sql_statement *statement);
bool sql_is_null(const struct sql_statement *statement, int column);
slice sql_text(const struct sql_statement *statement, int column);
int64_t sql_i64(const struct sql_statement *statement, int column);

/* Rows that the last statement changed. */
int64_t sql_changes(const struct sql *sql);

/* A transaction that may write; nothing is inside another. rollback() without one does nothing. */
enum err sql_begin(struct sql *sql, struct diag *diag);
enum err sql_commit(struct sql *sql, struct diag *diag); /* after an error it was rolled back */
void sql_rollback(struct sql *sql);

/*
 * A part of the transaction that can be undone alone: begun with sql_savepoint(), ended with
 * sql_keep() or sql_undo(), never one inside another. After an error of these three the whole
 * transaction was rolled back: SQLite does that by itself when the disk is full or fails, and what
 * it failed with is what they answer.
 */
enum err sql_savepoint(struct sql *sql, struct diag *diag);
enum err sql_keep(struct sql *sql, struct diag *diag);
enum err sql_undo(struct sql *sql, struct diag *diag);
