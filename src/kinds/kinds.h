/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kinds - what a configuration object is: each kind described once, in a table of its fields.
 *
 * From the description come the table in the database, what a request may send, what an answer
 * shows, the audit of old and new values, the command line and the OpenAPI document. A kind is one
 * file here; adding a field is adding a line.
 *
 *     what a client sent --kind_take()--> an object with every field, checked
 *     an object          --kind_show()--> what anyone may see of it
 *                        --kind_audit()-> what the change audit keeps of it
 *
 * Objects are JSON objects of jansson; those that are taken have every field of the kind, absent
 * ones as null. Beside the fields an object has `id`, `created_at` and `updated_at`, which the
 * catalog gives.
 *
 * Threads: descriptions are constant; objects belong to one thread.
 */

#include <jansson.h>

#include "base/err.h"
#include "base/slice.h"

enum kind_type {
    KIND_TEXT,    /* UTF-8 of least..most bytes, no control characters but line feed and tab */
    KIND_NAME,    /* the same without them: one line */
    KIND_HOST,    /* a host name, kept in lower case */
    KIND_EMAIL,   /* kept as sent; two that differ in case are the same */
    KIND_URL,     /* http, https, syslog, syslog+tls, smtp, mailto or file, absolute */
    KIND_INTEGER, /* least..most */
    KIND_BOOLEAN,
    KIND_CHOICE,    /* one word of `choices` */
    KIND_CHOICES,   /* a list of them, each at most once */
    KIND_NAMES,     /* a list of least..most names of up to 100 bytes */
    KIND_TIME,      /* RFC 3339, kept in UTC with six decimals */
    KIND_FILTER,    /* the filter language */
    KIND_DOCUMENT,  /* a JSON object of up to `most` bytes */
    KIND_REFERENCE, /* the id of an object of the kind that `choices` names */
};

enum {
    KIND_REQUIRED = 1 << 0,  /* must be given, and is never null */
    KIND_IMMUTABLE = 1 << 1, /* as it was created */
    KIND_READ_ONLY = 1 << 2, /* the server's: a client may not send it */
    KIND_SECRET = 1 << 3,    /* kept, never shown; the audit keeps a keyed hash */
    KIND_PASSWORD = 1 << 4,  /* the same; the audit only tells that it changed */
    KIND_UNIQUE = 1 << 5,    /* no two objects of an organisation have the same */
    KIND_UNIQUE_EVERYWHERE = 1 << 6,
    KIND_SEARCHED = 1 << 7, /* a list may be asked for one value of it */
    KIND_HIDDEN = 1 << 8,   /* the server's own: neither shown nor audited */
    KIND_GRANTED = 1 << 9,  /* the first organisation's administrators alone change it */
};

struct kind_field {
    const char *name;
    enum kind_type type;
    unsigned flags;
    const char *fallback; /* the default as JSON text; NULL: none, the field is null */
    int64_t least, most;
    const char *choices; /* separated by spaces */
    const char *about;   /* a sentence without a full stop */
};

#define KIND_ERRORS_MAX 16

/* Everything that is wrong with what a client sent, as far as it is listed. */
struct kind_error {
    char pointer[96];
    char detail[160];
};
struct kind_errors {
    struct kind_error list[KIND_ERRORS_MAX];
    size_t count; /* in all */
};

/* `field` may be a pointer behind its first slash: "schema/type". */
void kind_wrong(struct kind_errors *errors, const char *field, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* How objects become text: as they were sent, numbers with up to 15 digits. More would turn 0.1
 * into 0.10000000000000001. */
#define KIND_JSON (JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

#define KIND_ORDER_MAX 2

struct kind {
    const char *name;     /* "rules": the path below /api/v1, and the table */
    const char *singular; /* "rule" */
    const char *command;  /* the word of the command line */
    const char *about;
    const char *key; /* the field that names an object in its path; NULL: its id */
    const char *order[KIND_ORDER_MAX]; /* fields a list is ordered by, before the id; rest NULL */
    const char *event;                 /* what its changes are called: "config.rules" */
    const char *event_category;
    bool is_organization; /* an object's organisation is itself */
    const struct kind_field *fields;
    size_t field_count;
    /* What no field can tell alone; NULL: nothing. `object` has every field. */
    void (*check)(const json_t *object, struct kind_errors *errors);
};

extern const struct kind kind_organizations, kind_users, kind_api_keys, kind_settings, kind_schemas,
    kind_rules, kind_targets, kind_dev_hosts, kind_teams;

/* All kinds; those that are referred to stand before those that refer. */
const struct kind *const *kinds_all(size_t *count);
/* By its name; NULL: there is none. */
const struct kind *kind_find(slice name);
/* NULL: it has no such field. */
const struct kind_field *kind_field(const struct kind *kind, slice name);

/* A text of an object, or of what was sent; empty: it has none of that name. */
static inline slice kind_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value)
               ? (slice){(const uint8_t *)json_string_value(value), json_string_length(value)}
               : (slice){0};
}

enum kind_change {
    KIND_CREATE,
    KIND_REPLACE, /* what is not sent takes its default; secrets stay */
    KIND_PATCH,   /* JSON merge patch, RFC 7396: what is not sent stays, null takes the default */
};

/*
 * The object that a change makes: *out is a new reference. `old` is the object as stored (NULL for
 * CREATE). Members `reason`, `id`, `created_at` and `updated_at` of `sent` are passed over, so that
 * what was read can be sent back. INVALID: `errors` lists what is wrong.
 */
enum err kind_take(const struct kind *kind, enum kind_change change, const json_t *sent,
                   const json_t *old, json_t **out, struct kind_errors *errors);

/* The first field that is KIND_GRANTED and differs; NULL: none does. */
const struct kind_field *kind_granted_change(const struct kind *kind, const json_t *old,
                                             const json_t *new);

/* What anyone who may read the kind sees: secrets are replaced by "<name>_set": true or false. A
 * new reference. */
json_t *kind_show(const struct kind *kind, const json_t *object);

/* What the audit keeps: of a secret what `hide` makes of it (17 bytes with its NUL), of a password
 * "changed" where it differs from `other` (NULL: from nothing), else "unchanged". A new
 * reference. */
typedef void (*kind_hide_fn)(void *context, slice secret, char out[17]);
json_t *kind_audit(const struct kind *kind, const json_t *object, const json_t *other,
                   kind_hide_fn hide, void *context);
