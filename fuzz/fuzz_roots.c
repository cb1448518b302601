/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of roots. With an odd first byte the rest of the input is the file; else it is changes
 * (u16 position, u8 byte) to a good one, whose checksums are made right again if the second bit is
 * set. What is read is in order, is found, and is the same file when it is written again.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "codec/crc32c.h"
#include "codec/wire.h"
#include "ledger/roots.h"
#include "os/tempdir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ENTRIES = 2,
    HEAD_BYTES = 16,
    ENTRY_BYTES = 8208,
    CHECKSUM_AT = 8200,
    CHANGE_BYTES = 3,
    FILE_BYTES_MAX = 1 << 24,
};

static struct tempdir temp;
static struct dir *dir;
static uint8_t *valid;
static size_t valid_len;

static void clean_up(void)
{
    dir_free(dir);
    free(valid);
    tempdir_release(&temp);
}

static void set_up(void)
{
    struct roots roots = {0};
    tempdir_init(&temp);
    ASSERT(dir_open(temp.path, true, &dir, NULL) == OK);
    for (size_t i = ENTRIES; i > 0; i--) {
        struct roots_entry entry = {.index = 3 * i};
        memset(entry.tile_roots, (int)i, sizeof(entry.tile_roots));
        ASSERT(roots_add(&roots, dir, &entry, NULL) == OK);
    }
    roots_release(&roots);
    ASSERT(file_read_all(dir, ROOTS_NAME, FILE_BYTES_MAX, &valid, &valid_len, NULL) == OK);
    ASSERT(valid_len == HEAD_BYTES + (size_t)ENTRIES * ENTRY_BYTES);
    (void)atexit(clean_up);
}

static void write_file(slice bytes)
{
    OWNED(file) file = NULL;
    ASSERT(file_open(dir, ROOTS_NAME, FILE_CREATE, &file, NULL) == OK);
    ASSERT(file_truncate(file, 0, NULL) == OK);
    ASSERT(bytes.len == 0 || file_write_at(file, 0, bytes, NULL) == OK);
}

static void mend(uint8_t *bytes, size_t len)
{
    for (size_t at = HEAD_BYTES; at + ENTRY_BYTES <= len; at += ENTRY_BYTES) {
        wire_put_u32le(bytes + at + CHECKSUM_AT, crc32c(0, (slice){bytes + at, CHECKSUM_AT}));
    }
}

static void try_file(slice bytes)
{
    CLEANUP(roots_release) struct roots roots = {0};
    CLEANUP(mem_freep) uint8_t *again = NULL;
    struct diag diag = {0};
    size_t len = 0;
    write_file(bytes);
    enum err e = roots_read(dir, &roots, &diag);
    ASSERT(e == OK || e == ERR_CORRUPT);
    if (e != OK) {
        ASSERT(roots.count == 0 && diag.text[0] != '\0');
        return;
    }
    ASSERT(bytes.len == HEAD_BYTES + roots.count * ENTRY_BYTES);
    for (size_t i = 0; i < roots.count; i++) {
        ASSERT(i == 0 || roots.entries[i - 1].index < roots.entries[i].index);
        ASSERT(roots_find(&roots, roots.entries[i].index) == &roots.entries[i]);
    }
    if (roots.count > 0) {
        struct roots_entry same = roots.entries[0];
        ASSERT(roots_add(&roots, dir, &same, NULL) == OK);
        ASSERT(file_read_all(dir, ROOTS_NAME, FILE_BYTES_MAX, &again, &len, NULL) == OK);
        ASSERT(slice_equal(bytes, (slice){again, len}));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (valid == NULL) {
        set_up();
    }
    if (size < 1) {
        return 0;
    }
    if (data[0] % 2 == 1) {
        try_file((slice){data + 1, size - 1});
        return 0;
    }
    CLEANUP(mem_freep) uint8_t *bytes = mem_zeroed(valid_len);
    memcpy(bytes, valid, valid_len);
    for (size_t at = 1; at + CHANGE_BYTES <= size; at += CHANGE_BYTES) {
        bytes[wire_get_u16le(data + at) % valid_len] = data[at + 2];
    }
    if (data[0] % 4 == 2) {
        mend(bytes, valid_len);
    }
    try_file((slice){bytes, valid_len});
    return 0;
}
