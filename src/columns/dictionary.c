/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/dictionary.h"

#include "codec/hex.h"
#include "codec/uuid.h"
#include "codec/wire.h"

enum { UUID_BYTES = 16, OFFSET_BYTES = 4 };

static bool is_hex_digit(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

static bool is_hex(slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (!is_hex_digit(value.ptr[i])) {
            return false;
        }
    }
    return value.len > 0 && value.len % 2 == 0 && value.len <= DICTIONARY_HEX_BYTES_MAX;
}

static bool is_uuid(slice value)
{
    for (size_t i = 0; i < value.len && value.len == UUID_TEXT_BYTES; i++) {
        bool wants_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (wants_hyphen ? value.ptr[i] != '-' : !is_hex_digit(value.ptr[i])) {
            return false;
        }
    }
    return value.len == UUID_TEXT_BYTES;
}

static enum dictionary_encoding choose(const slice *values, const uint32_t *order, uint32_t count)
{
    bool all_uuid = true;
    bool all_hex = true;
    bool all_short = true;
    size_t len = values[order[0]].len;
    for (uint32_t i = 0; i < count; i++) {
        slice value = values[order[i]];
        all_uuid = all_uuid && is_uuid(value);
        all_hex = all_hex && value.len == len && is_hex(value);
        all_short = all_short && value.len <= DICTIONARY_SHARED_BYTES_MAX;
    }
    return all_uuid    ? DICTIONARY_UUID
           : all_hex   ? DICTIONARY_HEX
           : all_short ? DICTIONARY_SHARED
                       : DICTIONARY_PLAIN;
}

static void put_u32(struct buf *out, size_t at, uint32_t number)
{
    if (!out->failed) {
        wire_put_u32le(out->ptr + at, number);
    }
}

static void write_uuid(slice value, struct buf *out)
{
    struct uuid uuid = {0};
    (void)uuid_parse(value, &uuid);
    buf_append(out, (slice){uuid.bytes, UUID_BYTES});
}

static void write_hex(slice value, struct buf *out)
{
    uint8_t bytes[DICTIONARY_HEX_BYTES_MAX / 2];
    (void)hex_decode(value, bytes);
    buf_append(out, (slice){bytes, value.len / 2});
}

static void write_plain(const slice *values, const uint32_t *order, uint32_t count, struct buf *out)
{
    size_t offsets_at = out->len;
    uint32_t at = 0;
    for (uint32_t i = 0; i <= count; i++) {
        buf_append(out, (slice){(const uint8_t[OFFSET_BYTES]){0}, OFFSET_BYTES});
    }
    for (uint32_t i = 0; i < count; i++) {
        put_u32(out, offsets_at + (size_t)i * OFFSET_BYTES, at);
        buf_append(out, values[order[i]]);
        at += (uint32_t)values[order[i]].len;
    }
    put_u32(out, offsets_at + (size_t)count * OFFSET_BYTES, at);
}

static uint8_t shared_len(slice a, slice b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n]) {
        n++;
    }
    return (uint8_t)n;
}

static uint32_t blocks_of(uint32_t count)
{
    return (count + DICTIONARY_BLOCK - 1) / DICTIONARY_BLOCK;
}

/* Offsets of the blocks, then for each value: bytes shared, bytes that follow, these bytes. */
static void write_shared(const slice *values, const uint32_t *order, uint32_t count,
                         struct buf *out)
{
    size_t offsets_at = out->len;
    for (uint32_t i = 0; i < blocks_of(count); i++) {
        buf_append(out, (slice){(const uint8_t[OFFSET_BYTES]){0}, OFFSET_BYTES});
    }
    size_t start = out->len;
    for (uint32_t i = 0; i < count; i++) {
        slice value = values[order[i]];
        uint8_t shared = 0;
        if (i % DICTIONARY_BLOCK == 0) {
            put_u32(out, offsets_at + (size_t)(i / DICTIONARY_BLOCK) * OFFSET_BYTES,
                    (uint32_t)(out->len - start));
        } else {
            shared = shared_len(value, values[order[i - 1]]);
        }
        (void)slice_take(&value, shared);
        buf_append_byte(out, shared);
        buf_append_byte(out, (uint8_t)value.len);
        buf_append(out, value);
    }
}

void dictionary_write(const slice *values, const uint32_t *order, uint32_t count, struct buf *out,
                      struct dictionary *made)
{
    ASSERT(count > 0);
    *made = (struct dictionary){.count = count, .encoding = choose(values, order, count)};
    switch (made->encoding) {
    case DICTIONARY_UUID:
        for (uint32_t i = 0; i < count; i++) {
            write_uuid(values[order[i]], out);
        }
        break;
    case DICTIONARY_HEX:
        made->hex_len = (uint32_t)values[order[0]].len;
        for (uint32_t i = 0; i < count; i++) {
            write_hex(values[order[i]], out);
        }
        break;
    case DICTIONARY_SHARED:
        write_shared(values, order, count, out);
        break;
    case DICTIONARY_PLAIN:
        write_plain(values, order, count, out);
        break;
    }
}

bool dictionary_is_sound(const struct dictionary *dictionary)
{
    uint64_t len = dictionary->bytes.len;
    uint64_t count = dictionary->count;
    switch (dictionary->encoding) {
    case DICTIONARY_UUID:
        return len == count * UUID_BYTES;
    case DICTIONARY_HEX:
        return dictionary->hex_len > 0 && dictionary->hex_len % 2 == 0 &&
               dictionary->hex_len <= DICTIONARY_HEX_BYTES_MAX &&
               len == count * (dictionary->hex_len / 2);
    case DICTIONARY_SHARED:
        return len >= (uint64_t)blocks_of(dictionary->count) * OFFSET_BYTES + 2 * count;
    case DICTIONARY_PLAIN:
        return len >= (count + 1) * OFFSET_BYTES;
    }
    return false;
}

static slice uuid_value(const struct dictionary *dictionary, uint32_t index, char *scratch)
{
    struct uuid uuid;
    memcpy(uuid.bytes, dictionary->bytes.ptr + (size_t)index * UUID_BYTES, UUID_BYTES);
    uuid_format(&uuid, scratch);
    return (slice){(const uint8_t *)scratch, UUID_TEXT_BYTES};
}

static slice hex_value(const struct dictionary *dictionary, uint32_t index, char *scratch)
{
    size_t len = dictionary->hex_len / 2;
    hex_encode((slice){dictionary->bytes.ptr + index * len, len}, scratch);
    return (slice){(const uint8_t *)scratch, dictionary->hex_len};
}

static slice plain_value(const struct dictionary *dictionary, uint32_t index)
{
    size_t start = ((size_t)dictionary->count + 1) * OFFSET_BYTES;
    const uint8_t *offset = dictionary->bytes.ptr + (size_t)index * OFFSET_BYTES;
    uint32_t from = wire_get_u32le(offset);
    uint32_t to = wire_get_u32le(offset + OFFSET_BYTES);
    if (from > to || to > dictionary->bytes.len - start) {
        return (slice){0};
    }
    return (slice){dictionary->bytes.ptr + start + from, to - from};
}

static slice shared_value(const struct dictionary *dictionary, uint32_t index, char *scratch)
{
    size_t start = (size_t)blocks_of(dictionary->count) * OFFSET_BYTES;
    slice rest = {dictionary->bytes.ptr + start, dictionary->bytes.len - start};
    uint32_t offset =
        wire_get_u32le(dictionary->bytes.ptr + (size_t)(index / DICTIONARY_BLOCK) * OFFSET_BYTES);
    if (offset > rest.len) {
        return (slice){0};
    }
    (void)slice_take(&rest, offset);
    size_t len = 0;
    for (uint32_t i = 0; i <= index % DICTIONARY_BLOCK; i++) {
        if (rest.len < 2 || rest.ptr[0] > len || rest.len - 2 < rest.ptr[1] ||
            rest.ptr[0] + rest.ptr[1] > (int)DICTIONARY_SHARED_BYTES_MAX) {
            return (slice){0};
        }
        size_t more = rest.ptr[1];
        memcpy(scratch + rest.ptr[0], rest.ptr + 2, more);
        len = rest.ptr[0] + more;
        rest.ptr += 2 + more;
        rest.len -= 2 + more;
    }
    return (slice){(const uint8_t *)scratch, len};
}

slice dictionary_value(const struct dictionary *dictionary, uint32_t index,
                       char scratch[DICTIONARY_SCRATCH_BYTES])
{
    ASSERT(index < dictionary->count);
    switch (dictionary->encoding) {
    case DICTIONARY_UUID:
        return uuid_value(dictionary, index, scratch);
    case DICTIONARY_HEX:
        return hex_value(dictionary, index, scratch);
    case DICTIONARY_SHARED:
        return shared_value(dictionary, index, scratch);
    case DICTIONARY_PLAIN:
        return plain_value(dictionary, index);
    }
    return (slice){0};
}
