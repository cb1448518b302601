/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cursor - where a page ended, as an opaque text that cannot be forged or moved to another query.
 *
 * Bytes of which the first says what they are, and behind them the first 16 of their HMAC-SHA256,
 * in base64url. Those of events are 41: time and seq of the last event, size of the log, the
 * query's now, its fingerprint, little-endian.
 *
 * Threads: any.
 */

#include "base/buf.h"
#include "base/err.h"

#define CURSOR_KEY_BYTES  32
#define CURSOR_TEXT_BYTES 96

enum cursor_of {
    CURSOR_OF_EVENTS = 1,
    CURSOR_OF_OBJECTS = 2, /* of configuration; the api's */
};

/* Appends the text of a cursor with these bytes. */
void cursor_seal(enum cursor_of what, slice bytes, const uint8_t key[CURSOR_KEY_BYTES],
                 struct buf *out);
/* Appends the bytes. INVALID: not one of ours, or of something else. */
enum err cursor_unseal(enum cursor_of what, slice text, const uint8_t key[CURSOR_KEY_BYTES],
                       struct buf *out);

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
