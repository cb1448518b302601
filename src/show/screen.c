/* SPDX-License-Identifier: Apache-2.0 */
#include "show/screen.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/utf8.h"
#include "os/terminal.h"

enum { WIDTH_LEAST = 40 };

void screen_init(struct screen *screen)
{
    ASSERT(screen != NULL);
    size_t columns = terminal_columns(STDOUT_FILENO);
    screen->is_terminal = terminal_is(STDOUT_FILENO);
    screen->err_is_terminal = terminal_is(STDERR_FILENO);
    screen->has_colours = terminal_has_colour(STDOUT_FILENO);
    screen->width = columns < WIDTH_LEAST ? WIDTH_LEAST : columns;
}

/* ---- Characters ---- */

struct range {
    uint32_t first, last;
};

/* Drawn over the character before. */
static const struct range no_width[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x20d0, 0x20ff}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

static const struct range two_wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe4f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

/* Invisible, or turns the reading direction: could make a line say what was not recorded. */
static const struct range hidden[] = {
    {0x0080, 0x009f}, {0x00ad, 0x00ad}, {0x061c, 0x061c},    {0x180e, 0x180e},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},    {0xfeff, 0xfeff},
    {0xfff9, 0xfffb}, {0xe000, 0xf8ff}, {0xe0000, 0x10ffff},
};

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/* Takes one well-formed character. False leaves `text` alone. */
static bool take_character(slice *text, uint32_t *code_out)
{
    const uint8_t *p = text->ptr;
    size_t len = utf8_character_len(*text);
    uint32_t code = len == 1 ? p[0] : p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        code = code << 6 | (p[i] & 0x3fu);
    }
    *code_out = code;
    (void)slice_take(text, len);
    return len > 0;
}

static bool is_hidden(uint32_t code)
{
    return code < ' ' || code == 0x7f || (code >= 0x80 && is_in(hidden, COUNT_OF(hidden), code));
}

/* One character as it may be shown, in `shown` (16 bytes). Returns its columns. */
static size_t show_next(slice *text, char shown[16])
{
    slice before = *text;
    uint32_t code = 0;
    if (!take_character(text, &code)) {
        (void)snprintf(shown, 16, "\\x%02x", slice_take(text, 1).ptr[0]);
        return 4;
    }
    if (is_hidden(code)) {
        return (size_t)snprintf(shown, 16, code < 0x80 ? "\\x%02x" : "\\u{%x}", code);
    }
    size_t len = before.len - text->len;
    memcpy(shown, before.ptr, len);
    shown[len] = '\0';
    if (code < 0x300) {
        return 1;
    }
    return is_in(no_width, COUNT_OF(no_width), code)   ? 0
           : is_in(two_wide, COUNT_OF(two_wide), code) ? 2
                                                       : 1;
}

size_t screen_columns(slice text)
{
    size_t columns = 0;
    char shown[16];
    while (text.len > 0) {
        columns += show_next(&text, shown);
    }
    return columns;
}

size_t screen_text(struct buf *out, slice text, size_t columns)
{
    ASSERT(out != NULL);
    size_t used = 0, fits_len = out->len, fits_used = 0; /* with room for the ellipsis */
    char shown[16];
    while (text.len > 0) {
        size_t wide = show_next(&text, shown);
        if (wide > columns - used) {
            out->len = fits_len;
            if (columns > 0) {
                buf_append_cstr(out, "…");
            }
            return columns > 0 ? fits_used + 1 : 0;
        }
        buf_append_cstr(out, shown);
        used += wide;
        if (used < columns) {
            fits_len = out->len;
            fits_used = used;
        }
    }
    return used;
}

void screen_lines(const struct screen *screen, struct buf *out, slice text)
{
    char shown[16];
    if (!screen->is_terminal) {
        buf_append(out, text);
        return;
    }
    while (text.len > 0) {
        if (slice_take_literal(&text, SLICE("\n"))) {
            buf_append_byte(out, '\n');
        } else {
            (void)show_next(&text, shown);
            buf_append_cstr(out, shown);
        }
    }
}

static void append_json_escape(struct buf *out, uint32_t code)
{
    if (code == '\t' || code == '\n' || code == '\r') {
        buf_append_byte(out, ' '); /* in JSON they only stand between values */
    } else if (code > 0xffff) {
        uint32_t above = code - 0x10000;
        buf_append_format(out, "\\u%04x\\u%04x", 0xd800 + (above >> 10), 0xdc00 + (above & 0x3ff));
    } else {
        buf_append_format(out, "\\u%04x", code);
    }
}

static void append_safe_json(struct buf *out, slice json)
{
    char shown[16];
    while (json.len > 0) {
        uint32_t code = 0;
        slice behind = json;
        if (take_character(&behind, &code) && is_hidden(code)) {
            append_json_escape(out, code);
            json = behind;
        } else {
            (void)show_next(&json, shown);
            buf_append_cstr(out, shown);
        }
    }
}

void screen_json_line(const struct screen *screen, struct buf *out, slice json)
{
    while (json.len > 0 && (json.ptr[json.len - 1] == '\n' || json.ptr[json.len - 1] == '\r')) {
        json.len--;
    }
    if (screen->is_terminal) {
        append_safe_json(out, json);
    } else {
        const uint8_t *feed = NULL;
        while (json.len > 0 && (feed = memchr(json.ptr, '\n', json.len)) != NULL) {
            buf_append(out, slice_take(&json, (size_t)(feed - json.ptr)));
            buf_append_byte(out, ' ');
            (void)slice_take(&json, 1);
        }
        buf_append(out, json);
    }
    buf_append_byte(out, '\n');
}

void screen_spaces(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_append_byte(out, ' ');
    }
}

void screen_colour(const struct screen *screen, struct buf *out, enum colour colour)
{
    static const char *const codes[] = {"\x1b[0m",  "\x1b[1m",  "\x1b[2m",  "\x1b[31m", "\x1b[32m",
                                        "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[36m"};
    if (screen->has_colours) {
        buf_append_cstr(out, codes[colour]);
    }
}

static int write_error; /* of stdout, which there is one of */

bool screen_write(slice bytes)
{
    bool ok = bytes.len == 0 || fwrite(bytes.ptr, 1, bytes.len, stdout) == bytes.len;
    ok = ok && fflush(stdout) == 0;
    if (!ok && write_error == 0) {
        write_error = errno;
    }
    return ok;
}

int screen_end(void)
{
    (void)screen_write((slice){0});
    return write_error;
}

/* ---- Numbers ---- */

void screen_count(struct buf *out, uint64_t number)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) {
            buf_append_byte(out, ',');
        }
        buf_append_byte(out, (uint8_t)digits[i]);
    }
}

void screen_duration(struct buf *out, uint64_t seconds)
{
    if (seconds >= 3600) {
        buf_append_format(out, "%llu:%02u:%02u", (unsigned long long)(seconds / 3600),
                          (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    } else {
        buf_append_format(out, "%u:%02u", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
    }
}
