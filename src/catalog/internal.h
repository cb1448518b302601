/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * internal - what the files of this room share.
 *
 * Two connections: `writer`, which belongs to the thread that has its turn (transaction.c), and
 * `reader` under a lock. Functions here take the connection they are to use.
 */

#include <stdatomic.h>

#include "base/buf.h"
#include "catalog/catalog.h"
#include "os/thread.h"
#include "sql/migrate.h"

enum {
    OWN_CHANGES_MAX = 1024, /* objects that one transaction changes: an organisation and its keys */
    CHANGES_MAX = 2048,     /* that a group of them does; memory is only what was used */
    TURNS_MAX = 64,         /* transactions of a group: what the first waits for is bounded */
    ID_BYTES_MAX = 256,
    TEXT_SQL_BYTES_MAX = 8 * 1024,
};

struct change {
    const struct kind *kind;
    char org[65];
    char id[ID_BYTES_MAX + 1];
};

struct listener {
    catalog_changed_fn changed;
    void *context;
};

/* Where a thread whose turn is over waits for what becomes of its group; on its stack. */
struct seat {
    struct seat *next;
    bool is_told;
    enum err result;
    struct diag diag;
};

/* Transactions that share a commit: one of the database. It is touched in a turn alone, but for the
 * seats, which are under the lock. */
struct commit_group {
    struct seat *seats;
    size_t turns; /* those that were taken back included */
    size_t kept;
    struct change changes[CHANGES_MAX];
    size_t change_count;
    bool is_open;
    bool is_alone;   /* no other transaction joins */
    bool has_events; /* something is new in the outbox */
    size_t own_from; /* as the turn began: changes, */
    bool had_events; /* and events */
};

struct catalog {
    struct catalog_options options;
    struct listener listeners[CATALOG_LISTENERS_MAX];
    size_t listener_count;
    struct sql *writer;
    struct commit_group group;
    _Atomic(const char *) holder; /* whose turn it is, from begin to its end; NULL: nobody's */
    _Atomic int64_t done;         /* all of the outbox up to here are in the ledger */
    struct mutex turn_lock;       /* of the next four, and of seats */
    bool is_taken;
    size_t waiting; /* for a turn */
    struct condition turn_over, group_over;
    struct mutex read_lock;
    struct sql *reader;
    struct mutex wake_lock;
    struct condition wake;
    bool is_woken;
};

/* ---- Transactions (transaction.c) ---- */

/* The connection to read with, until reading_end(): in a transaction of this thread its own, which
 * sees what the transaction did; else the reader. */
struct sql *reading_begin(struct catalog *catalog);
void reading_end(struct catalog *catalog);

/* ---- Tables (tables.c) ---- */

enum err tables_migrate(struct sql *sql, struct diag *diag);

/* ---- Rows (rows.c) ---- */

/* The object of the row that the statement stands at, whose columns are those of rows_columns(). */
json_t *rows_object(const struct kind *kind, struct sql_statement *statement);
/* Appends "id, org, version, ..." */
void rows_columns(const struct kind *kind, struct buf *out);
enum err rows_get(struct sql *sql, const struct kind *kind, slice org, const char *column,
                  slice value, json_t **out, struct diag *diag);
enum err rows_insert(struct sql *sql, const struct kind *kind, const json_t *object,
                     struct diag *diag);
enum err rows_update(struct sql *sql, const struct kind *kind, const json_t *object,
                     struct diag *diag);
/* A text that only grows, in any organisation; the version stays. OK also without that object. */
enum err rows_raise(struct sql *sql, const struct kind *kind, slice id, const char *column,
                    slice value, struct diag *diag);
enum err rows_delete(struct sql *sql, const struct kind *kind, const json_t *object,
                     struct diag *diag);
/* CONFLICT and `errors`, where another object has the value of a unique field. */
enum err rows_check_unique(struct sql *sql, const struct kind *kind, const json_t *object,
                           struct kind_errors *errors, struct diag *diag);
/* The same, where objects of other kinds refer to it. */
enum err rows_check_unused(struct sql *sql, const struct kind *kind, const json_t *object,
                           struct kind_errors *errors, struct diag *diag);
/* INVALID and `errors`, where a reference leads nowhere. */
enum err rows_check_references(struct sql *sql, const struct kind *kind, const json_t *object,
                               struct kind_errors *errors, struct diag *diag);

/* null, a text, a number, a boolean (0 or 1), or JSON. */
void rows_bind(struct sql_statement *statement, int at, const json_t *value);
/* ---- Events (outbox.c) ---- */

enum err outbox_change(struct catalog *catalog, const struct kind *kind,
                       const struct catalog_author *author, const json_t *old, const json_t *new,
                       struct diag *diag);
/* In a turn: those that are done with. */
enum err outbox_delete_done(struct catalog *catalog, struct diag *diag);
