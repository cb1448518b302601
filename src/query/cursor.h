/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cursor - where a page ended, as an opaque text that cannot be forged or moved to another query.
 *
 * 41 bytes (version, time and seq of the last event, size of the log, the query's now, its
 * fingerprint, little-endian) and the first 16 of their HMAC-SHA256, in base64url.
 *
 * Threads: any.
 */

#include "base/err.h"
#include "base/slice.h"

#define CURSOR_KEY_BYTES  32
#define CURSOR_TEXT_BYTES 96

struct cursor {
    int64_t time_us;
    uint64_t seq;
    uint64_t size;
    int64_t now_us;
    uint64_t fingerprint;
};

/* NUL-terminated. */
void cursor_format(const struct cursor *cursor, const uint8_t key[CURSOR_KEY_BYTES],
                   char out[CURSOR_TEXT_BYTES]);
/* INVALID: not one of ours. */
enum err cursor_parse(slice text, const uint8_t key[CURSOR_KEY_BYTES], struct cursor *out);
