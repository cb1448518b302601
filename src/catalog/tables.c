/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables - the tables that the kinds want. Each kind is a step, and so is each of its fields: a
 * field that a later version adds is a column that is added. Only this file knows how a kind
 * becomes a table.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "catalog/internal.h"

enum { STEPS_MAX = 256, STEP_BYTES_MAX = 1024 };

static const struct sql_migration own_steps[] = {
    {"outbox", "CREATE TABLE outbox(position INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT NOT NULL,"
               "event TEXT NOT NULL) STRICT"},
    {"answers",
     "CREATE TABLE answers(org TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,"
     "status INTEGER NOT NULL, answer TEXT NOT NULL, given_us INTEGER NOT NULL,"
     "PRIMARY KEY(org, key)) STRICT;"
     "CREATE INDEX answers_given ON answers(given_us)"},
    {"counters", "CREATE TABLE counters(name TEXT NOT NULL, org TEXT NOT NULL,"
                 "last INTEGER NOT NULL, PRIMARY KEY(name, org)) STRICT"},
    {"sessions",
     "CREATE TABLE sessions(id TEXT NOT NULL PRIMARY KEY, user TEXT NOT NULL, org TEXT NOT NULL,"
     "newest TEXT NOT NULL, created_us INTEGER NOT NULL, used_us INTEGER NOT NULL,"
     "expires_us INTEGER NOT NULL, revoked_us INTEGER NOT NULL) STRICT;"
     "CREATE INDEX sessions_user ON sessions(user);"
     "CREATE INDEX sessions_expires ON sessions(expires_us)"},
    {"key_usage",
     "CREATE TABLE key_usage(key TEXT NOT NULL, day INTEGER NOT NULL, route TEXT NOT NULL,"
     "unanswered INTEGER NOT NULL, c1 INTEGER NOT NULL, c2 INTEGER NOT NULL, c3 INTEGER NOT NULL,"
     "c4 INTEGER NOT NULL, c5 INTEGER NOT NULL, PRIMARY KEY(key, day, route)) STRICT, WITHOUT "
     "ROWID"},
    {"key_usage.last_us", "ALTER TABLE key_usage ADD COLUMN last_us INTEGER NOT NULL DEFAULT 0"},
    {"version_usage",
     "CREATE TABLE version_usage(key TEXT NOT NULL, day INTEGER NOT NULL, version TEXT NOT NULL,"
     "requests INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,"
     "PRIMARY KEY(key, day, version)) STRICT, WITHOUT ROWID"},
    {"quotas", "CREATE TABLE quotas(org TEXT NOT NULL PRIMARY KEY, month INTEGER NOT NULL,"
               "used INTEGER NOT NULL) STRICT"},
};

struct steps {
    struct sql_migration list[STEPS_MAX];
    size_t count;
};

static void add_step(struct steps *steps, slice name, const struct buf *text)
{
    ASSERT(steps->count < STEPS_MAX && !text->failed);
    steps->list[steps->count++] = (struct sql_migration){
        .name = mem_text((const char *)name.ptr, name.len),
        .text = mem_text((const char *)text->ptr, text->len),
    };
}

static void add_kind(struct steps *steps, const struct kind *kind)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(STEP_BYTES_MAX);
    buf_append_format(&text, "CREATE TABLE \"%s\"(id TEXT NOT NULL, org TEXT NOT NULL%s,",
                      kind->name, kind->is_organization ? "" : " REFERENCES organizations(id)");
    buf_append_cstr(&text, "version INTEGER NOT NULL, created_at TEXT NOT NULL,"
                           "updated_at TEXT NOT NULL,");
    buf_append_cstr(&text, kind->key != NULL ? "PRIMARY KEY(org, id)" : "PRIMARY KEY(id)");
    buf_append_cstr(&text, ") STRICT");
    add_step(steps, slice_from_cstr(kind->name), &text);
}

static const char *type_of(const struct kind_field *field)
{
    return field->type == KIND_INTEGER || field->type == KIND_BOOLEAN ? "INTEGER" : "TEXT";
}

static void add_field(struct steps *steps, const struct kind *kind, const struct kind_field *field)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(STEP_BYTES_MAX);
    CLEANUP(buf_release) struct buf name = BUF_INIT(STEP_BYTES_MAX);
    bool is_unique = (field->flags & (KIND_UNIQUE | KIND_UNIQUE_EVERYWHERE)) != 0;
    bool is_everywhere = (field->flags & KIND_UNIQUE_EVERYWHERE) != 0;
    buf_append_format(&name, "%s.%s", kind->name, field->name);
    buf_append_format(&text, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s", kind->name, field->name,
                      type_of(field));
    if (field->type == KIND_EMAIL) {
        buf_append_cstr(&text, " COLLATE NOCASE");
    }
    if (field->type == KIND_REFERENCE) {
        buf_append_format(&text, " REFERENCES \"%s\"(id)", field->choices);
    }
    if (is_unique) {
        buf_append_format(&text, "; CREATE UNIQUE INDEX \"%s_%s\" ON \"%s\"(%s\"%s\")", kind->name,
                          field->name, kind->name, is_everywhere ? "" : "org, ", field->name);
    }
    add_step(steps, buf_slice(&name), &text);
}

static void free_steps(struct steps *steps)
{
    for (size_t i = COUNT_OF(own_steps); i < steps->count; i++) {
        free((char *)(uintptr_t)steps->list[i].name);
        free((char *)(uintptr_t)steps->list[i].text);
    }
    free(steps);
}

enum err tables_migrate(struct sql *sql, struct diag *diag)
{
    struct steps *steps = mem_zeroed(sizeof(*steps));
    size_t count = 0;
    const struct kind *const *kinds = kinds_all(&count);
    memcpy(steps->list, own_steps, sizeof(own_steps));
    steps->count = COUNT_OF(own_steps);
    for (size_t k = 0; k < count; k++) {
        add_kind(steps, kinds[k]);
        for (size_t i = 0; i < kinds[k]->field_count; i++) {
            add_field(steps, kinds[k], &kinds[k]->fields[i]);
        }
    }
    enum err e = sql_migrate(sql, steps->list, steps->count, diag);
    free_steps(steps);
    return e;
}
