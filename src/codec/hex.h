/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hex - bytes as pairs of digits. Written in lower case, read in either. Threads: any.
 */

#include "base/slice.h"

/* Writes 2 * bytes.len characters, without a NUL. */
void hex_encode(slice bytes, char *out);

/* Writes text.len / 2 bytes. False for an odd length or anything but digits; `out` is then of no
 * use. `out` may not overlap the text. */
bool hex_decode(slice text, uint8_t *out);
