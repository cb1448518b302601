/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/roots.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/crc32c.h"
#include "codec/wire.h"

/*
 * Header, 16 bytes:  0 "CROOTS1\n"   8 u64 count of entries
 * Entry, 8,208 bytes: 0 u64 index of the segment   8 256 hashes of 32 bytes
 *                     8,200 u32 CRC32C of bytes 0..8,199   8,204 u32 zero
 */
#define ROOTS_MAGIC "CROOTS1\n"
enum {
    ROOTS_HEAD_BYTES = 16,
    ROOTS_HASH_BYTES = 256 * MERKLE_HASH_BYTES,
    ROOTS_ENTRY_BYTES = 8 + ROOTS_HASH_BYTES + 8,
};
#define ROOTS_FILE_BYTES_MAX ((size_t)1 << 36)

static_assert(sizeof(((struct roots_entry *)NULL)->tile_roots) == ROOTS_HASH_BYTES,
              "hashes are copied as they are");

static enum err read_entry(const uint8_t *bytes, size_t at, struct roots_entry *out,
                           struct diag *diag)
{
    uint32_t crc = crc32c(0, (slice){bytes, 8 + ROOTS_HASH_BYTES});
    if (wire_get_u32le(bytes + 8 + ROOTS_HASH_BYTES) != crc ||
        wire_get_u32le(bytes + 12 + ROOTS_HASH_BYTES) != 0) {
        return diag_fail(diag, ERR_CORRUPT, ROOTS_NAME, "offset %zu: the checksum is wrong", at);
    }
    out->index = wire_get_u64le(bytes);
    memcpy(out->tile_roots, bytes + 8, ROOTS_HASH_BYTES);
    return OK;
}

static enum err parse(slice bytes, struct roots *roots, struct diag *diag)
{
    if (bytes.len < ROOTS_HEAD_BYTES || memcmp(bytes.ptr, ROOTS_MAGIC, 8) != 0) {
        return diag_fail(diag, ERR_CORRUPT, ROOTS_NAME, "offset 0: not a file of roots");
    }
    size_t entry_bytes = bytes.len - ROOTS_HEAD_BYTES;
    if (entry_bytes % ROOTS_ENTRY_BYTES != 0 ||
        wire_get_u64le(bytes.ptr + 8) != entry_bytes / ROOTS_ENTRY_BYTES) {
        return diag_fail(diag, ERR_CORRUPT, ROOTS_NAME, "offset 8: the count does not fit");
    }
    roots->count = entry_bytes / ROOTS_ENTRY_BYTES;
    roots->entries = mem_array(roots->count, sizeof(*roots->entries));
    for (size_t i = 0; i < roots->count; i++) {
        size_t at = ROOTS_HEAD_BYTES + i * ROOTS_ENTRY_BYTES;
        TRY(read_entry(bytes.ptr + at, at, &roots->entries[i], diag));
        if (i > 0 && roots->entries[i - 1].index >= roots->entries[i].index) {
            return diag_fail(diag, ERR_CORRUPT, ROOTS_NAME, "offset %zu: out of order", at);
        }
    }
    return OK;
}

enum err roots_read(const struct dir *dir, struct roots *out, struct diag *diag)
{
    *out = (struct roots){0};
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    enum err e = file_read_all(dir, ROOTS_NAME, ROOTS_FILE_BYTES_MAX, &bytes, &len, diag);
    if (e == ERR_NOT_FOUND) {
        return OK;
    }
    TRY(e);
    e = parse((slice){bytes, len}, out, diag);
    if (e != OK) {
        roots_release(out);
    }
    return e;
}

void roots_release(struct roots *roots)
{
    free(roots->entries);
    *roots = (struct roots){0};
}

const struct roots_entry *roots_find(const struct roots *roots, uint64_t index)
{
    for (size_t i = 0; i < roots->count; i++) {
        if (roots->entries[i].index == index) {
            return &roots->entries[i];
        }
    }
    return NULL;
}

static enum err write_all(const struct roots *roots, const struct dir *dir, struct diag *diag)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(ROOTS_FILE_BYTES_MAX);
    uint8_t number[8];
    buf_append_cstr(&bytes, ROOTS_MAGIC);
    wire_put_u64le(number, roots->count);
    buf_append(&bytes, (slice){number, sizeof(number)});
    for (size_t i = 0; i < roots->count; i++) {
        size_t at = bytes.len;
        wire_put_u64le(number, roots->entries[i].index);
        buf_append(&bytes, (slice){number, sizeof(number)});
        buf_append(&bytes, (slice){roots->entries[i].tile_roots[0].bytes, ROOTS_HASH_BYTES});
        memset(number, 0, sizeof(number));
        wire_put_u32le(number, crc32c(0, (slice){bytes.ptr + at, bytes.len - at}));
        buf_append(&bytes, (slice){number, sizeof(number)});
    }
    return file_replace(dir, ROOTS_NAME, buf_slice(&bytes), diag);
}

enum err roots_add(struct roots *roots, const struct dir *dir, const struct roots_entry *entry,
                   struct diag *diag)
{
    size_t at = 0;
    while (at < roots->count && roots->entries[at].index < entry->index) {
        at++;
    }
    if (at == roots->count || roots->entries[at].index != entry->index) {
        roots->entries = mem_resize(roots->entries, (roots->count + 1) * sizeof(*roots->entries));
        memmove(roots->entries + at + 1, roots->entries + at,
                (roots->count - at) * sizeof(*roots->entries));
        roots->count++;
    }
    roots->entries[at] = *entry;
    return write_all(roots, dir, diag);
}
