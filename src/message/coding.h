/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * coding - the Content-Encoding of a request body, undone piece by piece.
 *
 * Input is taken in small portions and output given in small pieces, so that what a few bytes
 * expand to is never held at once and a handler may pause in the middle.
 *
 * Threads: one owner at a time.
 */

#include "base/err.h"
#include "base/slice.h"

#define CODING_INPUT_BYTES 4096

struct coding;

/* `name` is the header's value: "gzip", "x-gzip", "zstd"; NULL in *out for "identity" or nothing.
 * At most `out_max` bytes may come out. INVALID for any other name, several included; BUSY. */
enum err coding_open(slice name, uint64_t out_max, struct coding **out);
void coding_free(struct coding *coding);
DEFINE_OWNED(coding);

/* Takes up to CODING_INPUT_BYTES from *bytes; only after coding_next() gave an empty piece. */
void coding_feed(struct coding *coding, slice *bytes);

/* The next piece, valid until the next call; empty when more input is needed. INVALID when the
 * bytes are not of that format, LIMIT past out_max, BUSY. */
enum err coding_next(struct coding *coding, slice *out);

/* Whether the input may end here. INVALID when it stops in the middle. */
enum err coding_end(const struct coding *coding);
