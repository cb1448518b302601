/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * damage - changes to a good file, as inputs of fuzzers of stored bytes describe them, and the
 * checksum of a footer made right again, so that changes get past it.
 */

#include "base/check.h"
#include "codec/crc32c.h"
#include "codec/wire.h"
#include "os/file.h"
#include "segment/sections.h"

#define DAMAGE_CHANGE_BYTES 4

/* A change is a position (24 bits, modulo `len`) and the byte that is written there. */
static inline void damage_apply(slice changes, uint8_t *bytes, size_t len)
{
    while (changes.len >= DAMAGE_CHANGE_BYTES) {
        slice change = slice_take(&changes, DAMAGE_CHANGE_BYTES);
        size_t at = (size_t)wire_get_u16le(change.ptr) | (size_t)change.ptr[2] << 16;
        bytes[at % len] = change.ptr[3];
    }
}

/* A trailer is u64 footer, u32 count, u32 version, u32 zero, u32 CRC, magic. */
static inline void damage_mend_footer(uint8_t *bytes, size_t len)
{
    uint8_t *trailer = bytes + len - SECTIONS_TRAILER_BYTES;
    uint64_t footer = wire_get_u64le(trailer);
    if (footer < len - SECTIONS_TRAILER_BYTES) {
        slice covered = {bytes + footer, (size_t)(trailer + 20 - (bytes + footer))};
        wire_put_u32le(trailer + 20, crc32c(0, covered));
    }
}

/* The bytes as a file of that name, whatever it held before; nothing is synced. */
static inline void damage_write(const struct dir *dir, const char *name, slice bytes)
{
    OWNED(file) file = NULL;
    ASSERT(file_open(dir, name, FILE_CREATE, &file, NULL) == OK);
    ASSERT(file_truncate(file, 0, NULL) == OK);
    ASSERT(file_write_at(file, 0, bytes, NULL) == OK);
}
