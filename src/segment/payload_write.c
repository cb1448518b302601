/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each frame is made right behind the dictionary, in one piece of memory that never moves. Where
 * it lies elsewhere, zstd asks at every match on which of the two sides it is: a quarter more time
 * for the same bytes.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "segment/payload.h"

enum { INDEX_ENTRY_BYTES = 8, FIRST_ROW_SHIFT = 48 };

struct payload_writer {
    struct sections_writer *file;
    ZSTD_CCtx *zstd;
    ZSTD_CDict *dictionary;
    struct buf raw;  /* the dictionary, then the frame so far */
    size_t frame_at; /* in it */
    struct buf packed;
    struct buf index;
    uint32_t frame_rows; /* in it */
    uint32_t rows;       /* in all frames before it */
    uint64_t at;
};

static void must(size_t zstd_result)
{
    ASSERT(!ZSTD_isError(zstd_result)); /* parameters of our own */
}

struct payload_writer *payload_writer_new(struct sections_writer *file, slice dictionary, int level)
{
    struct payload_writer *writer = mem_zeroed(sizeof(*writer));
    writer->file = file;
    writer->zstd = ZSTD_createCCtx();
    ASSERT(writer->zstd != NULL);
    must(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, level));
    must(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1));
    buf_init(&writer->raw, dictionary.len + PAYLOAD_FRAME_BYTES_MAX);
    bool has_room = buf_reserve(&writer->raw, writer->raw.max);
    ASSERT(has_room);
    buf_append(&writer->raw, dictionary);
    writer->frame_at = dictionary.len;
    if (dictionary.len > 0) {
        writer->dictionary = ZSTD_createCDict_byReference(writer->raw.ptr, dictionary.len, level);
        ASSERT(writer->dictionary != NULL);
        must(ZSTD_CCtx_refCDict(writer->zstd, writer->dictionary));
        must(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_dictIDFlag, 0));
    }
    buf_init(&writer->packed, ZSTD_COMPRESSBOUND(PAYLOAD_FRAME_BYTES_MAX));
    buf_init(&writer->index, (size_t)ROWS_MAX * INDEX_ENTRY_BYTES);
    return writer;
}

void payload_writer_free(struct payload_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    ZSTD_freeCCtx(writer->zstd);
    ZSTD_freeCDict(writer->dictionary);
    buf_release(&writer->raw);
    buf_release(&writer->packed);
    buf_release(&writer->index);
    free(writer);
}

static enum err write_frame(struct payload_writer *writer, struct diag *diag)
{
    uint8_t entry[INDEX_ENTRY_BYTES];
    slice frame = buf_slice(&writer->raw);
    (void)slice_take(&frame, writer->frame_at);
    buf_clear(&writer->packed);
    bool has_room = buf_reserve(&writer->packed, ZSTD_COMPRESSBOUND(frame.len));
    ASSERT(has_room);
    size_t len = ZSTD_compress2(writer->zstd, writer->packed.ptr, writer->packed.capacity,
                                frame.ptr, frame.len);
    must(len);
    wire_put_u64le(entry, writer->at | (uint64_t)writer->rows << FIRST_ROW_SHIFT);
    buf_append(&writer->index, (slice){entry, sizeof(entry)});
    TRY(sections_put(writer->file, (slice){writer->packed.ptr, len}, diag));
    writer->at += len;
    writer->rows += writer->frame_rows;
    writer->frame_rows = 0;
    writer->raw.len = writer->frame_at;
    return OK;
}

static bool has_line_feed(slice json)
{
    return json.len > 0 && memchr(json.ptr, '\n', json.len) != NULL;
}

enum err payload_add(struct payload_writer *writer, slice data, slice metadata, struct diag *diag)
{
    if (has_line_feed(data) || has_line_feed(metadata)) {
        return ERR_CORRUPT;
    }
    buf_append(&writer->raw, data);
    buf_append_byte(&writer->raw, '\n');
    buf_append(&writer->raw, metadata);
    buf_append_byte(&writer->raw, '\n');
    if (writer->raw.failed) {
        return diag_fail(diag, ERR_LIMIT, "", "the payload of an event is too large to be stored");
    }
    writer->frame_rows++;
    bool is_full = writer->frame_rows == PAYLOAD_FRAME_ROWS_MAX ||
                   writer->raw.len - writer->frame_at >= PAYLOAD_FRAME_BYTES;
    return is_full ? write_frame(writer, diag) : OK;
}

enum err payload_end(struct payload_writer *writer, struct buf *index, struct diag *diag)
{
    if (writer->frame_rows > 0) {
        TRY(write_frame(writer, diag));
    }
    buf_append(index, buf_slice(&writer->index));
    return OK;
}
