/* SPDX-License-Identifier: Apache-2.0 */
/* settings - options that were changed while the server ran. */
#include "kinds/kinds.h"

static const struct kind_field fields[] = {
    {"name", KIND_NAME, KIND_REQUIRED | KIND_IMMUTABLE, NULL, 1, 100, NULL,
     "The option, as cairn.conf writes it"},
    {"value", KIND_TEXT, KIND_REQUIRED, NULL, 0, 8000, NULL, "Its value, as cairn.conf writes it"},
};

const struct kind kind_settings = {
    .name = "settings",
    .singular = "setting",
    .command = "setting",
    .about = "Options that were changed while the server ran",
    .key = "name",
    .event = "config.settings",
    .event_category = "config",
    .fields = fields,
    .field_count = COUNT_OF(fields),
};
