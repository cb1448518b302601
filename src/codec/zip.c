/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/zip.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"

enum {
    GZIP_WINDOW_BITS = 15 + 16, /* the largest; with gzip's header, and no other */
    GZIP_MEMORY_LEVEL = 8,
    PIECE_BYTES_MAX = 1 << 30, /* zlib counts in 32 bits */
    ZSTD_HEADER_BYTES_MAX = 18,
};

struct unzip {
    enum zip_kind kind;
    uint64_t out_max, out_total;
    bool is_begun;    /* at least one byte was taken */
    bool is_whole;    /* the last member or frame ended, and nothing of another was taken */
    bool has_pending; /* `out` was full: more may come out without more going in */
    enum err failure;
    z_stream gzip;
    ZSTD_DStream *zstd;
    uint8_t frame_head[ZSTD_HEADER_BYTES_MAX]; /* zstd: the first bytes of the frame */
    size_t frame_head_len;
    uint64_t frame_out; /* zstd: what came out of the frame so far */
};

enum err unzip_new(enum zip_kind kind, uint64_t out_max, struct unzip **out, struct diag *diag)
{
    OWNED(unzip) unzip = mem_zeroed(sizeof(*unzip));
    unzip->kind = kind;
    unzip->out_max = out_max;
    bool is_ready = false;
    switch (kind) {
    case ZIP_GZIP:
        is_ready = inflateInit2(&unzip->gzip, GZIP_WINDOW_BITS) == Z_OK;
        break;
    case ZIP_ZSTD:
        unzip->zstd = ZSTD_createDStream();
        is_ready = unzip->zstd != NULL &&
                   !ZSTD_isError(ZSTD_DCtx_setParameter(unzip->zstd, ZSTD_d_windowLogMax,
                                                        ZIP_ZSTD_WINDOW_LOG_MAX));
        break;
    }
    if (!is_ready) {
        return diag_fail(diag, ERR_BUSY, "", "no memory to expand a body");
    }
    *out = MOVE(unzip);
    return OK;
}

void unzip_free(struct unzip *unzip)
{
    if (unzip == NULL) {
        return;
    }
    if (unzip->kind == ZIP_GZIP) {
        (void)inflateEnd(&unzip->gzip);
    }
    (void)ZSTD_freeDStream(unzip->zstd);
    free(unzip);
}

/* Where a step writes: `len` bytes of `capacity` so far. */
struct room {
    uint8_t *out;
    size_t capacity;
    size_t len;
};

static enum err step_gzip(struct unzip *unzip, slice *in, struct room *room, struct diag *diag)
{
    if (unzip->is_whole) { /* more bytes behind a member: another one */
        (void)inflateReset(&unzip->gzip);
        unzip->is_whole = false;
    }
    size_t piece = in->len < PIECE_BYTES_MAX ? in->len : PIECE_BYTES_MAX;
    size_t space = room->capacity - room->len;
    space = space < PIECE_BYTES_MAX ? space : PIECE_BYTES_MAX;
    z_stream *stream = &unzip->gzip;
    stream->next_in = (z_const Bytef *)(uintptr_t)in->ptr; /* zlib does not write there */
    stream->avail_in = (uInt)piece;
    stream->next_out = room->out + room->len;
    stream->avail_out = (uInt)space;
    int status = inflate(stream, Z_NO_FLUSH);
    (void)slice_take(in, piece - stream->avail_in);
    room->len += space - stream->avail_out;
    switch (status) {
    case Z_STREAM_END:
        unzip->is_whole = true;
        return OK;
    case Z_OK:
    case Z_BUF_ERROR: /* nothing went in and nothing came out: no harm */
        return OK;
    case Z_MEM_ERROR:
        return diag_fail(diag, ERR_BUSY, "", "no memory to expand a body");
    default:
        return diag_fail(diag, ERR_INVALID, "", "the body is not gzip: %s",
                         stream->msg != NULL ? stream->msg : "damaged");
    }
}

static enum err fail_zstd(size_t status, struct diag *diag)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(status);
    if (code == ZSTD_error_frameParameter_windowTooLarge) {
        return diag_fail(diag, ERR_LIMIT, "", "a zstd window may have 2^%d bytes at most",
                         ZIP_ZSTD_WINDOW_LOG_MAX);
    }
    if (code == ZSTD_error_memory_allocation) {
        return diag_fail(diag, ERR_BUSY, "", "no memory to expand a body");
    }
    return diag_fail(diag, ERR_INVALID, "", "the body is not zstd: %s", ZSTD_getErrorName(status));
}

/* Of a frame of today's format or one to be skipped. The library also knows formats from before the
 * first release, where the limit of the window does not hold; their magic numbers differ here. */
static bool is_zstd_first_byte(uint8_t byte)
{
    return byte == 0x28 || (byte & 0xf0) == 0x50;
}

/* Notes what a step took from the frame and gave out of it. */
static void note_frame(struct unzip *unzip, slice taken, size_t given)
{
    size_t len = sizeof(unzip->frame_head) - unzip->frame_head_len;
    len = len < taken.len ? len : taken.len;
    if (len > 0) {
        memcpy(unzip->frame_head + unzip->frame_head_len, taken.ptr, len);
        unzip->frame_head_len += len;
    }
    unzip->frame_out += given;
}

/* A frame may say in its header how long its content is. The library overlooks a wrong length when
 * the last block is empty. Of a frame to be skipped it is 0. */
static enum err check_frame(const struct unzip *unzip, struct diag *diag)
{
    uint64_t said = ZSTD_getFrameContentSize(unzip->frame_head, unzip->frame_head_len);
    if (said != ZSTD_CONTENTSIZE_UNKNOWN && said != unzip->frame_out) {
        return diag_fail(diag, ERR_INVALID, "", "a zstd frame is not as long as its header says");
    }
    return OK;
}

static enum err step_zstd(struct unzip *unzip, slice *in, struct room *room, struct diag *diag)
{
    bool is_at_start = !unzip->is_begun || unzip->is_whole;
    if (is_at_start) {
        if (!is_zstd_first_byte(in->ptr[0])) {
            return diag_fail(diag, ERR_INVALID, "", "the body is not zstd: no frame begins here");
        }
        unzip->frame_head_len = 0;
        unzip->frame_out = 0;
    }
    /* The library has a shorter way for a frame that comes whole, which knows no limit of the
     * window and judges some damaged blocks differently. The first byte by itself keeps it off. */
    ZSTD_inBuffer source = {.src = in->ptr, .size = is_at_start ? 1 : in->len};
    ZSTD_outBuffer target = {.dst = room->out + room->len, .size = room->capacity - room->len};
    size_t status = ZSTD_decompressStream(unzip->zstd, &target, &source);
    if (ZSTD_isError(status)) {
        return fail_zstd(status, diag);
    }
    note_frame(unzip, slice_take(in, source.pos), target.pos);
    room->len += target.pos;
    unzip->is_whole = status == 0;
    return unzip->is_whole ? check_frame(unzip, diag) : OK;
}

/* Whether another step can do something: it may not be asked for nothing. */
static bool can_step(const struct unzip *unzip, const slice *in, const struct room *room)
{
    return room->len < room->capacity && (in->len > 0 || unzip->has_pending);
}

static enum err run(struct unzip *unzip, slice *in, struct room *room, struct diag *diag)
{
    while (can_step(unzip, in, room)) {
        TRY(unzip->kind == ZIP_GZIP ? step_gzip(unzip, in, room, diag)
                                    : step_zstd(unzip, in, room, diag));
        unzip->is_begun = true;
        unzip->has_pending = room->len == room->capacity && !unzip->is_whole;
    }
    if (room->len > unzip->out_max - unzip->out_total) {
        return diag_fail(diag, ERR_LIMIT, "", "the body expands to more than %llu bytes",
                         (unsigned long long)unzip->out_max);
    }
    return OK;
}

enum err unzip_feed(struct unzip *unzip, slice *in, uint8_t *out, size_t out_capacity,
                    size_t *out_len, bool *ended, struct diag *diag)
{
    ASSERT(out_capacity > 0);
    *out_len = 0;
    *ended = false;
    if (unzip->failure != OK) {
        return diag_fail(diag, unzip->failure, "", "the body could not be expanded");
    }
    /* One byte past the limit is room enough to see that it is passed. */
    uint64_t left = unzip->out_max - unzip->out_total;
    struct room room = {.out = out, .capacity = out_capacity};
    if (left < out_capacity) {
        room.capacity = (size_t)left + 1;
    }
    unzip->failure = run(unzip, in, &room, diag);
    if (unzip->failure != OK) {
        return unzip->failure;
    }
    unzip->out_total += room.len;
    *out_len = room.len;
    *ended = unzip->is_whole;
    return OK;
}

enum err unzip_finish(const struct unzip *unzip, struct diag *diag)
{
    if (unzip->failure != OK) {
        return diag_fail(diag, unzip->failure, "", "the body could not be expanded");
    }
    if (!unzip->is_begun || !unzip->is_whole) {
        return diag_fail(diag, ERR_INVALID, "", "the compressed body is cut short");
    }
    return OK;
}

/* Compresses into the room that the buf already has. */
static bool deflate_into(z_stream *stream, slice bytes, struct buf *out)
{
    size_t space = out->capacity - out->len;
    space = space < 2 * (size_t)PIECE_BYTES_MAX ? space : 2 * (size_t)PIECE_BYTES_MAX;
    stream->next_in = (z_const Bytef *)(uintptr_t)bytes.ptr; /* zlib does not write there */
    stream->avail_in = (uInt)bytes.len;
    stream->next_out = out->ptr + out->len;
    stream->avail_out = (uInt)space;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END) {
        return false;
    }
    out->len += space - stream->avail_out;
    return true;
}

enum err zip_gzip(slice bytes, struct buf *out)
{
    ASSERT(bytes.len <= ZIP_GZIP_BYTES_MAX);
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS,
                     GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        return ERR_BUSY;
    }
    /* The bound is generous: where it does not fit the maximum, what comes out still may. */
    size_t bound = deflateBound(&stream, bytes.len);
    size_t left = out->max - out->len;
    bool is_done = left > 0 && buf_reserve(out, bound < left ? bound : left) &&
                   deflate_into(&stream, bytes, out);
    (void)deflateEnd(&stream);
    if (!is_done) {
        out->failed = true;
        return ERR_LIMIT;
    }
    return OK;
}
