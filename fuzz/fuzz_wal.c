/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WAL file with damage: reading it never goes out of bounds, gives only frames that were
 * written, in order from the first, and says CORRUPT rather than skip one.
 *
 * The input is changes to a file of three good frames: a position (u16, modulo their bytes) and a
 * byte that is added to the one there without carry. More than DAMAGE_MAX are not looked at.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "damage.h"
#include "os/tempdir.h"
#include "wal/wal.h"

enum {
    FRAMES = 3,
    DAMAGE_MAX = 64,
};
#define GOOD_BYTES ((size_t)(1 + FRAMES) * WAL_FRAME_ALIGN)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static void set_up(void)
{
    struct wal *wal = NULL;
    const struct wal_options options = {.file_bytes = WAL_FILE_BYTES_MIN};
    tempdir_init(&temp);
    ASSERT(dir_open(temp.path, false, &dir, NULL) == OK);
    ASSERT(wal_open(dir, &options, 0, &wal, NULL) == OK);
    for (uint64_t i = 0; i < FRAMES; i++) {
        write_frame(wal, i);
    }
    wal_free(wal);
    ASSERT(file_read_all(dir, "000000000002.wal", MIB(2), &valid, &valid_len, NULL) == OK);
    (void)atexit(clean_up);
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

static void read_damaged(void)
{
    struct wal_reader *reader = NULL;
    struct diag diag = {0};
    uint64_t seen = 0;
    if (wal_reader_open(dir, "damaged", &reader, &diag) != OK) {
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
    if (valid == NULL) {
        set_up();
    }
    uint8_t *bytes = mem_zeroed(valid_len);
    memcpy(bytes, valid, valid_len);
    for (size_t i = 0; i + 3 <= size && i < (size_t)3 * DAMAGE_MAX; i += 3) {
        bytes[wire_get_u16le(data + i) % GOOD_BYTES] ^= data[i + 2];
    }
    damage_write(dir, "damaged", (slice){bytes, valid_len});
    free(bytes);
    read_damaged();
    return 0;
}
