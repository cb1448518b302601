/* SPDX-License-Identifier: Apache-2.0 */
/* answers - what was answered to requests with an Idempotency-Key, for a day. */
#include "base/mem.h"
#include "catalog/internal.h"
#include "os/clock.h"

#define KEPT_US ((int64_t)24 * 3600 * 1000000)

static enum err forget_old(struct sql *sql, int64_t now_us, struct diag *diag)
{
    return sql_run_i64(sql, "DELETE FROM answers WHERE given_us < ?", now_us - KEPT_US, diag);
}

enum err catalog_remember(struct catalog *catalog, slice org, slice key, slice fingerprint,
                          int status, slice answer, struct diag *diag)
{
    struct sql_statement *insert = NULL;
    int64_t now_us = clock_now_us();
    TRY(forget_old(catalog->writer, now_us, diag));
    TRY(sql_statement(catalog->writer, "INSERT INTO answers VALUES(?, ?, ?, ?, ?, ?)", &insert,
                      diag));
    sql_bind_text(insert, 1, org);
    sql_bind_text(insert, 2, key);
    sql_bind_text(insert, 3, fingerprint);
    sql_bind_i64(insert, 4, status);
    sql_bind_text(insert, 5, answer);
    sql_bind_i64(insert, 6, now_us);
    return sql_step_done(insert, diag);
}

static enum err recall(struct sql *sql, slice org, slice key, slice fingerprint, int *status,
                       char **answer, struct diag *diag)
{
    struct sql_statement *find = NULL;
    bool has_row = false;
    TRY(sql_statement(sql,
                      "SELECT fingerprint, status, answer FROM answers "
                      "WHERE org = ? AND key = ? AND given_us >= ?",
                      &find, diag));
    sql_bind_text(find, 1, org);
    sql_bind_text(find, 2, key);
    sql_bind_i64(find, 3, clock_now_us() - KEPT_US);
    TRY(sql_step(find, &has_row, diag));
    if (!has_row) {
        return ERR_NOT_FOUND;
    }
    bool is_same = slice_equal(sql_text(find, 0), fingerprint);
    slice text = sql_text(find, 2);
    if (is_same) {
        *status = (int)sql_i64(find, 1);
        *answer = mem_text((const char *)text.ptr, text.len);
    }
    sql_reset(find);
    return is_same
               ? OK
               : diag_fail(diag, ERR_CONFLICT, "Idempotency-Key", "was used for another request");
}

enum err catalog_recall(struct catalog *catalog, slice org, slice key, slice fingerprint,
                        int *status, char **answer, struct diag *diag)
{
    enum err e = recall(reading_begin(catalog), org, key, fingerprint, status, answer, diag);
    reading_end(catalog);
    return e;
}
