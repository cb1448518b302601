/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dictionary - the distinct values of a column, in order, packed (docs/format/segment.md).
 *
 *   UUID    every value is the lower-case text of a UUID: 16 bytes each
 *   HEX     every value is lower-case hex of one even length: half the bytes
 *   SHARED  values of at most 255 bytes, in blocks of 16; each but the first of a block is stored
 *           without the bytes that it shares with the one before
 *   PLAIN   all others: offsets and bytes
 *
 * The encoding is the first of these that fits. A damaged dictionary gives no value, never a crash.
 *
 * Threads: any.
 */

#include "base/buf.h"
#include "base/slice.h"

enum dictionary_encoding {
    DICTIONARY_UUID = 0,
    DICTIONARY_HEX = 1,
    DICTIONARY_SHARED = 2,
    DICTIONARY_PLAIN = 3,
};

#define DICTIONARY_HEX_BYTES_MAX    256u
#define DICTIONARY_SHARED_BYTES_MAX 255u
#define DICTIONARY_BLOCK            16u
/* Scratch that a packed value needs. */
#define DICTIONARY_SCRATCH_BYTES 256u

struct dictionary {
    slice bytes;
    uint32_t count;
    enum dictionary_encoding encoding;
    uint32_t hex_len; /* of HEX: characters of a value */
};

/* Appends values[order[i]], i in [0, count), which ascend and are distinct; count is 1 or more.
 * *out describes them, but for `bytes`. */
void dictionary_write(const slice *values, const uint32_t *order, uint32_t count, struct buf *out,
                      struct dictionary *made);

/* Whether the shape is possible at all: to be asked once, before dictionary_value(). */
bool dictionary_is_sound(const struct dictionary *dictionary);

/* Value `index` (below count), in the dictionary's bytes or in `scratch`. {NULL, 0}: damaged. */
slice dictionary_value(const struct dictionary *dictionary, uint32_t index,
                       char scratch[DICTIONARY_SCRATCH_BYTES]);
