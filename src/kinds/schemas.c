/* SPDX-License-Identifier: Apache-2.0 */
/* schemas - what the data of an event type must look like. */
#include <stdlib.h>

#include "base/mem.h"
#include "json/pointer.h"
#include "kinds/kinds.h"
#include "validate/schema.h"

static const struct kind_field fields[] = {
    {"event_type", KIND_NAME, KIND_REQUIRED | KIND_IMMUTABLE, NULL, 1, 100, NULL,
     "The type of the events whose event_data is checked"},
    {"mode", KIND_CHOICE, KIND_SEARCHED, "\"warn\"", 0, 0, "off warn reject",
     "What happens to an event that does not fit: nothing, a count, or a refusal"},
    {"schema", KIND_DOCUMENT, KIND_REQUIRED, NULL, 0, 65536, NULL,
     "JSON Schema, the part of draft 2020-12 that docs/validation.md lists"},
    {"description", KIND_TEXT, 0, NULL, 1, 1000, NULL, "For people"},
};

/* A schema that cannot be compiled would refuse every event, or none. */
static void check(const json_t *object, struct kind_errors *errors)
{
    OWNED(schema) schema = NULL;
    struct diag diag = {0};
    char where[sizeof(diag.where)] = "schema";
    CLEANUP(mem_freep) char *text = json_dumps(json_object_get(object, "schema"), KIND_JSON);
    if (text != NULL && schema_compile(slice_from_cstr(text), &schema, &diag) != OK) {
        json_pointer_join(where, sizeof(where), slice_from_cstr(diag.where));
        kind_wrong(errors, where, "%s", diag.text);
    }
}

const struct kind kind_schemas = {
    .name = "schemas",
    .singular = "schema",
    .command = "schema",
    .about = "What the data of an event type must look like",
    .key = "event_type",
    .event = "config.schemas",
    .event_category = "config",
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .check = check,
};
