/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex.h"
#include "json/bytes.h"
#include "json/json.h"

/* The code unit of the \uXXXX at `p`, -1 if there is none. */
static int read_unit(const uint8_t *p, const uint8_t *end)
{
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return -1;
    }
    int unit = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

static size_t put_utf8(unsigned code, uint8_t *out)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

/* The escape at *p (a backslash); what it stands for is never longer than it. */
static size_t resolve(const uint8_t **p, const uint8_t *end, uint8_t *out)
{
    static const uint8_t plain[][2] = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},  {'b', '\b'},
                                       {'f', '\f'}, {'n', '\n'},  {'r', '\r'}, {'t', '\t'}};
    const uint8_t *at = *p;
    for (size_t i = 0; end - at >= 2 && i < COUNT_OF(plain); i++) {
        if (at[1] == plain[i][0]) {
            out[0] = plain[i][1];
            *p += 2;
            return 1;
        }
    }
    int unit = read_unit(at, end);
    if (unit >= 0xd800 && unit <= 0xdbff) {
        int low = read_unit(at + 6, end);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *p += 12;
            return put_utf8(0x10000 + ((unsigned)(unit - 0xd800) << 10) + (unsigned)(low - 0xdc00),
                            out);
        }
    }
    if (unit < 0 || (unit >= 0xd800 && unit <= 0xdfff)) {
        out[0] = '\\'; /* damaged: as it is */
        *p += 1;
        return 1;
    }
    *p += 6;
    return put_utf8((unsigned)unit, out);
}

size_t json_unescape(slice raw, uint8_t *out)
{
    const uint8_t *p = raw.ptr;
    const uint8_t *end = raw.len > 0 ? raw.ptr + raw.len : raw.ptr;
    size_t len = 0;
    while (p < end) {
        const uint8_t *slash = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((slash == NULL ? end : slash) - p);
        memmove(out + len, p, run);
        len += run;
        p += run;
        if (p < end) {
            len += resolve(&p, end, out + len);
        }
    }
    return len;
}

/* The escape of a byte that needs one; returns its length. */
static size_t escape_byte(uint8_t byte, uint8_t out[6])
{
    static const char short_names[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    out[0] = '\\';
    if (byte >= 0x20) {
        out[1] = byte;
        return 2;
    }
    if (short_names[byte] != 0) {
        out[1] = (uint8_t)short_names[byte];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = (uint8_t) "01"[byte >> 4];
    out[5] = (uint8_t) "0123456789abcdef"[byte & 0xf];
    return 6;
}

void json_quote(struct buf *out, slice text)
{
    const uint8_t *p = text.ptr;
    const uint8_t *end = text.len > 0 ? text.ptr + text.len : text.ptr;
    if (!buf_reserve(out, text.len + 2)) {
        return;
    }
    out->ptr[out->len++] = '"';
    for (;;) {
        const uint8_t *next = json_find_escaped(p, end);
        buf_append(out, (slice){p, (size_t)(next - p)});
        if (next == end) {
            break;
        }
        uint8_t escape[6];
        buf_append(out, (slice){escape, escape_byte(*next, escape)});
        p = next + 1;
    }
    buf_append_byte(out, '"');
}

static inline bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The end of the string whose opening quote is at `p`. */
static const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    p++;
    for (;;) {
        p = json_find_quote(p, end);
        if (p == end) {
            return end;
        }
        if (*p == '"') {
            return p + 1;
        }
        if (end - p < 2) {
            return end;
        }
        p += 2;
    }
}

/* The next run of bytes to keep, and moves *p behind it and the white space that follows. */
static slice take_kept(const uint8_t **p, const uint8_t *end)
{
    const uint8_t *start = *p;
    const uint8_t *at = start;
    while (at < end && !is_space(*at)) {
        at = *at == '"' ? string_end(at, end) : at + 1;
    }
    slice kept = {start, (size_t)(at - start)};
    while (at < end && is_space(*at)) {
        at++;
    }
    *p = at;
    return kept;
}

void json_compact(slice json, struct buf *out)
{
    const uint8_t *p = json.ptr;
    const uint8_t *end = json.len > 0 ? json.ptr + json.len : json.ptr;
    while (p < end) {
        buf_append(out, take_kept(&p, end));
    }
}

size_t json_compact_into(slice json, uint8_t *out)
{
    const uint8_t *p = json.ptr;
    const uint8_t *end = json.len > 0 ? json.ptr + json.len : json.ptr;
    size_t len = 0;
    while (p < end) {
        slice kept = take_kept(&p, end);
        memcpy(out + len, kept.ptr, kept.len);
        len += kept.len;
    }
    return len;
}
