/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { BUF_FIRST_BYTES = 64 };

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf)BUF_INIT(max_bytes);
}

void buf_release(struct buf *buf)
{
    free(buf->ptr);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

bool buf_grow(struct buf *buf, size_t more)
{
    if (more > buf->max - buf->len) {
        buf->failed = true;
        return false;
    }
    size_t wanted = buf->len + more;
    size_t capacity = buf->capacity < BUF_FIRST_BYTES ? BUF_FIRST_BYTES : buf->capacity;
    capacity = capacity > buf->max ? buf->max : capacity;
    while (capacity < wanted) {
        capacity = capacity > buf->max / 2 ? buf->max : capacity * 2;
    }
    buf->ptr = mem_resize(buf->ptr, capacity);
    buf->capacity = capacity;
    return true;
}

void buf_append_u64(struct buf *buf, uint64_t number)
{
    uint8_t digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buf_append(buf, (slice){digits + at, sizeof(digits) - at});
}

void buf_append_i64(struct buf *buf, int64_t number)
{
    if (number < 0) {
        buf_append_byte(buf, '-');
        buf_append_u64(buf, (uint64_t)0 - (uint64_t)number);
        return;
    }
    buf_append_u64(buf, (uint64_t)number);
}

void buf_append_format(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int needed = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ASSERT(needed >= 0);
    if (!buf_reserve(buf, (size_t)needed + 1)) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf((char *)buf->ptr + buf->len, (size_t)needed + 1, format, args);
    va_end(args);
    buf->len += (size_t)needed;
}

void buf_drop_front(struct buf *buf, size_t n)
{
    ASSERT(n <= buf->len);
    buf->len -= n;
    if (buf->len > 0 && n > 0) {
        memmove(buf->ptr, buf->ptr + n, buf->len);
    }
}

enum err buf_check(const struct buf *buf)
{
    return buf->failed ? ERR_LIMIT : OK;
}

const char *buf_cstr(struct buf *buf)
{
    if (buf->len == buf->capacity) { /* a byte that does not count: `max` may be reached */
        buf->ptr = mem_resize(buf->ptr, buf->len + 1);
    }
    buf->ptr[buf->len] = '\0';
    return (const char *)buf->ptr;
}
