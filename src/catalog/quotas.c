/* SPDX-License-Identifier: Apache-2.0 */
/* quotas - counts of a month that outlive the process which counts them in memory. */
#include "catalog/internal.h"

enum err catalog_put_quota(struct catalog *catalog, slice org, int32_t month, uint64_t used,
                           struct diag *diag)
{
    struct sql_statement *put = NULL;
    TRY(sql_statement(catalog->writer,
                      "INSERT INTO quotas(org, month, used) VALUES(?, ?, ?) ON CONFLICT(org) "
                      "DO UPDATE SET month = excluded.month, used = excluded.used",
                      &put, diag));
    sql_bind_text(put, 1, org);
    sql_bind_i64(put, 2, month);
    sql_bind_i64(put, 3, (int64_t)used);
    return sql_step_done(put, diag);
}

static enum err each(struct sql *sql, catalog_quota_fn fn, void *context, struct diag *diag)
{
    struct sql_statement *all = NULL;
    bool has_row = false;
    TRY(sql_statement(sql, "SELECT org, month, used FROM quotas", &all, diag));
    TRY(sql_step(all, &has_row, diag));
    while (has_row) {
        fn(context, sql_text(all, 0), (int32_t)sql_i64(all, 1), (uint64_t)sql_i64(all, 2));
        TRY(sql_step(all, &has_row, diag));
    }
    return OK;
}

enum err catalog_quotas(struct catalog *catalog, catalog_quota_fn fn, void *context,
                        struct diag *diag)
{
    enum err e = each(reading_begin(catalog), fn, context, diag);
    reading_end(catalog);
    return e;
}
