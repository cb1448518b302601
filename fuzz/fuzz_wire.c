/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_wire - hex, base64 and varints: what is written is read back, and what is read is what would
 * have been written.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/crc32c.h"
#include "codec/hex.h"
#include "codec/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_hex(slice input)
{
    CLEANUP(mem_freep) char *text = mem_zeroed(2 * input.len);
    CLEANUP(mem_freep) uint8_t *bytes = mem_zeroed(input.len);
    hex_encode(input, text);
    ASSERT(hex_decode((slice){(uint8_t *)text, 2 * input.len}, bytes));
    ASSERT(slice_equal((slice){bytes, input.len}, input));

    if (hex_decode(input, bytes)) {
        ASSERT(input.len % 2 == 0);
        hex_encode((slice){bytes, input.len / 2}, text);
        for (size_t i = 0; i < input.len; i++) { /* the same but for the case */
            ASSERT(((uint8_t)text[i] | 0x20) == (input.ptr[i] | 0x20));
        }
    }
}

static void check_base64(slice input, void (*append)(struct buf *out, slice bytes),
                         bool (*decode)(slice text, struct buf *out))
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(4)), bytes = BUF_INIT(MIB(4));
    append(&text, input);
    ASSERT(decode(buf_slice(&text), &bytes));
    ASSERT(slice_equal(buf_slice(&bytes), input));

    buf_clear(&text);
    buf_clear(&bytes);
    if (decode(input, &bytes)) {
        append(&text, buf_slice(&bytes));
        ASSERT(slice_equal(buf_slice(&text), input));
    } else {
        ASSERT(bytes.len == 0);
    }
    ASSERT(buf_check(&text) == OK && buf_check(&bytes) == OK);
}

static void check_varints(slice input)
{
    slice rest = input;
    uint64_t number = 0;
    while (wire_take_varint(&rest, &number)) {
        uint8_t bytes[WIRE_VARINT_BYTES_MAX];
        size_t len = wire_put_varint(bytes, number);
        ASSERT(len <= sizeof(bytes) && len <= input.len - rest.len);
        ASSERT(memcmp(rest.ptr - len, bytes, len) == 0);
    }
    ASSERT(rest.len <= input.len);
}

static void check_crc(slice input)
{
    uint32_t whole = crc32c_portable(0, input);
    ASSERT(crc32c(0, input) == whole);
    slice rest = input;
    slice head = slice_take(&rest, input.len / 3);
    ASSERT(crc32c(crc32c(0, head), rest) == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice input = {data, size};
    check_hex(input);
    check_base64(input, base64_append, base64_decode);
    check_base64(input, base64url_append, base64url_decode);
    check_varints(input);
    check_crc(input);
    return 0;
}
