/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * input - a file or stdin, decompressed if its first bytes say gzip or zstd.
 *
 * Threads: one owner at a time.
 */

#include "base/err.h"
#include "base/slice.h"

struct input;

/* "-" is stdin. NOT_FOUND, DENIED, INVALID (a directory), IO; diag->where is the path. */
enum err input_open(const char *path, struct input **out, struct diag *diag);
void input_free(struct input *input); /* NULL is fine */
DEFINE_OWNED(input);

/* Up to `size` bytes into `buffer`; *len_out is 0 at the end. INVALID: the compressed data is
 * damaged or ends too soon; IO. */
enum err input_read(struct input *input, uint8_t *buffer, size_t size, size_t *len_out,
                    struct diag *diag);

/* Whether a read would give something, or the end, at once. False: a pipe has nothing yet. */
bool input_has_more(const struct input *input);

/* Bytes taken from the file, before decompression, and its size (0: not known). */
uint64_t input_taken(const struct input *input);
uint64_t input_total(const struct input *input);
