/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * migrate - what a database went through. Each step has a name and runs once, in order. Those that
 * are new run in one transaction with the notes that they ran: a crash leaves all of them done or
 * none begun.
 *
 * Threads: the connection's.
 */

#include "sql/sql.h"

struct sql_migration {
    const char *name; /* "0001-outbox"; never used for anything else */
    const char *text; /* statements, separated by semicolons */
};

/* Runs those that have not run yet. INVALID: the database knows a step that is not in the list
 * (a newer version made it): nothing was changed. */
enum err sql_migrate(struct sql *sql, const struct sql_migration *steps, size_t count,
                     struct diag *diag);

/* Calls fn for each step that ran, oldest first. */
typedef void (*sql_migration_fn)(void *context, slice name, int64_t applied_us);
enum err sql_migrations(struct sql *sql, sql_migration_fn fn, void *context, struct diag *diag);
