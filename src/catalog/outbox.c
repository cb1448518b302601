/* SPDX-License-Identifier: Apache-2.0 */
/* outbox - events that wait for the ledger, written in the transaction that they tell of. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "catalog/internal.h"
#include "codec/hex.h"
#include "codec/time.h"
#include "crypto/sha256.h"
#include "event/event.h"
#include "event/fresh_id.h"
#include "os/clock.h"

/* ---- What an event says ---- */

static void set_text(json_t *event, const char *name, slice text)
{
    if (text.len > 0) {
        /* bytes that are no UTF-8, of a header perhaps, make no member */
        (void)json_object_set_new(event, name, json_stringn((const char *)text.ptr, text.len));
    }
}

static void set_cstr(json_t *event, const char *name, const char *text)
{
    set_text(event, name, slice_from_cstr(text));
}

static void set_identity(json_t *event)
{
    int64_t now_us = clock_now_us();
    struct uuid id = fresh_id(now_us);
    char id_text[UUID_TEXT_BYTES];
    char time_text[TIME_TEXT_BYTES];
    uuid_format(&id, id_text);
    time_format_rfc3339(now_us, time_text);
    set_text(event, "event_id", (slice){(const uint8_t *)id_text, sizeof(id_text)});
    set_text(event, "event_timestamp", (slice){(const uint8_t *)time_text, sizeof(time_text)});
}

/* What is longer than its field may be is cut: an event that the log does not take stays in the
 * outbox, and all others behind it. The most is of characters, which have a byte at least. */
static slice cut(slice text, enum field field)
{
    return slice_cut(text, fields[field].max);
}

static void set_author(json_t *event, const struct catalog_author *author)
{
    set_text(event, "actor_type", cut(author->actor_type, FIELD_ACTOR_TYPE));
    set_text(event, "actor_id", cut(author->actor_id, FIELD_ACTOR_ID));
    set_text(event, "actor_ip", author->actor_ip);
    set_text(event, "user_agent", cut(author->user_agent, FIELD_USER_AGENT));
    set_text(event, "session_id", cut(author->session_id, FIELD_SESSION_ID));
    set_text(event, "request_id", cut(author->request_id, FIELD_REQUEST_ID));
    set_text(event, "correlation_id", cut(author->correlation_id, FIELD_CORRELATION_ID));
}

static enum err put(struct catalog *catalog, slice org, const json_t *event, struct diag *diag)
{
    struct sql_statement *insert = NULL;
    TRY(sql_statement(catalog->writer, "INSERT INTO outbox(org, event) VALUES(?, ?)", &insert,
                      diag));
    char *text = json_dumps(event, KIND_JSON);
    ASSERT(text != NULL);
    sql_bind_text(insert, 1, org);
    sql_bind_text(insert, 2, slice_from_cstr(text));
    free(text);
    catalog->group.has_events = true;
    return sql_step_done(insert, diag);
}

/* ---- Changes ---- */

static void hide(void *context, slice secret, char out[17])
{
    const struct catalog *catalog = context;
    uint8_t mac[SHA256_BYTES];
    hmac_sha256((slice){catalog->options.hide_key, CATALOG_KEY_BYTES}, secret, mac);
    hex_encode((slice){mac, 8}, out);
    out[16] = '\0';
}

static const char *operation_of(const json_t *old, const json_t *new)
{
    return old == NULL ? "create" : new == NULL ? "delete" : "update";
}

static json_t *change_data(struct catalog *catalog, const struct kind *kind,
                           const struct catalog_author *author, const json_t *old,
                           const json_t *new)
{
    const json_t *either = new != NULL ? new : old;
    json_t *data = json_object();
    set_cstr(data, "table_name", kind->name);
    set_text(data, "record_id", kind_text(either, "id"));
    set_cstr(data, "operation", operation_of(old, new));
    set_text(data, "changed_by", author->changed_by);
    set_text(data, "reason", author->reason);
    if (old != NULL) {
        (void)json_object_set_new(data, "old_values", kind_audit(kind, old, old, hide, catalog));
    }
    if (new != NULL) {
        (void)json_object_set_new(data, "new_values", kind_audit(kind, new, old, hide, catalog));
    }
    return data;
}

enum err outbox_change(struct catalog *catalog, const struct kind *kind,
                       const struct catalog_author *author, const json_t *old, const json_t *new,
                       struct diag *diag)
{
    char type[100];
    const json_t *either = new != NULL ? new : old;
    json_t *event = json_object();
    set_identity(event);
    (void)snprintf(type, sizeof(type), "%s.%s", kind->event,
                   author->verb != NULL ? author->verb : operation_of(old, new));
    set_cstr(event, "event_type", type);
    set_cstr(event, "event_category", kind->event_category);
    set_cstr(event, "event_outcome", "success");
    set_cstr(event, "resource_type", kind->name);
    set_text(event, "resource_id", kind_text(either, "id"));
    set_text(event, "resource_name", kind_text(either, "name"));
    set_author(event, author);
    (void)json_object_set_new(event, "event_data", change_data(catalog, kind, author, old, new));
    enum err e = put(catalog, kind_text(either, "org"), event, diag);
    json_decref(event);
    return e;
}

enum err catalog_note(struct catalog *catalog, const struct catalog_author *author,
                      const char *type, const char *outcome, const json_t *data, struct diag *diag)
{
    json_t *event = json_object();
    set_identity(event);
    set_cstr(event, "event_type", type);
    set_cstr(event, "event_outcome", outcome);
    set_author(event, author);
    if (data != NULL) {
        (void)json_object_set(event, "event_data", (json_t *)(uintptr_t)data);
    }
    enum err e = put(catalog, author->org, event, diag);
    json_decref(event);
    return e;
}

/* ---- For the follower ---- */

struct unread {
    int64_t behind; /* a position */
    size_t max;
};

static enum err each(struct sql *sql, const struct unread *unread, catalog_event_fn fn,
                     void *context, struct diag *diag)
{
    struct sql_statement *oldest = NULL;
    bool has_row = false;
    TRY(sql_statement(sql,
                      "SELECT position, org, event FROM outbox WHERE position > ? "
                      "ORDER BY position LIMIT ?",
                      &oldest, diag));
    sql_bind_i64(oldest, 1, unread->behind);
    sql_bind_i64(oldest, 2, (int64_t)unread->max);
    TRY(sql_step(oldest, &has_row, diag));
    while (has_row) {
        const struct catalog_event event = {sql_i64(oldest, 0), sql_text(oldest, 1),
                                            sql_text(oldest, 2)};
        enum err e = fn(context, &event);
        if (e != OK) {
            sql_reset(oldest);
            return e;
        }
        TRY(sql_step(oldest, &has_row, diag));
    }
    return OK;
}

enum err catalog_outbox(struct catalog *catalog, size_t max, catalog_event_fn fn, void *context,
                        struct diag *diag)
{
    const struct unread unread = {atomic_load(&catalog->done), max};
    enum err e = each(reading_begin(catalog), &unread, fn, context, diag);
    reading_end(catalog);
    return e;
}

void catalog_outbox_done(struct catalog *catalog, int64_t position)
{
    atomic_store(&catalog->done, position);
}

enum err outbox_delete_done(struct catalog *catalog, struct diag *diag)
{
    return sql_run_i64(catalog->writer, "DELETE FROM outbox WHERE position <= ?",
                       atomic_load(&catalog->done), diag);
}

enum err catalog_outbox_tidy(struct catalog *catalog, struct diag *diag)
{
    TRY(catalog_begin(catalog, diag));
    return catalog_commit(catalog, diag);
}

bool catalog_outbox_wait(struct catalog *catalog, int64_t timeout_us)
{
    mutex_lock(&catalog->wake_lock);
    if (!catalog->is_woken) {
        (void)condition_wait_us(&catalog->wake, &catalog->wake_lock, timeout_us);
    }
    bool was_woken = catalog->is_woken;
    catalog->is_woken = false;
    mutex_unlock(&catalog->wake_lock);
    return was_woken;
}

void catalog_outbox_wake(struct catalog *catalog)
{
    mutex_lock(&catalog->wake_lock);
    catalog->is_woken = true;
    condition_broadcast(&catalog->wake);
    mutex_unlock(&catalog->wake_lock);
}
