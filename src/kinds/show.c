/* SPDX-License-Identifier: Apache-2.0 */
/* show - what others may see of an object. */
#include <stdio.h>

#include "base/macros.h"
#include "kinds/kinds.h"

static const char *const first[] = {"id"};
static const char *const last[] = {"created_at", "updated_at"};

static void copy_members(const json_t *object, const char *const *names, size_t count, json_t *out)
{
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(object, names[i]);
        if (value != NULL) {
            (void)json_object_set(out, names[i], value);
        }
    }
}

static void show_mark(const struct kind_field *field, const json_t *object, json_t *out)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s_set", field->name);
    bool is_set = json_is_string(json_object_get(object, field->name));
    (void)json_object_set_new(out, name, json_boolean(is_set));
}

json_t *kind_show(const struct kind *kind, const json_t *object)
{
    json_t *out = json_object();
    copy_members(object, first, COUNT_OF(first), out);
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        if ((field->flags & KIND_HIDDEN) != 0) {
            continue;
        }
        if ((field->flags & (KIND_SECRET | KIND_PASSWORD)) != 0) {
            show_mark(field, object, out);
            continue;
        }
        json_t *value = json_object_get(object, field->name);
        (void)json_object_set(out, field->name, value);
    }
    copy_members(object, last, COUNT_OF(last), out);
    return out;
}

static json_t *audit_secret(const struct kind_field *field, const json_t *value,
                            const json_t *other, kind_hide_fn hide, void *context)
{
    if (!json_is_string(value)) {
        return json_null();
    }
    if ((field->flags & KIND_PASSWORD) != 0) {
        return json_string(other != NULL && json_equal(value, other) ? "unchanged" : "changed");
    }
    char hidden[17];
    hide(context, slice_from_cstr(json_string_value(value)), hidden);
    return json_string(hidden);
}

json_t *kind_audit(const struct kind *kind, const json_t *object, const json_t *other,
                   kind_hide_fn hide, void *context)
{
    json_t *out = json_object();
    copy_members(object, first, COUNT_OF(first), out);
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        json_t *value = json_object_get(object, field->name);
        if ((field->flags & KIND_HIDDEN) != 0) {
            continue;
        }
        if ((field->flags & (KIND_SECRET | KIND_PASSWORD)) == 0) {
            (void)json_object_set(out, field->name, value);
            continue;
        }
        json_t *kept =
            audit_secret(field, value, json_object_get(other, field->name), hide, context);
        (void)json_object_set_new(out, field->name, kept);
    }
    return out;
}
