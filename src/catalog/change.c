/* SPDX-License-Identifier: Apache-2.0 */
/* change - objects that are made, changed and removed, each with its event. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "catalog/internal.h"
#include "codec/time.h"
#include "event/fresh_id.h"
#include "os/clock.h"

static void set_time(json_t *object, const char *name, int64_t now_us)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(now_us, text);
    (void)json_object_set_new(object, name, json_stringn(text, sizeof(text)));
}

static enum err note_change(struct catalog *catalog, const struct kind *kind, const json_t *object,
                            struct diag *diag)
{
    struct commit_group *group = &catalog->group;
    if (group->change_count - group->own_from == OWN_CHANGES_MAX) {
        return diag_fail(diag, ERR_LIMIT, "", "more than %d objects are changed at once",
                         OWN_CHANGES_MAX);
    }
    struct change *change = &group->changes[group->change_count++];
    slice org = kind_text(object, "org");
    slice id = kind_text(object, "id");
    change->kind = kind;
    (void)snprintf(change->org, sizeof(change->org), "%.*s", SLICE_ARG(org));
    (void)snprintf(change->id, sizeof(change->id), "%.*s", SLICE_ARG(id));
    return OK;
}

/* ---- What the server adds ---- */

static void set_given(json_t *object, const json_t *given)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        (void)json_object_set(object, name, value);
    }
}

enum err catalog_hash(struct catalog *catalog, const struct kind *kind, const json_t *sent,
                      json_t **given, struct diag *diag)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        const json_t *value = json_object_get(sent, field->name);
        if ((field->flags & KIND_PASSWORD) == 0 || !json_is_string(value)) {
            continue;
        }
        slice password = kind_text(sent, field->name);
        if (password.len < (size_t)field->least || password.len > (size_t)field->most) {
            continue; /* it is going to be refused */
        }
        ASSERT(catalog->options.hash_password != NULL);
        json_t *hash = catalog->options.hash_password(password);
        if (hash == NULL) {
            return diag_fail(diag, ERR_BUSY, "", "too many passwords are being hashed");
        }
        *given = *given != NULL ? *given : json_object();
        (void)json_object_set_new(*given, field->name, hash);
    }
    return OK;
}

/* A password that was sent is stored as the hash that was made of it before. */
static void check_hashed(const struct catalog_change *change)
{
    for (size_t i = 0; i < change->kind->field_count; i++) {
        const struct kind_field *field = &change->kind->fields[i];
        if ((field->flags & KIND_PASSWORD) != 0 &&
            json_is_string(json_object_get(change->sent, field->name))) {
            ASSERT(json_is_string(json_object_get(change->given, field->name)));
        }
    }
}

static enum err next_number(struct sql *sql, const struct kind *kind, slice org, int64_t *out,
                            struct diag *diag)
{
    struct sql_statement *count = NULL;
    bool has_row = false;
    TRY(sql_statement(sql,
                      "INSERT INTO counters VALUES(?, ?, 1) ON CONFLICT DO UPDATE "
                      "SET last = last + 1 RETURNING last",
                      &count, diag));
    sql_bind_text(count, 1, slice_from_cstr(kind->name));
    sql_bind_text(count, 2, org);
    TRY(sql_step(count, &has_row, diag));
    ASSERT(has_row);
    *out = sql_i64(count, 0);
    sql_reset(count);
    return OK;
}

/* Numbers that the server gives and that never come again. */
static enum err give_numbers(struct sql *sql, const struct kind *kind, json_t *object,
                             struct diag *diag)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        bool is_number =
            field->type == KIND_INTEGER &&
            (field->flags & (KIND_READ_ONLY | KIND_UNIQUE)) == (KIND_READ_ONLY | KIND_UNIQUE);
        if (is_number) {
            int64_t number = 0;
            TRY(next_number(sql, kind, kind_text(object, "org"), &number, diag));
            (void)json_object_set_new(object, field->name, json_integer(number));
        }
    }
    return OK;
}

static void give_id(const struct kind *kind, const struct catalog_author *author, json_t *object,
                    int64_t now_us)
{
    char text[UUID_TEXT_BYTES];
    if (kind->key != NULL) {
        (void)json_object_set(object, "id", json_object_get(object, kind->key));
    } else if (json_object_get(object, "id") == NULL) {
        struct uuid id = fresh_id(now_us);
        uuid_format(&id, text);
        (void)json_object_set_new(object, "id", json_stringn(text, sizeof(text)));
    }
    slice org = kind->is_organization ? kind_text(object, "id") : author->org;
    (void)json_object_set_new(object, "org", json_stringn((const char *)org.ptr, org.len));
}

/* ---- Changes ---- */

static enum err refuse_second(struct sql *sql, const struct kind *kind, const json_t *object,
                              struct kind_errors *errors, struct diag *diag)
{
    json_t *there = NULL;
    enum err e =
        rows_get(sql, kind, kind_text(object, "org"), "id", kind_text(object, "id"), &there, NULL);
    json_decref(there);
    if (e == ERR_NOT_FOUND) {
        return OK;
    }
    TRY(e);
    kind_wrong(errors, kind->key != NULL ? kind->key : "id", "is there already");
    return diag_fail(diag, ERR_CONFLICT, "", "the %s is there already", kind->singular);
}

static enum err store_new(struct catalog *catalog, const struct catalog_change *change,
                          json_t *object, struct kind_errors *errors, struct diag *diag)
{
    struct sql *sql = catalog->writer;
    const struct kind *kind = change->kind;
    int64_t now_us = clock_now_us();
    give_id(kind, change->author, object, now_us);
    TRY(refuse_second(sql, kind, object, errors, diag));
    TRY(give_numbers(sql, kind, object, diag));
    (void)json_object_set_new(object, "version", json_integer(1));
    set_time(object, "created_at", now_us);
    set_time(object, "updated_at", now_us);
    TRY(rows_check_references(sql, kind, object, errors, diag));
    TRY(rows_check_unique(sql, kind, object, errors, diag));
    TRY(rows_insert(sql, kind, object, diag));
    TRY(note_change(catalog, kind, object, diag));
    return outbox_change(catalog, kind, change->author, NULL, object, diag);
}

/* What is sent, as an object with every field and with what the server sets: a new reference. */
static enum err take(const struct catalog_change *change, enum kind_change how, const json_t *old,
                     json_t **out, struct kind_errors *errors, struct diag *diag)
{
    if (kind_take(change->kind, how, change->sent, old, out, errors) != OK) {
        return diag_fail(diag, ERR_INVALID, errors->list[0].pointer, "%s", errors->list[0].detail);
    }
    check_hashed(change);
    set_given(*out, change->given);
    return OK;
}

static void give_out(json_t *object, enum err e, json_t **out)
{
    if (e == OK && out != NULL) {
        *out = json_incref(object);
    }
    json_decref(object);
}

enum err catalog_insert(struct catalog *catalog, const struct catalog_change *change, json_t **out,
                        struct kind_errors *errors, struct diag *diag)
{
    json_t *object = NULL;
    TRY(take(change, KIND_CREATE, NULL, &object, errors, diag));
    enum err e = store_new(catalog, change, object, errors, diag);
    give_out(object, e, out);
    return e;
}

static enum err store_changed(struct catalog *catalog, const struct catalog_change *change,
                              const json_t *old, json_t *object, struct kind_errors *errors,
                              struct diag *diag)
{
    struct sql *sql = catalog->writer;
    const struct kind *kind = change->kind;
    int64_t version = json_integer_value(json_object_get(old, "version"));
    (void)json_object_set(object, "id", json_object_get(old, "id"));
    (void)json_object_set(object, "org", json_object_get(old, "org"));
    (void)json_object_set(object, "created_at", json_object_get(old, "created_at"));
    (void)json_object_set_new(object, "version", json_integer(version + 1));
    set_time(object, "updated_at", clock_now_us());
    TRY(rows_check_references(sql, kind, object, errors, diag));
    TRY(rows_check_unique(sql, kind, object, errors, diag));
    TRY(rows_update(sql, kind, object, diag));
    TRY(note_change(catalog, kind, object, diag));
    return outbox_change(catalog, kind, change->author, old, object, diag);
}

/* The object as it is, if it has the version that was asked for: a new reference. */
static enum err find_old(struct catalog *catalog, const struct catalog_change *change, json_t **old,
                         struct diag *diag)
{
    TRY(rows_get(catalog->writer, change->kind, change->author->org, "id", change->id, old, diag));
    uint64_t version = (uint64_t)json_integer_value(json_object_get(*old, "version"));
    if (change->if_match != 0 && change->if_match != version) {
        json_decref(*old);
        return diag_fail(diag, ERR_CONFLICT, "If-Match",
                         "it was changed since you read it: its version is %llu",
                         (unsigned long long)version);
    }
    return OK;
}

/* null is what an object of an older table has none of. */
static bool is_equal(const json_t *a, const json_t *b)
{
    bool has_a = a != NULL && !json_is_null(a);
    bool has_b = b != NULL && !json_is_null(b);
    return has_a && has_b ? json_equal(a, b) : has_a == has_b;
}

static bool is_unchanged(const struct kind *kind, const json_t *old, const json_t *object)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const char *name = kind->fields[i].name;
        if (!is_equal(json_object_get(old, name), json_object_get(object, name))) {
            return false;
        }
    }
    return true;
}

enum err catalog_update(struct catalog *catalog, const struct catalog_change *change, json_t **out,
                        struct kind_errors *errors, struct diag *diag)
{
    json_t *old = NULL;
    json_t *object = NULL;
    *errors = (struct kind_errors){0};
    TRY(find_old(catalog, change, &old, diag));
    enum err e = take(change, change->how, old, &object, errors, diag);
    if (e == OK && is_unchanged(change->kind, old, object)) {
        json_decref(object);
        give_out(json_incref(old), OK, out);
    } else if (e == OK) {
        e = store_changed(catalog, change, old, object, errors, diag);
        give_out(object, e, out);
    }
    json_decref(old);
    return e;
}

static enum err remove_old(struct catalog *catalog, const struct catalog_change *change,
                           const json_t *old, struct kind_errors *errors, struct diag *diag)
{
    TRY(rows_check_unused(catalog->writer, change->kind, old, errors, diag));
    TRY(rows_delete(catalog->writer, change->kind, old, diag));
    TRY(note_change(catalog, change->kind, old, diag));
    return outbox_change(catalog, change->kind, change->author, old, NULL, diag);
}

enum err catalog_delete(struct catalog *catalog, const struct catalog_change *change,
                        struct kind_errors *errors, struct diag *diag)
{
    json_t *old = NULL;
    *errors = (struct kind_errors){0};
    TRY(find_old(catalog, change, &old, diag));
    enum err e = remove_old(catalog, change, old, errors, diag);
    json_decref(old);
    return e;
}

enum err catalog_touch(struct catalog *catalog, const struct kind *kind, slice org, slice id,
                       const json_t *given, struct diag *diag)
{
    json_t *object = NULL;
    TRY(rows_get(catalog->writer, kind, org, "id", id, &object, diag));
    set_given(object, given);
    enum err e = rows_update(catalog->writer, kind, object, diag);
    json_decref(object);
    return e;
}
