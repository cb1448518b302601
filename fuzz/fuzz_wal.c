/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WAL file with damage: reading it never goes out of bounds, gives only frames that were
 * written, in order from the first, and says CORRUPT rather than skip one.
 *
 * The input is a list of (offset, byte) pairs that are written over a file of three good frames.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "codec/wire.h"
#include "os/file.h"
#include "os/tempdir.h"
#include "wal/wal.h"

enum {
    FRAMES = 3,
    DAMAGE_MAX = 64,
};
#define GOOD_BYTES ((size_t)(1 + FRAMES) * WAL_FRAME_ALIGN)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct setting {
    struct tempdir temp;
    struct dir *dir;
    uint8_t *good;
    size_t len;
};

static void write_frame(struct wal *wal, uint64_t seq)
{
    struct wal_place place;
    size_t body_len = WAL_ENTRY_HEAD_BYTES + 20;
    uint8_t *frame = mem_aligned(WAL_FRAME_ALIGN, wal_frame_bytes(body_len));
    const struct wal_frame_info info = {body_len, seq, 1, 7};
    wire_put_u32le(frame + WAL_FRAME_HEAD_BYTES, 20);
    memset(frame + WAL_FRAME_HEAD_BYTES + WAL_ENTRY_HEAD_BYTES, (int)('a' + seq), 20);
    ASSERT(wal_reserve(wal, body_len, NULL) == OK);
    ASSERT(wal_append(wal, frame, &info, &place, NULL) == OK);
    free(frame);
}

/* Made once: a file of good frames, and its bytes. */
static struct setting *setting_get(void)
{
    static struct setting setting;
    if (setting.dir == NULL) {
        struct wal *wal = NULL;
        const struct wal_options options = {.file_bytes = WAL_FILE_BYTES_MIN};
        tempdir_init(&setting.temp);
        ASSERT(dir_open(setting.temp.path, false, &setting.dir, NULL) == OK);
        ASSERT(wal_open(setting.dir, &options, 0, &wal, NULL) == OK);
        for (uint64_t i = 0; i < FRAMES; i++) {
            write_frame(wal, i);
        }
        wal_free(wal);
        ASSERT(file_read_all(setting.dir, "000000000002.wal", MIB(2), &setting.good, &setting.len,
                             NULL) == OK);
    }
    return &setting;
}

static void check_frame(const struct wal_frame *frame, uint64_t expected)
{
    slice rest = frame->body;
    ASSERT(frame->first_seq == expected);
    for (uint32_t i = 0; i < frame->count; i++) {
        struct leaf_hash leaf;
        slice row = {0};
        ASSERT(wal_take_row(&rest, &leaf, &row) == OK); /* the CRC holds: these are our bytes */
        ASSERT(row.len == 20 && row.ptr[0] == 'a' + expected);
    }
}

static void read_damaged(struct setting *setting)
{
    struct wal_reader *reader = NULL;
    struct diag diag = {0};
    uint64_t seen = 0;
    if (wal_reader_open(setting->dir, "damaged", &reader, &diag) != OK) {
        return;
    }
    for (;;) {
        struct wal_frame frame;
        enum err e = wal_reader_next(reader, &frame, &diag);
        ASSERT(e == OK || e == ERR_CORRUPT);
        if (e != OK || frame.count == 0) {
            break;
        }
        check_frame(&frame, seen++);
        ASSERT(seen <= FRAMES);
    }
    wal_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct setting *setting = setting_get();
    uint8_t *bytes = mem_zeroed(setting->len);
    struct file *file = NULL;
    memcpy(bytes, setting->good, setting->len);
    for (size_t i = 0; i + 3 <= size && i < (size_t)3 * DAMAGE_MAX; i += 3) {
        bytes[wire_get_u16le(data + i) % GOOD_BYTES] ^= data[i + 2];
    }
    ASSERT(file_open(setting->dir, "damaged", FILE_CREATE, &file, NULL) == OK);
    ASSERT(file_write_at(file, 0, (slice){bytes, setting->len}, NULL) == OK);
    file_free(file);
    free(bytes);
    read_damaged(setting);
    return 0;
}
