/* SPDX-License-Identifier: Apache-2.0 */
#include "wal/wal_format.h"

#include "codec/crc32c.h"
#include "codec/wire.h"
#include "wal/wal.h"

void wal_head_put(uint8_t *block, const struct wal_head *head)
{
    memset(block, 0, WAL_FRAME_ALIGN);
    memcpy(block, WAL_MAGIC, 8);
    wire_put_u32le(block + 8, WAL_VERSION);
    wire_put_u64le(block + 16, head->number);
    wire_put_u64le(block + 24, head->salt);
    wire_put_u64le(block + 32, head->bytes);
    wire_put_u64le(block + 40, head->supersedes);
    wire_put_u32le(block + 12, crc32c(0, (slice){block + 16, WAL_HEAD_BYTES - 16}));
}

enum err wal_head_get(const uint8_t *block, struct wal_head *out, const char *name,
                      struct diag *diag)
{
    if (memcmp(block, WAL_MAGIC, 8) != 0) {
        return diag_fail(diag, ERR_CORRUPT, name, "offset 0: not a write-ahead log");
    }
    if (wire_get_u32le(block + 8) != WAL_VERSION) {
        return diag_fail(diag, ERR_CORRUPT, name, "offset 8: version %u, this build reads %u",
                         wire_get_u32le(block + 8), WAL_VERSION);
    }
    if (wire_get_u32le(block + 12) != crc32c(0, (slice){block + 16, WAL_HEAD_BYTES - 16})) {
        return diag_fail(diag, ERR_CORRUPT, name, "offset 12: the header's checksum is wrong");
    }
    *out = (struct wal_head){
        .number = wire_get_u64le(block + 16),
        .salt = wire_get_u64le(block + 24),
        .bytes = wire_get_u64le(block + 32),
        .supersedes = wire_get_u64le(block + 40),
    };
    return OK;
}

void wal_frame_head_put(uint8_t *frame, const struct wal_frame_head *head)
{
    memset(frame, 0, WAL_FRAME_HEAD_BYTES);
    wire_put_u32le(frame, WAL_FRAME_MAGIC);
    wire_put_u64le(frame + 8, head->salt);
    wire_put_u64le(frame + 16, head->first_seq);
    wire_put_u64le(frame + 24, (uint64_t)head->commit_us);
    wire_put_u32le(frame + 32, head->count);
    wire_put_u32le(frame + 36, head->body_len);
    wire_put_u32le(frame + 4, crc32c(0, (slice){frame + 8, WAL_FRAME_HEAD_BYTES - 8 +
                                                               (size_t)head->body_len}));
}

bool wal_frame_head_get(const uint8_t *frame, struct wal_frame_head *out)
{
    if (wire_get_u32le(frame) != WAL_FRAME_MAGIC) {
        return false;
    }
    *out = (struct wal_frame_head){
        .salt = wire_get_u64le(frame + 8),
        .first_seq = wire_get_u64le(frame + 16),
        .commit_us = (int64_t)wire_get_u64le(frame + 24),
        .count = wire_get_u32le(frame + 32),
        .body_len = wire_get_u32le(frame + 36),
    };
    return out->count > 0 && out->body_len >= WAL_ENTRY_HEAD_BYTES &&
           out->body_len <= WAL_FRAME_BYTES_MAX;
}

bool wal_frame_is_whole(const uint8_t *head_bytes, slice body)
{
    uint32_t crc = crc32c(0, (slice){head_bytes + 8, WAL_FRAME_HEAD_BYTES - 8});
    return wire_get_u32le(head_bytes + 4) == crc32c(crc, body);
}
