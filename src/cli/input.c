/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

enum { RAW_BYTES = 256 * 1024 };

enum input_kind { INPUT_UNKNOWN, INPUT_PLAIN, INPUT_GZIP, INPUT_ZSTD };

struct input {
    char *name;
    int fd;
    uint64_t taken, total;
    enum input_kind kind;
    uint8_t *raw;
    size_t raw_at, raw_len;
    bool raw_is_last; /* the file has nothing more */
    bool in_frame;    /* a compressed frame has begun and not ended */
    z_stream gzip;
    ZSTD_DCtx *zstd;
};

enum err input_open(const char *path, struct input **out, struct diag *diag)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        enum err code = errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_DENIED : ERR_IO;
        return diag_fail(diag, code, path, "cannot be opened: %s", strerror(errno));
    }
    struct stat info = {0};
    bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (S_ISDIR(info.st_mode)) {
        (void)close(fd);
        return diag_fail(diag, ERR_INVALID, path, "is a directory; name its files");
    }
    struct input *input = mem_zeroed(sizeof(*input));
    input->name = mem_text(path, strlen(path));
    input->fd = fd;
    input->total = is_file ? (uint64_t)info.st_size : 0;
    input->raw = mem_zeroed(RAW_BYTES);
    *out = input;
    return OK;
}

void input_free(struct input *input)
{
    if (input == NULL) {
        return;
    }
    if (input->kind == INPUT_GZIP) {
        (void)inflateEnd(&input->gzip);
    }
    (void)ZSTD_freeDCtx(input->zstd);
    if (input->fd != STDIN_FILENO) {
        (void)close(input->fd);
    }
    free(input->raw);
    free(input->name);
    free(input);
}

/* More raw bytes behind what is held. */
static enum err fill(struct input *input, struct diag *diag)
{
    if (input->raw_at > 0) {
        input->raw_len -= input->raw_at;
        memmove(input->raw, input->raw + input->raw_at, input->raw_len);
        input->raw_at = 0;
    }
    while (input->raw_len < RAW_BYTES && !input->raw_is_last) {
        ssize_t n = read(input->fd, input->raw + input->raw_len, RAW_BYTES - input->raw_len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return diag_fail(diag, ERR_IO, input->name, "cannot be read: %s", strerror(errno));
        }
        input->raw_is_last = n == 0;
        input->raw_len += (size_t)n;
        input->taken += (uint64_t)n;
        if (n > 0 && input->raw_len >= 4) {
            break; /* a pipe gives what it has; events should not wait for more */
        }
    }
    return OK;
}

static enum err detect(struct input *input, struct diag *diag)
{
    static const uint8_t gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    TRY(fill(input, diag));
    input->kind = INPUT_PLAIN;
    if (input->raw_len >= sizeof(gzip) && memcmp(input->raw, gzip, sizeof(gzip)) == 0) {
        if (inflateInit2(&input->gzip, 15 + 16) != Z_OK) {
            return diag_fail(diag, ERR_IO, input->name, "no memory to decompress");
        }
        input->kind = INPUT_GZIP;
    } else if (input->raw_len >= sizeof(zstd) && memcmp(input->raw, zstd, sizeof(zstd)) == 0) {
        input->zstd = ZSTD_createDCtx();
        if (input->zstd == NULL) {
            return diag_fail(diag, ERR_IO, input->name, "no memory to decompress");
        }
        input->kind = INPUT_ZSTD;
    }
    return OK;
}

static enum err step_gzip(struct input *input, uint8_t *buffer, size_t size, size_t *len_out,
                          struct diag *diag)
{
    z_stream *gzip = &input->gzip;
    gzip->next_in = input->raw + input->raw_at;
    gzip->avail_in = (unsigned)(input->raw_len - input->raw_at);
    gzip->next_out = buffer;
    gzip->avail_out = size > UINT32_MAX ? UINT32_MAX : (unsigned)size;
    size_t room = gzip->avail_out;
    input->in_frame = true;
    int result = inflate(gzip, Z_NO_FLUSH);
    input->raw_at = input->raw_len - gzip->avail_in;
    *len_out = room - gzip->avail_out;
    if (result == Z_STREAM_END) {
        input->in_frame = false;
        return inflateReset(gzip) == Z_OK ? OK : ERR_IO; /* another member may follow */
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
        return diag_fail(diag, ERR_INVALID, input->name, "the gzip data is damaged");
    }
    return OK;
}

static enum err step_zstd(struct input *input, uint8_t *buffer, size_t size, size_t *len_out,
                          struct diag *diag)
{
    ZSTD_inBuffer in = {input->raw + input->raw_at, input->raw_len - input->raw_at, 0};
    ZSTD_outBuffer out = {buffer, size, 0};
    size_t result = ZSTD_decompressStream(input->zstd, &out, &in);
    if (ZSTD_isError(result)) {
        return diag_fail(diag, ERR_INVALID, input->name, "the zstd data is damaged: %s",
                         ZSTD_getErrorName(result));
    }
    input->raw_at += in.pos;
    input->in_frame = result != 0;
    *len_out = out.pos;
    return OK;
}

static enum err step(struct input *input, uint8_t *buffer, size_t size, size_t *len_out,
                     struct diag *diag)
{
    size_t held = input->raw_len - input->raw_at;
    switch (input->kind) {
    case INPUT_GZIP:
        return step_gzip(input, buffer, size, len_out, diag);
    case INPUT_ZSTD:
        return step_zstd(input, buffer, size, len_out, diag);
    case INPUT_UNKNOWN:
    case INPUT_PLAIN:
        break;
    }
    *len_out = held < size ? held : size;
    memcpy(buffer, input->raw + input->raw_at, *len_out);
    input->raw_at += *len_out;
    return OK;
}

enum err input_read(struct input *input, uint8_t *buffer, size_t size, size_t *len_out,
                    struct diag *diag)
{
    ASSERT(size > 0);
    if (input->kind == INPUT_UNKNOWN) {
        TRY(detect(input, diag));
    }
    for (;;) {
        if (input->raw_at == input->raw_len && !input->raw_is_last) {
            TRY(fill(input, diag));
        }
        bool is_empty = input->raw_at == input->raw_len;
        size_t len = 0;
        if (!is_empty || input->in_frame) {
            TRY(step(input, buffer, size, &len, diag));
        }
        if (len > 0) {
            *len_out = len;
            return OK;
        }
        if (is_empty && input->raw_is_last) {
            break;
        }
    }
    if (input->in_frame) {
        return diag_fail(diag, ERR_INVALID, input->name, "the compressed data ends too soon");
    }
    *len_out = 0;
    return OK;
}

bool input_has_more(const struct input *input)
{
    struct pollfd wait = {.fd = input->fd, .events = POLLIN};
    return input->raw_at < input->raw_len || input->raw_is_last || input->total > 0 ||
           poll(&wait, 1, 0) > 0;
}

uint64_t input_taken(const struct input *input)
{
    return input->taken;
}

uint64_t input_total(const struct input *input)
{
    return input->total;
}
