/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stored - the numbers by which rows and files know fields (fields.def), and never another one.
 * Threads: any.
 */

#include "event/event.h"

#define FIELD(id, stored, name, type, max, flags, other_names)                                     \
    static_assert((stored) >= 0 && (stored) < 64, "a set of stored numbers is a uint64_t");
#include "event/fields.def"
#undef FIELD

/* The field of a stored number, FIELD_COUNT if there is none. Two fields of one stored number do
 * not compile here. */
static inline enum field field_of_stored(unsigned number)
{
    switch (number) {
#define FIELD(id, stored, name, type, max, flags, other_names)                                     \
    case stored:                                                                                   \
        return FIELD_##id;
#include "event/fields.def"
#undef FIELD
    default:
        return FIELD_COUNT;
    }
}

static inline uint8_t stored_of_field(enum field field)
{
    static const uint8_t stored_of[FIELD_COUNT] = {
#define FIELD(id, stored, name, type, max, flags, other_names) [FIELD_##id] = (stored),
#include "event/fields.def"
#undef FIELD
    };
    return stored_of[field];
}
