/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* lines - what the text formats of this room have in common. Private to it. Threads: any. */

#include "base/slice.h"

/* Takes up to and with the next LF; the line is without it. False, and nothing taken, when there
 * is no LF. */
bool line_take(slice *text, slice *line_out);

/* The whole of `text` as a decimal number, of which there is one way to write it: digits, no
 * leading zero, up to 2^64 - 1. False otherwise, *out untouched. */
bool decimal_parse(slice text, uint64_t *out);
