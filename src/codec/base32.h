/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * base32 - RFC 4648, section 6, upper case, without padding, strict: of every run of bytes there
 * is exactly one text, and no other text is read.
 *
 * Padding is left out because those who read our texts (one-time code applications, people) want
 * none. What people type is brought into upper case by whoever asks them.
 *
 * Threads: any.
 */

#include "base/buf.h"

/* Past the buf's maximum nothing is appended and the buf remembers it. */
void base32_append(struct buf *out, slice bytes);

/* Appends the bytes. False when `text` is not what base32_append() writes, or when they do not fit
 * the buf (which then remembers it); the buf's bytes are as they were. */
bool base32_decode(slice text, struct buf *out);
