/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * base64 - RFC 4648, both alphabets, strict: of every run of bytes there is exactly one text, and
 * no other text is read. So no white space, no missing or surplus padding, no stray low bits.
 *
 * Threads: any.
 */

#include "base/buf.h"

/* The standard alphabet (+ and /), padded with '='. Past the buf's maximum nothing is appended and
 * the buf remembers it. */
void base64_append(struct buf *out, slice bytes);

/* Appends the bytes. False when `text` is not what base64_append() writes, or when they do not fit
 * the buf (which then remembers it); the buf's bytes are as they were. */
bool base64_decode(slice text, struct buf *out);

/* The alphabet for URLs and file names (- and _), without padding. */
void base64url_append(struct buf *out, slice bytes);
bool base64url_decode(slice text, struct buf *out);

/* The same into memory of a fixed size, for secrets and signatures: false unless `text` is what
 * base64url_append() writes of just `out_bytes` bytes; `out` is then of no use. Nothing of it goes
 * to the heap. */
bool base64url_decode_exact(slice text, uint8_t *out, size_t out_bytes);
