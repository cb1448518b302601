/* SPDX-License-Identifier: Apache-2.0 */
/* schemas - what the data of an event type must look like. */
#include "kinds/kinds.h"

static const struct kind_field fields[] = {
    {"event_type", KIND_NAME, KIND_REQUIRED | KIND_IMMUTABLE, NULL, 1, 100, NULL,
     "The type of the events whose event_data is checked"},
    {"mode", KIND_CHOICE, KIND_SEARCHED, "\"warn\"", 0, 0, "off warn reject",
     "What happens to an event that does not fit: nothing, a count, or a refusal"},
    {"schema", KIND_DOCUMENT, KIND_REQUIRED, NULL, 0, 65536, NULL,
     "JSON Schema, the part of draft 2020-12 that docs/validation.md lists"},
    {"description", KIND_TEXT, 0, NULL, 1, 1000, NULL, "For people"},
};

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
};
