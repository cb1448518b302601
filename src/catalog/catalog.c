/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "catalog/internal.h"
#include "crypto/secret.h"

#define FILE_NAME "catalog.db"

/* ---- Life ---- */

enum err catalog_open(const struct dir *dir, const struct catalog_options *options,
                      struct catalog **out, struct diag *diag)
{
    OWNED(catalog) catalog = mem_zeroed(sizeof(*catalog));
    catalog->options = *options;
    mutex_init(&catalog->turn_lock);
    condition_init(&catalog->turn_over);
    condition_init(&catalog->group_over);
    mutex_init(&catalog->read_lock);
    mutex_init(&catalog->wake_lock);
    condition_init(&catalog->wake);
    catalog->is_woken = true; /* events of an earlier life may wait */
    TRY(sql_open(dir, FILE_NAME, &catalog->writer, diag));
    TRY(tables_migrate(catalog->writer, diag));
    TRY(sql_open(dir, FILE_NAME, &catalog->reader, diag));
    *out = MOVE(catalog);
    return OK;
}

void catalog_free(struct catalog *catalog)
{
    if (catalog == NULL) {
        return;
    }
    sql_free(catalog->reader);
    sql_free(catalog->writer);
    condition_release(&catalog->wake);
    mutex_release(&catalog->wake_lock);
    mutex_release(&catalog->read_lock);
    condition_release(&catalog->group_over);
    condition_release(&catalog->turn_over);
    mutex_release(&catalog->turn_lock);
    secret_wipe(&catalog->options, sizeof(catalog->options));
    free(catalog);
}

void catalog_listen(struct catalog *catalog, catalog_changed_fn changed, void *context)
{
    ASSERT(catalog->listener_count < CATALOG_LISTENERS_MAX);
    catalog->listeners[catalog->listener_count++] = (struct listener){changed, context};
}

enum err catalog_steps(struct catalog *catalog, catalog_step_fn fn, void *context,
                       struct diag *diag)
{
    enum err e = sql_migrations(reading_begin(catalog), fn, context, diag);
    reading_end(catalog);
    return e;
}

/* ---- Reading ---- */

enum err catalog_find(struct catalog *catalog, const struct kind *kind, slice org,
                      const char *field, slice value, json_t **out, struct diag *diag)
{
    enum err e = rows_get(reading_begin(catalog), kind, org, field, value, out, diag);
    reading_end(catalog);
    return e;
}

enum err catalog_get(struct catalog *catalog, const struct kind *kind, slice org, slice id,
                     json_t **out, struct diag *diag)
{
    return catalog_find(catalog, kind, org, "id", id, out, diag);
}
