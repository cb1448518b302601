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
    mutex_init(&catalog->write_lock);
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
    mutex_release(&catalog->write_lock);
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
    mutex_lock(&catalog->read_lock);
    enum err e = sql_migrations(catalog->reader, fn, context, diag);
    mutex_unlock(&catalog->read_lock);
    return e;
}

/* ---- Reading ---- */

enum err catalog_find(struct catalog *catalog, const struct kind *kind, slice org,
                      const char *field, slice value, json_t **out, struct diag *diag)
{
    mutex_lock(&catalog->read_lock);
    enum err e = rows_get(catalog->reader, kind, org, field, value, out, diag);
    mutex_unlock(&catalog->read_lock);
    return e;
}

enum err catalog_get(struct catalog *catalog, const struct kind *kind, slice org, slice id,
                     json_t **out, struct diag *diag)
{
    return catalog_find(catalog, kind, org, "id", id, out, diag);
}

/* ---- Transactions ---- */

enum err catalog_begin(struct catalog *catalog, struct diag *diag)
{
    mutex_lock(&catalog->write_lock);
    enum err e = sql_begin(catalog->writer, diag);
    if (e != OK) {
        mutex_unlock(&catalog->write_lock);
        return e;
    }
    catalog->change_count = 0;
    catalog->has_events = false;
    return OK;
}

void catalog_rollback(struct catalog *catalog)
{
    sql_rollback(catalog->writer);
    mutex_unlock(&catalog->write_lock);
}

static void tell_change(const struct catalog *catalog, const struct change *change)
{
    for (size_t i = 0; i < catalog->listener_count; i++) {
        const struct listener *listener = &catalog->listeners[i];
        listener->changed(listener->context, change->kind, slice_from_cstr(change->org),
                          slice_from_cstr(change->id));
    }
}

enum err catalog_commit(struct catalog *catalog, struct diag *diag)
{
    enum err e = sql_commit(catalog->writer, diag);
    if (e == OK) { /* still under the lock, so that changes are told in the order of commits */
        for (size_t i = 0; i < catalog->change_count; i++) {
            tell_change(catalog, &catalog->changes[i]);
        }
    }
    bool has_events = catalog->has_events;
    mutex_unlock(&catalog->write_lock);
    if (e == OK && has_events) {
        catalog_outbox_wake(catalog);
    }
    return e;
}
