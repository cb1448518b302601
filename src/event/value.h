/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * value - one value on its way into a field: checked, normalised. For readers, of this room and of
 * `formats`.  Threads: any.
 */

#include "event/event.h"
#include "json/json.h"

/*
 * The value of `field` that a JSON value or a plain text gives. Texts point into the input, the
 * arena, or static memory. INVALID: the value is none of the field's, where is the field's pointer
 * ("/actor_id"); LIMIT: too large, or the arena is spent.
 */
enum err value_from_json(enum field field, const struct json_value *json, struct arena *arena,
                         union value *out, struct diag *diag);
/* The text is UTF-8 or refused. Not for JSON fields. */
enum err value_from_text(enum field field, slice text, struct arena *arena, union value *out,
                         struct diag *diag);

/* "/event_type", static. */
const char *field_pointer(enum field field);

/* The first `characters` characters of valid UTF-8, or all of it. */
slice text_cut(slice text, size_t characters);

/* The inside of a STRING, without escapes. LIMIT when the arena is spent. */
enum err text_from_json(const struct json_value *json, struct arena *arena, slice *out);
