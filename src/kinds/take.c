/* SPDX-License-Identifier: Apache-2.0 */
/* take - from what a client sent to an object with every field. */
#include <stdio.h>

#include "base/macros.h"
#include "kinds/value.h"

/* Members that every object has and no client changes. */
static const char *const given[] = {"id", "created_at", "updated_at", "reason"};

static bool is_given(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(given); i++) {
        if (strcmp(name, given[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* What kind_show() puts in the place of a secret. */
static bool is_mark_of_secret(const struct kind *kind, const char *name)
{
    slice text = slice_from_cstr(name);
    slice suffix = SLICE("_set");
    if (text.len <= suffix.len ||
        memcmp(text.ptr + text.len - suffix.len, suffix.ptr, suffix.len) != 0) {
        return false;
    }
    text.len -= suffix.len;
    const struct kind_field *field = kind_field(kind, text);
    return field != NULL && (field->flags & (KIND_SECRET | KIND_PASSWORD)) != 0;
}

static void check_names(const struct kind *kind, const json_t *sent, struct kind_errors *errors)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)sent, name, value)
    {
        const struct kind_field *field = kind_field(kind, slice_from_cstr(name));
        bool is_known = field != NULL && (field->flags & KIND_HIDDEN) == 0;
        if (!is_known && !is_given(name) && !is_mark_of_secret(kind, name)) {
            kind_wrong(errors, name, "is no field of %s", kind->name);
        }
    }
}

static json_t *fallback_of(const struct kind_field *field)
{
    json_t *value =
        field->fallback != NULL ? json_loads(field->fallback, JSON_DECODE_ANY, NULL) : json_null();
    ASSERT(value != NULL);
    return value;
}

/* RFC 7396 for a member that is an object itself. */
static json_t *merged(const json_t *patch, const json_t *old)
{
    if (!json_is_object(patch)) {
        return json_deep_copy(patch);
    }
    json_t *result = json_is_object(old) ? json_deep_copy(old) : json_object();
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)patch, name, value)
    {
        if (json_is_null(value)) {
            (void)json_object_del(result, name);
        } else {
            (void)json_object_set_new(result, name, merged(value, json_object_get(result, name)));
        }
    }
    return result;
}

static bool stays(const struct kind_field *field, enum kind_change change)
{
    bool is_kept = (field->flags & (KIND_READ_ONLY | KIND_SECRET | KIND_PASSWORD)) != 0;
    return change == KIND_PATCH || (change == KIND_REPLACE && is_kept);
}

/* What the field is to be, not checked yet. A new reference. */
static json_t *wanted_value(const struct kind_field *field, enum kind_change change,
                            const json_t *sent, const json_t *old)
{
    const json_t *value = json_object_get(sent, field->name);
    const json_t *before = json_object_get(old, field->name);
    if (value == NULL) {
        return stays(field, change) && before != NULL ? json_deep_copy(before) : fallback_of(field);
    }
    if (json_is_null(value)) {
        return fallback_of(field);
    }
    return change == KIND_PATCH ? merged(value, before) : json_deep_copy(value);
}

/* True: the value is what the server had, whatever it is. */
static bool check_rights(const struct kind_field *field, const json_t *sent, const json_t *old,
                         struct kind_errors *errors)
{
    const json_t *value = json_object_get(sent, field->name);
    bool is_same = value == NULL || json_equal(value, json_object_get(old, field->name));
    if ((field->flags & KIND_READ_ONLY) != 0) {
        if (!is_same) {
            kind_wrong(errors, field->name, "is the server's to set; leave it out");
        }
        return true;
    }
    return false;
}

static void take_field(const struct kind_field *field, enum kind_change change, const json_t *sent,
                       const json_t *old, json_t *out, struct kind_errors *errors)
{
    json_t *wanted = wanted_value(field, change, sent, old);
    if (check_rights(field, sent, old, errors)) {
        (void)json_object_set_new(out, field->name, wanted);
        return;
    }
    const json_t *before = json_object_get(old, field->name);
    bool is_untouched = before != NULL && json_equal(before, wanted);
    json_t *taken = NULL;
    if (is_untouched) {
        taken = json_incref(wanted); /* a password is a hash by now, and no text to check */
    } else if (!json_is_null(wanted)) {
        taken = value_take(field, wanted, errors);
    } else if ((field->flags & KIND_REQUIRED) != 0) {
        kind_wrong(errors, field->name, "is missing");
    } else {
        taken = json_null();
    }
    if (taken != NULL && before != NULL && (field->flags & KIND_IMMUTABLE) != 0 &&
        !json_equal(before, taken)) {
        kind_wrong(errors, field->name, "cannot be changed");
    }
    (void)json_object_set_new(out, field->name, taken != NULL ? taken : json_null());
    json_decref(wanted);
}

enum err kind_take(const struct kind *kind, enum kind_change change, const json_t *sent,
                   const json_t *old, json_t **out, struct kind_errors *errors)
{
    ASSERT((old == NULL) == (change == KIND_CREATE));
    *errors = (struct kind_errors){0};
    if (!json_is_object(sent)) {
        kind_wrong(errors, "", "expected an object");
        return ERR_INVALID;
    }
    check_names(kind, sent, errors);
    json_t *object = json_object();
    for (size_t i = 0; i < kind->field_count; i++) {
        take_field(&kind->fields[i], change, sent, old, object, errors);
    }
    if (errors->count == 0 && kind->check != NULL) {
        kind->check(object, errors);
    }
    if (errors->count > 0) {
        json_decref(object);
        return ERR_INVALID;
    }
    *out = object;
    return OK;
}

const struct kind_field *kind_granted_change(const struct kind *kind, const json_t *old,
                                             const json_t *new)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        bool is_granted = (field->flags & KIND_GRANTED) != 0;
        if (is_granted &&
            !json_equal(json_object_get(old, field->name), json_object_get(new, field->name))) {
            return field;
        }
    }
    return NULL;
}
