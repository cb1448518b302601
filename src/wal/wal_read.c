/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "wal/wal.h"
#include "wal/wal_format.h"

struct wal_reader {
    struct file *file;
    char name[WAL_NAME_BYTES];
    struct wal_head head;
    uint64_t at;
    uint64_t file_bytes;
    uint8_t *body; /* grows to the largest frame */
    size_t body_capacity;
    bool ended;
    bool head_is_clean;
};

enum err wal_reader_open(const struct dir *dir, const char *name, struct wal_reader **out,
                         struct diag *diag)
{
    OWNED(wal_reader) reader = mem_zeroed(sizeof(*reader));
    (void)snprintf(reader->name, sizeof(reader->name), "%s", name);
    TRY(file_open(dir, name, FILE_READ, &reader->file, diag));
    TRY(file_size(reader->file, &reader->file_bytes, diag));
    uint8_t block[WAL_FRAME_ALIGN];
    if (reader->file_bytes < sizeof(block)) {
        return diag_fail(diag, ERR_CORRUPT, name, "shorter than a header");
    }
    TRY(file_read_at(reader->file, 0, block, sizeof(block), diag));
    TRY(wal_head_get(block, &reader->head, name, diag));
    if (reader->head.bytes != reader->file_bytes) {
        return diag_fail(diag, ERR_CORRUPT, name, "has %llu bytes, its header says %llu",
                         (unsigned long long)reader->file_bytes,
                         (unsigned long long)reader->head.bytes);
    }
    reader->head_is_clean =
        slice_is_zero((slice){block + WAL_HEAD_BYTES, sizeof(block) - WAL_HEAD_BYTES});
    reader->at = WAL_FRAME_ALIGN;
    *out = MOVE(reader);
    return OK;
}

void wal_reader_free(struct wal_reader *reader)
{
    if (reader != NULL) {
        file_free(reader->file);
        free(reader->body);
        free(reader);
    }
}

uint64_t wal_reader_number(const struct wal_reader *reader)
{
    return reader->head.number;
}

uint64_t wal_reader_supersedes(const struct wal_reader *reader)
{
    return reader->head.supersedes;
}

bool wal_reader_head_is_clean(const struct wal_reader *reader)
{
    return reader->head_is_clean;
}

/* The frame at `at`, if a whole one of this file's life is there. */
static enum err read_frame(struct wal_reader *reader, uint64_t at, struct wal_frame_head *head,
                           bool *whole, struct diag *diag)
{
    uint8_t head_bytes[WAL_FRAME_HEAD_BYTES];
    *whole = false;
    TRY(file_read_at(reader->file, at, head_bytes, sizeof(head_bytes), diag));
    if (!wal_frame_head_get(head_bytes, head) || head->salt != reader->head.salt ||
        wal_frame_bytes(head->body_len) > reader->file_bytes - at) {
        return OK;
    }
    size_t behind_head = wal_frame_bytes(head->body_len) - WAL_FRAME_HEAD_BYTES;
    if (behind_head > reader->body_capacity) {
        reader->body = mem_resize(reader->body, behind_head);
        reader->body_capacity = behind_head;
    }
    TRY(file_read_at(reader->file, at + WAL_FRAME_HEAD_BYTES, reader->body, behind_head, diag));
    *whole = wal_frame_is_whole(head_bytes, (slice){reader->body, head->body_len});
    return OK;
}

/* Looks at every block of `chunk` (at file offset `chunk_at`) for a whole frame of this life. */
static enum err search_chunk(struct wal_reader *reader, slice chunk, uint64_t chunk_at,
                             struct diag *diag)
{
    for (size_t i = 0; i + WAL_FRAME_HEAD_BYTES <= chunk.len; i += WAL_FRAME_ALIGN) {
        struct wal_frame_head head = {0};
        if (!wal_frame_head_get(chunk.ptr + i, &head) || head.salt != reader->head.salt) {
            continue;
        }
        bool whole = false;
        TRY(read_frame(reader, chunk_at + i, &head, &whole, diag));
        if (whole) {
            return diag_fail(diag, ERR_CORRUPT, reader->name,
                             "offset %llu: damaged, with a good frame behind it at %llu",
                             (unsigned long long)reader->at, (unsigned long long)(chunk_at + i));
        }
    }
    return OK;
}

/*
 * A crash in the middle of an append leaves half a frame at the very end; nobody was told that it
 * was safe. But a good frame behind a bad one means that the bad one was durable once.
 */
static enum err search_behind(struct wal_reader *reader, struct diag *diag)
{
    size_t chunk_bytes = MIB(1);
    CLEANUP(mem_freep) uint8_t *chunk = mem_zeroed(chunk_bytes);
    for (uint64_t at = reader->at; at < reader->file_bytes; at += chunk_bytes) {
        uint64_t left = reader->file_bytes - at;
        size_t len = left < chunk_bytes ? (size_t)left : chunk_bytes;
        TRY(file_read_at(reader->file, at, chunk, len, diag));
        TRY(search_chunk(reader, (slice){chunk, len}, at, diag));
    }
    return OK;
}

enum err wal_reader_next(struct wal_reader *reader, struct wal_frame *frame, struct diag *diag)
{
    struct wal_frame_head head = {0};
    bool whole = false;
    *frame = (struct wal_frame){0};
    if (reader->ended) {
        return OK;
    }
    if (reader->at + WAL_FRAME_ALIGN <= reader->file_bytes) {
        TRY(read_frame(reader, reader->at, &head, &whole, diag));
    }
    if (!whole) {
        reader->ended = true;
        return search_behind(reader, diag);
    }
    size_t behind_head = wal_frame_bytes(head.body_len) - WAL_FRAME_HEAD_BYTES;
    *frame = (struct wal_frame){
        .first_seq = head.first_seq,
        .count = head.count,
        .commit_us = head.commit_us,
        .body_at = reader->at + WAL_FRAME_HEAD_BYTES,
        .body = {reader->body, head.body_len},
        .padding = {reader->body + head.body_len, behind_head - head.body_len},
    };
    reader->at += wal_frame_bytes(head.body_len);
    return OK;
}

enum err wal_take_row(slice *body, struct leaf_hash *leaf, slice *row)
{
    if (body->len < WAL_ENTRY_HEAD_BYTES) {
        return ERR_CORRUPT;
    }
    uint32_t len = wire_get_u32le(body->ptr);
    if (len > body->len - WAL_ENTRY_HEAD_BYTES) {
        return ERR_CORRUPT;
    }
    memcpy(leaf->bytes, body->ptr + 4, LEAF_HASH_BYTES);
    (void)slice_take(body, WAL_ENTRY_HEAD_BYTES);
    *row = slice_take(body, len);
    return OK;
}
