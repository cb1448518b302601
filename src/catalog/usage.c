/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/usage.h"

#include "catalog/internal.h"
#include "codec/time.h"

enum err catalog_usage_add(struct catalog *catalog, const struct catalog_usage *usage,
                           struct diag *diag)
{
    struct sql_statement *add = NULL;
    TRY(sql_statement(catalog->writer,
                      "INSERT INTO key_usage VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                      "ON CONFLICT DO UPDATE SET unanswered = unanswered + excluded.unanswered,"
                      "c1 = c1 + excluded.c1, c2 = c2 + excluded.c2, c3 = c3 + excluded.c3,"
                      "c4 = c4 + excluded.c4, c5 = c5 + excluded.c5,"
                      "last_us = MAX(last_us, excluded.last_us)",
                      &add, diag));
    sql_bind_text(add, 1, usage->key_id);
    sql_bind_i64(add, 2, usage->day);
    sql_bind_text(add, 3, usage->route);
    for (int i = 0; i < CATALOG_USAGE_CLASSES; i++) {
        sql_bind_i64(add, 4 + i, (int64_t)usage->requests[i]);
    }
    sql_bind_i64(add, 4 + CATALOG_USAGE_CLASSES, usage->last_us);
    return sql_step_done(add, diag);
}

enum err catalog_usage_add_version(struct catalog *catalog, int64_t day,
                                   const struct catalog_use *use, struct diag *diag)
{
    struct sql_statement *add = NULL;
    TRY(sql_statement(catalog->writer,
                      "INSERT INTO version_usage VALUES(?, ?, ?, ?, ?, ?) "
                      "ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,"
                      "first_us = MIN(first_us, excluded.first_us),"
                      "last_us = MAX(last_us, excluded.last_us)",
                      &add, diag));
    sql_bind_text(add, 1, use->key_id);
    sql_bind_i64(add, 2, day);
    sql_bind_text(add, 3, use->what);
    sql_bind_i64(add, 4, (int64_t)use->requests);
    sql_bind_i64(add, 5, use->first_us);
    sql_bind_i64(add, 6, use->last_us);
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
    struct sql *sql = catalog->writer;
    TRY(sql_run_i64(sql, "DELETE FROM key_usage WHERE day < ?", first_day, diag));
    return sql_run_i64(sql, "DELETE FROM version_usage WHERE day < ?", first_day, diag);
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

static enum err read_sums(struct sql *sql, enum catalog_used used, int64_t first_day,
                          catalog_use_fn fn, void *context, struct diag *diag)
{
    /* Of routes that were used before `last_us` was kept the day is known. */
    static const char *const texts[] = {
        "SELECT key, version, SUM(CASE WHEN day >= ? THEN requests ELSE 0 END),"
        "MIN(first_us), MAX(last_us) FROM version_usage GROUP BY key, version ORDER BY 5 DESC",
        "SELECT key, route, SUM(CASE WHEN day >= ? THEN unanswered + c1 + c2 + c3 + c4 + c5 ELSE 0 "
        "END), 0, MAX(MAX(last_us), MAX(day) * 86400000000) FROM key_usage GROUP BY key, route "
        "ORDER BY 5 DESC"};
    struct sql_statement *find = NULL;
    bool has_row = false;
    TRY(sql_statement(sql, texts[used], &find, diag));
    sql_bind_i64(find, 1, first_day);
    TRY(sql_step(find, &has_row, diag));
    while (has_row) {
        const struct catalog_use use = {.key_id = sql_text(find, 0),
                                        .what = sql_text(find, 1),
                                        .requests = (uint64_t)sql_i64(find, 2),
                                        .first_us = sql_i64(find, 3),
                                        .last_us = sql_i64(find, 4)};
        fn(context, &use);
        TRY(sql_step(find, &has_row, diag));
    }
    return OK;
}

enum err catalog_usage_sums(struct catalog *catalog, enum catalog_used used, int64_t first_day,
                            catalog_use_fn fn, void *context, struct diag *diag)
{
    enum err e = read_sums(reading_begin(catalog), used, first_day, fn, context, diag);
    reading_end(catalog);
    return e;
}
