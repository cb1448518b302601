/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* value - one value against the description of its field. Private to this room. */

#include "kinds/kinds.h"

/* The value as it is kept: a new reference; NULL: `errors` says what is wrong. `value` is not
 * null. */
json_t *value_take(const struct kind_field *field, const json_t *value, struct kind_errors *errors);

/* Whether `word` is one of the words of `choices`. */
bool value_is_choice(const char *choices, const char *word);
