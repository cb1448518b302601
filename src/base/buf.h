/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * buf - an owned run of bytes that grows up to a stated maximum.
 *
 * Growth past the maximum does not happen: the append is refused and the buf remembers it
 * (`failed`), so that a writer may append many pieces and check once at the end.
 *
 * Threads: one owner at a time.
 */

#include "base/err.h"
#include "base/slice.h"

struct buf {
    uint8_t *ptr;
    size_t len;
    size_t capacity;
    size_t max;
    bool failed; /* an append would have passed `max`; what is held is not the whole */
};

/* Nothing is allocated before the first append. */
#define BUF_INIT(max_bytes)                                                                        \
    {                                                                                              \
        .max = (max_bytes)                                                                         \
    }

void buf_init(struct buf *buf, size_t max_bytes);
void buf_release(struct buf *buf); /* frees; the buf may be used again */

/* Each is what the other was. */
static inline void buf_swap(struct buf *a, struct buf *b)
{
    struct buf was = *a;
    *a = *b;
    *b = was;
}

/* Forgets the content and the failure, keeps the memory. */
void buf_clear(struct buf *buf);

/* Makes room for `more` bytes, which are not there yet: what buf_reserve() calls. */
bool buf_grow(struct buf *buf, size_t more);

/* Room for `more` bytes behind the end without another allocation. False past the maximum. */
static inline bool buf_reserve(struct buf *buf, size_t more)
{
    return more <= buf->capacity - buf->len || buf_grow(buf, more);
}

static inline void buf_append(struct buf *buf, slice bytes)
{
    if (bytes.len > 0 && buf_reserve(buf, bytes.len)) {
        memcpy(buf->ptr + buf->len, bytes.ptr, bytes.len);
        buf->len += bytes.len;
    }
}

static inline void buf_append_byte(struct buf *buf, uint8_t byte)
{
    if (buf_reserve(buf, 1)) {
        buf->ptr[buf->len++] = byte;
    }
}

static inline void buf_append_cstr(struct buf *buf, const char *text)
{
    buf_append(buf, slice_from_cstr(text));
}

void buf_append_u64(struct buf *buf, uint64_t number); /* decimal */
void buf_append_i64(struct buf *buf, int64_t number);  /* decimal */
void buf_append_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Drops the first `n` bytes by moving the rest to the front. */
void buf_drop_front(struct buf *buf, size_t n);

/* LIMIT when any append was refused since the last clear. */
enum err buf_check(const struct buf *buf);

/* What is held, valid until the next append. */
static inline slice buf_slice(const struct buf *buf)
{
    return (slice){buf->ptr, buf->len};
}

/* A NUL behind the end that is not counted, for the borders that want C strings. */
const char *buf_cstr(struct buf *buf);
