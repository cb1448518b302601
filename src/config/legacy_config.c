/* SPDX-License-Identifier: Apache-2.0 */
/* legacy_config - objects of configuration, and the history of their changes, in version 1.0. */
#include "config/legacy_config.h"

#include <stdio.h>

#include "config/internal.h"
#include "gate/legacy.h"

static const struct legacy_kind legacy_kinds[] = {
    {&kind_rules, "rules", "alert_rules", "number"},
    {&kind_dev_hosts, "hosts", "development_hosts", NULL},
    {&kind_teams, "teams", "device_teams", NULL},
};

bool legacy_is_v1(const struct http_request *request)
{
    return legacy_of(api_of(request), request) == &legacy_v1;
}

const struct legacy_kind *legacy_kind_of(const struct http_request *request)
{
    const struct kind *kind = config_kind(request);
    for (size_t i = 0; i < COUNT_OF(legacy_kinds); i++) {
        if (legacy_kinds[i].kind == kind && legacy_is_v1(request)) {
            return &legacy_kinds[i];
        }
    }
    return NULL;
}

void legacy_show(const struct legacy_kind *legacy, json_t *shown)
{
    if (legacy->number != NULL) {
        (void)json_object_set(shown, "id", json_object_get(shown, legacy->number));
        (void)json_object_del(shown, legacy->number);
    }
}

void legacy_answer_change(struct http_request *request, const struct legacy_kind *legacy,
                          int status, const json_t *object)
{
    static const char *const verbs[] = {"created", "updated", "deleted"};
    size_t verb = status == 201 ? 0 : object != NULL ? 1 : 2;
    char message[64];
    json_t *answer = json_object();
    if (verb == 0) {
        json_t *shown = config_show(request, object);
        (void)json_object_set(answer, "id", json_object_get(shown, "id"));
        json_decref(shown);
    }
    (void)snprintf(message, sizeof(message), "The %s was %s", legacy->kind->singular, verbs[verb]);
    (void)json_object_set_new(answer, "message", json_string(message));
    config_answer(request, status == 204 ? 200 : status, answer);
    json_decref(answer);
}

/* ---- The history ---- */

slice legacy_table(slice name)
{
    for (size_t i = 0; i < COUNT_OF(legacy_kinds); i++) {
        if (slice_equal(name, slice_from_cstr(legacy_kinds[i].table))) {
            return slice_from_cstr(legacy_kinds[i].kind->name);
        }
    }
    return name;
}

/* What a change was about: a rule by its number, of which the new values or the old ones tell. */
static const json_t *record_of(const json_t *row, const struct legacy_kind *legacy)
{
    static const char *const values[] = {"new_values", "old_values"};
    for (size_t i = 0; i < COUNT_OF(values) && legacy->number != NULL; i++) {
        const json_t *number = json_object_get(json_object_get(row, values[i]), legacy->number);
        if (number != NULL) {
            return number;
        }
    }
    return json_object_get(row, "record_id");
}

void legacy_show_change(json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "table_name"));
    for (size_t i = 0; i < COUNT_OF(legacy_kinds) && name != NULL; i++) {
        const struct legacy_kind *legacy = &legacy_kinds[i];
        if (strcmp(name, legacy->kind->name) == 0) {
            const json_t *record = record_of(row, legacy);
            (void)json_object_set(row, "record_id", (json_t *)(uintptr_t)record);
            (void)json_object_set_new(row, "table_name", json_string(legacy->table));
            return;
        }
    }
}
