/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/crc32c.h"

#include <pthread.h>

#include "codec/wire.h"

#define CRC32C_POLYNOMIAL 0x82f63b78u /* 0x1edc6f41, reflected */

enum { SLICES = 8 };

/* tables[n][byte]: what `byte` does to the register when n more bytes follow it. */
static uint32_t tables[SLICES][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
        }
        tables[0][byte] = crc;
    }
    for (size_t n = 1; n < SLICES; n++) {
        for (size_t byte = 0; byte < 256; byte++) {
            uint32_t before = tables[n - 1][byte];
            tables[n][byte] = before >> 8 ^ tables[0][before & 0xff];
        }
    }
}

uint32_t crc32c_portable(uint32_t crc, slice bytes)
{
    ASSERT(pthread_once(&tables_once, make_tables) == 0);
    uint32_t state = ~crc;
    while (bytes.len >= SLICES) {
        uint32_t low = state ^ wire_get_u32le(bytes.ptr);
        uint32_t high = wire_get_u32le(bytes.ptr + 4);
        state = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^
                tables[4][low >> 24] ^ tables[3][high & 0xff] ^ tables[2][high >> 8 & 0xff] ^
                tables[1][high >> 16 & 0xff] ^ tables[0][high >> 24];
        (void)slice_take(&bytes, SLICES);
    }
    for (size_t i = 0; i < bytes.len; i++) {
        state = state >> 8 ^ tables[0][(state ^ bytes.ptr[i]) & 0xff];
    }
    return ~state;
}

uint32_t crc32c(uint32_t crc, slice bytes)
{
    return crc32c_is_fast() ? crc32c_fast(crc, bytes) : crc32c_portable(crc, bytes);
}
