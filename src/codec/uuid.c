/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/uuid.h"

#include "codec/hex.h"

/* Where the two digits of each byte stand in the text. */
static const uint8_t digit_at[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

bool uuid_parse(slice text, struct uuid *out)
{
    if (text.len != UUID_TEXT_BYTES || text.ptr[8] != '-' || text.ptr[13] != '-' ||
        text.ptr[18] != '-' || text.ptr[23] != '-') {
        return false;
    }
    struct uuid uuid;
    int all = 0; /* negative from the first that is none */
    for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
        int byte = hex_byte((slice){text.ptr + digit_at[i], 2});
        all |= byte;
        uuid.bytes[i] = (uint8_t)byte;
    }
    if (all < 0) {
        return false;
    }
    *out = uuid;
    return true;
}

void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
        out[digit_at[i]] = digits[uuid->bytes[i] >> 4];
        out[digit_at[i] + 1] = digits[uuid->bytes[i] & 0xf];
    }
    out[8] = out[13] = out[18] = out[23] = '-';
}

int uuid_version(const struct uuid *uuid)
{
    bool is_rfc = (uuid->bytes[8] & 0xc0) == 0x80;
    return is_rfc ? uuid->bytes[6] >> 4 : 0;
}

uint64_t uuid_v7_ms(const struct uuid *uuid)
{
    uint64_t ms = 0;
    for (size_t i = 0; i < 6; i++) {
        ms = ms << 8 | uuid->bytes[i];
    }
    return ms;
}

struct uuid uuid_make_v7(int64_t now_us, const uint8_t random[10])
{
    ASSERT(now_us >= 0);
    struct uuid uuid;
    uint64_t ms = (uint64_t)now_us / 1000;
    for (size_t i = 0; i < 6; i++) {
        uuid.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    memcpy(uuid.bytes + 6, random, 10);
    uuid.bytes[6] = (uint8_t)(0x70 | (random[0] & 0x0f));
    uuid.bytes[8] = (uint8_t)(0x80 | (random[2] & 0x3f));
    return uuid;
}
