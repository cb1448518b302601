/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wal_format - the bytes of a WAL file (docs/format.md, section 2), known to wal.c and
 * wal_read.c alone.
 *
 * File header, one block of 4,096:            Frame header, 64 bytes on a block boundary:
 *    0  "CAIRNWAL"                               0  "CFR1"
 *    8  u32 version                              4  u32 CRC32C of bytes 8..63 and the body
 *   12  u32 CRC32C of bytes 16..63               8  u64 salt of the file
 *   16  u64 number                              16  u64 first seq
 *   24  u64 salt                                24  i64 commit time, microseconds
 *   32  u64 bytes of the file                   32  u32 count of rows
 *   40  u64 supersedes (0: none)                36  u32 bytes of the body
 */

#include "base/err.h"
#include "base/slice.h"

#define WAL_MAGIC             "CAIRNWAL"
#define WAL_VERSION           1u
#define WAL_HEAD_BYTES        64u
#define WAL_FRAME_MAGIC       UINT32_C(0x31524643)
#define WAL_NAME_BYTES        32
#define WAL_NAME_FORMAT       "%012llu.wal"
#define WAL_SPARE_NAME_FORMAT "spare-%012llu.wal"

struct wal_head {
    uint64_t number;
    uint64_t salt;
    uint64_t bytes;
    uint64_t supersedes;
};

struct wal_frame_head {
    uint64_t salt;
    uint64_t first_seq;
    int64_t commit_us;
    uint32_t count;
    uint32_t body_len;
};

/* `block` is a whole block; what is not header becomes zero. */
void wal_head_put(uint8_t *block, const struct wal_head *head);
/* CORRUPT: not a WAL header of this version. */
enum err wal_head_get(const uint8_t *block, struct wal_head *out, const char *name,
                      struct diag *diag);

/* Header in front of a body that is in place already. */
void wal_frame_head_put(uint8_t *frame, const struct wal_frame_head *head);
/* False when the magic or the shape is wrong; the CRC is checked by wal_frame_is_whole(). */
bool wal_frame_head_get(const uint8_t *frame, struct wal_frame_head *out);
bool wal_frame_is_whole(const uint8_t *head_bytes, slice body);
