/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the splitter, at once and in pieces of a size that the first byte names: the
 * same records come out, and none is outside of its window. */
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"
#include "client/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t split_all(slice text, size_t step)
{
    struct split split = {0};
    uint64_t sum = 0;
    size_t from = 0, to = 0;
    for (;;) {
        struct split_record record = {0};
        slice window = {text.ptr + from, to - from};
        bool is_last = to == text.len;
        size_t used = 0;
        enum split_state state = split_next(&split, window, is_last, &used, &record);
        ASSERT(used <= window.len);
        if (state == SPLIT_TOO_LONG) {
            return sum;
        }
        if (state == SPLIT_RECORD) {
            ASSERT(record.text.ptr >= window.ptr);
            ASSERT(record.text.ptr + record.text.len <= window.ptr + used);
            ASSERT(record.text.len > 0);
            sum = hash_mix(sum ^ record.line ^ record.has_id, hash_bytes(record.text, 1));
        } else if (is_last) {
            return sum;
        } else {
            to = text.len - to < step ? text.len : to + step;
        }
        from += used;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    slice text = {data + 1, size - 1};
    ASSERT(split_all(text, text.len) == split_all(text, (size_t)data[0] + 1));
    return 0;
}
