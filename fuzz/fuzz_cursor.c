/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor that is accepted is one that we wrote: writing it again gives the same text. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "query/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[CURSOR_KEY_BYTES] = {1, 2, 3};
    struct cursor cursor = {0};
    char text[CURSOR_TEXT_BYTES];
    if (cursor_parse((slice){data, size}, key, &cursor) == OK) {
        cursor_format(&cursor, key, text);
        ASSERT(slice_equal(slice_from_cstr(text), (slice){data, size}));
    }
    /* Numbers from the bytes themselves, there and back. */
    uint8_t bytes[40] = {0};
    memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
    memcpy(&cursor.time_us, bytes, 8);
    memcpy(&cursor.seq, bytes + 8, 8);
    memcpy(&cursor.size, bytes + 16, 8);
    memcpy(&cursor.now_us, bytes + 24, 8);
    memcpy(&cursor.fingerprint, bytes + 32, 8);
    cursor_format(&cursor, key, text);
    struct cursor back = {0};
    ASSERT(cursor_parse(slice_from_cstr(text), key, &back) == OK);
    ASSERT(back.time_us == cursor.time_us && back.seq == cursor.seq && back.size == cursor.size);
    ASSERT(back.now_us == cursor.now_us && back.fingerprint == cursor.fingerprint);
    if (size > 0) { /* one character changed is one that we did not write */
        size_t at = data[0] % strlen(text);
        text[at] = text[at] == 'A' ? 'B' : 'A';
        ASSERT(cursor_parse(slice_from_cstr(text), key, &back) == ERR_INVALID);
    }
    return 0;
}
