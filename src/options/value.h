/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * value - one option's text, checked and understood. Of this room alone.
 *
 * Threads: any.
 */

#include "options/options.h"

struct option_value {
    char *text;      /* owned; NULL: this source says nothing */
    uint64_t number; /* bytes, milliseconds, integer, 0 or 1, position of the choice */
    char where[96];
};

/* INVALID with the limits in the sentence; `where` goes to diag->where. Fills text (new) and
 * number of *out, which the caller ends with free(out->text). */
enum err option_parse(const struct option_info *info, slice text, const char *where,
                      struct option_value *out, struct diag *diag);

/* Splits host:port. False if it is none. */
bool option_split_address(slice text, slice *host_out, uint16_t *port_out);
