/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * column - what kind of column a field has. Threads: any.
 */

#include "event/event.h"

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
