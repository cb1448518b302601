/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * target - the request target: path segments and query parameters, decoded strictly.
 *
 * A path is made of RFC 3986 path characters; a query may hold any visible ASCII (people type
 * `severity>=warning`). Refused: a % without two hexadecimal digits, a decoded NUL, bytes that are
 * not UTF-8, and the segments "." and "..", plain or encoded, which a proxy might resolve.
 *
 * Threads: one owner of the arena.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#define HTTP_QUERY_PARAMS_MAX 256
#define HTTP_SEGMENTS_MAX     32

/* A name and a value, decoded. */
struct http_param {
    slice name;
    slice value;
};

/* The segments of `path` ("/a//b" has "a", "", "b"), decoded; those without % are parts of `path`.
 * INVALID with a sentence in *why_out; LIMIT past HTTP_SEGMENTS_MAX or the arena. */
enum err http_path_split(struct arena *arena, slice path, slice segments[HTTP_SEGMENTS_MAX],
                         size_t *count_out, const char **why_out);

/* The parameters of `query` (without '?') in order; "a" is {a, ""}, empty pieces are skipped.
 * Errors as above, LIMIT past HTTP_QUERY_PARAMS_MAX. */
enum err http_query_split(struct arena *arena, slice query, const struct http_param **out,
                          size_t *count_out, const char **why_out);
