/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stored - the numbers by which files know fields (fields.def), and what kind of column a field
 * has. Threads: any.
 */

#include "event/event.h"

static inline uint16_t stored_of_field(enum field field)
{
    static const uint8_t stored[FIELD_COUNT] = {
#define FIELD(id, number, name, type, max, flags, other_names) [FIELD_##id] = number,
#include "event/fields.def"
#undef FIELD
    };
    return stored[field];
}

/* FIELD_COUNT if this build knows no such field. */
static inline enum field field_of_stored(unsigned number)
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (stored_of_field((enum field)i) == number) {
            return (enum field)i;
        }
    }
    return FIELD_COUNT;
}

/* A dictionary and codes: TEXT, ADDRESS, CHOICE, and UUIDs but for event_id. */
static inline bool field_is_text_column(enum field field)
{
    switch (fields[field].type) {
    case TYPE_TEXT:
    case TYPE_ADDRESS:
    case TYPE_CHOICE:
        return true;
    case TYPE_UUID:
        return field != FIELD_EVENT_ID;
    case TYPE_TIME:
    case TYPE_INTEGER:
    case TYPE_BOOLEAN:
    case TYPE_JSON:
        break;
    }
    return false;
}

static inline bool field_is_number_column(enum field field)
{
    enum field_type type = fields[field].type;
    return type == TYPE_TIME || type == TYPE_INTEGER || type == TYPE_BOOLEAN;
}
