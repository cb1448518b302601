/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/usage.h"

#include "catalog/internal.h"
#include "codec/time.h"

enum err catalog_usage_add(struct catalog *catalog, const struct catalog_usage *usage,
                           struct diag *diag)
{
    struct sql_statement *add = NULL;
    TRY(sql_statement(catalog->writer,
                      "INSERT INTO key_usage VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) "
                      "ON CONFLICT DO UPDATE SET unanswered = unanswered + excluded.unanswered,"
                      "c1 = c1 + excluded.c1, c2 = c2 + excluded.c2, c3 = c3 + excluded.c3,"
                      "c4 = c4 + excluded.c4, c5 = c5 + excluded.c5",
                      &add, diag));
    sql_bind_text(add, 1, usage->key_id);
    sql_bind_i64(add, 2, usage->day);
    sql_bind_text(add, 3, usage->route);
    for (int i = 0; i < CATALOG_USAGE_CLASSES; i++) {
        sql_bind_i64(add, 4 + i, (int64_t)usage->requests[i]);
    }
    return sql_step_done(add, diag);
}

enum err catalog_usage_touch(struct catalog *catalog, slice key_id, int64_t last_us,
                             struct diag *diag)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(last_us, text);
    return rows_raise(catalog->writer, &kind_api_keys, key_id, "last_used_at",
                      (slice){(const uint8_t *)text, sizeof(text)}, diag);
}

enum err catalog_usage_prune(struct catalog *catalog, int64_t first_day, struct diag *diag)
{
    struct sql_statement *prune = NULL;
    TRY(sql_statement(catalog->writer, "DELETE FROM key_usage WHERE day < ?", &prune, diag));
    sql_bind_i64(prune, 1, first_day);
    return sql_step_done(prune, diag);
}

static enum err read_rows(struct sql *sql, slice key_id, int64_t first_day, catalog_usage_fn fn,
                          void *context, struct diag *diag)
{
    struct sql_statement *find = NULL;
    bool has_row = false;
    TRY(sql_statement(sql,
                      "SELECT day, route, unanswered, c1, c2, c3, c4, c5 FROM key_usage "
                      "WHERE key = ? AND day >= ?",
                      &find, diag));
    sql_bind_text(find, 1, key_id);
    sql_bind_i64(find, 2, first_day);
    TRY(sql_step(find, &has_row, diag));
    while (has_row) {
        struct catalog_usage usage = {.key_id = key_id,
                                      .day = sql_i64(find, 0),
                                      .route = sql_text(find, 1)};
        for (int i = 0; i < CATALOG_USAGE_CLASSES; i++) {
            usage.requests[i] = (uint64_t)sql_i64(find, 2 + i);
        }
        fn(context, &usage);
        TRY(sql_step(find, &has_row, diag));
    }
    return OK;
}

enum err catalog_usage_read(struct catalog *catalog, slice key_id, int64_t first_day,
                            catalog_usage_fn fn, void *context, struct diag *diag)
{
    enum err e = read_rows(reading_begin(catalog), key_id, first_day, fn, context, diag);
    reading_end(catalog);
    return e;
}
