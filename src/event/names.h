/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* names - the names of fields and choices, for the readers of this room. Threads: any. */

#include "event/event.h"

struct field_name {
    slice name;
    enum field field;
    uint8_t rank; /* 0: the canonical name; 1, 2, ...: other names in the order of fields.def */
};

/* NULL if no field has this name. */
const struct field_name *field_name_find(slice name);

/* The choice of a CHOICE field in any letter case; *lower_case is static. */
bool choice_find(enum field field, slice name, slice *lower_case);
